import { describe, expect, it } from '@jest/globals';
import { explain } from '../diagnosis/explain.ts';
import { workloadEvidence, type Workload } from './workloads.ts';

// The sentences are those of kueue v0.16.2, pkg/scheduler/flavorassigner/flavorassigner.go and pkg/controller/core/workload_controller.go;
// the reasons that are no "Pending" are of its main branch, "WorkloadQuotaReservedReason…".
const time = '2026-11-21T15:10:00Z';
const condition = (
  type: string,
  reason: string,
  message: string,
  status = 'False',
): { type: string; status: string; reason: string; message: string; lastTransitionTime: string } => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: time,
});
const full = "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor small, 1 more needed";
const never =
  "couldn't assign flavors to pod set main: insufficient quota for cpu in flavor small, previously considered podsets requests (0) + current podset request (10) > maximum capacity (8)";
const other = "couldn't assign flavors to pod set main: flavor small doesn't match node affinity";
const preempted =
  'Preempted to accommodate a workload (UID: 5e, JobUID: 6f) due to prioritization in the ClusterQueue; preemptor path: /q; preemptee path: /q';
const evicted = condition('Evicted', 'Preempted', preempted, 'True');

describe('what Kueue says of a run that it holds back', () => {
  it.each<[string, object[] | undefined, string | undefined, { reason?: string; says?: string; retryable?: boolean }]>([
    ['nothing yet', undefined, undefined, {}],
    [
      'the queue is full',
      [condition('QuotaReserved', 'Pending', full)],
      'WaitingForQuota',
      { reason: 'quota', says: full, retryable: true },
    ],
    [
      'the queue is full (newer)',
      [condition('QuotaReserved', 'WaitingForQuota', full)],
      'WaitingForQuota',
      { reason: 'quota', retryable: true },
    ],
    [
      'it never fits',
      [condition('QuotaReserved', 'Pending', never)],
      'ExceedsMaxQuota',
      { reason: 'quota', says: '(10) > maximum capacity (8)', retryable: false },
    ],
    [
      'one flavor is too small, another full',
      [condition('QuotaReserved', 'Pending', `${never}, insufficient unused quota for cpu in flavor large, 1 more needed`)],
      'WaitingForQuota',
      { reason: 'quota', retryable: true },
    ],
    ['no flavor matches', [condition('QuotaReserved', 'Pending', other)], 'NoMatchingFlavor', { reason: 'quota', retryable: false }],
    [
      'there is no such queue',
      [condition('QuotaReserved', 'Inadmissible', "LocalQueue nope doesn't exist")],
      'Inadmissible',
      { reason: 'quota', says: "LocalQueue nope doesn't exist", retryable: false },
    ],
    [
      'it was preempted, and the queue is full',
      [condition('QuotaReserved', 'Pending', full), evicted, condition('Requeued', 'Preempted', preempted, 'True')],
      'Preempted',
      { reason: 'preempted', says: `${preempted}; back in the queue: ${full}`, retryable: true },
    ],
    [
      'it was preempted just now',
      [condition('QuotaReserved', 'Pending', preempted), evicted],
      'Preempted',
      { reason: 'preempted', says: `${preempted}; back in the queue` },
    ],
    [
      'its pods did not get ready in time',
      [
        condition('QuotaReserved', 'Pending', full),
        condition('Evicted', 'PodsReadyTimeout', 'Exceeded the PodsReady timeout ns/wl', 'True'),
      ],
      'PodsReadyTimeout',
      { reason: 'evicted', says: 'Exceeded the PodsReady timeout', retryable: true },
    ],
    [
      'a check is missing',
      [
        condition('QuotaReserved', 'QuotaReserved', 'Quota reserved in ClusterQueue q', 'True'),
        condition('Admitted', 'UnsatisfiedChecks', 'The workload has not all checks ready'),
      ],
      'UnsatisfiedChecks',
      { reason: 'quota', says: 'not all checks ready' },
    ],
    [
      'it is admitted, after it was preempted',
      [
        condition('QuotaReserved', 'QuotaReserved', '', 'True'),
        condition('Admitted', 'Admitted', '', 'True'),
        { ...evicted, status: 'False' },
      ],
      undefined,
      {},
    ],
    ['it has finished', [condition('QuotaReserved', 'Pending', full), condition('Finished', 'Succeeded', '', 'True')], undefined, {}],
  ])('%s', (_, conditions, word, { reason, says, retryable }) => {
    const workload = {
      apiVersion: 'kueue.x-k8s.io/v1beta2',
      kind: 'Workload',
      metadata: { name: 'job-digits-1a2b3' },
      ...(conditions ? { status: { conditions } } : {}),
    } as Workload;
    const evidence = workloadEvidence(workload);
    expect(evidence.map((one) => one.reason)).toEqual(word === undefined ? [] : [word]);
    const explained = explain({ state: 'queued', message: 'waits in the queue team-a' }, evidence, []);
    expect(explained.reason).toBe(reason);
    expect(explained.message).toContain(says ?? '');
    if (retryable !== undefined) expect(explained.retryable).toBe(retryable);
  });
});
