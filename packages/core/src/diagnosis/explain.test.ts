import { describe, expect, it } from '@jest/globals';
import type { Evidence } from '../backend/backend.ts';
import { reasons, type Reason, type Status } from '../run/state.ts';
import { explain, longestMessage } from './explain.ts';
import { remedies } from './remedies.ts';

const queued: Status = { state: 'queued' };
const running: Status = { state: 'running' };
/** What the Job says of most failures: its condition Failed. */
const failed: Status = { state: 'failed', reason: 'retries', message: 'Job has reached the specified backoff limit' };

const pod = (reason: string, message = ''): Evidence => ({ source: 'pod', object: 'p', reason, message });
const event = (reason: string, message = ''): Evidence => ({ source: 'event', object: 'p', reason, message });
const container = (reason: string, message = '', exitCode?: number): Evidence => ({
  source: 'container',
  object: 'p',
  container: 'train',
  reason,
  message,
  ...(exitCode === undefined ? {} : { exitCode }),
});

interface Case {
  name: string;
  status: Status;
  evidence: Evidence[];
  reason: Reason;
  /** In the message. */
  says: string;
  /** In the remedy. */
  remedy?: string;
  retryable?: boolean;
}

// Read from a Kubernetes 1.35.4 cluster with containerd 1.6 on 2026-11-21, a Job provoked for each.
const real: Case[] = [
  {
    name: 'no GPU',
    status: queued,
    evidence: [
      pod(
        'Unschedulable',
        '0/1 nodes are available: 1 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
      ),
    ],
    reason: 'no-gpu',
    says: '0/1 nodes are available: 1 Insufficient nvidia.com/gpu.',
    retryable: true,
  },
  {
    name: 'no CPU',
    status: queued,
    evidence: [
      pod(
        'Unschedulable',
        '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
      ),
    ],
    reason: 'unschedulable',
    says: '1 Insufficient cpu.',
  },
  {
    name: 'no node of that pool',
    status: queued,
    evidence: [
      event(
        'FailedScheduling',
        "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
      ),
    ],
    reason: 'unschedulable',
    says: "didn't match Pod's node affinity/selector.",
    remedy: 'node selector',
  },
  {
    name: 'a scheduling gate',
    status: queued,
    evidence: [pod('SchedulingGated', 'Scheduling is blocked due to non-empty scheduling gates')],
    reason: 'quota',
    says: 'gates',
    remedy: 'removes it',
    retryable: true,
  },
  {
    name: 'an image that is not there',
    status: queued,
    evidence: [
      container(
        'ImagePullBackOff',
        'Back-off pulling image "localhost:5000/nothing:1": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "localhost:5000/nothing:1": failed to resolve reference "localhost:5000/nothing:1": localhost:5000/nothing:1: not found',
      ),
    ],
    reason: 'image-pull',
    says: 'localhost:5000/nothing:1: not found',
    remedy: 'push the image',
  },
  {
    name: 'a registry that does not answer',
    status: queued,
    evidence: [
      container(
        'ErrImagePull',
        'failed to pull and unpack image "127.0.0.1:1/nothing:1": failed to resolve reference "127.0.0.1:1/nothing:1": failed to do request: Head "http://127.0.0.1:1/v2/nothing/manifests/1": dial tcp 127.0.0.1:1: connect: connection refused',
      ),
    ],
    reason: 'image-pull',
    says: 'connection refused',
    remedy: 'cannot reach',
    retryable: true,
  },
  {
    name: 'an image name that is none',
    status: queued,
    evidence: [
      container(
        'InvalidImageName',
        `Failed to apply default image tag "UPPER Case": couldn't parse image name "UPPER Case": invalid reference format: repository name (library/UPPER Case) must be lowercase`,
      ),
    ],
    reason: 'image-pull',
    says: 'must be lowercase',
  },
  {
    name: 'an image that must not be pulled',
    status: queued,
    evidence: [container('ErrImageNeverPull', 'Container image "localhost/none:1" is not present with pull policy of Never')],
    reason: 'image-pull',
    says: 'pull policy of Never',
  },
  {
    name: 'a Secret that is missing',
    status: queued,
    evidence: [container('CreateContainerConfigError', 'secret "wandb" not found')],
    reason: 'config',
    says: 'secret "wandb" not found',
    remedy: 'make the Secret',
  },
  {
    name: 'a key that is missing',
    status: queued,
    evidence: [container('CreateContainerConfigError', "couldn't find key token in ConfigMap diag/kube-root-ca.crt")],
    reason: 'config',
    says: "couldn't find key",
    remedy: 'make the Secret or ConfigMap',
  },
  {
    name: 'a program that the image does not have',
    status: failed,
    evidence: [
      container(
        'StartError',
        'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "torchrun": executable file not found in $PATH: unknown',
        128,
      ),
    ],
    reason: 'config',
    says: 'exec: "torchrun": executable file not found',
    remedy: 'command',
  },
  {
    name: 'the same, while it is tried again',
    status: running,
    evidence: [
      container(
        'CrashLoopBackOff',
        'back-off 40s restarting failed container=train pod=command-missing-restart-xbns7_diag(d12353c7-aa09-43de-9201-e3ac77ce69b5)',
      ),
      container(
        'StartError',
        'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "torchrun": executable file not found in $PATH: unknown',
        128,
      ),
    ],
    reason: 'config',
    says: 'exec: "torchrun"',
    remedy: 'command',
  },
  {
    name: 'more memory than the limit',
    status: failed,
    evidence: [container('OOMKilled', '', 137)],
    reason: 'out-of-memory',
    says: 'container train of pod p used more memory than its limit',
    remedy: 'memory limit',
  },
  {
    name: 'an exit code',
    status: failed,
    evidence: [container('Error', '', 3)],
    reason: 'crash',
    says: 'container train of pod p exited with code 3',
  },
  {
    name: 'a crash that is tried again',
    status: running,
    evidence: [
      container(
        'CrashLoopBackOff',
        'back-off 40s restarting failed container=train pod=crash-loop-tc94w_diag(53785be0-743f-4032-9970-fc4a3aee42ab)',
      ),
      container('Error', '', 1),
    ],
    reason: 'crash',
    says: 'exited with code 1',
  },
  {
    name: 'the deadline of a Job',
    status: { state: 'failed', reason: 'deadline', message: 'Job was active longer than specified deadline' },
    evidence: [event('Killing', 'Stopping container train'), event('DeadlineExceeded', 'Job was active longer than specified deadline')],
    reason: 'deadline',
    says: 'longer than specified deadline',
    remedy: 'raise the deadline',
  },
  {
    name: 'the deadline of a pod',
    status: failed,
    evidence: [container('Error', '', 137), pod('DeadlineExceeded', 'Pod was active on the node longer than the specified deadline')],
    reason: 'deadline',
    says: 'Pod was active on the node longer than the specified deadline',
  },
  {
    name: 'a disk that is full',
    status: failed,
    evidence: [container('Error', '', 137), pod('Evicted', 'Usage of EmptyDir volume "d" exceeds the limit "2Mi". ')],
    reason: 'evicted',
    says: 'exceeds the limit "2Mi".',
    remedy: 'raise the limit',
    retryable: false,
  },
  {
    name: 'somebody more important',
    status: failed,
    evidence: [pod('PreemptionByScheduler', 'default-scheduler: preempting to accommodate a higher priority pod')],
    reason: 'preempted',
    says: 'higher priority pod',
    retryable: true,
  },
  {
    name: 'the same, from the event alone, since the pod is gone',
    status: failed,
    evidence: [
      event('Killing', 'Stopping container train'),
      event('Preempted', 'Preempted by pod c4f16b8f-ee13-4ddc-9db3-8e277b81a3fe on node localhost'),
      event('BackoffLimitExceeded', 'Job has reached the specified backoff limit'),
    ],
    reason: 'preempted',
    says: 'Preempted by pod',
    retryable: true,
  },
  {
    name: 'a drained node',
    status: failed,
    evidence: [pod('EvictionByEvictionAPI', 'Eviction API: evicting'), container('Error', '', 143)],
    reason: 'preempted',
    says: 'Eviction API: evicting',
    retryable: true,
  },
  {
    name: "a namespace's quota",
    status: queued,
    evidence: [
      event(
        'FailedCreate',
        'Error creating: pods "quota-5phwv" is forbidden: exceeded quota: team, requested: pods=1,requests.nvidia.com/gpu=2, used: pods=0,requests.nvidia.com/gpu=0, limited: pods=0,requests.nvidia.com/gpu=1',
      ),
    ],
    reason: 'quota',
    says: 'exceeded quota: team',
    retryable: true,
  },
  {
    name: 'a service account that is missing',
    status: queued,
    evidence: [
      event(
        'FailedCreate',
        'Error creating: pods "account-" is forbidden: error looking up service account diag/trainer: serviceaccount "trainer" not found',
      ),
    ],
    reason: 'config',
    says: 'serviceaccount "trainer" not found',
    remedy: 'service account',
  },
  {
    name: 'a claim that is missing',
    status: queued,
    evidence: [pod('Unschedulable', '0/1 nodes are available: persistentvolumeclaim "data" not found. not found')],
    reason: 'volume',
    says: 'persistentvolumeclaim "data" not found',
  },
  {
    name: 'a claim without a volume',
    status: queued,
    evidence: [pod('Unschedulable', '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found')],
    reason: 'volume',
    says: 'unbound immediate PersistentVolumeClaims',
  },
  {
    name: 'a storage class that is missing',
    status: queued,
    evidence: [event('ProvisioningFailed', 'storageclass.storage.k8s.io "fast" not found')],
    reason: 'volume',
    says: '"fast" not found',
  },
  {
    name: 'a mounted ConfigMap that is missing',
    status: queued,
    evidence: [event('FailedMount', 'MountVolume.SetUp failed for volume "d" : configmap "settings" not found')],
    reason: 'config',
    says: 'configmap "settings" not found',
    remedy: 'make the Secret or ConfigMap',
  },
  {
    name: 'a mount that fails',
    status: queued,
    evidence: [
      event(
        'FailedMount',
        'MountVolume.SetUp failed for volume "d" : mount failed: exit status 32\nMounting command: mount\nOutput: mount: unknown filesystem type \'nfs\'.\n',
      ),
    ],
    reason: 'volume',
    says: 'unknown filesystem type',
  },
  {
    name: 'retries',
    status: failed,
    evidence: [event('BackoffLimitExceeded', 'Job has reached the specified backoff limit')],
    reason: 'retries',
    says: 'specified backoff limit',
  },
  {
    name: 'a pod failure policy',
    status: {
      state: 'failed',
      reason: 'retries',
      message: 'Container train for pod diag/policy-jxxzz failed with exit code 42 matching FailJob rule at index 0',
    },
    evidence: [container('Error', '', 42)],
    reason: 'crash',
    says: 'exited with code 42',
  },
];

// From upstream's sources: what this machine cannot provoke.
const fromSources: Case[] = [
  // kubernetes 1.35 pkg/kubelet/eviction/helpers.go: nodeLowMessageFmt
  {
    name: 'a node without memory',
    status: failed,
    evidence: [pod('Evicted', 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. ')],
    reason: 'evicted',
    says: 'low on resource: memory',
    retryable: true,
  },
  // kubernetes 1.35 pkg/controller/tainteviction
  {
    name: 'a spot node taken away',
    status: failed,
    evidence: [pod('DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint')],
    reason: 'preempted',
    says: 'NoExecute',
    retryable: true,
  },
  // kubernetes 1.35 pkg/controller/podgc
  {
    name: 'a node that is gone',
    status: failed,
    evidence: [pod('DeletionByPodGC', 'PodGC: node no longer exists')],
    reason: 'node-lost',
    says: 'no longer exists',
    retryable: true,
  },
  // kubernetes 1.35 pkg/util/node: NodeUnreachablePodReason
  {
    name: 'a node that does not answer',
    status: failed,
    evidence: [pod('NodeLost', 'Node gpu-1 which was running pod p is unresponsive')],
    reason: 'node-lost',
    says: 'unresponsive',
    retryable: true,
  },
  // kubernetes 1.35 pkg/kubelet/lifecycle/admission_failure_handler_stub.go, pkg/kubelet/cm/devicemanager
  {
    name: 'a sick GPU',
    status: failed,
    evidence: [
      pod(
        'UnexpectedAdmissionError',
        'Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected',
      ),
    ],
    reason: 'gpu-fault',
    says: 'no healthy devices',
    retryable: true,
  },
  // kueue 0.16 apis/kueue/v1beta1/workload_types.go
  {
    name: "Kueue's queue that is full",
    status: { state: 'suspended' },
    evidence: [
      pod(
        'WaitingForQuota',
        "couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor a100, 2 more needed",
      ),
    ],
    reason: 'quota',
    says: 'insufficient unused quota',
    retryable: true,
  },
  {
    name: "more than Kueue's queue ever has",
    status: { state: 'suspended' },
    evidence: [
      pod(
        'ExceedsMaxQuota',
        "couldn't assign flavors to pod set main: insufficient quota for nvidia.com/gpu in flavor a100, request > maximum capacity (8 > 4)",
      ),
    ],
    reason: 'quota',
    says: '8 > 4',
    remedy: 'never fits',
    retryable: false,
  },
  // containerd's resolver, docker/authorizer.go and docker/resolver.go
  {
    name: 'an image that may not be pulled',
    status: queued,
    evidence: [
      container(
        'ErrImagePull',
        'failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token: 403 Forbidden',
      ),
    ],
    reason: 'image-pull',
    says: '403 Forbidden',
    remedy: 'imagePullSecret',
  },
  // opencontainers/runc libcontainer/init_linux.go
  {
    name: 'too little memory to start',
    status: failed,
    evidence: [
      container(
        'StartError',
        'runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?): unknown',
        128,
      ),
    ],
    reason: 'out-of-memory',
    says: 'OOM-killed',
    remedy: 'too low even to start',
  },
  // kubernetes 1.35 staging/src/k8s.io/pod-security-admission
  {
    name: 'a pod that the namespace forbids',
    status: queued,
    evidence: [
      event(
        'FailedCreate',
        'Error creating: pods "digits-x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
      ),
    ],
    reason: 'config',
    says: 'violates PodSecurity',
  },
  {
    name: 'a second claim on a disk',
    status: queued,
    evidence: [
      event(
        'FailedAttachVolume',
        'Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node and can\'t be attached to another',
      ),
    ],
    reason: 'volume',
    says: 'Multi-Attach',
  },
];

describe('explain', () => {
  it.each([...real, ...fromSources])('$name: $reason', ({ status, evidence, reason, says, remedy, retryable }) => {
    const explained = explain(status, evidence, []);
    expect(explained).toMatchObject({ reason, retryable: retryable ?? false });
    expect(explained.message).toContain(says);
    expect(explained.remedy).toContain(remedy ?? remedies[reason]);
  });

  it.each(['succeeded', 'cancelled'] as const)('gives no reason for %s, whatever stands in the log', (state) => {
    const explained = explain({ state }, [container('Error', '', 1)], ['ValueError: bad']);
    expect(explained).toEqual({ retryable: false });
  });

  it('says what to do about a deletion', () => {
    expect(explain({ state: 'deleted' }, [], [])).toEqual({ reason: 'deleted', remedy: remedies.deleted, retryable: false });
  });

  it('has nothing to say where there is no evidence', () => {
    expect(explain(queued, [], [])).toEqual({ retryable: false });
    expect(explain({ state: 'unknown' }, [], [])).toEqual({ retryable: false });
  });

  it('takes what the kind says where nothing else is known', () => {
    expect(explain({ state: 'failed', reason: 'quota', message: 'words' }, [], [])).toMatchObject({ reason: 'quota', message: 'words' });
  });

  it('says what a run waited for when its deadline passed', () => {
    const status: Status = { state: 'failed', reason: 'deadline', message: 'Job was active longer than specified deadline' };
    const { reason, message, remedy } = explain(
      status,
      [event('FailedScheduling', '0/1 nodes are available: 1 Insufficient nvidia.com/gpu. preemption: 0/1')],
      [],
    );
    expect(reason).toBe('deadline');
    expect(message).toBe(
      'Job was active longer than specified deadline; it had not started: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu.',
    );
    expect(remedy).toBe(remedies['no-gpu']);
  });

  it('holds the pod that failed first for the cause', () => {
    const first: Evidence = { ...container('Error', '', 2), object: 'worker-1' };
    const second: Evidence = { ...container('Error', '', 1), object: 'worker-0' };
    expect(explain(failed, [first, second], []).message).toContain('pod worker-1 exited with code 2');
  });

  it('does not hold what once kept a run waiting for why it failed', () => {
    const evidence = [event('FailedScheduling', '1 Insufficient nvidia.com/gpu.'), container('Error', '', 1)];
    expect(explain(failed, evidence, []).reason).toBe('crash');
  });

  it('forgets an event once its object got further', () => {
    const noGpu = event('FailedScheduling', '1 Insufficient nvidia.com/gpu.');
    expect(explain(queued, [noGpu], []).reason).toBe('no-gpu');
    expect(explain(queued, [noGpu, event('Scheduled')], [])).toEqual({ retryable: false });
    expect(explain(queued, [noGpu, container('ContainerCreating')], [])).toEqual({ retryable: false });
    expect(explain(running, [noGpu], [])).toEqual({ retryable: false });
  });

  it('does not call a container that completed a crash', () => {
    expect(explain(failed, [container('Completed', '', 0), { ...container('Error', '', 1), object: 'q' }], []).message).toContain('pod q');
  });

  it('names the signal behind an exit code, and does not call SIGKILL out of memory', () => {
    expect(explain(failed, [container('Error', '', 137)], [])).toMatchObject({
      reason: 'crash',
      message: 'container train of pod p exited with code 137 (SIGKILL)',
    });
  });

  it('lets the log say what an exit code means', () => {
    expect(explain(failed, [container('Error', '', 1)], ['ValueError: bad'])).toMatchObject({
      message: 'container train of pod p exited with code 1',
    });
    const cuda = explain(
      failed,
      [container('Error', '', 1)],
      ['[rank0]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.'],
    );
    expect(cuda).toMatchObject({
      reason: 'cuda-memory',
      message: 'rank 0 failed first: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.',
      retryable: false,
    });
  });

  it("believes the cluster's word over the log's", () => {
    expect(explain(failed, [pod('NodeLost', 'gone')], ['CUDA out of memory']).reason).toBe('node-lost');
  });

  // Conditions as the node controller writes them when a kubelet is silent
  // (https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/controller/nodelifecycle/node_lifecycle_controller.go).
  const nodeGone: Evidence = { source: 'node', object: 'n1', reason: 'NodeNotReady', message: 'Kubelet stopped posting node status.' };

  it('names a lost node, while the run still counts as running and at its end, before what follows from it', () => {
    const says = { reason: 'node-lost', message: 'Kubelet stopped posting node status.', retryable: true };
    expect(explain(running, [nodeGone], [])).toMatchObject(says);
    expect(explain(failed, [pod('DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint'), nodeGone], [])).toMatchObject(
      says,
    );
  });

  it('does not take an event of a node that was not ready for a lost node', () => {
    expect(explain(failed, [event('NodeNotReady', 'Node is not ready'), container('OOMKilled', '', 137)], []).reason).toBe('out-of-memory');
  });

  // https://docs.nvidia.com/deploy/xid-errors; the words as the driver writes them into the kernel's log.
  it.each([
    ['NVRM: Xid (PCI:0000:44:00): 79, GPU has fallen off the bus.', true],
    ['NVRM: Xid (PCI:0000:3b:00): 31, pid=1234, name=python, Ch 00000008, intr 00000000. MMU Fault', false],
  ])('reads what a node says of its GPU: %s', (message, retryable) => {
    const node: Evidence = { source: 'node', object: 'n1', reason: 'XIDError', message };
    expect(explain(failed, [container('Error', '', 1), node], [])).toMatchObject({ reason: 'gpu-fault', message, retryable });
  });

  it('does not hold a disruption that the run had overcome for its end', () => {
    const taken: Evidence = { ...pod('PreemptionByScheduler', 'preempted'), time: '2026-01-01T00:01:00Z', gone: true };
    const ended = (startedAt: string): Evidence => ({ ...container('Error', '', 1), object: 'q', startedAt, time: '2026-01-01T01:00:00Z' });
    expect(explain(failed, [taken, ended('2026-01-01T00:02:00Z')], []).reason).toBe('crash');
    expect(explain(failed, [taken, ended('2026-01-01T00:00:00Z')], []).reason).toBe('preempted');
  });

  it('does not hold what a pod that is gone waited for against those that wait now', () => {
    expect(explain(queued, [{ ...pod('Unschedulable', 'Insufficient nvidia.com/gpu'), gone: true }], [])).toEqual({ retryable: false });
  });

  // Seen on a cluster with Kueue 0.16: its webhook did not know the Job yet when the Job's first pod was made.
  it('forgets that a pod could not be made once it was', () => {
    const denied = event('FailedCreate', 'Error creating: admission webhook "mpod.kb.io" denied the request: Job.batch "p" not found');
    const none: Evidence = { ...pod('Unschedulable', '0/1 nodes are available: 1 Insufficient nvidia.com/gpu.'), object: 'p-abcde' };
    expect(explain(queued, [denied], []).reason).toBe('config');
    expect(explain(queued, [denied, event('SuccessfulCreate', 'Created pod: p-abcde'), none], []).reason).toBe('no-gpu');
    expect(explain(queued, [event('SuccessfulCreate'), event('FailedCreate', 'exceeded quota: a')], []).reason).toBe('quota');
  });

  it('keeps what to do about a run that was stopped because it did not start', () => {
    const cancelled: Status = { state: 'cancelled', reason: 'config', message: 'secret "x" not found' };
    const said = explain(cancelled, [container('CreateContainerConfigError', 'secret "x" not found')], []);
    expect(said).toMatchObject({ reason: 'config', remedy: expect.stringContaining('make the Secret') });
    expect(explain(cancelled, [], [])).toMatchObject({ reason: 'config', remedy: remedies.config });
  });

  it('cuts what is too long', () => {
    expect(explain(queued, [event('FailedMount', 'x'.repeat(10_000))], []).message).toHaveLength(longestMessage);
  });

  it('has a remedy for every reason, one sentence each', () => {
    for (const reason of reasons) expect(remedies[reason]).toMatch(/^\S.*[^.]$/u);
  });
});
