import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { UsageError, readArguments } from './arguments.js';
import { classes, pixels, readDigits } from './data.js';
import { evaluate, makeModel, trainEpoch, writeModel } from './model.js';
import { randomFrom } from './random.js';

// As the first process of a container Node has no default for SIGTERM: without this, a cancelled run would train on.
process.on('SIGTERM', () => process.exit(143));

try {
  await train(readArguments(process.argv.slice(2), JSON.parse(readFileSync(new URL('settings.json', import.meta.url), 'utf8'))));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function train({ epochs, learningRate, hidden, batch, seed, out }) {
  const { training, test } = readDigits();
  console.log(`${training.length} images to learn from, ${test.length} to test with`);
  console.log(`epochs ${epochs}, learning rate ${learningRate}, hidden ${hidden}, batch ${batch}, seed ${seed}`);
  const random = randomFrom(seed);
  const model = makeModel(pixels, hidden, classes, random);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    trainEpoch(model, training, { learningRate, batch }, random);
    const { accuracy, loss } = evaluate(model, test);
    console.log(`epoch ${epoch}/${epochs}: accuracy ${accuracy.toFixed(4)}, loss ${loss.toFixed(4)}`);
    report('accuracy', accuracy, epoch);
    report('loss', loss, epoch);
    // Lets a signal in between two epochs.
    await setImmediate();
  }
  if (out === undefined) return;
  const file = resolve(out);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, writeModel(model));
  console.log(`wrote ${file}`);
}

/** The way in which metrics leave a pod: a line on stdout. */
function report(name, value, step) {
  const rounded = Math.round(value * 1e6) / 1e6;
  console.log(`slashtrain-metric ${JSON.stringify({ name, value: Number.isFinite(value) ? rounded : String(value), step })}`);
}
