import type { RunRecord } from '@slashtrain/core/run/record';
import type { Asker } from '@slashtrain/core/run/request';
import { isEnded } from '@slashtrain/core/run/state';

/** What to do about a request for a run. */
export type Decision<Stored> = { adopt: Stored } | { make: number };

/**
 * Decides between an earlier attempt of the same request and the next one:
 *
 * - an active attempt is adopted, whoever asked for it;
 * - a finished one is adopted when we asked for it, unless it ended badly and the workflow was run again since:
 *   that person wants another try;
 * - else the next attempt is made.
 *
 * @param attempts all attempts of one request, in any order
 * @param again the next attempt, whoever asked for the finished ones
 */
export function decide<Stored extends { record: RunRecord }>(attempts: readonly Stored[], asker: Asker, again: boolean): Decision<Stored> {
  const newestFirst = [...attempts].sort((a, b) => b.record.attempt - a.record.attempt);
  const active = newestFirst.find(({ record }) => !isEnded(record.state));
  if (active) return { adopt: active };
  const next = { make: (newestFirst[0]?.record.attempt ?? 0) + 1 };

  const ours = newestFirst.find(({ record }) => record.asked.some(({ id }) => id === asker.id));
  if (!ours) return next;
  const runAttempt = ours.record.asked.find(({ id }) => id === asker.id)?.runAttempt ?? 0;
  const isNewer = asker.runAttempt > runAttempt;
  if (isNewer && (again || ours.record.state !== 'succeeded')) return next;
  return { adopt: ours };
}

/** `asked` with this asker in it, at the newest run attempt. */
export function joined(asked: readonly Asker[], asker: Asker): Asker[] {
  const others = asked.filter(({ id }) => id !== asker.id);
  const earlier = asked.find(({ id }) => id === asker.id);
  return [...others, { id: asker.id, runAttempt: Math.max(asker.runAttempt, earlier?.runAttempt ?? 0) }];
}
