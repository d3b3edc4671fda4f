import { ActionError, describe } from '@slashtrain/core/action/errors';
import type { Log } from '@slashtrain/core/action/log';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { endLostDeployments } from '@slashtrain/core/github/lost-deployments';
import type { StoredRollout } from '@slashtrain/core/rollouts/rollout';

/** Where deploys that were lost are looked for. */
export interface LostParts {
  github: GitHub;
  context: Pick<GitHubContext, 'runId' | 'runAttempt'>;
  log: Log;
  now(): number;
}

/** Ends what GitHub shows as queued of deploys that were killed before they had a record. Costs nothing where nothing is deployed. */
export async function endLost(deploys: readonly StoredRollout[], { github, context, log, now }: LostParts): Promise<void> {
  if (deploys.length === 0) return;
  const known = new Set(deploys.map(({ rollout }) => rollout.deploymentId));
  const workflow = { run: context.runId, attempt: context.runAttempt };
  try {
    for (const id of await endLostDeployments(github, { workflow, isKnown: (one) => known.has(one), now: now() }))
      log.info(`deployment ${id}: its runner was lost before anything was changed`);
  } catch (error) {
    // Nobody's run or deploy depends on it, and a job that does not deploy need not have the permission.
    const isForbidden = error instanceof ActionError && (error.code === 'permission' || error.code === 'not-found');
    const told = `deployments that lost runners left as queued on GitHub stay so: ${describe(error)}`;
    if (isForbidden) log.info(told);
    else log.warning(told);
  }
}
