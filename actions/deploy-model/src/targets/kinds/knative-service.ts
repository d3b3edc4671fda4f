import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { deployLabels } from '@slashtrain/core/rollouts/rollout';
import type { Readiness, Serving } from '../../types.ts';
import { revisionOf } from '../stamp.ts';
import { conditionOf, failed, progressing, ready, type ServingKind } from './serving-kind.ts';

interface Fields {
  metadata: { generation?: number };
  spec?: { template?: { spec?: { containers?: { ports?: { containerPort: number }[] }[] } } };
  status?: { observedGeneration?: number; url?: string; latestCreatedRevisionName?: string; latestReadyRevisionName?: string };
}

/** https://github.com/knative/specs/blob/main/specs/serving/knative-api-specification-1.0.md#error-signalling */
export function knativeServiceReady(object: KubernetesObject): Readiness {
  const { metadata, status = {} } = object as unknown as Fields;
  if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0))
    return progressing('NotObserved', 'its controller has not seen it yet');
  const condition = conditionOf(object, 'Ready');
  // In Knative's words False is final for this generation, Unknown goes on.
  if (condition?.status === 'False') return failed(condition.reason ?? 'NotReady', condition.message ?? '');
  if (condition?.status !== 'True') return progressing(condition?.reason ?? 'NotReady', condition?.message ?? 'it is not ready yet');
  const { latestCreatedRevisionName: created, latestReadyRevisionName: last } = status;
  return created === last ? ready : progressing('RevisionNotReady', `${created ?? ''} is not ready yet`);
}

function podSelector(object: KubernetesObject): string {
  const revision = revisionOf(object);
  const label = `serving.knative.dev/service=${object.metadata.name ?? ''}`;
  return revision === undefined ? label : `${label},${deployLabels.revision}=${revision}`;
}

function serving(object: KubernetesObject): Serving {
  const { spec, status = {} } = object as unknown as Fields;
  const port = spec?.template?.spec?.containers?.flatMap(({ ports = [] }) => ports)[0]?.containerPort ?? 8080;
  const url = status.url === undefined ? {} : { url: status.url };
  return { how: 'pods', namespace: object.metadata.namespace ?? '', selector: podSelector(object), port, ...url };
}

export const knativeServiceKind: ServingKind = {
  resource: { group: 'serving.knative.dev', version: 'v1', plural: 'services', kind: 'Service' },
  operator: 'Knative Serving',
  ready: knativeServiceReady,
  podSelector,
  serving,
};
