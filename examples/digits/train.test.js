import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readDigits } from './data.js';
import { evaluate, predict, readModel } from './model.js';

const program = fileURLToPath(new URL('train.js', import.meta.url));
const train = (...argv) => spawnSync(process.execPath, [program, ...argv], { encoding: 'utf8' });
const metric = (stdout, name) => {
  const lines = stdout.split('\n').filter((line) => line.startsWith('slashtrain-metric '));
  return lines.map((line) => JSON.parse(line.slice('slashtrain-metric '.length))).filter((reading) => reading.name === name);
};

test('learns to read digits in 20 epochs', () => {
  const { status, stdout } = train('--epochs', '20');
  assert.equal(status, 0);
  const readings = metric(stdout, 'accuracy');
  assert.deepEqual(
    readings.map(({ step }) => step),
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
  assert.ok(readings.at(-1).value > 0.96, stdout);
});

test('learns less at a bad learning rate', () => {
  const last = metric(train('--epochs', '20', '--learning-rate', '0.003').stdout, 'accuracy').at(-1).value;
  assert.ok(last > 0.7 && last < 0.9, `accuracy is ${last}`);
});

test('equal arguments give equal numbers, another seed others', () => {
  const first = train('--epochs', '2', '--seed', '7').stdout;
  assert.equal(train('--epochs', '2', '--seed', '7').stdout, first);
  assert.notDeepEqual(metric(train('--epochs', '2', '--seed', '8').stdout, 'loss'), metric(first, 'loss'));
});

test('the model that is written is the one that was measured', () => {
  const folder = mkdtempSync(join(tmpdir(), 'digits-'));
  try {
    const file = join(folder, 'deep', 'model.json');
    const { stdout } = train('--epochs', '3', '--out', file);
    const model = readModel(readFileSync(file, 'utf8'));
    const examples = readDigits().test;
    assert.equal(Math.round(evaluate(model, examples).accuracy * 1e6) / 1e6, metric(stdout, 'accuracy').at(-1).value);
    const { probabilities } = predict(model, examples[0].image);
    assert.ok(Math.abs(probabilities.reduce((a, b) => a + b, 0) - 1) < 1e-9);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('training and test images are 1,797 together', () => {
  const { training, test: held } = readDigits();
  assert.deepEqual([training.length, held.length], [1438, 359]);
});

for (const [argv, message] of [
  [['--epochs', 'many'], /--epochs is "many"; allowed: a whole number from 1 to 100000/],
  [['--epochs', '1.5'], /--epochs is "1\.5"/],
  [['--learning-rate', 'NaN'], /--learning-rate is "NaN"/],
  [['--epoch', '3'], /Unknown option '--epoch'[^]*usage: node train\.js/],
  [['20'], /Unexpected argument '20'/],
]) {
  test(`refuses ${argv.join(' ')}`, () => {
    const { status, stdout, stderr } = train(...argv);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, message);
  });
}
