import { isSeed } from '@slashtrain/core/metrics/seed';
import { valueOfTrial } from '@slashtrain/core/sweep/rank';
import type { RunSweep, Trial } from '@slashtrain/core/sweep/sweep';
import { numberOf } from './scatter.ts';

/** How much of the spread of the metric a parameter explains by itself. */
export interface Importance {
  name: string;
  /** From 0 to 1. */
  share: number;
}

const mostGroups = 4;
const fewestTrials = 8;

/**
 * The share of the variance of the metric that lies between groups of trials with like values of one parameter: at most four groups,
 * by quarters of the values where these are many numbers. Corrected for what chance alone would give (epsilon squared,
 * https://en.wikipedia.org/wiki/Effect_size#Omega-squared_(%CF%892)), so that a parameter without effect has about 0. It sees each
 * parameter by itself, and nothing of what two do together.
 * @returns most important first; empty where there are too few trials to say
 */
export function importanceOf(trials: readonly Trial[], sweep: RunSweep): Importance[] {
  const measured = trials
    .map((trial) => ({ trial, value: valueOfTrial(trial, sweep) }))
    .filter(({ trial, value }) => trial.state === 'succeeded' && Number.isFinite(value));
  if (measured.length < fewestTrials) return [];
  const all = measured.map(({ value }) => value);
  return sweep.parameters
    .flatMap((name, index): Importance[] => {
      if (isSeed(name)) return [];
      const groups = groupsOf(measured.map(({ trial }) => trial.values[index] ?? ''));
      const share = groups && epsilonSquared(all, groups);
      return share === undefined ? [] : [{ name, share }];
    })
    .toSorted((a, b) => b.share - a.share);
}

/** Each value's group; undefined where they cannot be grouped. */
function groupsOf(values: readonly string[]): number[] | undefined {
  const different = [...new Set(values)];
  if (different.length < 2) return undefined;
  if (different.length <= mostGroups) return values.map((value) => different.indexOf(value));
  const numbers = different.map(numberOf);
  if (!numbers.every((number) => number !== undefined)) return undefined;
  const sorted = values.map((value) => numberOf(value) ?? 0).toSorted((a, b) => a - b);
  const bounds = [1, 2, 3].map((quarter) => sorted[Math.floor((quarter * sorted.length) / mostGroups)] ?? 0);
  return values.map((value) => bounds.filter((bound) => (numberOf(value) ?? 0) >= bound).length);
}

function epsilonSquared(values: readonly number[], groups: readonly number[]): number | undefined {
  const mean = average(values);
  const total = squares(values, mean);
  const byGroup = Map.groupBy(values.keys(), (index) => groups[index]);
  const [n, k] = [values.length, byGroup.size];
  if (total === 0 || k < 2 || n <= k) return undefined;
  let within = 0;
  for (const indexes of byGroup.values()) {
    const own = indexes.map((index) => values[index] ?? 0);
    within += squares(own, average(own));
  }
  return Math.max(0, 1 - (within / (n - k)) * ((n - 1) / total));
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function squares(values: readonly number[], mean: number): number {
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}
