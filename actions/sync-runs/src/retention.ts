import { newestFirst } from '@slashtrain/core/records/find';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { isEnded } from '@slashtrain/core/run/state';
import { endOf } from './ended.ts';

/** The records that ended longer ago than `retention` (seconds). */
export function outdated(all: readonly StoredRecord[], retention: number, now: number): StoredRecord[] {
  return all.filter(({ record }) => isEnded(record.state) && now - endOf(record) > retention * 1000);
}

/**
 * Of what is outdated, what may go: each pipeline's newest record with metrics stays, since it may be the baseline.
 * Metrics are read only where a pipeline has something outdated, from the newest on, until one has some.
 */
export async function deletable(
  old: readonly StoredRecord[],
  all: readonly StoredRecord[],
  records: Pick<RecordStore, 'readMetrics'>,
): Promise<StoredRecord[]> {
  const kept = new Set<string>();
  for (const pipeline of new Set(old.map(({ record }) => record.pipeline))) {
    for (const stored of newestFirst(all.filter(({ record }) => record.pipeline === pipeline && isEnded(record.state)))) {
      const metrics = await records.readMetrics(stored);
      if (!metrics || metrics.series.length === 0) continue;
      kept.add(stored.uid);
      break;
    }
  }
  return old.filter(({ uid }) => !kept.has(uid));
}
