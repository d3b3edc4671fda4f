import { ActionError } from '@slashtrain/core/action/errors';
import { isActive, type Rollout, type StoredRollout } from '@slashtrain/core/rollouts/rollout';

/** So many deploys of a thing are kept to go back to. */
const kept = 10;

/** The revision that stands on a deploy's objects: of one that went back, the older one's. */
export function runningRevision({ revision, backTo }: Rollout): string {
  return backTo ?? revision;
}

/** What is deployed now. @param all of one thing in one environment, newest first */
export function currentOf(all: readonly StoredRollout[]): StoredRollout | undefined {
  return all.find(({ rollout }) => rollout.state === 'deployed');
}

/**
 * The deploy to go back to: the newest good one that is not what runs now, or the newest of a revision or SHA.
 * @throws ActionError `not-found` with those that there are
 */
export function chooseBack(all: readonly StoredRollout[], to: string): StoredRollout {
  const current = currentOf(all);
  const running = current && runningRevision(current.rollout);
  // One that itself went back stands for an older one, which is listed too.
  const good = all.filter(({ rollout }) => rollout.state === 'deployed' && rollout.backTo === undefined);
  const found = good.find(({ rollout }) =>
    to === 'last-good'
      ? rollout.revision !== running && !rollout.rolledBack && (!current || isOlder(rollout, current.rollout, all))
      : rollout.revision === to || rollout.sha.startsWith(to),
  );
  if (found && found.rollout.revision === running) {
    throw new ActionError('input', `${to} is what runs now`, { remedy: listed(good) });
  }
  if (found) return found;
  const what = to === 'last-good' ? 'no earlier deploy that was good' : `no deploy ${JSON.stringify(to)}`;
  throw new ActionError('not-found', `there is ${what}`, { remedy: listed(good) });
}

/** Older than what runs now, whichever deploy brought that. */
function isOlder(rollout: Rollout, current: Rollout, all: readonly StoredRollout[]): boolean {
  const running = runningRevision(current);
  const brought = all.find((one) => one.rollout.revision === running)?.rollout ?? current;
  return Date.parse(rollout.createdAt) < Date.parse(brought.createdAt);
}

function listed(good: readonly StoredRollout[]): string {
  if (good.length === 0) return 'nothing was deployed there before';
  return `there are: ${good.map(({ rollout }) => `${rollout.revision} (${rollout.createdAt})`).join(', ')}`;
}

/** Ended ones that are not needed any more: all but the newest, what runs now and what it was brought by. */
export function prunable(all: readonly StoredRollout[]): StoredRollout[] {
  const current = currentOf(all);
  const needed = new Set(current ? [current.rollout.revision, runningRevision(current.rollout)] : []);
  return all.filter(({ rollout }, index) => index >= kept && !isActive(rollout) && !needed.has(rollout.revision));
}
