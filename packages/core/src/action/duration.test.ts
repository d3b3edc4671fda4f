import { describe, expect, it } from '@jest/globals';
import { formatDuration, parseDuration } from './duration.ts';

describe('parseDuration', () => {
  it.each([
    ['90s', 90],
    ['15m', 900],
    ['2h', 7200],
    ['3d', 259_200],
  ])('%s is %d seconds', (text, seconds) => {
    expect(parseDuration(text, 'input "timeout"')).toBe(seconds);
  });

  it.each(['', '90', '0s', '-1s', '1.5h', '1h30m', '1 h', '2H', '1w', 's', '９s', '99999999999s'])('refuses %j', (text) => {
    expect(() => parseDuration(text, 'input "timeout"')).toThrow(`input "timeout" is "${text}", which is no duration`);
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 s'],
    [0.34, '0.3 s'],
    [9.99, '10 s'],
    [42.4, '42 s'],
    [60, '1 min'],
    [7500, '2 h 5 min'],
    [90_061, '1 d 1 h'],
    [86_405, '1 d'],
    [Number.NaN, '–'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});
