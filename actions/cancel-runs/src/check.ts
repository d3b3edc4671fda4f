import { describe } from '@slashtrain/core/action/errors';
import type { Log } from '@slashtrain/core/action/log';
import { CheckRuns } from '@slashtrain/core/github/checks';
import type { GitHub } from '@slashtrain/core/github/client';
import { code, escapeText } from '@slashtrain/core/markdown/markdown';
import type { StoredRecord } from '@slashtrain/core/records/store';
import { conclusionOf, trainCheckKey } from '@slashtrain/core/run/check';

/**
 * Concludes the check of a run that was ended, where it has an unfinished one: who waits for the run may have done it,
 * and a run that was never made has none. The record has the truth already; where GitHub refuses, a warning says so.
 */
export async function concludeCheck(github: GitHub, stored: StoredRecord, log: Log): Promise<void> {
  const { record, name } = stored;
  const { by, why } = record.cancel ?? { by: 'somebody', why: '' };
  const checks = new CheckRuns(github);
  try {
    const check = await checks.find(trainCheckKey(stored));
    if (!check || check.completed) return;
    const summary = `Run ${code(name)}, attempt ${record.attempt}, was cancelled by ${escapeText(by)}: ${escapeText(why)}.`;
    await checks.put(
      { ...trainCheckKey(stored), id: check.id },
      { conclusion: conclusionOf(record.state, record) },
      { title: `${record.state} by ${by}`, summary },
    );
  } catch (error) {
    log.warning(`the check run of ${name} could not be concluded: ${describe(error)}`);
  }
}
