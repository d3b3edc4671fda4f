import { ActionError } from '@slashtrain/core/action/errors';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { DeployParts, Plan } from './parts.ts';
import { checkEnvironment, readBefore } from './rollout/apply.ts';
import { stagesOf } from './rollout/traffic.ts';
import { Before } from './targets/before.ts';
import { kindsFor, type KindsFor } from './targets/kinds/index.ts';
import type { Tools } from './tools.ts';

/** @throws ActionError `unsupported` where steps were asked for and the target has none */
export function checkCanary({ canary, about }: Plan, before: Before, { tools, host }: DeployParts): void {
  if (!tools.canary) return;
  if (typeof canary === 'string') {
    throw new ActionError('unsupported', `target "${about.target}" has no canary: ${canary}`, { remedy: 'leave the input "canary" out' });
  }
  if (canary.how === 'replicas') host.log.notice('this target splits no requests: the steps of the canary are shares of its pods');
  if (before.all.length === 0) host.log.notice('nothing is deployed there yet: the first goes without a canary');
  // What cannot be split is refused before anybody is told of a deploy.
  else stagesOf(canary, sharesOf(tools) ?? [], before);
}

/** The steps of the canary, in percent; undefined where there is none. */
export function sharesOf({ canary }: Tools): number[] | undefined {
  return canary?.canary.steps.map(({ share }) => share);
}

/** What a plan finds on the cluster. */
export interface Look {
  before: Before;
  objects: KubernetesObject[];
  kinds: KindsFor;
}

/** What stands there, and what is to. What is to can depend on what stands there. */
export async function look(plan: Plan, { client, inputs }: DeployParts): Promise<Look> {
  const draft = plan.objects(new Before());
  const kinds = await kindsFor([...draft, ...extrasOf(plan)], inputs.readiness, client);
  const before = await readBefore(draft, { client, kinds });
  checkEnvironment(before, inputs.environment);
  return { before, objects: plan.objects(before), kinds };
}

/** What a canary makes beside the plan's own objects. */
export function extrasOf({ canary }: Plan): KubernetesObject[] {
  return typeof canary === 'string' ? [] : canary.extras();
}
