import { ActionError, describe } from '@slashtrain/core/action/errors';
import type { Log } from '@slashtrain/core/action/log';
import type { StoredRecord } from '@slashtrain/core/records/store';
import { resultOf } from '@slashtrain/core/run/outcome';
import type { RunResult } from '@slashtrain/core/run/result';

/** Where checks are concluded. */
export interface CheckParts {
  /** @returns whether something was written */
  conclude(stored: StoredRecord, result: RunResult): Promise<boolean>;
  log: Log;
  signal: AbortSignal;
  now(): number;
}

/**
 * Concludes the checks of ended records, one after the other. Where GitHub wants no more for now, or the runner wants the end,
 * the rest is left: who reports a run concludes its check as well, and so does the next sync.
 * @returns what failed
 */
export async function concludeChecks(ended: readonly StoredRecord[], { conclude, log, signal, now }: CheckParts): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const [index, stored] of ended.entries()) {
    if (signal.aborted) break;
    try {
      const wrote = await conclude(stored, stored.record.result ?? resultOfNone(stored, now()));
      if (wrote) log.debug(`the check of ${stored.name} is concluded`);
    } catch (error) {
      failures.push(error);
      log.warning(`the check of ${stored.name} could not be concluded: ${describe(error)}`);
      if (!(error instanceof ActionError) || (error.code !== 'unreachable' && error.code !== 'permission')) continue;
      log.warning(`${ended.length - index - 1} more checks are left to who reports the runs, and to the next sync`);
      break;
    }
  }
  return failures;
}

/** A run that was never made has no result. */
function resultOfNone({ record }: StoredRecord, now: number): RunResult {
  const message = record.refusal === undefined ? {} : { message: record.refusal };
  const nothing = { pods: [], evidence: [] };
  return resultOf({ record, status: { state: record.state, ...message }, pods: nothing, outputs: [], tail: () => [], now });
}
