import type { Status } from '../run/state.ts';
import type { ObjectMeta } from './kind.ts';

/** Names the queue that holds a run back until there is quota for it (https://kueue.sigs.k8s.io/docs/concepts/local_queue/). */
export const queueLabel = 'kueue.x-k8s.io/queue-name';

/** What a suspended run's state is: one whose queue Kueue keeps stands suspended until it is admitted. */
export function heldBack({ labels }: ObjectMeta, said: { message?: string }): Status {
  const queue = labels?.[queueLabel];
  return queue ? { state: 'queued', message: `waits in the queue ${queue}` } : { state: 'suspended', ...said };
}
