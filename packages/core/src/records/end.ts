import { ActionError } from '../action/errors.ts';
import type { RunMetrics } from '../metrics/metrics.ts';
import type { RecordStore, StoredRecord } from './store.ts';
import type { RunRecord } from '../run/record.ts';
import type { RunResult } from '../run/result.ts';
import { isEnded } from '../run/state.ts';

/**
 * Writes the end of a run, once: metrics first, then the state. Who comes second reads what the first wrote; only where
 * that was a cancellation, which has no log, it adds the result with the log.
 * @param metrics absent where the log was not read: then what is there stays
 * @returns the record with its end, ours or theirs
 */
export async function writeEnd(records: RecordStore, stored: StoredRecord, result: RunResult, metrics?: RunMetrics): Promise<StoredRecord> {
  let current = stored;
  for (
    let isWritten = false;
    !isEnded(current.record.state) || (metrics && lacksLog(current, result));
    current = await reread(records, current)
  ) {
    if (metrics && !isWritten) await records.writeMetrics(current, metrics);
    isWritten = true;
    const written = await records.update(current, (record) => ({ ...record, state: result.state, result }));
    if (written) return written;
  }
  return current;
}

function lacksLog({ record }: StoredRecord, { state, logTail }: RunResult): boolean {
  return record.state === 'cancelled' && state === 'cancelled' && record.result?.logTail.length === 0 && logTail.length > 0;
}

/** Notes on the record that somebody wants the run's end, before it is stopped: so that its disappearance is no mystery. */
export async function markCancelled(
  records: RecordStore,
  stored: StoredRecord,
  cancel: NonNullable<RunRecord['cancel']>,
): Promise<StoredRecord> {
  let current = stored;
  while (!current.record.cancel && !isEnded(current.record.state)) {
    const written = await records.update(current, (record) => ({ ...record, cancel }));
    if (written) return written;
    current = await reread(records, current);
  }
  return current;
}

/** The record as it stands now. @throws ActionError `not-found` where it is gone, or another has its name */
export async function reread(records: RecordStore, stored: StoredRecord): Promise<StoredRecord> {
  const current = await records.get(stored.namespace, stored.name);
  if (current?.uid === stored.uid) return current;
  throw new ActionError('not-found', `the record "${stored.name}" in namespace "${stored.namespace}" was deleted meanwhile`, {
    remedy: 'nothing but Slashtrain should delete these ConfigMaps; the run itself may still be there',
  });
}
