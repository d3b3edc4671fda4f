import { newestFirst } from '@slashtrain/core/records/find';
import type { StoredRecord } from '@slashtrain/core/records/store';
import type { StoredRollout } from '@slashtrain/core/rollouts/rollout';
import type { RunRecord } from '@slashtrain/core/run/record';
import { isEnded } from '@slashtrain/core/run/state';

/** What of the inputs decides what is reported. */
export interface ReportChoice {
  /** Seconds. */
  maxAge: number;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * The ended records that no report has shown, oldest first. A run that was never made has no reference: commit, pull
 * request and pipeline name it, as long as no later one has taken its place.
 */
export function toReport(all: readonly StoredRecord[], { maxAge, now }: ReportChoice): StoredRecord[] {
  const newest = new Map(
    newestFirst(all)
      .toReversed()
      .map((stored) => [placeOf(stored.record), stored.uid]),
  );
  return all
    .filter(({ uid, record }) => {
      if (!isEnded(record.state) || record.reportedAt !== undefined) return false;
      if (now - endOf(record) > maxAge * 1000) return false;
      return record.run !== undefined || newest.get(placeOf(record)) === uid;
    })
    .toSorted((a, b) => endOf(a.record) - endOf(b.record));
}

/** The output `ended`. */
export function endedList(records: readonly StoredRecord[]): string {
  return JSON.stringify(
    records.map(({ record: { run = '', sha, pullRequest, pipeline } }) => ({ run, sha, 'pr-number': pullRequest, pipeline })),
  );
}

/** The output `rollouts`. */
export function rolloutList(rollouts: readonly StoredRollout[]): string {
  return JSON.stringify(
    rollouts.map(({ name, rollout }) => ({ rollout: name, environment: rollout.environment, name: rollout.name, sha: rollout.sha })),
  );
}

/** When a run ended, in milliseconds since 1970; of one that was never made, when it was asked for. */
export function endOf({ result, createdAt }: RunRecord): number {
  return Date.parse(result?.endedAt ?? createdAt);
}

function placeOf({ sha, pullRequest, pipeline }: RunRecord): string {
  return JSON.stringify([sha, pullRequest, pipeline]);
}
