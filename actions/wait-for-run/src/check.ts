import { describe } from '@slashtrain/core/action/errors';
import type { Log } from '@slashtrain/core/action/log';
import { CheckRuns } from '@slashtrain/core/github/checks';
import type { GitHub } from '@slashtrain/core/github/client';
import type { StoredRecord } from '@slashtrain/core/records/store';
import { conclusionOf, trainCheckKey } from '@slashtrain/core/run/check';
import type { RunResult } from '@slashtrain/core/run/result';
import { resultLine, resultMarkdown } from './show.ts';

/** Shows on the check how the run stands. `title` is hostile text; GitHub shows titles as they are. */
export async function updateCheck(github: GitHub, stored: StoredRecord, title: string): Promise<void> {
  const { record, name } = stored;
  const summary = `Run \`${name}\`, attempt ${record.attempt}, asked by \`${record.actor.replaceAll('`', '')}\`.`;
  await new CheckRuns(github).put(trainCheckKey(stored), { status: 'in_progress' }, { title, summary });
}

/**
 * Concludes the check with the run's end. The record has the truth already; where GitHub refuses, the step goes on to
 * tell it by its own result, and says so.
 */
export async function concludeCheck(github: GitHub, stored: StoredRecord, result: RunResult, log: Log): Promise<void> {
  const checks = new CheckRuns(github);
  const key = trainCheckKey(stored);
  const conclusion = conclusionOf(result.state, stored.record);
  try {
    const found = await checks.find(key);
    if (found?.completed && found.conclusion === conclusion) return;
    await checks.put(key, { conclusion }, { title: resultLine(result), summary: resultMarkdown(stored.name, stored.record, result) });
  } catch (error) {
    log.warning(`the check run could not be concluded: ${describe(error)}`);
  }
}
