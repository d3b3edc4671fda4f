import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { statusesOf } from '@slashtrain/core/kubernetes/pod';
import { deployLabels } from '@slashtrain/core/rollouts/rollout';
import type { Readiness, Serving } from '../../types.ts';
import { modeOf, predictorRevision } from '../kserve.ts';
import { deploymentReady } from './deployment.ts';
import { conditionOf, failed, progressing, ready, type ServingKind, type View } from './serving-kind.ts';

interface Fields {
  spec?: {
    predictor?: Component;
    transformer?: Component;
  };
  status?: {
    url?: string;
    modelStatus?: {
      transitionStatus?: string;
      lastFailureInfo?: { reason?: string; message?: string; exitCode?: number; location?: string };
    };
    components?: Record<string, { latestReadyRevision?: string; latestCreatedRevision?: string }>;
  };
}

interface Component {
  containers?: { ports?: { containerPort: number }[] }[];
  model?: { ports?: { containerPort: number }[] };
  labels?: Record<string, string>;
}

const blocked = new Set(['BlockedByFailedLoad', 'InvalidSpec']);

/**
 * Ready=True alone can be the old revision's: with it, the model's transition and the newest revision, or in Standard mode the
 * rollout of its Deployments, have to be through (kserve #4626, #5458). `observedGeneration` says nothing (#6081).
 */
export function inferenceServiceReady(object: KubernetesObject, view: View): Readiness {
  const { status = {} } = object as unknown as Fields;
  const { transitionStatus, lastFailureInfo: failure } = status.modelStatus ?? {};
  if (transitionStatus !== undefined && blocked.has(transitionStatus) && isOfRevision(object, transitionStatus, view)) {
    const code = failure?.exitCode === undefined ? '' : ` (exit code ${failure.exitCode})`;
    const words = [failure?.reason, failure?.message].filter((one) => one).join(': ');
    return failed(transitionStatus, `${words || 'the model cannot be loaded'}${code}`, 'check the model format and URI, and its runtime');
  }
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
    const revision = predictorRevision(object);
    const isOurs = (child: KubernetesObject): boolean => child.metadata.labels?.['component'] !== 'predictor' || templateRevision(child) === revision; // prettier-ignore
    if (revision !== undefined && !view.children.some((child) => templateRevision(child) === revision)) {
      return progressing('NotObserved', 'its controller has not made this revision yet');
    }
    const worst = view.children.filter(isOurs).map(deploymentReady);
    const notReady = worst.find(({ state }) => state === 'failed') ?? worst.find(({ state }) => state !== 'ready');
    if (notReady) return notReady;
  }
  if (transitionStatus !== undefined && transitionStatus !== 'UpToDate') return progressing(transitionStatus, 'the model is being loaded');
  return ready;
}

/**
 * In Standard mode the status is of any of the pods, an old revision's too, and stays for a moment when a new one comes
 * (kserve 0.20, `PropagateModelStatus`): a model that mends what was broken must not be refused for it.
 */
function isOfRevision(object: KubernetesObject, transitionStatus: string, { pods }: View): boolean {
  if (transitionStatus !== 'BlockedByFailedLoad' || modeOf(object) === 'knative' || pods === undefined) return true;
  const ended = pods.flatMap(statusesOf).map(({ state, lastState }) => state?.terminated ?? lastState?.terminated);
  return ended.some((one) => one !== undefined && one.exitCode !== 0);
}

function templateRevision(child: KubernetesObject): string | undefined {
  const spec = child['spec'] as { template?: { metadata?: { labels?: Record<string, string> } } } | undefined;
  return spec?.template?.metadata?.labels?.[deployLabels.revision];
}

function podSelector(object: KubernetesObject): string {
  const revision = predictorRevision(object);
  const label = `serving.kserve.io/inferenceservice=${object.metadata.name ?? ''}`;
  return revision === undefined ? label : `${label},${deployLabels.revision}=${revision}`;
}

function serving(object: KubernetesObject): Serving {
  const { spec = {}, status = {} } = object as unknown as Fields;
  const entry = spec.transformer ? 'transformer' : 'predictor';
  const { containers = [], model } = spec[entry] ?? {};
  const [first] = [...(model?.ports ?? []), ...containers.flatMap(({ ports = [] }) => ports)];
  const port = first?.containerPort ?? 8080;
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
