import { availableParallelism, totalmem } from 'node:os';
import { EventRecorder } from './events.ts';
import { timestamp, type Condition, type Pod, type Stored } from './objects.ts';
import { types } from './resources.ts';
import type { Store } from './store.ts';

export const nodeName = 'embedded-node';

const gone = 'node.kubernetes.io/unreachable';

/** The cluster's one node as an object. */
export class Node {
  readonly #store: Store;

  constructor(store: Store, gpus: number) {
    this.#store = store;
    const has = {
      cpu: String(availableParallelism()),
      memory: `${Math.floor(totalmem() / 1024)}Ki`,
      pods: '110',
      ...(gpus > 0 ? { 'nvidia.com/gpu': String(gpus) } : {}),
    };
    store.create(types.nodes, {
      metadata: { name: nodeName, labels: { 'kubernetes.io/hostname': nodeName, 'kubernetes.io/os': 'linux' } },
      spec: {},
      status: {
        capacity: has,
        allocatable: has,
        conditions: [{ ...readiness.true, lastHeartbeatTime: timestamp(), lastTransitionTime: timestamp() }],
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        nodeInfo: { kubeletVersion: 'v1.35.4+embedded', containerRuntimeVersion: `process://${process.version}` },
      },
    });
  }

  get object(): Stored {
    return this.#store.get(types.nodes, undefined, nodeName)!;
  }

  /** Not ready is what the control plane says of a node that it does not hear from; what runs there goes on. */
  setReady(ready: boolean): void {
    const condition = ready ? readiness.true : readiness.unknown;
    this.#store.update(types.nodes, undefined, nodeName, (node) => {
      const status = node['status'] as { conditions: Condition[] };
      status.conditions = [{ ...condition, lastHeartbeatTime: timestamp(), lastTransitionTime: timestamp() }];
      node['spec'] = ready ? {} : { taints: ['NoSchedule', 'NoExecute'].map((effect) => ({ key: gone, effect, timeAdded: timestamp() })) };
    });
    const told = new EventRecorder(this.#store, 'node-controller');
    const words = ready ? 'NodeReady' : 'NodeNotReady';
    told.tell(this.object, { type: 'Normal', reason: words, message: `Node ${nodeName} status is now: ${words}` });
    for (const pod of this.#store.list(types.pods) as Pod[]) {
      const { phase, conditions } = pod.status;
      if (pod.spec.nodeName !== nodeName || phase !== 'Running' || !conditions) continue;
      this.#store.update<Pod>(types.pods, pod.metadata.namespace, pod.metadata.name, (copy) => {
        for (const item of copy.status.conditions!) {
          if (item.type !== 'Ready' || item.status === (ready ? 'True' : 'False')) continue;
          item.status = ready ? 'True' : 'False';
          item.lastTransitionTime = timestamp();
        }
      });
      if (!ready) told.tell(pod, { type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' });
    }
  }
}

const readiness = {
  true: { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
  unknown: { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' },
} as const;
