import { expect } from '@jest/globals';
import type { Pod } from '@slashtrain/testing/cluster/objects';
import type { Api, Case } from './api.ts';
import { configMap, forever, pod } from './manifests.ts';

const over = ({ status }: Pod): boolean => status.phase === 'Succeeded' || status.phase === 'Failed';
const main = ({ status }: Pod) => status.containerStatuses?.[0];
const waits =
  (reason: string) =>
  (object: Pod): boolean =>
    main(object)?.state.waiting?.reason === reason;

async function log(api: Api, name: string): Promise<string> {
  return (await api.get(api.path(`pods/${name}/log`))).text;
}

async function eventsOf(api: Api, name: string, until: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { object } of api.watch(api.path(`events?fieldSelector=involvedObject.name%3D${name}&timeoutSeconds=60`))) {
    found.push(`${String(object['type'])} ${String(object['reason'])}: ${String(object['message'])}`);
    if (found.at(-1)?.startsWith(until)) break;
  }
  return found;
}

/** Phases and states that a pod went through. */
function steps(seen: Pod[]): string[] {
  const all = seen.map((object) => {
    const state = main(object)?.state;
    const what = state?.terminated?.reason ?? (state?.running ? 'running' : state?.waiting?.reason);
    return `${object.status.phase}${what ? ` ${what}` : ''}`;
  });
  return all.filter((step, index) => step !== all[index - 1]);
}

/** The scheduler, the node and its containers. */
export const podCases: Case[] = [
  {
    name: 'takes a pod through its phases',
    run: async (api) => {
      const made = (await api.post(api.path('pods'), pod(api, 'p', `setTimeout(() => {}, 1500)`))).body;
      const { object, seen } = await api.until<Pod>('pods', 'p', over, made);
      // A busy node does not always say that it makes the container.
      const told = steps(seen).filter((step) => step !== 'Pending ContainerCreating');
      expect(told).toEqual(['Pending', 'Running running', 'Running Completed', 'Succeeded Completed']);
      const conditions = Object.fromEntries(
        object.status.conditions?.map(({ type, status, reason }) => [type, `${status} ${reason}`]) ?? [],
      );
      expect(conditions).toEqual({
        PodReadyToStartContainers: 'False undefined',
        Initialized: 'True PodCompleted',
        Ready: 'False PodCompleted',
        ContainersReady: 'False PodCompleted',
        PodScheduled: 'True undefined',
      });
      expect(main(object)).toMatchObject({
        name: 'main',
        image: api.target.base,
        imageID: expect.stringContaining('sha256:'),
        containerID: expect.stringMatching(/^\w+:\/\/[0-9a-f]{64}$/u),
        ready: false,
        started: false,
        restartCount: 0,
        lastState: {},
        state: { terminated: { exitCode: 0, reason: 'Completed' } },
      });
      const events = await eventsOf(api, 'p', 'Normal Started');
      expect(events).toContain('Normal Created: Container created');
      expect(events).toContain('Normal Started: Container started');
    },
  },
  {
    name: 'tells how a container ended: its code, and its own words',
    run: async (api) => {
      const said = `console.error('the last words'); process.exit(7)`;
      await api.post(api.path('pods'), pod(api, 'p', said, { terminationMessagePolicy: 'FallbackToLogsOnError' }));
      const ended = (await api.until<Pod>('pods', 'p', over)).object;
      expect(main(ended)?.state.terminated).toMatchObject({ exitCode: 7, reason: 'Error', message: 'the last words\n' });
      const root = `(process.env.SLASHTRAIN_ROOT ?? '')`;
      const written = `require('fs').writeFileSync(${root} + '/dev/termination-log', 'x'.repeat(5000) + 'y')`;
      await api.post(api.path('pods'), pod(api, 'q', written));
      const { terminated } = main((await api.until<Pod>('pods', 'q', over)).object)?.state ?? {};
      expect([terminated?.exitCode, terminated?.message?.length, terminated?.message?.includes('y')]).toEqual([0, 4096, true]);
    },
  },
  {
    name: 'gives a container its variables, and nothing of the machine’s',
    run: async (api) => {
      await api.post(api.path('configmaps'), configMap('settings', { mode: 'fast', other: 'x' }));
      await api.post(api.path('secrets'), { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, stringData: { token: 's3' } });
      const script = `const { HOSTNAME, NAME, NODE, MODE, TOKEN, NONE, BOTH, KEPT, UNKNOWN, P_other, ARG, KUBECONFIG } = process.env;
        console.log(JSON.stringify([HOSTNAME, NAME, !!NODE, MODE, TOKEN, NONE, BOTH, KEPT, UNKNOWN, P_other, process.argv.slice(1), KUBECONFIG]))`;
      const env = [
        { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
        { name: 'MODE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'mode' } } },
        { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
        { name: 'NONE', valueFrom: { secretKeyRef: { name: 'none', key: 'token', optional: true } } },
        { name: 'BOTH', value: '$(MODE)-$(TOKEN)' },
        { name: 'KEPT', value: '$$(MODE)' },
        { name: 'UNKNOWN', value: '$(WHAT)' },
      ];
      const envFrom = [{ prefix: 'P_', configMapRef: { name: 'settings' } }];
      await api.post(api.path('pods'), pod(api, 'p', script, { env, envFrom, args: ['--', '--mode=$(MODE)', '$$(MODE)'] }));
      await api.until<Pod>('pods', 'p', over);
      expect(JSON.parse(await log(api, 'p'))).toEqual([
        ...['p', 'p', true, 'fast', 's3', null, 'fast-s3', '$(MODE)', '$(WHAT)', 'x'],
        ['--mode=fast', '$(MODE)'],
        null,
      ]);
    },
  },
  {
    name: 'waits for a Secret or a ConfigMap that is not there',
    run: async (api) => {
      const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'later', key: 'a' } } }];
      await api.post(api.path('pods'), pod(api, 'p', 'console.log(process.env.A)', { env }));
      const stuck = (await api.until<Pod>('pods', 'p', waits('CreateContainerConfigError'))).object;
      expect(main(stuck)?.state.waiting?.message).toBe('secret "later" not found');
      expect(stuck.status.phase).toBe('Pending');
      expect(await eventsOf(api, 'p', 'Warning Failed')).toContain('Warning Failed: Error: secret "later" not found');
      await api.post(api.path('secrets'), { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'later' }, stringData: { b: '1' } });
      const key = ({ status }: Pod): boolean =>
        status.containerStatuses?.[0]?.state.waiting?.message?.startsWith("couldn't find key") === true;
      const next = (await api.until<Pod>('pods', 'p', key)).object;
      expect(main(next)?.state.waiting?.message).toBe(`couldn't find key a in Secret ${api.namespace}/later`);
      await api.patch(api.path('secrets/later'), { stringData: { a: 'here' } });
      await api.until<Pod>('pods', 'p', over);
      expect(await log(api, 'p')).toBe('here\n');
    },
  },
  {
    name: 'restarts a container, and backs off',
    run: async (api) => {
      await api.post(api.path('pods'), pod(api, 'p', 'process.exit(4)', {}, { restartPolicy: 'OnFailure' }));
      const { object } = await api.until<Pod>('pods', 'p', waits('CrashLoopBackOff'));
      // The first restart comes at once.
      const { restartCount, state, lastState } = main(object)!;
      expect(restartCount).toBe(1);
      expect(state.waiting?.message).toBe(`back-off 10s restarting failed container=main pod=p_${api.namespace}(${object.metadata.uid})`);
      expect(lastState.terminated).toMatchObject({ exitCode: 4, reason: 'Error' });
      expect(object.status.phase).toBe('Running');
      const words = `Warning BackOff: Back-off restarting failed container main in pod p_${api.namespace}(${object.metadata.uid})`;
      expect(await eventsOf(api, 'p', 'Warning BackOff')).toContain(words);
    },
  },
  {
    name: 'says that an image cannot be pulled, and tries again',
    run: async (api) => {
      const image = `${api.target.registry}/contract/none:1`;
      const made = (await api.post(api.path('pods'), pod(api, 'p', '', { image }))).body;
      const { object, seen } = await api.until<Pod>('pods', 'p', waits('ImagePullBackOff'), made);
      expect(main(object)?.state.waiting?.message).toMatch(
        new RegExp(`^Back-off pulling image "${image}": ErrImagePull: .*not found`, 'u'),
      );
      expect(object.status.phase).toBe('Pending');
      const reasons = new Set(seen.map((now) => main(now)?.state.waiting?.reason ?? ''));
      reasons.delete('ContainerCreating');
      expect(reasons).toEqual(new Set(['', 'ErrImagePull', 'ImagePullBackOff']));
      const events = await eventsOf(api, 'p', 'Warning Failed: Error: ImagePullBackOff');
      expect(events).toContain(`Normal Pulling: Pulling image "${image}"`);
      expect(events).toContain('Warning Failed: Error: ErrImagePull');
      expect(events).toContain(`Normal BackOff: Back-off pulling image "${image}"`);
      await api.post(api.path('pods'), pod(api, 'q', '', { image: 'example.com/Acme/digits:1' }));
      const odd = await api.until<Pod>('pods', 'q', waits('InvalidImageName'));
      expect(main(odd.object)?.state.waiting?.message).toBe(
        `Failed to apply default image tag "example.com/Acme/digits:1": couldn't parse image name "example.com/Acme/digits:1": invalid reference format: repository name (Acme/digits) must be lowercase`,
      );
      await api.post(api.path('pods'), pod(api, 'r', '', { image, imagePullPolicy: 'Never' }));
      const never = await api.until<Pod>('pods', 'r', waits('ErrImageNeverPull'));
      expect(main(never.object)?.state.waiting?.message).toBe(`Container image "${image}" is not present with pull policy of Never`);
    },
  },
  {
    name: 'says that a program is not there',
    run: async (api) => {
      await api.post(api.path('pods'), pod(api, 'p', '', { command: ['no-such-program', '--x'] }));
      const { object } = await api.until<Pod>('pods', 'p', over);
      expect([object.status.phase, main(object)?.state.terminated]).toEqual([
        'Failed',
        expect.objectContaining({
          exitCode: 128,
          reason: 'StartError',
          startedAt: '1970-01-01T00:00:00Z',
          message: expect.stringContaining('exec: "no-such-program": executable file not found in $PATH'),
        }),
      ]);
    },
  },
  {
    name: 'says why a pod has no place',
    run: async (api) => {
      await api.post(api.path('pods'), pod(api, 'gpu', '', { resources: { limits: { 'nvidia.com/gpu': 99 } } }));
      await api.post(api.path('pods'), pod(api, 'label', '', {}, { nodeSelector: { 'example.com/pool': 'none' } }));
      const unscheduled = ({ status }: Pod): boolean => status.conditions?.some(({ reason }) => reason === 'Unschedulable') === true;
      const gpu = (await api.until<Pod>('pods', 'gpu', unscheduled)).object;
      expect([gpu.status.phase, gpu.spec.nodeName]).toEqual(['Pending', undefined]);
      const why = gpu.status.conditions?.[0];
      expect(why).toMatchObject({ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' });
      expect(why?.message).toMatch(
        /^0\/\d+ nodes are available: \d+ Insufficient nvidia\.com\/gpu\. .*preemption: 0\/\d+ nodes are available: /u,
      );
      expect(await eventsOf(api, 'gpu', 'Warning FailedScheduling')).toContain(`Warning FailedScheduling: ${why?.message}`);
      const label = (await api.until<Pod>('pods', 'label', unscheduled)).object;
      expect(label.status.conditions?.[0]?.message).toMatch(/: \d+ node\(s\) didn't match Pod's node affinity\/selector\. /u);
      const gated = pod(api, 'gated', '', {}, { schedulingGates: [{ name: 'example.com/wait' }] });
      await api.post(api.path('pods'), gated);
      const held = (await api.get(api.path('pods/gated'))).body as unknown as Pod;
      expect(held.status.conditions).toEqual([
        expect.objectContaining({
          type: 'PodScheduled',
          status: 'False',
          reason: 'SchedulingGated',
          message: 'Scheduling is blocked due to non-empty scheduling gates',
        }),
      ]);
    },
  },
  {
    name: 'ends a pod that is deleted: first kindly, then not',
    run: async (api) => {
      const kind = `process.on('SIGTERM', () => { console.log('going'); process.exit(0) }); console.log('up'); ${forever}`;
      await api.post(api.path('pods'), pod(api, 'kind', kind));
      // The first process of a container gets no signal that it does not catch.
      await api.post(api.path('pods'), pod(api, 'deaf', forever));
      for (const name of ['kind', 'deaf']) await api.until<Pod>('pods', name, (now) => main(now)?.state.running !== undefined);
      const lines: string[] = [];
      for await (const line of api.lines(api.path('pods/kind/log?follow=true'))) {
        lines.push(line);
        if (line !== 'up') continue;
        const marked = await api.delete(api.path('pods/kind'));
        expect(marked.body).toMatchObject({ kind: 'Pod', metadata: { deletionGracePeriodSeconds: 1 } });
      }
      expect(lines).toEqual(['up', 'going']);
      await api.untilGone('pods', 'kind');
      const before = (await api.get(api.path('pods'))).body.metadata.resourceVersion;
      await api.delete(api.path('pods/deaf'));
      const last = (await api.untilGone('pods', 'deaf', before)) as Pod;
      expect(main(last)?.state.terminated).toMatchObject({ exitCode: 137, reason: 'Error' });
      expect(await eventsOf(api, 'deaf', 'Normal Killing')).toContain('Normal Killing: Stopping container main');
    },
  },
  {
    name: 'ends a pod at its own deadline',
    run: async (api) => {
      await api.post(api.path('pods'), pod(api, 'p', forever, {}, { activeDeadlineSeconds: 2 }));
      const { object } = await api.until<Pod>('pods', 'p', over);
      expect(object.status).toMatchObject({
        phase: 'Failed',
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      });
    },
  },
  {
    name: 'runs init containers first, one after the other',
    run: async (api) => {
      const init = (name: string, script: string) => ({ name, image: api.target.base, command: ['node', '-e', script], volumeMounts });
      const volumeMounts = [{ name: 'work', mountPath: '/work' }];
      const file = `(process.env.SLASHTRAIN_ROOT ?? '') + '/work/file'`;
      const initContainers = [
        init('one', `require('fs').writeFileSync(${file}, 'one')`),
        init('two', `require('fs').appendFileSync(${file}, ' two')`),
      ];
      const spec = { initContainers, volumes: [{ name: 'work', emptyDir: {} }] };
      const reader = pod(api, 'p', `console.log(require('fs').readFileSync(${file}, 'utf8'))`, { volumeMounts }, spec);
      const made = (await api.post(api.path('pods'), reader)).body;
      const { object, seen } = await api.until<Pod>('pods', 'p', over, made);
      expect(await log(api, 'p')).toBe('one two\n');
      expect(object.status.initContainerStatuses?.map(({ name, state }) => [name, state.terminated?.reason])).toEqual([
        ['one', 'Completed'],
        ['two', 'Completed'],
      ]);
      expect(seen.some((now) => main(now)?.state.waiting?.reason === 'PodInitializing')).toBe(true);
      await api.post(
        api.path('pods'),
        pod(api, 'q', '', {}, { initContainers: [{ ...init('one', 'process.exit(2)'), volumeMounts: [] }] }),
      );
      const failed = (await api.until<Pod>('pods', 'q', over)).object;
      expect([failed.status.phase, main(failed)?.state.waiting?.reason]).toEqual(['Failed', 'PodInitializing']);
    },
  },
];
