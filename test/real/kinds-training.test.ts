import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { kubernetesBackend } from '@slashtrain/core/backend/kubernetes';
import type { RunBackend } from '@slashtrain/core/backend/backend';
import { katibExperiment } from '@slashtrain/core/kinds/katib-experiment';
import type { Kind, KubernetesObject } from '@slashtrain/core/kinds/kind';
import { mpiJob } from '@slashtrain/core/kinds/mpi-job';
import { jaxJob, mpiJobV1, paddleJob, pytorchJob, tfJob, xgboostJob } from '@slashtrain/core/kinds/training-operator';
import { volcanoJob } from '@slashtrain/core/kinds/volcano-job';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { pods as podResource } from '@slashtrain/core/kubernetes/client';
import type { RunReference } from '@slashtrain/core/run/reference';
import type { Status } from '@slashtrain/core/run/state';
import { keptLog } from '../support/kubernetes.ts';
import { openTarget, unique } from '../support/targets.ts';

/*
 * The legacy training operator's kinds as its controllers run them; and MPIJob v2beta1, Volcano's Job and Katib's
 * Experiment against their schemas alone, for which their CustomResourceDefinitions suffice: `kubectl apply
 * --server-side -f` those of kubeflow/mpi-operator (not where the training operator is: both own mpijobs.kubeflow.org),
 * volcano-sh/volcano and kubeflow/katib. What the cluster does not have is left out, and said.
 */
const target = await openTarget('real');
const client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
const backend: RunBackend = kubernetesBackend(client, { log: keptLog() });
const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
const namespace = unique('kinds-training');
/** Ends what a failed test has left waiting. */
const over = new AbortController();

async function isServed({ resource: { group, version, plural } }: Kind): Promise<boolean> {
  return (await client.discover(group, version))?.some((one) => one.plural === plural) === true;
}
const isRun = await isServed(pytorchJob);
const accepted: Kind[] = [];
for (const kind of [mpiJob, volcanoJob, katibExperiment]) if (await isServed(kind)) accepted.push(kind);
const nameOf = ({ resource: { kind, group, version } }: Kind): string => `${kind} of ${group}/${version}`;
for (const kind of [...(isRun ? [] : [pytorchJob]), ...[mpiJob, volcanoJob, katibExperiment].filter((one) => !accepted.includes(one))]) {
  process.stdout.write(`skipped: ${nameOf(kind)}; install ${kind.operator ?? ''}, or its CustomResourceDefinitions where those suffice\n`);
}

beforeAll(async () => {
  await client.create<KubernetesObject>(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
});
afterAll(async () => {
  over.abort();
  await client.delete(namespaces, '', namespace);
  await target.close();
});

/** A replica: what a shell of busybox does in it. */
const replica = (container: string, script: string, more: object = {}): object => ({
  replicas: 1,
  ...more,
  template: {
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: container, image: target.base, command: ['/bin/sh', '-c', script] }],
    },
  },
});

function objectOf(kind: Kind, spec: object): KubernetesObject {
  const { group, version, kind: name } = kind.resource;
  return { apiVersion: `${group}/${version}`, kind: name, metadata: { name: unique('run'), namespace }, spec };
}

async function start(kind: Kind, object: KubernetesObject): Promise<RunReference> {
  const answer = await backend.create(kind, object);
  if (!('made' in answer)) throw new Error(`there is a ${kind.resource.kind} of this name`);
  const { name = '', uid = '' } = answer.made.metadata;
  return { plural: kind.resource.plural, group: kind.resource.group, namespace, name, uid };
}

/** Follows a run to its end; all its statuses. */
async function follow(reference: RunReference, onStatus: (status: Status) => Promise<void> | void = () => undefined): Promise<Status[]> {
  const seen: Status[] = [];
  for await (const { status } of backend.observe(reference, over.signal)) {
    seen.push(status);
    await onStatus(status);
  }
  return seen;
}

/** Ends once the run has no pods; jest's time-out is the limit. */
async function untilPodsAreGone({ name }: RunReference): Promise<void> {
  for (;;) {
    const { items } = await client.list(podResource, namespace, { labelSelector: `training.kubeflow.org/job-name=${name}` });
    if (items.length === 0) return;
    await new Promise((done) => setTimeout(done, 500));
  }
}

it('the kind of one MPI operator is refused where the other’s is, by a name that says what is missing', async () => {
  const missing = (await isServed(mpiJob)) ? mpiJobV1 : mpiJob;
  const { resource } = missing;
  await expect(backend.check(missing, objectOf(missing, { mpiReplicaSpecs: {} }))).rejects.toThrow(`mpijobs.${resource.group}`);
});

if (isRun) {
  describe('the training operator', () => {
    interface Started {
      reference: RunReference;
      lines: Promise<string[]>;
      statuses: Promise<Status[]>;
    }
    const good: [Kind, string, string, Record<string, object>][] = [
      [
        pytorchJob,
        'pytorch',
        'pytorchReplicaSpecs',
        { Worker: replica('pytorch', 'echo "$(params.word) worker"; sleep 2', { replicas: 2 }) },
      ],
      [
        tfJob,
        'tensorflow',
        'tfReplicaSpecs',
        {
          Chief: replica('tensorflow', 'echo "$(params.word) chief"; sleep 4'),
          PS: replica('tensorflow', 'echo "$(params.word) ps"; sleep 600'),
        },
      ],
      [
        xgboostJob,
        'xgboost',
        'xgbReplicaSpecs',
        { Master: replica('xgboost', 'echo "$(params.word) master"; sleep 2'), Worker: replica('xgboost', 'echo "$(params.word) worker"') },
      ],
      [paddleJob, 'paddle', 'paddleReplicaSpecs', { Worker: replica('paddle', 'echo "$(params.word) worker"; sleep 2', { replicas: 2 }) }],
      [
        jaxJob,
        'jax',
        'jaxReplicaSpecs',
        { Worker: replica('jax', 'echo "$(params.word) $PROCESS_ID of $NUM_PROCESSES"; sleep 2', { replicas: 2 }) },
      ],
    ];
    const words: Record<string, string[]> = {
      PyTorchJob: ['hello worker', 'hello worker'],
      TFJob: ['hello chief', 'hello ps'],
      XGBoostJob: ['hello master', 'hello worker'],
      PaddleJob: ['hello worker', 'hello worker'],
      JAXJob: ['hello 0 of 2', 'hello 1 of 2'],
    };
    const runs = new Map<Kind, Started>();
    // All at once: a pod takes its time to start, and none of them waits for another.
    beforeAll(async () => {
      for (const [kind, , field, replicas] of good) {
        const object = objectOf(kind, { [field]: structuredClone(replicas) });
        kind.setParameters(object, new Map([['word', 'hello']]));
        kind.setDeadline(object, 240);
        kind.setTtl(object, 86_400);
        await backend.check(kind, object);
        const reference = await start(kind, object);
        const read = async (): Promise<string[]> => {
          const lines: string[] = [];
          for await (const batch of backend.logs(reference, over.signal)) lines.push(...batch.map(({ text }) => text));
          return lines.toSorted();
        };
        runs.set(kind, { reference, lines: read(), statuses: follow(reference) });
      }
    });

    it.each(good.map(([kind]) => [kind.resource.kind, kind] as const))(
      'runs a %s to its good end, with the log of all its pods',
      async (name, kind) => {
        const { reference, lines, statuses } = runs.get(kind) as Started;
        const last = (await statuses).at(-1);
        expect(last).toMatchObject({ state: 'succeeded', progress: 1 });
        expect(Date.parse(last?.endedAt ?? '')).toBeGreaterThan(Date.parse(last?.startedAt ?? ''));
        expect(await lines).toEqual(words[name]);
        const { pods } = await backend.pods(reference);
        // A TFJob's parameter server would run on: it goes, and the chief, which ended, stays.
        expect(pods.map(({ phase }) => phase).filter((phase) => phase === 'Succeeded')).toHaveLength(kind === tfJob ? 1 : 2);
      },
    );

    const each: [string, Kind, string, string, string][] = [
      ['PyTorchJob', pytorchJob, 'pytorchReplicaSpecs', 'Master', 'pytorch'],
      ['TFJob', tfJob, 'tfReplicaSpecs', 'Worker', 'tensorflow'],
      ['XGBoostJob', xgboostJob, 'xgbReplicaSpecs', 'Master', 'xgboost'],
      ['PaddleJob', paddleJob, 'paddleReplicaSpecs', 'Worker', 'paddle'],
      ['JAXJob', jaxJob, 'jaxReplicaSpecs', 'Worker', 'jax'],
      ['MPIJob', mpiJobV1, 'mpiReplicaSpecs', 'Launcher', 'mpi'],
    ];
    const failing = each.filter(([name]) => name !== 'MPIJob');
    const failures = new Map<string, { reference: RunReference; statuses: Promise<Status[]> }>();
    const lateRuns = new Map<string, { reference: RunReference; statuses: Promise<Status[]> }>();
    beforeAll(async () => {
      for (const [name, kind, field, role, container] of failing) {
        const replicas = { [role]: replica(container, 'sleep 1; exit 3', { restartPolicy: 'ExitCode' }) };
        const reference = await start(kind, objectOf(kind, { [field]: replicas }));
        failures.set(name, { reference, statuses: follow(reference) });
      }
      for (const [name, kind, field, role, container] of each) {
        // OnFailure makes a pod anew that ended by its own deadline: the run's own must end it.
        const late = replica(container, 'sleep 600', { restartPolicy: 'OnFailure' });
        // Workers of an MPIJob run while its launcher waits for the operator's own image.
        const workers = kind === mpiJobV1 ? { Worker: replica(container, 'sleep 600') } : {};
        const object = objectOf(kind, { [field]: { [role]: late, ...workers } });
        kind.setDeadline(object, 8);
        const reference = await start(kind, object);
        lateRuns.set(name, { reference, statuses: follow(reference) });
      }
    });

    it.each(failing.map(([name]) => name))('says that a %s failed, and with which code', async (name) => {
      const { reference, statuses } = failures.get(name) ?? {};
      expect((await statuses)?.at(-1)?.state).toBe('failed');
      const { evidence } = await backend.pods(reference as RunReference);
      expect(evidence.map((one) => one.exitCode)).toContain(3);
    });

    it.each(each.map(([name]) => name))('ends a %s at its deadline', async (name) => {
      const { reference, statuses } = lateRuns.get(name) ?? {};
      const last = (await statuses)?.at(-1);
      expect(last?.state).toBe('failed');
      // Either looks first: the operator, which deletes the pods, or the kubelet, whose pods stay to be seen.
      if (last?.reason === 'deadline') return untilPodsAreGone(reference as RunReference);
      const { evidence } = await backend.pods(reference as RunReference);
      expect(evidence.map(({ reason }) => reason)).toContain('DeadlineExceeded');
    });

    it('says that a run failed too often', async () => {
      const replicas = { Master: replica('pytorch', 'exit 1', { restartPolicy: 'OnFailure' }) };
      const reference = await start(pytorchJob, objectOf(pytorchJob, { pytorchReplicaSpecs: replicas, runPolicy: { backoffLimit: 1 } }));
      expect((await follow(reference)).at(-1)).toMatchObject({ state: 'failed', reason: 'retries' });
    });

    it('holds a run back until it is released', async () => {
      const object = objectOf(pytorchJob, { pytorchReplicaSpecs: { Master: replica('pytorch', 'true') } });
      const { suspension, resource } = pytorchJob;
      suspension?.set(object);
      const reference = await start(pytorchJob, object);
      const seen = await follow(reference, async ({ state }) => {
        if (state === 'suspended') await client.patch(resource, namespace, reference.name, suspension?.release ?? {});
      });
      const states = seen.map(({ state }) => state);
      expect(states).toContain('suspended');
      expect(states.at(-1)).toBe('succeeded');
    });

    it('cancels runs of each kind that run, with their pods', async () => {
      const cancel = async ([, kind, field, role, container]: (typeof each)[number]): Promise<void> => {
        const reference = await start(kind, objectOf(kind, { [field]: { [role]: replica(container, 'sleep 600') } }));
        const seen = await follow(reference, async ({ state }) => {
          if (state === 'running') await backend.cancel(reference);
        });
        expect(seen.map(({ state }) => state).slice(-2)).toEqual(['running', 'deleted']);
        await untilPodsAreGone(reference);
      };
      await Promise.all(failing.map(cancel));
    });
  });
}

// Of each kind what is submitted, a field that its schema does not have, and the states of some statuses of its tables.
const schemas: [Kind, object, string | undefined, [object, Partial<Status>][]][] = [
  [
    mpiJob,
    { slotsPerWorker: 1, mpiReplicaSpecs: { Launcher: replica('mpi', 'mpirun'), Worker: replica('mpi', 'sshd') } },
    'spec.slotsPerNode',
    [
      [{ conditions: [{ type: 'Created', status: 'True' }] }, { state: 'queued' }],
      [{ conditions: [{ type: 'Running', status: 'True' }], startTime: '2026-11-21T15:00:44Z' }, { state: 'running' }],
      [{ conditions: [{ type: 'Failed', status: 'True', reason: 'DeadlineExceeded' }] }, { state: 'failed', reason: 'deadline' }],
    ],
  ],
  [
    volcanoJob,
    { minAvailable: 1, schedulerName: 'volcano', tasks: [{ name: 'worker', ...replica('main', 'true') }] },
    'spec.minimum',
    [
      [{ state: { phase: 'Pending' } }, { state: 'queued' }],
      [{ state: { phase: 'Running' }, running: 1 }, { state: 'running' }],
      [{ state: { phase: 'Terminated' }, failed: 1 }, { state: 'failed' }],
    ],
  ],
  [
    katibExperiment,
    {
      objective: { type: 'maximize', objectiveMetricName: 'accuracy' },
      algorithm: { algorithmName: 'random' },
      maxTrialCount: 3,
      parameters: [{ name: 'lr', parameterType: 'double', feasibleSpace: { min: '0.01', max: '0.05' } }],
      trialTemplate: {
        primaryContainerName: 'main',
        trialParameters: [{ name: 'lr', reference: 'lr' }],
        trialSpec: {
          apiVersion: 'batch/v1',
          kind: 'Job',
          spec: { ...replica('main', 'train ${trialParameters.lr}'), replicas: undefined },
        },
      },
    },
    // Its CustomResourceDefinition lets every field pass; Katib's webhook is what checks.
    undefined,
    [
      [{ conditions: [{ type: 'Running', status: 'True' }], trialsPending: 3 }, { state: 'queued' }],
      [
        { conditions: [{ type: 'Running', status: 'True' }], trialsSucceeded: 1 },
        { state: 'running', progress: 1 / 3 },
      ],
      [{ conditions: [{ type: 'Succeeded', status: 'True' }], currentOptimalTrial: { bestTrialName: 'a' } }, { state: 'succeeded' }],
    ],
  ],
];

const checked = schemas.filter(([kind]) => accepted.includes(kind));
// A table without a row is an error.
if (checked.length > 0) {
  describe.each(checked.map((one) => [nameOf(one[0]), ...one] as const))('the schema of a %s', (_, kind, spec, wrong, statuses) => {
    const prepared = (): KubernetesObject => {
      const object = objectOf(kind, structuredClone(spec));
      kind.setParameters(object, new Map());
      kind.setDeadline(object, 3600);
      kind.setTtl(object, 86_400);
      kind.suspension?.set(object);
      kind.setQueue?.(object, 'default');
      return object;
    };

    it('takes what is put into it, with every field', async () => {
      await expect(backend.check(kind, prepared())).resolves.toBeUndefined();
    });

    if (wrong !== undefined) {
      it('refuses a field that it does not have, by its path', async () => {
        const object = prepared();
        object['spec'] = { ...(object['spec'] as object), [wrong.split('.')[1] ?? '']: 1 };
        await expect(backend.check(kind, object)).rejects.toThrow(wrong);
      });
    }

    it('holds statuses as they are read', async () => {
      const reference = await start(kind, prepared());
      for (const [status, expected] of statuses) {
        await client.patch(kind.resource, namespace, reference.name, { status: null }, { subresource: 'status' });
        await client.patch(kind.resource, namespace, reference.name, { status }, { subresource: 'status' });
        expect((await backend.look(reference)).status).toMatchObject(expected);
      }
      await backend.cancel(reference);
      expect((await backend.look(reference)).status.state).toBe('deleted');
    });
  });
}
