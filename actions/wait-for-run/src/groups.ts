import type { LogGatherer } from '@slashtrain/core/run/log-gatherer';
import { failedPods } from '@slashtrain/core/run/outcome';
import type { RunResult } from '@slashtrain/core/run/result';
import { isEnded } from '@slashtrain/core/run/state';
import { shortName } from './follow.ts';
import type { WaitInputs } from './inputs.ts';

/** Lines that the log shows folded, under a title. */
export interface Group {
  title: string;
  lines: string[];
}

/** What it is chosen from: a pod's last lines. */
export type Tails = Pick<LogGatherer, 'tailOf'>;

const longestGroup = 100;
// What fails in dozens of pods at once is mostly the same in all.
const mostFailed = 4;
const mostGroups = 16;

/**
 * The last lines of an ended run's pods, a group each: of those that failed, the first one first; where all lines were shown as
 * they came, hence mixed, of the others, too.
 * @param run the run's name, which the names of its pods begin with
 */
export function groupsOf(run: string, result: RunResult, tails: Tails, logs: WaitInputs['logs']): Group[] {
  if (logs === 'none' || !isEnded(result.state)) return [];
  const failed = result.state === 'succeeded' ? [] : failedPods(result.pods).filter(({ name }) => tails.tailOf(name).length > 0);
  const others = result.pods.filter((pod) => !failed.includes(pod) && tails.tailOf(pod.name).length > 0);
  const areMixed = logs === 'all' && failed.length + others.length > 1;
  const shown = areMixed ? [...failed, ...others.toSorted(byName)].slice(0, mostGroups) : failed.slice(0, mostFailed);
  const groups = shown.map((pod): Group => {
    const lines = tails.tailOf(pod.name).slice(-longestGroup);
    const how = areMixed && failed.includes(pod) ? ', which failed' : '';
    return { title: `The last ${lines.length} log lines of ${shortName(pod.name, run)}${how}`, lines };
  });
  if (groups.length > 0 || result.state === 'succeeded' || result.logTail.length === 0) return groups;
  // Of a run that ended before, or whose failed pods said nothing, the record has some.
  return [{ title: `The last ${result.logTail.length} log lines of the run`, lines: result.logTail }];
}

// worker-2 before worker-10.
function byName(a: { name: string }, b: { name: string }): number {
  return a.name.localeCompare(b.name, 'en', { numeric: true });
}
