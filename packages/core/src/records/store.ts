import type { RunMetrics } from '../metrics/metrics.ts';
import type { RunRecord } from '../run/record.ts';

/** A record as it stands in the cluster. */
export interface StoredRecord {
  readonly namespace: string;
  /** The record's and its run's name. */
  readonly name: string;
  /** The ConfigMap's UID: what the run's annotation must hold. */
  readonly uid: string;
  /** For {@link RecordStore.update}: a write holds only for the version that was read. */
  readonly resourceVersion: string;
  readonly record: RunRecord;
}

/** Which records. All that is given must match. */
export interface RecordQuery {
  repositoryId: number;
  pullRequest?: number;
  sha?: string;
  pipeline?: string;
}

/** The records of one cluster: ConfigMaps, found by label and believed by content. */
export interface RecordStore {
  get(namespace: string, name: string): Promise<StoredRecord | undefined>;
  /** Oldest first. ConfigMaps that carry our labels and hold no valid record are left out. */
  find(namespace: string, query: RecordQuery): Promise<StoredRecord[]>;
  /** @returns undefined where the name is taken */
  create(namespace: string, name: string, record: RunRecord): Promise<StoredRecord | undefined>;
  /** Writes `change(record)` if the version is still the one read. @returns undefined where it is not: read again and decide again */
  update(stored: StoredRecord, change: (record: RunRecord) => RunRecord): Promise<StoredRecord | undefined>;
  delete(stored: StoredRecord): Promise<void>;
  /** Writes `<name>-metrics`, compressed, owned by the record; above 900 KiB histories are thinned, then series dropped, and it says so in `dropped`. */
  writeMetrics(stored: StoredRecord, metrics: RunMetrics, gated?: ReadonlySet<string>): Promise<void>;
  readMetrics(stored: StoredRecord): Promise<RunMetrics | undefined>;
}
