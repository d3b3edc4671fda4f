import { expect } from '@jest/globals';
import type { Pod } from '@slashtrain/testing/cluster/objects';
import type { Api, Case } from './api.ts';
import { forever, pod } from './manifests.ts';

const over = ({ status }: Pod): boolean => status.phase === 'Succeeded' || status.phase === 'Failed';
const running = ({ status }: Pod): boolean => status.containerStatuses?.[0]?.state.running !== undefined;

async function text(api: Api, name: string, query = ''): Promise<string> {
  const answer = await api.get(api.path(`pods/${name}/log${query}`));
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/plain']);
  return answer.text;
}

async function refusal(api: Api, name: string, query = ''): Promise<unknown> {
  const { body } = await api.get(api.path(`pods/${name}/log${query}`));
  return [body['code'], body['reason'], body['message']];
}

const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z /u;

/** Logs of containers. */
export const logCases: Case[] = [
  {
    name: 'gives all of it, its last lines, the first bytes, with time stamps',
    run: async (api) => {
      // The first line comes in a second of its own, so that a time can be between it and the others.
      const script = `console.log('one'); setTimeout(() => { console.error('two'); process.stdout.write('three\\n'); process.stdout.write('four') }, 2100)`;
      await api.post(api.path('pods'), pod(api, 'talk', script));
      await api.until<Pod>('pods', 'talk', over);
      expect(await text(api, 'talk')).toMatch(/^one\n(two\nthree|three\ntwo)\nfour$/u);
      expect(await text(api, 'talk', '?tailLines=1')).toBe('four');
      expect(await text(api, 'talk', '?tailLines=0')).toBe('');
      expect(await text(api, 'talk', '?limitBytes=5')).toMatch(/^one\nt$/u);
      const stamped = (await text(api, 'talk', '?timestamps=true')).split('\n');
      expect(stamped.every((line) => stamp.test(line))).toBe(true);
      const times = stamped.map((line) => line.split(' ')[0]!);
      // To the nanosecond: times of one second tell lines apart.
      expect(times[0]).toMatch(/\.\d{7,9}Z$/u);
      // Whole seconds count: of the second that is named, all lines come.
      const later = times[1]!.replace(/\.\d+Z/u, '.999999999Z');
      expect(await text(api, 'talk', `?sinceTime=${later}`)).toMatch(/^(two\nthree|three\ntwo)\nfour$/u);
      expect(await text(api, 'talk', `?sinceTime=${new Date(Date.now() + 60_000).toISOString()}`)).toBe('');
      expect(await text(api, 'talk', '?sinceSeconds=3600')).toContain('one');
    },
  },
  {
    name: 'follows until the container ends',
    run: async (api) => {
      const script = `let n = 0; const timer = setInterval(() => { console.log('line ' + ++n); if (n === 20) clearInterval(timer) }, 50)`;
      await api.post(api.path('pods'), pod(api, 'count', script));
      await api.until<Pod>('pods', 'count', (now) => running(now) || over(now));
      const lines: string[] = [];
      for await (const line of api.lines(api.path('pods/count/log?follow=true'))) lines.push(line);
      expect(lines).toEqual(Array.from({ length: 20 }, (_, index) => `line ${index + 1}`));
      const last: string[] = [];
      for await (const line of api.lines(api.path('pods/count/log?follow=true&tailLines=2'))) last.push(line);
      expect(last).toEqual(['line 19', 'line 20']);
    },
  },
  {
    name: 'keeps long lines, empty ones, and bytes that are no text',
    run: async (api) => {
      const script = `process.stdout.write(Buffer.concat([Buffer.from('x'.repeat(40000) + '\\n\\na\\rb\\r\\n'), Buffer.from([0xff, 0x0a]), Buffer.from('é\\n')]))`;
      await api.post(api.path('pods'), pod(api, 'odd', script));
      await api.until<Pod>('pods', 'odd', over);
      // The runtime takes a carriage return for a part of the line's end.
      expect(await text(api, 'odd')).toBe(`${'x'.repeat(40000)}\n\na\rb\n\ufffd\né\n`);
      const stamped = (await text(api, 'odd', '?timestamps=true')).split('\n').slice(0, -1);
      expect(stamped.map((line) => line.replace(stamp, ''))).toEqual(['x'.repeat(40000), '', 'a\rb', '\ufffd', 'é']);
    },
  },
  {
    name: 'has the log before the last restart',
    run: async (api) => {
      const script = `console.log('run'); setTimeout(() => process.exit(1), 300)`;
      await api.post(api.path('pods'), pod(api, 'again', script, {}, { restartPolicy: 'OnFailure' }));
      // While it waits for its next run, both are the log of the last one.
      const waits = ({ status }: Pod): boolean => status.containerStatuses?.[0]?.state.waiting?.reason === 'CrashLoopBackOff';
      await api.until<Pod>('pods', 'again', waits);
      expect(await text(api, 'again', '?previous=true')).toBe('run\n');
      expect(await text(api, 'again')).toBe('run\n');
    },
  },
  {
    name: 'says which container it wants, and which it does not know',
    run: async (api) => {
      const two = pod(api, 'two', forever) as { spec: { containers: object[] } };
      two.spec.containers.push({ ...two.spec.containers[0], name: 'side', command: ['node', '-e', `console.log('side'); ${forever}`] });
      await api.post(api.path('pods'), two);
      expect(await refusal(api, 'two')).toEqual([
        400,
        'BadRequest',
        'a container name must be specified for pod two, choose one of: [main side]',
      ]);
      expect(await refusal(api, 'two', '?container=none')).toEqual([400, 'BadRequest', 'container none is not valid for pod two']);
      await api.until<Pod>('pods', 'two', ({ status }) => status.containerStatuses?.every(({ state }) => state.running) === true);
      expect(await refusal(api, 'two', '?container=side&previous=true')).toEqual([
        400,
        'BadRequest',
        'previous terminated container "side" in pod "two" not found',
      ]);
      for await (const line of api.lines(api.path('pods/two/log?container=side&follow=true'))) {
        expect(line).toBe('side');
        break;
      }
    },
  },
  {
    name: 'says why there is no log yet',
    run: async (api) => {
      await api.post(api.path('pods'), pod(api, 'lost', '', { image: `${api.target.registry}/contract/none:1` }));
      const waiting = ({ status }: Pod): boolean => status.containerStatuses?.[0]?.state.waiting?.reason === 'ImagePullBackOff';
      await api.until<Pod>('pods', 'lost', waiting);
      expect(await refusal(api, 'lost')).toEqual([
        400,
        'BadRequest',
        'container "main" in pod "lost" is waiting to start: trying and failing to pull image',
      ]);
      await api.post(api.path('pods'), pod(api, 'nowhere', '', {}, { nodeSelector: { 'example.com/none': 'yes' } }));
      await api.until<Pod>('pods', 'nowhere', ({ status }) => status.conditions?.[0]?.reason === 'Unschedulable');
      const unbound = await api.get(api.path('pods/nowhere/log'));
      expect([unbound.status, unbound.text]).toEqual([204, '']);
      const none = await api.get(api.path('pods/none/log'));
      expect(none.body).toMatchObject({ code: 404, reason: 'NotFound', message: 'pods "none" not found' });
    },
  },
  {
    name: 'refuses odd options',
    run: async (api) => {
      await api.post(api.path('pods'), pod(api, 'p', forever));
      const said = async (query: string): Promise<unknown> => (await api.get(api.path(`pods/p/log?${query}`))).body['message'];
      expect(await said('tailLines=-1')).toBe(
        'PodLogOptions "p" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
      );
      expect(await said('limitBytes=0')).toBe('PodLogOptions "p" is invalid: limitBytes: Invalid value: 0: must be greater than 0');
      expect(await said('sinceSeconds=0')).toBe('PodLogOptions "p" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0');
      expect(await said('sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z')).toBe(
        'PodLogOptions "p" is invalid: []: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
      );
    },
  },
];
