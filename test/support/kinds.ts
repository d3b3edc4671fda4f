import { setTimeout as pause } from 'node:timers/promises';
import { kubernetesBackend } from '@slashtrain/core/backend/kubernetes';
import type { PodsObservation, RunBackend } from '@slashtrain/core/backend/backend';
import type { Explanation } from '@slashtrain/core/diagnosis/explain';
import { explain } from '@slashtrain/core/diagnosis/explain';
import type { Kind, KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { pods as podResource, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { RunReference } from '@slashtrain/core/run/reference';
import type { Status } from '@slashtrain/core/run/state';
import { keptLog } from './kubernetes.ts';
import { openTarget, unique, type Target } from './targets.ts';

const namespaces: Resource = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };

/** The real cluster with a namespace of its own, for the runs of one kind. */
export class RealKinds {
  readonly target: Target;
  readonly client: KubernetesClient;
  readonly backend: RunBackend;
  readonly namespace: string;

  private constructor(target: Target, client: KubernetesClient, name: string) {
    this.target = target;
    this.client = client;
    this.backend = kubernetesBackend(client, { log: keptLog() });
    this.namespace = unique(name);
  }

  static async open(name: string): Promise<RealKinds> {
    const target = await openTarget('real');
    const client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
    return new RealKinds(target, client, name);
  }

  /** Whether the cluster has all of these; says what is left out where it has not. */
  async has(...resources: [Resource, operator: string][]): Promise<boolean> {
    for (const [{ group, version, plural, kind }, operator] of resources) {
      const served = await this.client.discover(group, version);
      if (served?.some((one) => one.plural === plural)) continue;
      process.stdout.write(`skipped: ${kind} of ${group}/${version}; install ${operator}\n`);
      return false;
    }
    return true;
  }

  async begin(): Promise<void> {
    await this.client.create<KubernetesObject>(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace } });
  }

  async end(): Promise<void> {
    await this.client.delete(namespaces, '', this.namespace);
    await this.target.close();
  }

  /** A pod template in which a shell does something. */
  pod(script: string, container: object = {}): { spec: object } {
    const main = { name: 'main', image: this.target.base, command: ['/bin/sh', '-c', script], ...container };
    return { spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers: [main] } };
  }

  object({ resource: { group, version, kind } }: Kind, spec: object, metadata: object = {}): KubernetesObject {
    return { apiVersion: `${group}/${version}`, kind, metadata: { name: unique('run'), namespace: this.namespace, ...metadata }, spec };
  }

  async start(kind: Kind, object: KubernetesObject): Promise<RunReference> {
    const answer = await this.backend.create(kind, object);
    if (!('made' in answer)) throw new Error(`there is a ${kind.resource.kind} of this name`);
    const { name = '', uid = '' } = answer.made.metadata;
    return { plural: kind.resource.plural, group: kind.resource.group, namespace: this.namespace, name, uid };
  }

  /** Follows a run to its end. */
  async follow(reference: RunReference, onStatus: (status: Status) => Promise<void> | void = () => undefined): Promise<Status[]> {
    const seen: Status[] = [];
    for await (const { status } of this.backend.observe(reference, AbortSignal.timeout(240_000))) {
      seen.push(status);
      await onStatus(status);
    }
    return seen;
  }

  /** All lines of a run's log, sorted. */
  async lines(reference: RunReference): Promise<string[]> {
    const lines: string[] = [];
    for await (const some of this.backend.logs(reference, AbortSignal.timeout(240_000))) lines.push(...some.map(({ text }) => text));
    return lines.toSorted();
  }

  /** What is said of a run, once it is what is waited for; jest's time-out is the limit. */
  async explained(reference: RunReference, isIt: (explanation: Explanation, seen: PodsObservation) => boolean): Promise<Explanation> {
    const stop = new AbortController();
    try {
      for await (const seen of this.backend.watchPods(reference, stop.signal)) {
        const { status } = await this.backend.look(reference);
        const explanation = explain(status, seen.evidence, []);
        if (isIt(explanation, seen)) return explanation;
      }
    } finally {
      stop.abort();
    }
    throw new Error('the watch of the pods ended');
  }

  /** Ends once no pod has this label; jest's time-out is the limit. */
  async untilNoPods(labelSelector: string): Promise<void> {
    while ((await this.client.list(podResource, this.namespace, { labelSelector })).items.length > 0) await pause(500);
  }

  /** Ends once the run is in a state; jest's time-out is the limit. */
  async until(reference: RunReference, isIt: (status: Status) => boolean): Promise<Status> {
    for await (const { status } of this.backend.observe(reference, AbortSignal.timeout(240_000))) if (isIt(status)) return status;
    throw new Error('the run ended otherwise');
  }
}
