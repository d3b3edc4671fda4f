import { existsSync, readFileSync } from 'node:fs';
import { get, type RequestOptions } from 'node:https';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { startCluster, type ClusterOptions, type EmbeddedCluster } from './cluster.ts';
import type { Pod, Stored } from './objects.ts';

/*
 * What only the embedded cluster can be told to do, and what it must never do to the machine it runs on. What it
 * shares with a real cluster stands in test/contract.
 */
const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** A cluster, and requests to it as somebody makes them who has its kubeconfig. */
class Trial {
  readonly cluster: EmbeddedCluster;
  readonly #token: string;

  private constructor(cluster: EmbeddedCluster, kubeconfig = cluster.kubeconfig) {
    this.cluster = cluster;
    this.#token = (parse(kubeconfig) as { users: { user: { token: string } }[] }).users[0]!.user.token;
  }

  static async start(options: ClusterOptions = {}, files: Record<string, string> = {}): Promise<Trial> {
    const cluster = await startCluster(options);
    undo.push(() => cluster.stop());
    const image = await mkdtemp(join(tmpdir(), 'slashtrain-image-'));
    undo.push(() => rm(image, { recursive: true }));
    await mkdir(join(image, 'app'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(image, name), text);
    cluster.registerImage('app', image, { workingDir: '/app', env: ['FROM_IMAGE=yes'] });
    return new Trial(cluster);
  }

  /** The same cluster with other rights. */
  as(kubeconfig: string): Trial {
    return new Trial(this.cluster, kubeconfig);
  }

  async send(method: string, path: string, body?: unknown): Promise<{ status: number; text: string; body: Stored }> {
    const response = await this.open(method, path, body);
    const text = await response.text();
    return { status: response.status, text, body: (text.startsWith('{') && !path.includes('watch=') ? JSON.parse(text) : {}) as Stored };
  }

  open(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(this.cluster.url + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  pod(name: string, script: string, container: object = {}, spec: object = {}): Promise<{ status: number; body: Stored }> {
    const containers = [{ name: 'main', image: 'app', imagePullPolicy: 'IfNotPresent', command: ['node', '-e', script], ...container }];
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { restartPolicy: 'Never', containers, ...spec } };
    return this.send('POST', `${inDefault}/pods`, object);
  }

  /** Lines of an answer as they come. */
  async *lines(path: string): AsyncGenerator<string> {
    const response = await this.open('GET', path);
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n');
      rest = lines.pop()!;
      yield* lines;
    }
  }

  async until(name: string, done: (pod: Pod) => boolean): Promise<Pod> {
    for await (const line of this.lines(`${inDefault}/pods?watch=true&timeoutSeconds=30&fieldSelector=metadata.name%3D${name}`)) {
      const { object } = JSON.parse(line) as { object: Pod };
      if (done(object)) return object;
    }
    throw new Error(`the pod ${name} has not become what was expected`);
  }

  async log(name: string): Promise<string> {
    return (await this.send('GET', `${inDefault}/pods/${name}/log`)).text;
  }

  async run(name: string, script: string, container: object = {}, spec: object = {}): Promise<string> {
    await this.pod(name, script, container, spec);
    await this.until(name, over);
    return this.log(name);
  }
}

const inDefault = '/api/v1/namespaces/default';
const over = ({ status }: Pod): boolean => status.phase === 'Succeeded' || status.phase === 'Failed';
const running = ({ status }: Pod): boolean => status.containerStatuses?.[0]?.state.running !== undefined;
const forever = 'setInterval(() => {}, 1000)';

/** A process that was sent SIGKILL is gone a moment later. What nobody kills keeps the test until it is out of time. */
async function untilEnded(pid: number): Promise<void> {
  while (isAlive(pid)) await setImmediate();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // What has ended and was not yet collected by its new parent is no process any more.
    const stat = `/proc/${pid}/stat`;
    return !(existsSync(stat) && readFileSync(stat, 'utf8').split(') ')[1]?.startsWith('Z'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

describe('a pod and the machine', () => {
  it('gets no variable of the test’s', async () => {
    process.env['SLASHTRAIN_LEAK'] = 'leaked';
    undo.push(() => Promise.resolve(void delete process.env['SLASHTRAIN_LEAK']));
    const trial = await Trial.start();
    const names = await trial.run('p', 'console.log(Object.keys(process.env).sort().join())', { env: [{ name: 'OWN', value: '1' }] });
    expect(names.trim().split(',')).toEqual(['FROM_IMAGE', 'HOME', 'HOSTNAME', 'OWN', 'PATH', 'SLASHTRAIN_ROOT', 'TMPDIR']);
  });

  it('finds of the machine’s programs Node and the shell alone', async () => {
    const trial = await Trial.start();
    const script = `const { spawnSync } = require('child_process');
      console.log(['node', 'sh', 'env', 'git'].map((name) => name + ' ' + (spawnSync(name, ['-c', '']).error?.code ?? 'there')).join())`;
    expect(await trial.run('p', script)).toBe('node there,sh there,env ENOENT,git ENOENT\n');
  });

  it('has a copy of its image, and finds what is in it by absolute paths', async () => {
    const trial = await Trial.start(
      {},
      {
        'app/main.js': `require('fs').appendFileSync('seen', 'x'); console.log(require('fs').readFileSync('seen', 'utf8'), process.argv.slice(2).join())`,
      },
    );
    const command = ['/usr/local/bin/node', '/app/main.js', '--from=/app/main.js', '/nowhere/x'];
    for (const name of ['a', 'b']) {
      const [seen, args] = (await trial.run(name, '', { command })).trim().split(' ') as [string, string];
      expect(seen).toBe('x');
      expect(args).toMatch(/^--from=\/.*\/app\/main\.js,\/nowhere\/x$/u);
    }
  });

  it('leaves no process and no file behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slashtrain-cluster-test-'));
    undo.push(() => rm(folder, { recursive: true }));
    const trial = await Trial.start({ folder });
    const child = `const child = require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(forever)}], { stdio: 'inherit' });`;
    const script = `process.on('SIGTERM', () => {}); ${child} console.log(process.pid + ' ' + child.pid); ${forever}`;
    await trial.pod('p', script);
    await trial.until('p', running);
    let pids: number[] = [];
    for await (const line of trial.lines(`${inDefault}/pods/p/log?follow=true`)) {
      pids = line.split(' ').map(Number);
      break;
    }
    expect(pids.map(isAlive)).toEqual([true, true]);
    await trial.cluster.stop();
    await Promise.all(pids.map(untilEnded));
    expect(await readdir(folder)).toEqual([]);
  });

  it('ends with its first process, whatever that left behind', async () => {
    const trial = await Trial.start();
    const script = `const child = require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(forever)}], { stdio: 'inherit' });
      console.log(child.pid); child.unref(); process.exit(0)`;
    const pid = Number(await trial.run('p', script));
    expect(pid).toBeGreaterThan(1);
    await untilEnded(pid);
  });
});

describe('the API server', () => {
  it('goes away and comes back with its state, and pods go on meanwhile', async () => {
    const trial = await Trial.start();
    await trial.pod('p', `setTimeout(() => console.log('done'), 100)`);
    await trial.until('p', running);
    const watch = trial.lines(`${inDefault}/pods?watch=true`);
    await watch.next();
    const ended = (async () => {
      for await (const _line of watch);
    })();
    await trial.cluster.restart(async () => {
      await expect(ended).rejects.toThrow();
      await expect(trial.send('GET', '/version')).rejects.toThrow();
    });
    await trial.until('p', over);
    expect(await trial.log('p')).toBe('done\n');
  });

  it('cuts connections when told', async () => {
    const trial = await Trial.start();
    const watch = trial.lines(`${inDefault}/configmaps?watch=true`);
    await watch.next();
    const next = watch.next();
    trial.cluster.cutConnections();
    await expect(next).rejects.toThrow();
    expect((await trial.send('GET', '/version')).status).toBe(200);
  });

  it('sends bookmarks as often as it is told', async () => {
    const trial = await Trial.start({ timing: { bookmark: 20 } });
    for await (const line of trial.lines(`/apis/batch/v1/jobs?watch=true&allowWatchBookmarks=true&resourceVersion=100`)) {
      expect(JSON.parse(line)).toEqual({
        type: 'BOOKMARK',
        object: { kind: 'Job', apiVersion: 'batch/v1', metadata: { resourceVersion: expect.stringMatching(/^\d+$/u) } },
      });
      break;
    }
  });

  it('refuses by name what it does not have, and knows it from what no cluster has', async () => {
    const trial = await Trial.start();
    const said = async (method: string, path: string, body?: unknown): Promise<unknown> => {
      const answer = await trial.send(method, path, body);
      return [answer.status, answer.body['message'] ?? answer.text];
    };
    const not = (what: string): unknown => [501, `the embedded cluster does not support ${what}; use a real cluster for it`];
    expect(await said('GET', '/apis/policy/v1/poddisruptionbudgets')).toEqual(not('the API group policy'));
    expect(await said('GET', '/apis/apps/v1/statefulsets')).toEqual(not('the resource statefulsets'));
    expect(await said('GET', `${inDefault}/persistentvolumeclaims`)).toEqual(not('the resource persistentvolumeclaims'));
    expect(await said('GET', '/apis/kubeflow.org/v1/pytorchjobs')).toEqual([404, '404 page not found\n']);
    const volumes = [{ name: 'data', hostPath: { path: '/' } }];
    expect((await trial.pod('p', '', {}, { volumes })).body['message']).toContain('does not support volumes of type hostPath ("data")');
    expect((await trial.pod('p', '', {}, { hostNetwork: true })).body['message']).toContain('does not support hostNetwork of pods');
  });

  it('speaks TLS where it is told, to who trusts its certificate alone', async () => {
    const cluster = await startCluster({ tls: true });
    undo.push(() => cluster.stop());
    const config = parse(cluster.kubeconfig) as { clusters: { cluster: Record<string, string> }[] };
    const ca = Buffer.from(config.clusters[0]!.cluster['certificate-authority-data']!, 'base64');
    const status = (options: RequestOptions): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        get(`${cluster.url}/version`, { ...options, agent: false }, (response) => resolve(response.resume().statusCode)).on(
          'error',
          reject,
        );
      });
    expect(await status({ ca })).toBe(401);
    await expect(status({})).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    await expect(status({ ca, servername: 'example.com' })).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  it('knows users who may not do everything', async () => {
    const trial = await Trial.start();
    const limited = trial.as(trial.cluster.kubeconfigWithout({ resource: 'events' }, { verb: 'create', resource: 'jobs' }));
    expect((await limited.send('GET', `${inDefault}/events`)).body['message']).toBe(
      'events is forbidden: User "embedded-user" cannot list resource "events" in API group "" in the namespace "default"',
    );
    expect((await limited.send('POST', '/apis/batch/v1/namespaces/default/jobs', {})).status).toBe(403);
    expect((await limited.send('GET', '/apis/batch/v1/namespaces/default/jobs')).status).toBe(200);
  });

  it('records what it was asked, without tokens', async () => {
    const trial = await Trial.start();
    await trial.send('POST', `${inDefault}/configmaps?dryRun=All`, { metadata: { name: 'x' } });
    expect(trial.cluster.requests).toEqual([
      {
        method: 'POST',
        path: `${inDefault}/configmaps?dryRun=All`,
        contentType: 'application/json',
        userAgent: 'node',
        body: { metadata: { name: 'x' } },
      },
    ]);
  });
});

describe('the node', () => {
  it('has as many GPUs as it is told, and gives each to one pod at a time', async () => {
    const trial = await Trial.start({ gpus: 1 });
    const resources = { limits: { 'nvidia.com/gpu': 1 } };
    await trial.pod('first', forever, { resources });
    await trial.until('first', running);
    await trial.pod('second', '', { resources });
    const waiting = await trial.until('second', ({ status }) => status.conditions?.[0]?.reason === 'Unschedulable');
    expect(waiting.status.conditions?.[0]?.message).toContain('1 Insufficient nvidia.com/gpu');
    await trial.send('DELETE', `${inDefault}/pods/first`, { gracePeriodSeconds: 0 });
    await trial.until('second', over);
  });

  it('takes no pod while it is not ready', async () => {
    const trial = await Trial.start();
    await trial.pod('first', forever);
    await trial.until('first', running);
    trial.cluster.setNodeReady(false);
    await trial.pod('p', '');
    const waiting = await trial.until('p', ({ status }) => status.conditions?.[0]?.reason === 'Unschedulable');
    expect(waiting.status.conditions?.[0]?.message).toMatch(/^0\/1 nodes are available: 1 node\(s\) had untolerated taint/u);
    const ready = (pod: Pod): string | undefined => pod.status.conditions?.find(({ type }) => type === 'Ready')?.status;
    expect(ready(await trial.until('first', (pod) => ready(pod) === 'False'))).toBe('False');
    trial.cluster.setNodeReady(true);
    await trial.until('p', over);
  });

  it('pulls a tag once, unless the pod says always', async () => {
    const pulls: string[] = [];
    const images = {
      pull: async (image: string, folder: string) => {
        pulls.push(image);
        await writeFile(join(folder, 'version'), String(pulls.length));
        return { digest: `sha256:${String(pulls.length).padStart(64, '0')}` };
      },
    };
    const trial = await Trial.start({ images });
    const script = `console.log(require('fs').readFileSync('version', 'utf8'))`;
    expect(await trial.run('a', script, { image: 'moving:1' })).toBe('1\n');
    expect(await trial.run('b', script, { image: 'moving:1' })).toBe('1\n');
    expect(await trial.run('c', script, { image: 'moving:1', imagePullPolicy: 'Always' })).toBe('2\n');
    expect((await trial.until('c', over)).status.containerStatuses?.[0]?.imageID).toBe(`sha256:${'2'.padStart(64, '0')}`);
  });

  it('says in a container runtime’s words why an image cannot be had', async () => {
    const images = { pull: () => Promise.reject(Object.assign(new Error('who are you?'), { code: 'permission' })) };
    const trial = await Trial.start({ images });
    await trial.pod('p', '', { image: 'private:1' });
    const pod = await trial.until('p', ({ status }) => status.containerStatuses?.[0]?.state.waiting?.reason === 'ErrImagePull');
    expect(pod.status.containerStatuses?.[0]?.state.waiting?.message).toBe(
      'rpc error: code = Unknown desc = failed to pull and unpack image "private:1": failed to resolve reference "private:1": pull access denied, repository does not exist or may require authorization: who are you?',
    );
  });

  it('begins a long log anew: who follows misses nothing, who comes later sees the end alone', async () => {
    const trial = await Trial.start({ logLimit: 1000 });
    const line = 'x'.repeat(90);
    // It writes once somebody follows.
    const folder = await mkdtemp(join(tmpdir(), 'slashtrain-followed-'));
    const isFollowed = join(folder, 'yes');
    const write = `let n = 0; const timer = setInterval(() => { console.log(++n + ' ${line}'); if (n === 30) clearInterval(timer) }, 10)`;
    const script = `console.log('0'); const waiting = setInterval(() => { if (!require('fs').existsSync('${isFollowed}')) return; clearInterval(waiting); ${write} }, 10)`;
    await trial.pod('p', script);
    await trial.until('p', running);
    const followed: string[] = [];
    for await (const text of trial.lines(`${inDefault}/pods/p/log?follow=true`)) {
      if (followed.push(text.split(' ')[0]!) === 1) await writeFile(isFollowed, '');
    }
    await rm(folder, { recursive: true });
    expect(followed).toEqual(Array.from({ length: 31 }, (_, index) => String(index)));
    expect((await trial.log('p')).split('\n').length).toBeLessThan(15);
  });
});
