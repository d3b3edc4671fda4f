import type { Gate, MetricPoint } from '@slashtrain/core/metrics/metrics';
import { matchesPattern } from '@slashtrain/core/metrics/gate';
import type { TrackedRun } from '@slashtrain/core/trackers/tracked';

const mostMetrics = 100;
const mostRuns = 100;
const atOnce = 6;

/** Asks for the curves of one metric. @param whole every point of it, since a gate looks at all of them */
export type AskHistory = (runIds: readonly string[], metric: string, whole: boolean) => Promise<Map<string, MetricPoint[]>>;

/**
 * Puts curves in the place of last values: gated metrics first, of at most 100 metrics and 100 runs.
 * @returns what was left out, in words
 */
export async function addHistories(runs: TrackedRun[], gates: readonly Gate[], ask: AskHistory): Promise<string[]> {
  const some = runs.slice(0, mostRuns);
  const names = [...new Set(some.flatMap(({ series }) => series.map(({ name }) => name)))];
  const gateOf = (name: string): Gate | undefined => gates.find(({ metric }) => metric === name || matchesPattern(metric, name));
  const gated = names.filter((name) => gateOf(name) !== undefined);
  // What a GPU did each second is no metric of the model.
  const others = names.filter((name) => gateOf(name) === undefined && !name.startsWith('system/'));
  const queue = [...gated, ...others].slice(0, Math.max(mostMetrics, gated.length));
  const notes: string[] = [];
  if (queue.length < gated.length + others.length)
    notes.push(`curves were read of ${queue.length} metrics; of the others the last value is known`);
  if (some.length < runs.length) notes.push(`curves were read of ${some.length} runs; of the others the last values are known`);
  const ids = some.map(({ id }) => id);
  const work = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const on = gateOf(name)?.on;
      const curves = await ask(ids, name, on !== undefined && on !== 'last');
      for (const run of some) {
        const points = curves.get(run.id);
        const series = run.series.find((one) => one.name === name);
        if (series && points && points.length > 0) series.points = points;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return notes;
}
