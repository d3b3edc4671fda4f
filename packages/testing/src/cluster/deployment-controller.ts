import { createHash } from 'node:crypto';
import { Controller, ownerKeys } from './controller.ts';
import { deploymentStatus, deadlineOf, setCondition } from './deployment-status.ts';
import { EventRecorder } from './events.ts';
import type { Deleter } from './garbage.ts';
import type { Deployment, ReplicaSet } from './objects.ts';
import { types } from './resources.ts';
import { same, type NewObject, type Store } from './store.ts';

const revisionKey = 'deployment.kubernetes.io/revision';
const hashKey = 'pod-template-hash';

/**
 * The Deployment controller: a ReplicaSet for each template, moved from the old ones to the new one as the strategy
 * says. The steps are those of kube-controller-manager 1.35 (k8s.io/kubernetes/pkg/controller/deployment), without
 * scaling in proportion.
 */
export class DeploymentController {
  readonly #store: Store;
  readonly #remove: Deleter;
  readonly #events: EventRecorder;
  readonly #controller: Controller;

  constructor(store: Store, remove: Deleter, onDefect: (error: unknown) => void) {
    this.#store = store;
    this.#remove = remove;
    this.#events = new EventRecorder(store, 'deployment-controller');
    this.#controller = new Controller(
      store,
      ownerKeys(types.deployments, 'Deployment', types.replicaSets),
      (key) => this.#reconcile(key),
      onDefect,
    );
  }

  stop(): void {
    this.#controller.stop();
  }

  #reconcile(key: string): void {
    const [namespace, name] = key.split('/') as [string, string];
    const deployment = this.#store.get(types.deployments, namespace, name) as Deployment | undefined;
    if (!deployment || deployment.metadata.deletionTimestamp !== undefined) return;
    const sets = this.#setsOf(deployment);
    let current = sets.find((set) => same(templateOf(set), deployment.spec.template));
    const old = sets.filter((set) => set !== current);
    if (!deployment.spec.paused) {
      if (deployment.spec.strategy.type === 'Recreate' && this.#stopOld(deployment, old)) return this.#tell(key, deployment);
      current = current ? this.#renew(deployment, current, old) : this.#make(deployment, old);
      const { wanted } = sizes(deployment, current, old);
      if (wanted === current.spec.replicas) this.#shrink(deployment, current, old);
      else this.#scale(deployment, current, wanted);
      this.#forget(deployment, old);
    }
    this.#tell(key, this.#store.get(types.deployments, namespace, name) as Deployment);
  }

  #setsOf({ metadata }: Deployment): ReplicaSet[] {
    const all = this.#store.list(types.replicaSets, metadata.namespace) as ReplicaSet[];
    return all
      .filter((set) => set.metadata.ownerReferences?.some((owner) => owner.uid === metadata.uid))
      .toSorted((a, b) => revisionOf(a) - revisionOf(b));
  }

  /** Recreate: no new pod before the old ones are gone. @returns whether that is still to come */
  #stopOld(deployment: Deployment, old: ReplicaSet[]): boolean {
    for (const set of old) if (set.spec.replicas > 0) this.#scale(deployment, set, 0);
    return old.some(({ spec, status }) => spec.replicas > 0 || (status.replicas ?? 0) > 0 || (status.terminatingReplicas ?? 0) > 0);
  }

  #make(deployment: Deployment, old: ReplicaSet[]): ReplicaSet {
    const { metadata, spec } = deployment;
    const hash = hashOf(spec.template);
    const template = structuredClone(spec.template);
    const labels = { ...template.metadata?.labels, [hashKey]: hash };
    const set: NewObject = {
      metadata: {
        name: `${metadata.name}-${hash}`,
        namespace: metadata.namespace!,
        labels,
        annotations: this.#annotations(deployment, Math.max(0, ...old.map(revisionOf)) + 1),
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'Deployment', name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true },
        ],
      },
      spec: {
        replicas: 0,
        selector: { matchLabels: { ...spec.selector.matchLabels, [hashKey]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
        ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
      },
      status: { replicas: 0 },
    };
    const made = this.#store.create(types.replicaSets, set) as ReplicaSet;
    this.#number(deployment, made);
    this.#store.update<Deployment>(types.deployments, metadata.namespace, metadata.name, ({ status }) => {
      const message = `Created new replica set "${made.metadata.name}"`;
      setCondition(status, { type: 'Progressing', status: 'True', reason: 'NewReplicaSetCreated', message });
    });
    return made;
  }

  /** A ReplicaSet that has the template already becomes the newest revision. */
  #renew(deployment: Deployment, set: ReplicaSet, old: ReplicaSet[]): ReplicaSet {
    const newest = Math.max(0, ...old.map(revisionOf));
    const annotations = this.#annotations(deployment, revisionOf(set) > newest ? revisionOf(set) : newest + 1);
    const { minReadySeconds } = deployment.spec;
    const { namespace, name } = set.metadata;
    const after = this.#store.update<ReplicaSet>(types.replicaSets, namespace, name, (copy) => {
      copy.metadata.annotations = annotations;
      if (minReadySeconds === undefined) delete copy.spec.minReadySeconds;
      else copy.spec.minReadySeconds = minReadySeconds;
    }) as ReplicaSet;
    this.#number(deployment, after);
    return after;
  }

  #number({ metadata }: Deployment, set: ReplicaSet): void {
    this.#store.update(types.deployments, metadata.namespace, metadata.name, (copy) => {
      copy.metadata.annotations = { ...copy.metadata.annotations, [revisionKey]: String(revisionOf(set)) };
    });
  }

  #annotations(deployment: Deployment, revision: number): Record<string, string> {
    const { replicas } = deployment.spec;
    const own = Object.entries(deployment.metadata.annotations ?? {}).filter(
      ([name]) => !name.startsWith('deployment.kubernetes.io/') && name !== 'kubectl.kubernetes.io/last-applied-configuration',
    );
    return {
      ...Object.fromEntries(own),
      'deployment.kubernetes.io/desired-replicas': String(replicas),
      'deployment.kubernetes.io/max-replicas': String(replicas + surgeOf(deployment)),
      [revisionKey]: String(revision),
    };
  }

  /** Takes pods from the old ones: first those that are not available, then as many as need not be. */
  #shrink(deployment: Deployment, current: ReplicaSet, old: ReplicaSet[]): void {
    const { least, all } = sizes(deployment, current, old);
    const unavailable = current.spec.replicas - (current.status.availableReplicas ?? 0);
    let spare = all - least - unavailable;
    const replicas = new Map(old.map((set) => [set, set.spec.replicas]));
    for (const set of old) {
      const broken = Math.min(Math.max(0, spare), set.spec.replicas - (set.status.availableReplicas ?? 0));
      replicas.set(set, set.spec.replicas - broken);
      spare -= broken;
    }
    let free = [current, ...old].reduce((sum, set) => sum + (set.status.availableReplicas ?? 0), 0) - least;
    if (all - least - unavailable <= 0) free = 0;
    for (const set of old) {
      const more = Math.min(Math.max(0, free), replicas.get(set)!);
      replicas.set(set, replicas.get(set)! - more);
      free -= more;
    }
    for (const [set, count] of replicas) this.#scale(deployment, set, count);
  }

  #scale(deployment: Deployment, set: ReplicaSet, replicas: number): void {
    const before = set.spec.replicas;
    if (replicas === before) return;
    const { namespace, name } = set.metadata;
    this.#store.update<ReplicaSet>(types.replicaSets, namespace, name, ({ spec }) => void (spec.replicas = replicas));
    const direction = replicas > before ? 'up' : 'down';
    const message = `Scaled ${direction} replica set ${name} from ${before} to ${replicas}`;
    this.#events.tell(deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message });
  }

  #forget({ spec }: Deployment, old: ReplicaSet[]): void {
    const idle = old.filter((set) => set.spec.replicas === 0 && (set.status.replicas ?? 0) === 0);
    for (const set of idle.slice(0, Math.max(0, idle.length - spec.revisionHistoryLimit))) this.#remove(types.replicaSets, set);
  }

  #tell(key: string, deployment: Deployment): void {
    const { namespace, name } = deployment.metadata;
    const sets = this.#setsOf(deployment);
    const current = sets.find((set) => same(templateOf(set), deployment.spec.template));
    const after = this.#store.update<Deployment>(types.deployments, namespace, name, (copy) => {
      copy.status = deploymentStatus(copy, sets, current, unavailableOf(copy), Date.now());
    }) as Deployment;
    const deadline = deadlineOf(after);
    if (deadline !== undefined) this.#controller.at(key, deadline);
  }
}

/** How many pods the new one is to have, how many must be available, how many there are to be. */
function sizes(deployment: Deployment, current: ReplicaSet, old: ReplicaSet[]): { wanted: number; least: number; all: number } {
  const { replicas, strategy } = deployment.spec;
  const all = [current, ...old].reduce((sum, set) => sum + set.spec.replicas, 0);
  const room = strategy.type === 'Recreate' ? replicas : replicas + surgeOf(deployment) - all;
  const more = Math.max(0, Math.min(room, replicas - current.spec.replicas));
  const wanted = current.spec.replicas >= replicas ? replicas : current.spec.replicas + more;
  return { wanted, least: replicas - unavailableOf(deployment), all };
}

const share = (value: number | string, of: number, round: (x: number) => number): number =>
  typeof value === 'number' ? value : round((Number.parseFloat(value) * of) / 100);

function surgeOf({ spec }: Deployment): number {
  return spec.strategy.rollingUpdate ? share(spec.strategy.rollingUpdate.maxSurge, spec.replicas, Math.ceil) : 0;
}

function unavailableOf(deployment: Deployment): number {
  const { replicas, strategy } = deployment.spec;
  if (!strategy.rollingUpdate) return 0;
  const most = Math.min(replicas, share(strategy.rollingUpdate.maxUnavailable, replicas, Math.floor));
  // Both rounded to nothing would never get on.
  return most === 0 && surgeOf(deployment) === 0 ? 1 : most;
}

const revisionOf = ({ metadata }: ReplicaSet): number => Number(metadata.annotations?.[revisionKey] ?? 0);

/** A ReplicaSet's template as the Deployment's. */
function templateOf({ spec }: ReplicaSet): unknown {
  const { [hashKey]: _hash, ...labels } = spec.template.metadata?.labels ?? {};
  return { ...spec.template, metadata: { ...spec.template.metadata, labels } };
}

// As k8s.io/apimachinery/pkg/util/rand SafeEncodeString: no vowels.
const safe = 'bcdfghjklmnpqrstvwxz2456789';

function hashOf(template: unknown): string {
  return [...createHash('sha256').update(JSON.stringify(template)).digest().subarray(0, 10)]
    .map((byte) => safe[byte % safe.length])
    .join('');
}
