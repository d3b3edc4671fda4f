import { ActionError } from '@slashtrain/core/action/errors';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { labels as recordKeys } from '@slashtrain/core/run/record';
import type { Candidate } from '../types.ts';
import { containerFor, drain, environmentFor, resourcesFor, type ContainerInputs } from './container.ts';
import { labelsFor, metadataFor, revisionOf } from './stamp.ts';
import type { Target } from './target.ts';

/** What the inputs say of an InferenceService. */
export interface KServeInputs extends ContainerInputs {
  /** e.g. `sklearn`; absent: the image serves by itself. */
  modelFormat: string | undefined;
  runtime: string | undefined;
  protocolVersion: string | undefined;
  /** An image before the predictor. */
  transformer: string | undefined;
  /** Absent: the cluster's default. */
  mode: 'standard' | 'knative' | undefined;
  minReplicas: number | undefined;
  maxReplicas: number | undefined;
  serviceAccount: string | undefined;
}

type Fields = Record<string, unknown>;

/** Of KServe's containers. */
const defaultPort = 8080;

/** An InferenceService (https://kserve.github.io/website/docs/reference/crd-api). */
export function kserveTarget(candidate: Candidate, inputs: KServeInputs): Target {
  const predictor = predictorFor(candidate, inputs);
  const object = (spec: Fields): KubernetesObject => {
    const metadata = metadataFor(candidate);
    const mode = inputs.mode === undefined ? {} : { 'serving.kserve.io/deploymentMode': modeNames[inputs.mode] };
    // Labels of the object go to all of its pods; the revision's belongs to one predictor.
    return {
      apiVersion: 'serving.kserve.io/v1beta1',
      kind: 'InferenceService',
      metadata: { ...metadata, annotations: { ...metadata.annotations, ...mode } },
      spec: { ...spec, ...(inputs.transformer === undefined ? {} : { transformer: transformerFor(candidate, inputs) }) },
    };
  };
  return {
    name: 'kserve',
    operator: 'KServe',
    objects: () => [object({ predictor })],
    canary: {
      how: 'traffic',
      at: (share, before) => {
        const stable = before.of(object({}));
        if (!stable) throw new ActionError('input', 'a canary needs a model that is deployed already, and there is none');
        if (modeOf(stable) === 'knative') return { objects: [object({ predictor: { ...predictor, canaryTrafficPercent: share } })], share };
        // The pods of `spec.canary` have a Service of their own, which nothing leads to (KServe 0.20, seen): nobody would ask them.
        throw new ActionError('unsupported', 'KServe in Standard mode splits no requests: the pods of its "spec.canary" get none', {
          remedy: 'leave the input "canary" out: new pods take over as they get ready, and a failed smoke test brings the old ones back',
        });
      },
      extras: () => [],
    },
  };
}

// 0.15 and before say RawDeployment and Serverless, which 0.20 still takes.
const modeNames = { standard: 'Standard', knative: 'Knative' };

/** What the controller made of it: the status says so since 0.15, else the annotation. */
export function modeOf({ metadata, ...fields }: KubernetesObject): 'standard' | 'knative' {
  const status = fields['status'] as { deploymentMode?: string } | undefined;
  const mode = status?.deploymentMode ?? metadata.annotations?.['serving.kserve.io/deploymentMode'] ?? 'Standard';
  return mode === 'Knative' || mode === 'Serverless' ? 'knative' : 'standard';
}

function predictorFor(candidate: Candidate, inputs: KServeInputs): Fields {
  const { modelFormat, runtime, protocolVersion, minReplicas, maxReplicas, serviceAccount } = inputs;
  const { [recordKeys.managedBy]: _, ...labels } = labelsFor(candidate);
  const common = {
    labels,
    ...(minReplicas === undefined ? {} : { minReplicas }),
    ...(maxReplicas === undefined ? {} : { maxReplicas }),
    ...(serviceAccount === undefined ? {} : { serviceAccountName: serviceAccount }),
  };
  if (modelFormat === undefined) {
    const container = containerFor(candidate, inputs, 'kserve-container');
    // Knative's queue-proxy drains by itself.
    return { ...common, containers: [inputs.mode === 'knative' ? container : { ...container, lifecycle: drain }] };
  }
  return {
    ...common,
    model: {
      modelFormat: { name: modelFormat },
      storageUri: candidate.modelUri ?? '',
      ...(runtime === undefined ? {} : { runtime }),
      ...(protocolVersion === undefined ? {} : { protocolVersion }),
      ...(candidate.image === undefined ? {} : { image: candidate.image }),
      env: [...environmentFor(candidate), ...[...inputs.env].map(([name, value]) => ({ name, value }))],
      ...(inputs.args.length === 0 ? {} : { args: [...inputs.args] }),
      // Else it is the runtime's.
      ...(inputs.port === defaultPort ? {} : { ports: [{ containerPort: inputs.port, protocol: 'TCP' }] }),
      ...resourcesFor(inputs),
    },
  };
}

/** KServe tells it where the predictor is, by arguments (https://kserve.github.io/website/docs/model-serving/predictive-inference/transformers/custom-transformer). */
function transformerFor(candidate: Candidate, inputs: KServeInputs): Fields {
  const { [recordKeys.managedBy]: _, ...labels } = labelsFor(candidate);
  const { cpu, memory, transformer: image } = inputs;
  const own = { port: defaultPort, args: [], env: new Map<string, string>(), cpu, memory, gpus: undefined, healthPath: undefined };
  const container = { ...containerFor(candidate, own, 'kserve-container'), image };
  return { labels, containers: [inputs.mode === 'knative' ? container : { ...container, lifecycle: drain }] };
}

/** The revision whose pods serve, of a live InferenceService. */
export function predictorRevision(object: KubernetesObject): string | undefined {
  const spec = object['spec'] as { predictor?: { labels?: Record<string, string> } } | undefined;
  const labels = spec?.predictor?.labels;
  return labels ? revisionOf({ ...object, metadata: { labels } }) : revisionOf(object);
}
