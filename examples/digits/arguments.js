import { parseArgs } from 'node:util';

/** What a person wrote that cannot be used. */
export class UsageError extends Error {}

const usage = 'usage: node train.js [--epochs N] [--learning-rate X] [--hidden N] [--batch N] [--seed N] [--out FILE]';

const rules = {
  epochs: { fallback: 10, min: 1, max: 100_000, whole: true },
  'learning-rate': { fallback: 0.1, min: 0, max: 1_000, whole: false },
  hidden: { fallback: 32, min: 1, max: 4_096, whole: true },
  batch: { fallback: 16, min: 1, max: 10_000, whole: true },
  seed: { fallback: 0, min: 0, max: 2 ** 32 - 1, whole: true },
};

/**
 * Reads the command line over the settings of the repository. An unknown name or a value that is no number is refused.
 * @param {string[]} argv
 * @param {Record<string, unknown>} settings the content of settings.json
 */
export function readArguments(argv, settings) {
  const options = Object.fromEntries([...Object.keys(rules), 'out'].map((name) => [name, { type: 'string' }]));
  let values;
  try {
    ({ values } = parseArgs({ args: argv, options, strict: true, allowPositionals: false }));
  } catch (error) {
    throw new UsageError(`${error.message}\n${usage}`);
  }
  const unknown = Object.keys(settings).filter((name) => !Object.hasOwn(rules, name));
  if (unknown.length > 0) throw new UsageError(`settings.json: unknown ${unknown.join(', ')}; known: ${Object.keys(rules).join(', ')}`);
  const read = (name) => {
    const isGiven = values[name] !== undefined;
    if (isGiven) return readNumber(values[name], `--${name}`, rules[name]);
    return Object.hasOwn(settings, name) ? readNumber(String(settings[name]), `settings.json: ${name}`, rules[name]) : rules[name].fallback;
  };
  return {
    epochs: read('epochs'),
    learningRate: read('learning-rate'),
    hidden: read('hidden'),
    batch: read('batch'),
    seed: read('seed'),
    out: values.out,
  };
}

function readNumber(text, name, { min, max, whole }) {
  const number = /^[0-9]+(\.[0-9]+)?(e-?[0-9]+)?$/i.test(text) ? Number(text) : NaN;
  const isAllowed = number >= min && number <= max && (!whole || Number.isInteger(number));
  if (!isAllowed)
    throw new UsageError(`${name} is ${JSON.stringify(text)}; allowed: a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
  return number;
}
