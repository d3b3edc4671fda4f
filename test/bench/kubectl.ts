import { spawn, type ChildProcess } from 'node:child_process';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { keptLog } from '../support/kubernetes.ts';
import { unique } from '../support/targets.ts';
import type { Options } from './part.ts';
import { absent } from './programs.ts';

const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };

/** A namespace of our own on a real cluster, whose nodes have an image with Node, and kubectl there. */
export interface RealPlace {
  client: KubernetesClient;
  namespace: string;
  image: string;
  kubectl(...args: string[]): ChildProcess;
  close(): Promise<void>;
}

export function missingForReal({ cluster, registry }: Options): string | undefined {
  if (!cluster || registry === undefined) return 'name a real cluster by --kubeconfig and --context, and its registry by --registry';
  return absent('kubectl').length > 0 ? 'kubectl is not on PATH; install it (https://kubernetes.io/docs/tasks/tools/)' : undefined;
}

export async function openReal(name: string, { cluster, registry }: Options): Promise<RealPlace> {
  const { kubeconfig = '', context = '' } = cluster ?? {};
  const namespace = unique(`slashtrain-${name}`);
  const client = await openKubernetes({ kubeconfig, context, environment: {}, log: keptLog() });
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  return {
    client,
    namespace,
    image: `${registry ?? ''}/node:24`,
    kubectl: (...args) => spawn('kubectl', ['--kubeconfig', kubeconfig, '--context', context, '-n', namespace, ...args]),
    close: async () => void (await client.delete(namespaces, '', namespace)),
  };
}
