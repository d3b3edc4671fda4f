import { ActionError } from '@slashtrain/core/action/errors';
import type { Comparison, MetricsFile } from '@slashtrain/core/metrics/metrics';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { isEnded } from '@slashtrain/core/run/state';

const mostTries = 10;
const longestNote = 1000;

/**
 * Writes verdict and comparison into the run's record, so that a report can be made from records alone. Of a run that goes on
 * nothing is written: its verdict would be of something else.
 * @throws ActionError `conflict` where the record changes faster than it can be written
 */
export async function remember(records: RecordStore, stored: StoredRecord, file: MetricsFile): Promise<void> {
  if (!isEnded(stored.record.state)) return;
  const comparison = comparisonOf(file);
  let current = stored;
  for (let round = 0; round < mostTries; round++) {
    if (await records.update(current, (record) => ({ ...record, verdict: file.verdict, comparison }))) return;
    const fresh = await records.get(stored.namespace, stored.name);
    if (fresh?.uid !== stored.uid) break;
    current = fresh;
  }
  throw new ActionError(
    'conflict',
    `the verdict could not be written into the record "${stored.name}" in namespace "${stored.namespace}"`,
    {
      remedy: 'run the step again',
    },
  );
}

/** What the record keeps of a metrics file. A record has less room than a file, so that texts are cut. */
function comparisonOf({ baseline, gates, noBaseline, notes }: MetricsFile): Comparison {
  return {
    ...(baseline?.record === undefined
      ? {}
      : { baseline: { description: baseline.description.slice(0, longestNote), sha: baseline.sha, record: baseline.record } }),
    gates: gates.map(({ gate, place, outcome, why }) => ({ gate, ...(place && { place }), outcome, why: why.slice(0, longestNote) })),
    noBaseline,
    notes: notes.slice(0, 20).map((note) => note.slice(0, longestNote)),
  };
}
