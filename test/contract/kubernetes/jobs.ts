import { expect } from '@jest/globals';
import type { Job, Pod, Stored } from '@slashtrain/testing/cluster/objects';
import type { Api, Case } from './api.ts';
import { configMap, forever, job } from './manifests.ts';

const has = (type: string) => (object: Job) => object.status.conditions?.some((c) => c.type === type && c.status === 'True') === true;
const complete = has('Complete');
const failed = has('Failed');

/** The statuses that a Job went through, without times, counts that depend on how fast it was looked at, and repetitions. */
function steps(seen: Job[]): unknown[] {
  const told = seen.map(({ status }) => {
    const { conditions = [], active, succeeded, failed: failures, uncountedTerminatedPods: named = {} } = status;
    return JSON.stringify({
      conditions: conditions.map(({ type, status: value, reason, message }) => `${type}=${value} ${reason}: ${message}`),
      ...(active ? { active } : {}),
      ...(succeeded ? { succeeded } : {}),
      ...(failures ? { failed: failures } : {}),
      ...(named.succeeded ? { endedWell: named.succeeded.length } : {}),
      ...(named.failed ? { endedBadly: named.failed.length } : {}),
    });
  });
  return told.filter((step, index) => step !== told[index - 1]).map((step) => JSON.parse(step) as unknown);
}

async function podsOf(api: Api, name: string): Promise<Pod[]> {
  const { body } = await api.get(api.path(`pods?labelSelector=${encodeURIComponent(`batch.kubernetes.io/job-name=${name}`)}`));
  return body.items as Pod[];
}

/** What was told about an object, in order of reasons. Events come a moment after what they tell of. */
async function told(api: Api, kind: string, name: string, until: string): Promise<Set<string>> {
  const found = new Set<string>();
  const path = api.path(`events?fieldSelector=involvedObject.kind%3D${kind},involvedObject.name%3D${name}&timeoutSeconds=60`);
  for await (const { object } of api.watch(path)) {
    found.add(`${String(object['type'])} ${String(object['reason'])}: ${String(object['message'])}`);
    if (object['reason'] === until) break;
  }
  return found;
}

const met = 'SuccessCriteriaMet=True CompletionsReached: Reached expected number of succeeded pods';
const done = 'Complete=True CompletionsReached: Reached expected number of succeeded pods';
const limit = 'BackoffLimitExceeded: Job has reached the specified backoff limit';
const late = 'DeadlineExceeded: Job was active longer than specified deadline';

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u);

/** The Job controller. */
export const jobCases: Case[] = [
  {
    name: 'runs a Job to its end',
    run: async (api) => {
      const script = `console.log('hello')`;
      const made = (await api.post(api.path('jobs'), job(api, 'good', script))).body;
      const { object, seen } = await api.until<Job>('jobs', 'good', complete, made);
      expect(steps(seen).slice(-3)).toEqual([
        { conditions: [], active: 1 },
        { conditions: [met], endedWell: 1 },
        { conditions: [met, done], succeeded: 1 },
      ]);
      expect(object.status).toEqual({
        startTime: time,
        completionTime: time,
        succeeded: 1,
        ready: 0,
        terminating: 0,
        uncountedTerminatedPods: {},
        conditions: expect.anything(),
      });
      const [pod, ...more] = await podsOf(api, 'good');
      expect(more).toEqual([]);
      expect(pod?.metadata).toMatchObject({
        name: expect.stringMatching(/^good-[bcdfghjklmnpqrstvwxz2456789]{5}$/u),
        generateName: 'good-',
        labels: { 'batch.kubernetes.io/controller-uid': made.metadata.uid, 'job-name': 'good' },
        ownerReferences: [
          { apiVersion: 'batch/v1', kind: 'Job', name: 'good', uid: made.metadata.uid, controller: true, blockOwnerDeletion: true },
        ],
      });
      expect(await told(api, 'Job', 'good', 'Completed')).toEqual(
        new Set([`Normal SuccessfulCreate: Created pod: ${pod?.metadata.name}`, 'Normal Completed: Job completed']),
      );
    },
  },
  {
    name: 'tries a Job again up to its limit',
    run: async (api) => {
      const made = (await api.post(api.path('jobs'), job(api, 'bad', 'process.exit(3)', { backoffLimit: 1 }))).body;
      const { object, seen } = await api.until<Job>('jobs', 'bad', failed, made);
      expect(steps(seen).slice(-6)).toEqual([
        { conditions: [], active: 1 },
        { conditions: [], endedBadly: 1 },
        { conditions: [], failed: 1 },
        { conditions: [], active: 1, failed: 1 },
        { conditions: [`FailureTarget=True ${limit}`], failed: 1, endedBadly: 1 },
        { conditions: [`FailureTarget=True ${limit}`, `Failed=True ${limit}`], failed: 2 },
      ]);
      expect(object.status).not.toHaveProperty('completionTime');
      expect(
        (await podsOf(api, 'bad')).map(({ status }) => [status.phase, status.containerStatuses?.[0]?.state.terminated?.exitCode]),
      ).toEqual([
        ['Failed', 3],
        ['Failed', 3],
      ]);
      expect(await told(api, 'Job', 'bad', 'BackoffLimitExceeded')).toContain(`Warning ${limit}`);
    },
  },
  {
    name: 'counts restarts within a pod against the limit',
    run: async (api) => {
      const onFailure = { restartPolicy: 'OnFailure' };
      const made = (await api.post(api.path('jobs'), job(api, 'again', 'process.exit(4)', { backoffLimit: 1 }, {}, onFailure))).body;
      const { seen } = await api.until<Job>('jobs', 'again', failed, made);
      expect(steps(seen).slice(-4)).toEqual([
        { conditions: [], active: 1 },
        { conditions: [`FailureTarget=True ${limit}`], endedBadly: 1 },
        { conditions: [`FailureTarget=True ${limit}`], failed: 1 },
        { conditions: [`FailureTarget=True ${limit}`, `Failed=True ${limit}`], failed: 1 },
      ]);
      // Its pod goes with it, and with the pod its log.
      await api.untilGone('pods', (await podsOf(api, 'again'))[0]?.metadata.name ?? 'gone');
    },
  },
  {
    name: 'ends a Job at its deadline, and its pods with it',
    run: async (api) => {
      const made = (await api.post(api.path('jobs'), job(api, 'late', forever, { activeDeadlineSeconds: 2 }))).body;
      const { seen } = await api.until<Job>('jobs', 'late', failed, made);
      expect(steps(seen).slice(-4)).toEqual([
        { conditions: [], active: 1 },
        { conditions: [`FailureTarget=True ${late}`], endedBadly: 1 },
        { conditions: [`FailureTarget=True ${late}`], failed: 1 },
        { conditions: [`FailureTarget=True ${late}`, `Failed=True ${late}`], failed: 1 },
      ]);
      const seenOf = await told(api, 'Job', 'late', 'DeadlineExceeded');
      expect(seenOf).toContain(`Warning ${late}`);
      expect([...seenOf].some((event) => event.startsWith('Normal SuccessfulDelete: Deleted pod: late-'))).toBe(true);
      expect(await podsOf(api, 'late')).toEqual([]);
    },
  },
  {
    name: 'suspends and resumes',
    run: async (api) => {
      await api.post(api.path('jobs'), job(api, 'wait', forever, { suspend: true }));
      const first = await api.until<Job>('jobs', 'wait', has('Suspended'));
      expect(first.object.status).toEqual({
        conditions: [
          {
            type: 'Suspended',
            status: 'True',
            reason: 'JobSuspended',
            message: 'Job suspended',
            lastProbeTime: time,
            lastTransitionTime: time,
          },
        ],
        ready: 0,
        terminating: 0,
        uncountedTerminatedPods: {},
      });
      expect(await podsOf(api, 'wait')).toEqual([]);

      await api.patch(api.path('jobs/wait'), { spec: { suspend: false } });
      const resumed = await api.until<Job>('jobs', 'wait', ({ status }) => status.ready === 1);
      expect(steps([resumed.object])).toEqual([{ conditions: ['Suspended=False JobResumed: Job resumed'], active: 1 }]);
      expect(resumed.object.status.startTime).toEqual(time);

      const [pod] = await podsOf(api, 'wait');
      await api.patch(api.path('jobs/wait'), { spec: { suspend: true } });
      await api.untilGone('pods', pod?.metadata.name ?? '');
      const again = await api.until<Job>('jobs', 'wait', (now) => has('Suspended')(now) && now.status.terminating === 0);
      // What a suspension stops has not failed.
      expect(steps([again.object])).toEqual([{ conditions: ['Suspended=True JobSuspended: Job suspended'] }]);
      const events = await told(api, 'Job', 'wait', 'SuccessfulDelete');
      expect(events).toContain('Normal Suspended: Job suspended');
      expect(events).toContain('Normal Resumed: Job resumed');
    },
  },
  {
    name: 'removes an ended Job after its time, with its pods',
    run: async (api) => {
      await api.post(api.path('jobs'), job(api, 'brief', '', { ttlSecondsAfterFinished: 1 }));
      await api.until<Job>('jobs', 'brief', complete);
      const [pod] = await podsOf(api, 'brief');
      await api.untilGone('jobs', 'brief');
      expect(pod === undefined || (await api.get(api.path(`pods/${pod.metadata.name}`))).status === 404).toBe(true);
    },
  },
  {
    name: 'runs so many at once until so many have succeeded',
    run: async (api) => {
      const made = (await api.post(api.path('jobs'), job(api, 'many', '', { parallelism: 2, completions: 3 }))).body;
      const { object, seen } = await api.until<Job>('jobs', 'many', complete, made);
      expect(object.status.succeeded).toBe(3);
      expect(Math.max(...seen.map(({ status }) => status.active ?? 0))).toBe(2);
      expect(await podsOf(api, 'many')).toHaveLength(3);
    },
  },
  {
    name: 'gives each pod of an indexed Job its number',
    run: async (api) => {
      const script = `console.log(process.env.JOB_COMPLETION_INDEX, process.env.HOSTNAME)`;
      await api.post(api.path('jobs'), job(api, 'many', script, { completionMode: 'Indexed', parallelism: 2, completions: 3 }));
      const { object } = await api.until<Job>('jobs', 'many', complete);
      expect(object.status).toMatchObject({ succeeded: 3, completedIndexes: '0-2', uncountedTerminatedPods: {} });
      const pods = await podsOf(api, 'many');
      const described = pods.map(({ metadata, spec }) => [
        metadata.generateName,
        metadata.labels?.['batch.kubernetes.io/job-completion-index'],
        metadata.annotations?.['batch.kubernetes.io/job-completion-index'],
        spec['hostname'],
      ]);
      expect(described).toEqual(['0', '1', '2'].map((index) => [`many-${index}-`, index, index, `many-${index}`]));
      const logs = await Promise.all(pods.map(async ({ metadata }) => (await api.get(api.path(`pods/${metadata.name}/log`))).text));
      expect(logs).toEqual(['0 many-0\n', '1 many-1\n', '2 many-2\n']);
      const refused = await api.post(api.path('jobs'), job(api, 'odd', '', { completionMode: 'Indexed', parallelism: 2 }));
      expect(refused.body['message']).toBe('Job.batch "odd" is invalid: spec.completions: Required value: when completion mode is Indexed');
    },
  },
  {
    name: 'tries a failed index again, and that one alone',
    run: async (api) => {
      const script = `process.exit(process.env.JOB_COMPLETION_INDEX === '1' ? 1 : 0)`;
      const spec = { completionMode: 'Indexed', parallelism: 2, completions: 2, backoffLimit: 1 };
      await api.post(api.path('jobs'), job(api, 'some', script, spec));
      const { object } = await api.until<Job>('jobs', 'some', failed);
      expect(object.status).toMatchObject({ succeeded: 1, failed: 2, completedIndexes: '0' });
      const indexes = (await podsOf(api, 'some')).map(({ metadata }) => metadata.generateName);
      expect(indexes).toEqual(['some-0-', 'some-1-', 'some-1-']);
    },
  },
  {
    name: 'runs all other indexes where one fails, up to maxFailedIndexes',
    run: async (api) => {
      const script = `process.exit(process.env.JOB_COMPLETION_INDEX > 1 ? 1 : 0)`;
      const spec = { completionMode: 'Indexed', parallelism: 2, completions: 4, backoffLimitPerIndex: 0 };
      await api.post(api.path('jobs'), job(api, 'four', script, { ...spec, backoffLimit: undefined, maxFailedIndexes: 2 }));
      await api.post(api.path('jobs'), job(api, 'strict', script, { ...spec, backoffLimit: undefined, maxFailedIndexes: 0 }));
      const { object } = await api.until<Job>('jobs', 'four', failed);
      expect(object.status).toMatchObject({ succeeded: 2, failed: 2, completedIndexes: '0,1', failedIndexes: '2,3' });
      expect(steps([object])).toMatchObject([
        { conditions: [0, 0].map(() => expect.stringMatching(/FailedIndexes: Job has failed indexes$/u)) },
      ]);
      const strict = await api.until<Job>('jobs', 'strict', failed);
      const words = /MaxFailedIndexesExceeded: Job has exceeded the specified maximal number of failed indexes$/u;
      expect(steps([strict.object])).toMatchObject([{ conditions: [0, 0].map(() => expect.stringMatching(words)) }]);
    },
  },
  {
    name: 'says that no pod is let in, and tries again',
    run: async (api) => {
      const accounts = `/api/v1/namespaces/${api.namespace}/serviceaccounts`;
      await api.post(api.path('jobs'), job(api, 'guest', '', {}, {}, { serviceAccountName: 'trainer' }));
      const why = `is forbidden: error looking up service account ${api.namespace}/trainer: serviceaccount "trainer" not found`;
      expect(await told(api, 'Job', 'guest', 'FailedCreate')).toContain(`Warning FailedCreate: Error creating: pods "guest-" ${why}`);
      const stuck = await api.until<Job>('jobs', 'guest', ({ status }) => status.startTime !== undefined);
      expect(stuck.object.status).toEqual({ startTime: time, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
      expect(await podsOf(api, 'guest')).toEqual([]);
      await api.post(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'trainer' } });
      await api.until<Job>('jobs', 'guest', complete);

      await api.post(api.path('jobs'), job(api, 'vip', '', {}, {}, { priorityClassName: 'urgent' }));
      expect(await told(api, 'Job', 'vip', 'FailedCreate')).toContain(
        'Warning FailedCreate: Error creating: pods "vip-" is forbidden: no PriorityClass with name urgent was found',
      );
    },
  },
  {
    name: 'deletes the pods of a deleted Job where that is asked for, and keeps them else',
    run: async (api) => {
      for (const name of ['kept', 'gone']) await api.post(api.path('jobs'), job(api, name, forever));
      const running = async (name: string): Promise<Pod> => {
        await api.until<Job>('jobs', name, ({ status }) => status.ready === 1);
        return (await podsOf(api, name))[0]!;
      };
      const [kept, gone] = [await running('kept'), await running('gone')];
      const orphaned = await api.delete(api.path('jobs/kept'));
      expect(orphaned.headers['warning']).toMatch(/^299 - "child pods are preserved by default when jobs are deleted/u);
      expect(orphaned.body).toMatchObject({ kind: 'Job', metadata: { finalizers: ['orphan'], deletionTimestamp: time } });
      await api.untilGone('jobs', 'kept');
      const left = (await api.get(api.path(`pods/${kept.metadata.name}`))).body;
      expect([left.metadata.ownerReferences, left.metadata.deletionTimestamp]).toEqual([undefined, undefined]);

      const deleted = await api.delete(api.path('jobs/gone'), { propagationPolicy: 'Background' });
      expect([deleted.body.kind, deleted.body['status'], deleted.headers['warning']]).toEqual(['Status', 'Success', undefined]);
      expect((await api.get(api.path('jobs/gone'))).status).toBe(404);
      await api.untilGone('pods', gone.metadata.name);
    },
  },
  {
    name: 'collects what belongs to an owner that is gone',
    run: async (api) => {
      const owner = (await api.post(api.path('configmaps'), configMap('owner'))).body;
      const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid };
      const owned = configMap('owned') as unknown as Stored;
      await api.post(api.path('configmaps'), { ...owned, metadata: { name: 'owned', ownerReferences: [reference] } });
      await api.delete(api.path('configmaps/owner'), { propagationPolicy: 'Background' });
      await api.untilGone('configmaps', 'owned');
      const strange = await api.post(api.path('configmaps'), {
        ...owned,
        metadata: { name: 'odd', ownerReferences: [{ ...reference, uid: undefined }] },
      });
      expect(strange.body['message']).toBe(
        'ConfigMap "odd" is invalid: metadata.ownerReferences.uid: Invalid value: "": must not be empty',
      );
    },
  },
];
