import { ActionError } from '@slashtrain/core/action/errors';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { Candidate } from '../types.ts';
import { containerFor, type ContainerInputs } from './container.ts';
import { labelsFor, lineageFor, metadataFor } from './stamp.ts';
import type { Target } from './target.ts';

/** What the inputs say of a Knative Service. */
export interface KnativeInputs extends ContainerInputs {
  minReplicas: number | undefined;
  maxReplicas: number | undefined;
  serviceAccount: string | undefined;
}

/** A Knative Service (https://knative.dev/docs/serving/reference/serving-api/). */
export function knativeTarget(candidate: Candidate, inputs: KnativeInputs): Target {
  const object = (traffic: object[]): KubernetesObject => ({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: metadataFor(candidate),
    spec: { template: templateFor(candidate, inputs), traffic },
  });
  const latest = (percent: number): object => ({ latestRevision: true, percent });
  return {
    name: 'knative',
    operator: 'Knative Serving',
    objects: () => [object([latest(100)])],
    canary: {
      how: 'traffic',
      at: (share, before) => {
        const stable = (before.of(object([]))?.['status'] as { latestReadyRevisionName?: string } | undefined)?.latestReadyRevisionName;
        if (stable === undefined) throw new ActionError('input', 'a canary needs a model that is deployed already, and there is none');
        const old = share >= 100 ? [] : [{ revisionName: stable, latestRevision: false, percent: 100 - share }];
        return { objects: [object([...old, latest(share)])], share };
      },
      extras: () => [],
    },
  };
}

function templateFor(candidate: Candidate, inputs: KnativeInputs): object {
  const { minReplicas, maxReplicas, serviceAccount } = inputs;
  const container = containerFor(candidate, inputs, 'model');
  const scale = {
    ...(minReplicas === undefined ? {} : { 'autoscaling.knative.dev/min-scale': String(minReplicas) }),
    ...(maxReplicas === undefined ? {} : { 'autoscaling.knative.dev/max-scale': String(maxReplicas) }),
  };
  // The queue-proxy probes in its own rhythm, and knows the port.
  const { healthPath } = inputs;
  const readinessProbe = healthPath === undefined ? { tcpSocket: { port: 0 } } : { httpGet: { path: healthPath, port: 0 } };
  return {
    metadata: { labels: labelsFor(candidate), annotations: { ...lineageFor(candidate), ...scale } },
    spec: {
      ...(serviceAccount === undefined ? {} : { serviceAccountName: serviceAccount }),
      containers: [{ ...container, ports: [{ containerPort: inputs.port }], readinessProbe }],
    },
  };
}
