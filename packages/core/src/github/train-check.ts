import type { StoredRecord } from '../records/store.ts';
import { conclusionOf, trainCheckKey } from '../run/check.ts';
import type { RunResult } from '../run/result.ts';
import { resultLine, resultMarkdown } from '../run/result-text.ts';
import { CheckRuns } from './checks.ts';
import type { GitHub } from './client.ts';

/**
 * Concludes the check `train: <pipeline>` with a run's end; one that says so already stays. One request then, two else.
 * @returns whether something was written
 */
export async function concludeTrainCheck(github: GitHub, stored: StoredRecord, result: RunResult): Promise<boolean> {
  const checks = new CheckRuns(github);
  const key = trainCheckKey(stored);
  const conclusion = conclusionOf(result.state, stored.record);
  const found = await checks.find(key);
  if (found?.completed && found.conclusion === conclusion) return false;
  await checks.put(key, { conclusion }, { title: resultLine(result), summary: resultMarkdown(stored.name, stored.record, result) });
  return true;
}
