import type { Reason } from '../run/state.ts';

/** What to do about each reason, where its signal says nothing more exact. One sentence for the person who trains. */
export const remedies: Readonly<Record<Reason, string>> = {
  'no-gpu': 'wait until GPUs are free, or ask for fewer or for another accelerator',
  unschedulable: "lower what the pods request, or mend their node selector, affinity or tolerations; the cluster's nodes are what they are",
  quota: 'wait until the quota is free, ask for less, or have the quota raised',
  'image-pull': 'check the image name, and that the cluster may pull it (imagePullSecrets of the service account)',
  config: 'mend the pod template: it names something that does not exist, or that the cluster does not allow',
  'out-of-memory': "raise the container's memory limit, or load less at once; this is host memory, not the GPU's",
  'cuda-memory': 'lower the batch size, use gradient accumulation or mixed precision, or ask for a GPU with more memory',
  nccl: "look at the log of the rank that failed first; the others only lost it. Where none failed, check the pods' network and NCCL_DEBUG=INFO",
  'gpu-fault': 'run it again on another node, and tell the administrators of the cluster about the GPU',
  crash: 'mend the program; the last lines of its log say where it ended',
  evicted: 'run it again; request as much memory and ephemeral storage as it uses, so that the node does not run out',
  preempted: 'run it again, with a higher priority class or on nodes that are not taken away',
  'node-lost': 'run it again; write checkpoints, so that it can go on from there',
  deadline: 'raise the deadline, or train for fewer steps',
  retries: 'look at the pod that failed first; its log says why',
  volume: 'check the claim, its storage class, and that the volume can be attached to the node',
  deleted: 'somebody or something deleted the run; start it again with a new comment',
};

/** Causes in the infrastructure: the same commit may well succeed later. */
export const retryableReasons: ReadonlySet<Reason> = new Set(['no-gpu', 'quota', 'gpu-fault', 'evicted', 'preempted', 'node-lost']);
