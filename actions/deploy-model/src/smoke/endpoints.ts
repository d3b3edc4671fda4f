import http from 'node:http';
import https from 'node:https';
import { ActionError } from '@slashtrain/core/action/errors';
import { pods, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { Pod } from '@slashtrain/core/kubernetes/pod';
import { forwardTo } from '@slashtrain/core/kubernetes/port-forward';
import type { Endpoint, EndpointsOf, Serving } from '../types.ts';
import { httpEndpoint } from './http-endpoint.ts';

/** The pods that are ready, through the API server, or the URL. @param client absent where nothing is on Kubernetes */
export function endpointsOf(client: KubernetesClient | undefined, environment: NodeJS.ProcessEnv): EndpointsOf {
  return async (serving, signal) => {
    if (serving.how === 'url') return [urlEndpoint(serving, environment)];
    if (!client) throw new ActionError('internal', 'pods are to be asked, and there is no cluster');
    const { items } = await client.list<Pod>(pods, serving.namespace, { labelSelector: serving.selector });
    const ready = items.filter(isReady);
    if (ready.length === 0) {
      throw new ActionError(
        'not-found',
        `no pod of ${serving.selector} in namespace ${serving.namespace} is ready${items.length > 0 ? ` (of ${items.length})` : ''}`,
      );
    }
    return ready.map((pod) => podEndpoint(client, serving.namespace, pod, serving.port, signal));
  };
}

function isReady({ metadata, status }: Pod): boolean {
  return (
    metadata.deletionTimestamp === undefined && (status?.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True')
  );
}

function podEndpoint(client: KubernetesClient, namespace: string, pod: Pod, port: number | string, signal: AbortSignal): Endpoint {
  const name = pod.metadata.name ?? '';
  const number = typeof port === 'number' ? port : portOf(pod, port);
  const agent = forwardTo(client, { namespace, pod: name, port: number }, signal);
  // As with kubectl port-forward; the agent is what leads to the pod.
  return httpEndpoint(`pod ${name}`, new URL(`http://localhost:${number}`), { agent });
}

function portOf(pod: Pod, name: string): number {
  const ports = (pod.spec?.containers ?? []).flatMap(
    (container) => (container as { ports?: { name?: string; containerPort: number }[] }).ports ?? [],
  );
  const found = ports.find((port) => port.name === name);
  if (found) return found.containerPort;
  const names = ports.map((port) => port.name ?? String(port.containerPort));
  throw new ActionError(
    'input',
    `the pod ${pod.metadata.name ?? ''} has no port ${JSON.stringify(name)}; it has ${names.join(', ') || 'none'}`,
  );
}

function urlEndpoint({ url, headers = {} }: Extract<Serving, { how: 'url' }>, environment: NodeJS.ProcessEnv): Endpoint {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/u.test(parsed.protocol)) {
    throw new ActionError('input', `the model's URL is ${JSON.stringify(url.slice(0, 200))}; allowed: http(s)://host[:port][/path]`);
  }
  const options = { keepAlive: true, proxyEnv: environment };
  const agent = parsed.protocol === 'http:' ? new http.Agent(options) : new https.Agent(options);
  return httpEndpoint(parsed.origin, parsed, { agent, headers });
}
