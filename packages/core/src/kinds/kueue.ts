import { ActionError } from '../action/errors.ts';
import type { Status } from '../run/state.ts';
import type { Kind, KubernetesObject, ObjectMeta } from './kind.ts';

/** Names the queue that holds a run back until there is quota for it (https://kueue.sigs.k8s.io/docs/concepts/local_queue/). */
export const queueLabel = 'kueue.x-k8s.io/queue-name';

/** What a suspended run's state is: one whose queue Kueue keeps stands suspended until it is admitted. */
export function heldBack({ labels }: ObjectMeta, said: { message?: string }): Status {
  const queue = labels?.[queueLabel];
  return queue ? { state: 'queued', message: `waits in the queue ${queue}` } : { state: 'suspended', ...said };
}

/**
 * Puts a run into a queue: its kind's own, else Kueue's, by a label on what Kueue holds back.
 * @throws ActionError `input` for a kind whose runs would pass by the queue's quota
 */
export function putIntoQueue(kind: Kind, object: KubernetesObject, queue: string): void {
  if (kind.setQueue) return kind.setQueue(object, queue);
  if (kind.kueue === 'run') {
    object.metadata.labels = { ...object.metadata.labels, [queueLabel]: queue };
    return;
  }
  const templates = kind.kueue === 'pods' ? kind.podTemplates(object) : [];
  if (templates.length === 0) {
    throw new ActionError(
      'input',
      `input "queue" is ${JSON.stringify(queue)}, and Kueue does not hold a ${kind.resource.kind} back: it would run at once`,
      {
        remedy: `take "queue" out, or submit a kind that Kueue integrates, such as a Job or a JobSet`,
      },
    );
  }
  for (const { template } of templates)
    template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, [queueLabel]: queue } };
}
