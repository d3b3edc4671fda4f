import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { randomFrom, shuffle } from './random.js';

export const pixels = 64;
export const classes = 10;

const brightest = 16;
const splitSeed = 1998;
const testShare = 0.2;

/**
 * Reads the images, and sets a fifth of them apart for testing: the same ones in every run, so that runs compare.
 * @returns {{training: Example[], test: Example[]}}
 * @typedef {{image: Float64Array, digit: number}} Example 64 brightnesses from 0 to 1, row by row
 */
export function readDigits(file = new URL('data/digits.csv.gz', import.meta.url)) {
  const lines = gunzipSync(readFileSync(file)).toString('ascii').trim().split('\n');
  const examples = shuffle(lines.map(readLine), randomFrom(splitSeed));
  const testCount = Math.round(examples.length * testShare);
  return { training: examples.slice(testCount), test: examples.slice(0, testCount) };
}

function readLine(line, index) {
  const numbers = line.split(',').map(Number);
  const digit = numbers.pop();
  const isValid = numbers.length === pixels && Number.isInteger(digit) && digit >= 0 && digit < classes;
  if (!isValid || !numbers.every((number) => number >= 0 && number <= brightest)) {
    throw new Error(`line ${index + 1} of the data holds no image of ${pixels} brightnesses and a digit`);
  }
  return { image: Float64Array.from(numbers, (number) => number / brightest), digit };
}
