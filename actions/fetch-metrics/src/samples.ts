import type { Direction, GateOn, MetricComparison, MetricRun, MetricSummary } from '@slashtrain/core/metrics/metrics';
import { changeOf, sampleOf } from './statistics/change.ts';

/** A metric's summaries by name, one a run, of the first source that has it: another would measure the same runs again. */
export function samplesByMetric(runs: readonly MetricRun[]): Map<string, MetricSummary[]> {
  const samples = new Map<string, { source: string | undefined; of: MetricSummary[] }>();
  for (const { source, metrics } of runs) {
    for (const metric of metrics) {
      const known = samples.get(metric.name) ?? { source, of: [] };
      samples.set(metric.name, known);
      if (known.source === source) known.of.push(metric);
    }
  }
  return new Map([...samples].map(([name, { of }]) => [name, of]));
}

/** The value of a curve that counts. Of a summary without a mean it is that of the points that are known. */
export function valueOn(summary: MetricSummary, on: GateOn, direction: Direction): number {
  switch (on) {
    case 'last':
      return summary.last;
    case 'min':
      return summary.min;
    case 'max':
      return summary.max;
    case 'best':
      return direction === 'higher' ? summary.max : summary.min;
    case 'mean':
      return summary.mean ?? summary.history.reduce((sum, { value }) => sum + value, 0) / summary.history.length;
  }
}

/** All metrics on both sides, by their last values. */
export function compareRuns(candidates: readonly MetricRun[], baseline: readonly MetricRun[]): MetricComparison[] {
  const [ours, theirs] = [samplesByMetric(candidates), samplesByMetric(baseline)];
  return [...new Set([...ours.keys(), ...theirs.keys()])].map((name) => {
    const [now, before] = [ours, theirs].map((side) => side.get(name)?.map(({ last }) => last));
    const isComparable = now && before && [...now, ...before].every(Number.isFinite);
    return {
      name,
      ...(now && { candidate: sampleOf(now) }),
      ...(before && { baseline: sampleOf(before) }),
      ...(isComparable && { change: changeOf(now, before, 0.95) }),
    };
  });
}
