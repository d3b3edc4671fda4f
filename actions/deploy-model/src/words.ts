import type { SignOfLife } from '@slashtrain/core/github/lost-deployments';
import type { Rollout } from '@slashtrain/core/rollouts/rollout';
import type { DeployParts, Plan } from './parts.ts';

/** Of the deployment on GitHub. */
export function descriptionOf({ sha, verdict, forced, backTo, actor }: Plan['about'], name: string): string {
  if (backTo !== undefined) return `${name} back to ${backTo}, by ${actor}`;
  const proof = forced === undefined ? `verdict ${verdict ?? 'none'}` : `FORCED by ${actor}: ${forced}`;
  return `${name} of ${sha.slice(0, 7)}, ${proof}`;
}

/** Of the deployment on GitHub. */
export function payloadOf({ about }: Plan, { inputs, context, host }: DeployParts): Record<string, unknown> {
  const { environment, name, lockTimeout, timeout } = inputs;
  // Its turn comes or it gives up; then what others left is taken back, which may take as long as it may itself.
  const longest = lockTimeout + 2 * timeout + 600;
  const sign: SignOfLife = {
    workflow: { run: context.runId, attempt: context.runAttempt },
    queuedUntil: new Date(host.now() + longest * 1000).toISOString(),
  };
  return { name, environment, ...about, requestedBy: context.triggeringActor, ...sign };
}

/** The summary's table. */
export function rowsOf(about: Plan['about'] & Pick<Rollout, 'environment' | 'name'>): [string, string | undefined][] {
  return [
    ['Environment', about.environment],
    ['Name', about.name],
    ['Target', about.target],
    ['Commit', about.sha],
    ['Pull request', about.pullRequest === undefined ? undefined : `#${about.pullRequest}`],
    ['Run', about.run],
    ['Image', about.image],
    ['Model', about.modelUri],
    ['Verdict', about.verdict],
    ['Forced', about.forced === undefined ? undefined : `${about.actor}: ${about.forced}`],
    ['Asked by', about.actor],
  ];
}
