import type { PodsObservation, RunBackend } from '../backend/backend.ts';
import type { LogGatherer } from '../run/log-gatherer.ts';
import { resultOf } from '../run/outcome.ts';
import { parseReference } from '../run/reference.ts';
import type { RunResult } from '../run/result.ts';
import type { Status } from '../run/state.ts';
import { writeEnd } from './end.ts';
import type { RecordStore, StoredRecord } from './store.ts';

/** What the end of a run is written with. */
export interface ConcludeParts {
  records: RecordStore;
  backend: RunBackend;
  now(): number;
}

/** A record with its end, and the end. */
export interface Concluded {
  stored: StoredRecord;
  result: RunResult;
}

/**
 * Writes the end of a run into its record, once: whoever comes second gets what the first wrote.
 * @param status an ended one
 * @param pods as they were seen last: what is gone says nothing any more
 * @param gathered what was read of the log, to its end
 */
export async function concludeRun(
  stored: StoredRecord,
  status: Status,
  { pods, gathered }: { pods: PodsObservation; gathered: Pick<LogGatherer, 'tail' | 'series'> },
  { records, backend, now }: ConcludeParts,
): Promise<Concluded> {
  // Who cancelled stands on the record by now, where somebody did.
  const current = await latest(stored, records);
  const outputs = await backend.outputs(parseReference(stored.record.run ?? '')).catch(() => []);
  const result = resultOf({ record: current.record, status, pods, outputs, tail: (pod) => gathered.tail(pod), now: now() });
  const written = await writeEnd(records, current, result, { version: 1, series: gathered.series(), dropped: [] });
  return { stored: written, result: written.record.result ?? result };
}

async function latest(stored: StoredRecord, records: RecordStore): Promise<StoredRecord> {
  const now = await records.get(stored.namespace, stored.name);
  return now?.uid === stored.uid ? now : stored;
}
