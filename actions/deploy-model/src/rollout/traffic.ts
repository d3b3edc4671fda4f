import { ActionError } from '@slashtrain/core/action/errors';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { Rollout } from '@slashtrain/core/rollouts/rollout';
import type { Before } from '../targets/before.ts';
import type { KindsFor } from '../targets/kinds/index.ts';
import type { CanaryRules } from '../targets/target.ts';
import type { Serving, Traffic } from '../types.ts';
import { applyAll } from './apply.ts';
import { waitUntilReady } from './wait.ts';

type Canary = NonNullable<Rollout['canary']>;

/** All steps as objects: whoever goes on later needs neither the inputs nor what stood there at first. */
export function stagesOf(rules: CanaryRules, shares: readonly number[], before: Before): Canary {
  const stages = shares.map((share) => {
    const { objects, share: real } = rules.at(share, before);
    return { share, real, objects };
  });
  return { how: rules.how, stages };
}

/** What moving traffic works with. */
export interface TrafficParts {
  client: KubernetesClient;
  kinds: KindsFor;
  takeOver: boolean;
  signal: AbortSignal;
  timeout: number;
  say(line: string): void;
  servingOf(live: readonly KubernetesObject[]): Serving | undefined;
}

/** The steps of a rollout's canary, applied. */
export function trafficOf({ canary, applied, extras = [] }: Rollout, parts: TrafficParts): Traffic {
  const { how = 'traffic', stages = [] } = canary ?? {};
  const bring = async (objects: readonly KubernetesObject[]): Promise<KubernetesObject[]> =>
    waitUntilReady(await applyAll(objects, parts), parts);
  return {
    how,
    async set(share) {
      const stage = stages.find((one) => one.share === share);
      if (!stage) throw new ActionError('internal', `the rollout has no step of ${share} %`);
      const candidate = parts.servingOf(await bring(stage.objects));
      if (!candidate)
        throw new ActionError('input', 'a canary is tried, and nothing says where it answers', { remedy: 'set the input "url"' });
      return { share: stage.real, candidate };
    },
    async promote() {
      await bring(applied);
      for (const { apiVersion, kind, metadata } of extras) {
        const { namespace = '', name = '' } = metadata;
        await parts.client.delete(parts.kinds({ apiVersion, kind, metadata }).resource, namespace, name);
      }
    },
    back: () => Promise.reject(new ActionError('internal', 'a rollout is taken back as a whole')),
  };
}
