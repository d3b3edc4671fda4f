import { isSeed } from '../metrics/seed.ts';
import type { RunSweep, Trial } from './sweep.ts';

/** One setting with the trials that ran it: several where the seeds alone differ. */
export interface RankedSetting {
  /** Without seeds, by the sweep's parameters' order. */
  parameters: { name: string; value: string }[];
  /** Those that ended well and measured a number, best first. */
  trials: Trial[];
  /** Their values of the sweep's metric, in the same order. */
  values: number[];
  mean: number;
  /** Of the values, with n − 1; absent for one. */
  deviation?: number;
}

/** A trial's value of the sweep's metric; NaN where it has none. */
export function valueOfTrial({ metrics }: Trial, { metric, on, direction }: RunSweep): number {
  const found = metrics.find(({ name }) => name === metric);
  if (!found) return Number.NaN;
  return found[on === 'best' ? (direction === 'higher' ? 'max' : 'min') : on];
}

/** A trial's parameters by name. */
export function parametersOf({ values }: Trial, { parameters }: RunSweep): { name: string; value: string }[] {
  return parameters.flatMap((name, index) => (values[index] === undefined ? [] : [{ name, value: values[index] }]));
}

/**
 * The settings by their metric's mean over the seeds, best first. A setting of which not every seed ended well comes by
 * those that did. Trials without a finite value are left out; of equals the one that came first.
 */
export function rankSettings(trials: readonly Trial[], sweep: RunSweep): RankedSetting[] {
  const sign = sweep.direction === 'higher' ? -1 : 1;
  const settings = new Map<string, { parameters: RankedSetting['parameters']; of: { trial: Trial; value: number }[] }>();
  for (const trial of trials) {
    const value = valueOfTrial(trial, sweep);
    if (trial.state !== 'succeeded' || !Number.isFinite(value)) continue;
    const parameters = parametersOf(trial, sweep).filter(({ name }) => !isSeed(name));
    const key = JSON.stringify(parameters);
    const setting = settings.get(key) ?? { parameters, of: [] };
    settings.set(key, setting);
    setting.of.push({ trial, value });
  }
  return [...settings.values()]
    .map(({ parameters, of }) => {
      const sorted = of.toSorted((a, b) => sign * (a.value - b.value));
      return { parameters, trials: sorted.map(({ trial }) => trial), ...spread(sorted.map(({ value }) => value)) };
    })
    .toSorted((a, b) => sign * (a.mean - b.mean));
}

/** Mean and deviation of values. */
function spread(values: number[]): Pick<RankedSetting, 'values' | 'mean' | 'deviation'> {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { values, mean };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { values, mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}
