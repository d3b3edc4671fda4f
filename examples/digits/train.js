import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError, readArguments } from './arguments.js';
import { readDigits } from './data.js';
import { learn } from './learn.js';
import { evaluate, writeModel } from './model.js';
import { writeRecipe } from './recipe.js';

// As the first process of a container Node has no default for SIGTERM: without this, a cancelled run would train on.
process.on('SIGTERM', () => process.exit(143));

try {
  await train(readArguments(process.argv.slice(2), JSON.parse(readFileSync(new URL('settings.json', import.meta.url), 'utf8'))));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function train({ out, ...settings }) {
  const { training, test } = readDigits();
  const { epochs, learningRate, hidden, batch, seed } = settings;
  console.log(`${training.length} images to learn from, ${test.length} to test with`);
  console.log(`epochs ${epochs}, learning rate ${learningRate}, hidden ${hidden}, batch ${batch}, seed ${seed}`);
  const model = await learn(settings, (epoch, model, held) => {
    const { accuracy, loss } = evaluate(model, held);
    console.log(`epoch ${epoch}/${epochs}: accuracy ${accuracy.toFixed(4)}, loss ${loss.toFixed(4)}`);
    report('accuracy', accuracy, epoch);
    report('loss', loss, epoch);
  });
  leave({ 'model-uri': writeRecipe(settings, model) });
  if (out === undefined) return;
  const file = resolve(out);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, writeModel(model));
  console.log(`wrote ${file}`);
}

/** The way in which small outputs leave a pod: its termination message. Elsewhere there is none. */
function leave(outputs) {
  // Slashtrain's embedded cluster has no jail; on a real one the variable is not set.
  const file = `${process.env.SLASHTRAIN_ROOT ?? ''}/dev/termination-log`;
  if (existsSync(file)) writeFileSync(file, JSON.stringify(outputs));
}

/** The way in which metrics leave a pod: a line on stdout. */
function report(name, value, step) {
  const rounded = Math.round(value * 1e6) / 1e6;
  console.log(`slashtrain-metric ${JSON.stringify({ name, value: Number.isFinite(value) ? rounded : String(value), step })}`);
}
