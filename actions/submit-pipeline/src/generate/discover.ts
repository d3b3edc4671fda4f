import { ActionError } from '@slashtrain/core/action/errors';
import type { Log } from '@slashtrain/core/action/log';
import type { Resource } from '@slashtrain/core/kinds/kind';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { ClusterKinds } from './generate.ts';

const runtimes: Resource = {
  group: 'trainer.kubeflow.org',
  version: 'v1alpha1',
  plural: 'clustertrainingruntimes',
  kind: 'ClusterTrainingRuntime',
};

/** Asks a cluster for its kinds, each group once. */
export function kindsOf(client: KubernetesClient, log: Log): ClusterKinds {
  const known = new Map<string, ReturnType<KubernetesClient['discover']>>();
  return {
    server: client.server,
    async serves(apiVersion, kind) {
      const [group = '', version = ''] = apiVersion.split('/');
      const asked = known.get(apiVersion) ?? client.discover(group, version);
      known.set(apiVersion, asked);
      return (await asked)?.some((resource) => resource.kind === kind) ?? false;
    },
    async runtimes() {
      try {
        const { items } = await client.list(runtimes, undefined);
        return items.map(({ metadata }) => ({
          name: metadata.name ?? '',
          framework: metadata.labels?.['trainer.kubeflow.org/framework'] ?? '',
        }));
      } catch (error) {
        if (!(error instanceof ActionError) || (error.code !== 'permission' && error.code !== 'not-found')) throw error;
        log.info(`no TrainJob is made: ${error.message}${error.remedy === undefined ? '' : `; ${error.remedy}`}`);
        return undefined;
      }
    },
  };
}
