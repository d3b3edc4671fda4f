import { describe } from '@slashtrain/core/action/errors';
import type { Log } from '@slashtrain/core/action/log';
import { CheckRuns } from '@slashtrain/core/github/checks';
import type { GitHub } from '@slashtrain/core/github/client';
import { concludeTrainCheck } from '@slashtrain/core/github/train-check';
import type { StoredRecord } from '@slashtrain/core/records/store';
import { trainCheckKey } from '@slashtrain/core/run/check';
import { resultMarkdown } from '@slashtrain/core/run/result-text';
import { code } from '@slashtrain/core/markdown/markdown';
import type { RunResult } from '@slashtrain/core/run/result';

/** Shows on the check how the run stands. `title` is hostile text; GitHub shows titles as they are. */
export async function updateCheck(github: GitHub, stored: StoredRecord, title: string, result: RunResult | undefined): Promise<void> {
  const { record, name } = stored;
  const who = `Run ${code(name)}, attempt ${record.attempt}, asked by ${code(record.actor)}.`;
  const summary = [who, ...(result ? [resultMarkdown(name, record, result)] : [])].join('\n\n');
  await new CheckRuns(github).put(trainCheckKey(stored), { status: 'in_progress' }, { title, summary });
}

/**
 * Concludes the check with the run's end. The record has the truth already; where GitHub refuses, the step goes on to
 * tell it by its own result, and says so.
 */
export async function concludeCheck(github: GitHub, stored: StoredRecord, result: RunResult, log: Log): Promise<void> {
  try {
    await concludeTrainCheck(github, stored, result);
  } catch (error) {
    log.warning(`the check run could not be concluded: ${describe(error)}`);
  }
}
