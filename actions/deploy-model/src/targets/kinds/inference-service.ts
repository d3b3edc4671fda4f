import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { deployLabels } from '@slashtrain/core/rollouts/rollout';
import type { Readiness, Serving } from '../../types.ts';
import { modeOf, predictorRevision } from '../kserve.ts';
import { deploymentReady } from './deployment.ts';
import { conditionOf, failed, progressing, ready, type ServingKind, type View } from './serving-kind.ts';

interface Fields {
  spec?: {
    predictor?: Component;
    transformer?: Component;
    canary?: { predictor?: { name?: string; labels?: Record<string, string> } }[];
  };
  status?: {
    url?: string;
    modelStatus?: {
      transitionStatus?: string;
      lastFailureInfo?: { reason?: string; message?: string; exitCode?: number; location?: string };
    };
    components?: Record<string, { latestReadyRevision?: string; latestCreatedRevision?: string }>;
    canaryStatuses?: { name: string; ready?: boolean }[];
  };
}

interface Component {
  containers?: { ports?: { containerPort: number }[] }[];
  labels?: Record<string, string>;
}

const blocked = new Set(['BlockedByFailedLoad', 'InvalidSpec']);

/**
 * Ready=True alone can be the old revision's: with it, the model's transition and the newest revision, or in Standard mode the
 * rollout of its Deployments, have to be through (kserve #4626, #5458). `observedGeneration` says nothing (#6081).
 */
export function inferenceServiceReady(object: KubernetesObject, view: View): Readiness {
  const { spec = {}, status = {} } = object as unknown as Fields;
  const { transitionStatus, lastFailureInfo: failure } = status.modelStatus ?? {};
  if (transitionStatus !== undefined && blocked.has(transitionStatus)) {
    const code = failure?.exitCode === undefined ? '' : ` (exit code ${failure.exitCode})`;
    const words = [failure?.reason, failure?.message].filter((one) => one).join(': ');
    return failed(transitionStatus, `${words || 'the model cannot be loaded'}${code}`, 'check the model format and URI, and its runtime');
  }
  const isCanary = (spec.canary?.length ?? 0) > 0;
  const condition = conditionOf(object, 'Ready');
  if (condition?.status !== 'True') {
    const worst = ['PredictorReady', 'TransformerReady', 'IngressReady']
      .map((type) => conditionOf(object, type))
      .find((one) => one?.status === 'False');
    const why = worst ?? condition;
    return progressing(why?.reason ?? 'NotReady', why?.message ?? 'it is not ready yet');
  }
  if (modeOf(object) === 'knative') {
    const late = Object.entries(status.components ?? {}).find(([, one]) => one.latestReadyRevision !== one.latestCreatedRevision);
    if (late) return progressing('RevisionNotReady', `${late[0]}: ${late[1].latestCreatedRevision ?? ''} is not ready yet`);
  } else {
    const revision = isCanary ? spec.canary?.[0]?.predictor?.labels?.[deployLabels.revision] : predictorRevision(object);
    const isOurs = (child: KubernetesObject): boolean => child.metadata.labels?.['component'] !== 'predictor' || templateRevision(child) === revision; // prettier-ignore
    if (revision !== undefined && !view.children.some((child) => templateRevision(child) === revision)) {
      return progressing('NotObserved', 'its controller has not made this revision yet');
    }
    const worst = view.children.filter((child) => isCanary || isOurs(child)).map(deploymentReady);
    const notReady = worst.find(({ state }) => state === 'failed') ?? worst.find(({ state }) => state !== 'ready');
    if (notReady) return notReady;
  }
  if (transitionStatus !== undefined && transitionStatus !== 'UpToDate') return progressing(transitionStatus, 'the model is being loaded');
  return ready;
}

function templateRevision(child: KubernetesObject): string | undefined {
  const spec = child['spec'] as { template?: { metadata?: { labels?: Record<string, string> } } } | undefined;
  return spec?.template?.metadata?.labels?.[deployLabels.revision];
}

function revisionInWork(object: KubernetesObject): string | undefined {
  const { spec = {} } = object as unknown as Fields;
  return spec.canary?.[0]?.predictor?.labels?.[deployLabels.revision] ?? predictorRevision(object);
}

function podSelector(object: KubernetesObject): string {
  const revision = revisionInWork(object);
  const label = `serving.kserve.io/inferenceservice=${object.metadata.name ?? ''}`;
  return revision === undefined ? label : `${label},${deployLabels.revision}=${revision}`;
}

function serving(object: KubernetesObject): Serving {
  const { spec = {}, status = {} } = object as unknown as Fields;
  const entry = spec.transformer ? 'transformer' : 'predictor';
  const port = spec[entry]?.containers?.flatMap(({ ports = [] }) => ports)[0]?.containerPort ?? 8080;
  const selector = `${podSelector(object)},component=${entry}`;
  return {
    how: 'pods',
    namespace: object.metadata.namespace ?? '',
    selector,
    port,
    ...(status.url === undefined ? {} : { url: status.url }),
  };
}

export const inferenceServiceKind: ServingKind = {
  resource: { group: 'serving.kserve.io', version: 'v1beta1', plural: 'inferenceservices', kind: 'InferenceService' },
  operator: 'KServe',
  ready: inferenceServiceReady,
  childSelector: ({ metadata }) => `serving.kserve.io/inferenceservice=${metadata.name ?? ''}`,
  podSelector,
  serving,
};
