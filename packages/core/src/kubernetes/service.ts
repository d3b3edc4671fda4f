import type { Agent } from 'node:http';
import { ActionError } from '../action/errors.ts';
import type { KubernetesObject, Resource } from '../kinds/kind.ts';
import { sendOver, type Exchange } from '../registry/http.ts';
import { pods, type KubernetesClient } from './client.ts';
import type { Pod } from './pod.ts';
import { forwardTo } from './port-forward.ts';
import type { ServicePort } from './service-port.ts';

const services: Resource = { group: '', version: 'v1', plural: 'services', kind: 'Service' };

interface Service extends KubernetesObject {
  spec?: {
    type?: string;
    selector?: Record<string, string>;
    ports?: { name?: string; port: number; targetPort?: number | string; protocol?: string }[];
  };
}

/**
 * Requests to a Service of the cluster through its API server, as `kubectl port-forward service/…` sends them: to one ready pod of it,
 * without a port of this machine. The pod is chosen with the first request, and anew after one that did not get through, so that it
 * may go while a run is waited for. What may pass has the code of a refused connection; what a person has to mend is an ActionError:
 * the Service or its port is not there, or a right is missing (`get` on services, `list` on pods, `create` on pods/portforward).
 */
export function serviceExchange(client: KubernetesClient, target: ServicePort): Exchange {
  // The step may still have to stop a run when it is ended itself: nothing here ends with its signal.
  const never = new AbortController().signal;
  let chosen: Promise<Agent> | undefined;
  const choose = async (): Promise<Agent> => forwardTo(client, { namespace: target.namespace, ...(await podOf(client, target)) }, never);
  return async (request) => {
    const mine = (chosen ??= choose());
    try {
      return await sendOver(request, await mine);
    } catch (error) {
      if (chosen === mine) chosen = undefined;
      mine.then(
        (agent) => agent.destroy(),
        () => undefined,
      );
      throw passing(error);
    }
  };
}

async function podOf(client: KubernetesClient, target: ServicePort): Promise<{ pod: string; port: number }> {
  const { namespace, name: service } = target;
  const found = await client.get<Service>(services, namespace, service);
  if (!found) {
    throw new ActionError('input', `there is no Service "${service}" in namespace "${namespace}" of ${client.server}`, {
      remedy: 'name it as namespace/name, such as kubeflow/ml-pipeline-ui',
    });
  }
  const selector = Object.entries(found.spec?.selector ?? {});
  if (selector.length === 0) {
    throw new ActionError('input', `the Service "${service}" in namespace "${namespace}" selects no pods, so that none can be reached`, {
      remedy: 'give its address as kfp-url',
    });
  }
  const { targetPort, port } = portOf(found, target);
  const labelSelector = selector.map(([key, value]) => `${key}=${value}`).join(',');
  const { items } = await client.list<Pod>(pods, namespace, { labelSelector });
  const pod = items.find(isReady);
  if (!pod) {
    const text = `no pod of the Service "${service}" in namespace "${namespace}" is ready${items.length > 0 ? ` (of ${items.length})` : ''}`;
    throw new ActionError('unreachable', text);
  }
  return { pod: pod.metadata.name ?? '', port: typeof targetPort === 'string' ? namedPort(pod, targetPort) : (targetPort ?? port) };
}

function portOf(service: Service, { namespace, name: of, port: wanted }: ServicePort): { port: number; targetPort?: number | string } {
  const ports = service.spec?.ports ?? [];
  const found = wanted === undefined ? ports : ports.filter((one) => one.name === wanted || String(one.port) === wanted);
  const [first] = found;
  // The first of several is http by custom, and was not asked for.
  if (first && (found.length === 1 || wanted !== undefined)) return first;
  const has = ports.map(({ name: label, port }) => (label === undefined ? String(port) : `${port} (${label})`)).join(', ') || 'none';
  const what = wanted === undefined ? 'has several ports' : `has no port ${wanted}`;
  throw new ActionError('input', `the Service "${of}" in namespace "${namespace}" ${what}: it has ${has}`, {
    remedy: `name one: ${namespace}/${of}:${ports[0]?.port ?? 80}`,
  });
}

function namedPort(pod: Pod, label: string): number {
  const ports = (pod.spec?.containers ?? []).flatMap(
    (container) => (container as { ports?: { name?: string; containerPort: number }[] }).ports ?? [],
  );
  const found = ports.find((one) => one.name === label);
  if (found) return found.containerPort;
  throw new ActionError(
    'input',
    `the pod ${pod.metadata.name ?? ''} has no port of the name ${JSON.stringify(label)}, which its Service leads to`,
  );
}

function isReady({ metadata, status }: Pod): boolean {
  const conditions = status?.conditions ?? [];
  return metadata.deletionTimestamp === undefined && conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
}

/** A pod that is gone, or does not listen yet, may have a successor the next time; with it go the other requests to it. */
function passing(error: unknown): unknown {
  const isForward = error instanceof ActionError && ['unreachable', 'not-found', 'cancelled'].includes(error.code);
  return isForward ? Object.assign(new Error(error.message, { cause: error }), { code: 'ECONNREFUSED' }) : error;
}
