import { describe } from '@slashtrain/core/action/errors';
import type { Log } from '@slashtrain/core/action/log';
import { formatDuration } from '@slashtrain/core/action/duration';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { deletable, outdated } from './retention.ts';

/** What tidying works with. */
export interface TidyParts {
  records: RecordStore;
  /** The configuration's `retention`, in seconds. */
  retention(): Promise<number>;
  log: Log;
  now(): number;
  dryRun: boolean;
}

/** What was deleted, or would be, and what failed. */
export interface Tidied {
  deleted: StoredRecord[];
  failures: unknown[];
}

// No shorter retention makes sense: nothing younger than this is worth a request to GitHub.
const youngest = 3_600;

/** Deletes the records that ended longer ago than they are kept. */
export async function tidy(all: readonly StoredRecord[], { records, retention, log, now, dryRun }: TidyParts): Promise<Tidied> {
  const deleted: StoredRecord[] = [];
  const failures: unknown[] = [];
  try {
    if (outdated(all, youngest, now()).length === 0) return { deleted, failures };
    const seconds = await retention();
    for (const stored of await deletable(outdated(all, seconds, now()), all, records)) {
      if (!dryRun) await records.delete(stored);
      log.info(`${stored.name}: ${dryRun ? 'would be deleted' : 'deleted'}, it ended more than ${formatDuration(seconds)} ago`);
      deleted.push(stored);
    }
  } catch (error) {
    log.warning(`old records could not be deleted: ${describe(error)}`);
    failures.push(error);
  }
  return { deleted, failures };
}
