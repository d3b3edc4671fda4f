import { describe, expect, it } from '@jest/globals';
import { amount, isQuantity, normalise } from './quantity.ts';

describe('quantities', () => {
  // What kube-apiserver 1.35.4 made of a container's memory limit in a dry run.
  it.each([
    ['1', '1'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['1500m', '1500m'],
    ['2000', '2k'],
    ['1e3', '1e3'],
    ['2e-1', '200e-3'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Gi', '512Mi'],
    ['1048576', '1048576'],
    ['0Mi', '0'],
    ['1000Ki', '1000Ki'],
    ['0.1Ki', '102400m'],
    ['1.0', '1'],
    ['5e6', '5e6'],
    ['1000k', '1M'],
    ['.5', '500m'],
  ])('%s is written %s', (given, written) => {
    expect(normalise(given)).toBe(written);
    expect(amount(written)).toBe(amount(given));
  });

  it.each(['', 'lots', '1 Gi', '1g', '.', '1.2.3', 'Gi', '1e'])('%j is none', (text) => {
    expect(isQuantity(text)).toBe(false);
  });
});
