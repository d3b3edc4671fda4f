import { describe, expect, it } from '@jest/globals';
import { costOf, formatCost, formatGpuHours, mostGpuHours } from './cost.ts';

describe('what a run costs', () => {
  const price = { perHour: 2.5, accelerator: 'a100', currency: 'EUR' };

  it.each([
    [3, price, 7.5],
    [0, price, 0],
    [0.00125, price, 0.0031],
    [3, undefined, undefined],
  ])('%s GPU-hours at %j: %s', (hours, at, expected) => {
    expect(costOf(hours, at)).toBe(expected);
  });

  it('is at most its GPUs until its deadline', () => {
    expect(mostGpuHours(4, 5400)).toBe(6);
  });

  it.each([
    [16, '16'],
    [2.016667, '2.02'],
    [0.003125, '0.0031'],
    [0, '0'],
  ])('%s GPU-hours are shown as text', (hours, text) => {
    expect(formatGpuHours(hours)).toBe(text);
  });

  it.each([
    [7.5, price, '7.50 EUR'],
    [0.0031, { perHour: 1, accelerator: 'a' }, '0.0031'],
    [0, price, '0.00 EUR'],
  ])('%s is shown as text', (cost, at, expected) => {
    expect(formatCost(cost, at)).toBe(expected);
  });
});
