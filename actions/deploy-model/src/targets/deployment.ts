import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { deployLabels } from '@slashtrain/core/rollouts/rollout';
import type { Candidate } from '../types.ts';
import { containerFor, drain, type ContainerInputs } from './container.ts';
import { lineageFor, labelsFor, metadataFor } from './stamp.ts';
import type { CanaryObjects, Target } from './target.ts';

/** What the inputs say of a Deployment. */
export interface DeploymentInputs extends ContainerInputs {
  replicas: number | undefined;
  serviceAccount: string | undefined;
  /** Seconds until its controller gives up. */
  timeout: number;
}

/** A Deployment that keeps the old pods until the new ones are ready, and a Service before them. */
export function deploymentTarget(candidate: Candidate, inputs: DeploymentInputs): Target {
  const { name } = candidate;
  const service: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataFor(candidate),
    spec: {
      selector: { [deployLabels.deployed]: name },
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: inputs.port }],
    },
  };
  return {
    name: 'deployment',
    objects: (before) => {
      const wanted = deployment(candidate, inputs, { name, ...(inputs.replicas === undefined ? {} : { replicas: inputs.replicas }) });
      // A selector cannot be changed: one that was made by hand keeps its own, and its pods carry it.
      const labels = selectorOf(before.of(wanted));
      return [service, labels ? deployment(candidate, inputs, { ...replicasOf(wanted), name, selector: labels }) : wanted];
    },
    canary: {
      how: 'replicas',
      at: (share, before): CanaryObjects => {
        const stable = before.all.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name);
        const whole = replicasOf(stable).replicas ?? inputs.replicas ?? 1;
        const replicas = share >= 100 ? whole : canaryReplicas(whole, share);
        return {
          objects: [canaryOf(candidate, inputs, replicas)],
          share: Math.round((100 * replicas) / (replicas + whole)),
        };
      },
      extras: () => [canaryOf(candidate, inputs, 1)],
    },
  };
}

/** So many pods beside `stable` others that they get about `share` percent of what is spread evenly; at least one. */
export function canaryReplicas(stable: number, share: number): number {
  return Math.max(1, Math.min(stable, Math.round((share * stable) / (100 - share))));
}

function canaryOf(candidate: Candidate, inputs: DeploymentInputs, replicas: number): KubernetesObject {
  const name = `${candidate.name}-canary`;
  // The Service selects by the deployed thing's name alone, hence both.
  const selector = { [deployLabels.deployed]: candidate.name, 'slashtrain.dev/track': 'canary' };
  return deployment(candidate, inputs, { name, replicas, selector });
}

function deployment(
  candidate: Candidate,
  inputs: DeploymentInputs,
  {
    name,
    replicas,
    selector = { [deployLabels.deployed]: candidate.name },
  }: { name: string; replicas?: number; selector?: Record<string, string> },
): KubernetesObject {
  const container = containerFor(candidate, inputs, 'model');
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataFor(candidate, name),
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: selector },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      progressDeadlineSeconds: inputs.timeout,
      template: {
        metadata: { labels: { ...labelsFor(candidate), ...selector }, annotations: lineageFor(candidate) },
        spec: {
          ...(inputs.serviceAccount === undefined ? {} : { serviceAccountName: inputs.serviceAccount }),
          terminationGracePeriodSeconds: 30,
          containers: [{ ...container, lifecycle: drain }],
        },
      },
    },
  };
}

function specOf(object: KubernetesObject | undefined): { replicas?: number; selector?: { matchLabels?: Record<string, string> } } {
  return object?.['spec'] ?? {};
}

function replicasOf(object: KubernetesObject | undefined): { replicas?: number } {
  const { replicas } = specOf(object);
  return replicas === undefined ? {} : { replicas };
}

function selectorOf(object: KubernetesObject | undefined): Record<string, string> | undefined {
  return specOf(object).selector?.matchLabels;
}
