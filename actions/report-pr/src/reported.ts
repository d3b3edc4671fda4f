import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { isEnded } from '@slashtrain/core/run/state';

const mostTries = 10;

/**
 * Notes that the end of a run was shown, so that sync-runs does not ask for it again. Where that cannot be written, it is asked
 * for once more, which does no harm.
 */
export async function markReported(records: RecordStore, stored: StoredRecord, now: number): Promise<boolean> {
  let current: StoredRecord | undefined = await records.get(stored.namespace, stored.name);
  for (let round = 0; round < mostTries; round++) {
    // An end that came after we read was not shown.
    if (current?.uid !== stored.uid || !isEnded(current.record.state) || !isEnded(stored.record.state)) return false;
    const written = await records.update(current, (record) => ({ ...record, reportedAt: new Date(now).toISOString() }));
    if (written) return true;
    current = await records.get(stored.namespace, stored.name);
  }
  return false;
}
