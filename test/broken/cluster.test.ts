import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { startBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { keptLog } from '../support/kubernetes.ts';
import { startJob } from '../support/runs.ts';
import { openTarget, unique, type Target } from '../support/targets.ts';

/*
 * Waits on a real cluster whose own programs are stopped and killed: only where SLASHTRAIN_PROCESSES names the folder with
 * their `<program>.pid`, and SLASHTRAIN_START the command that starts again what does not run (`pnpm real --processes
 * --start`). Apart from the other tests, since everything on the cluster feels it.
 */
const processes = process.env['SLASHTRAIN_PROCESSES'] ?? '';
const restart = process.env['SLASHTRAIN_START'] ?? '';

let target: Target;
let client: KubernetesClient;
let github: FakeGitHub;
let repository: Repository;
const namespace = unique('slashtrain-broken');
const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
const stopped = new Set<string>();

beforeAll(async () => {
  target = await openTarget('real');
  client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  github = await startGitHub();
  repository = github.createRepository({ owner: 'acme', name: 'digits' });
});
afterEach(() => {
  for (const program of stopped) resume(program);
});
afterAll(async () => {
  await client.delete(namespaces, '', namespace);
  await github.close();
  await target.close();
});

function send(program: string, signal: NodeJS.Signals | 0): void {
  process.kill(Number(readFileSync(join(processes, `${program}.pid`), 'utf8')), signal);
}

/** Kills a program, and starts it again once it is gone. */
async function killAndStart(program: string): Promise<void> {
  send(program, 'SIGKILL');
  while (isAlive(program)) await setImmediate();
  const [command = '', ...args] = restart.split(' ');
  await promisify(execFile)(command, args);
}

function isAlive(program: string): boolean {
  try {
    send(program, 0);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

function stop(program: string): void {
  send(program, 'SIGSTOP');
  stopped.add(program);
}

function resume(program: string): void {
  send(program, 'SIGCONT');
  stopped.delete(program);
}

/** What the case before broke takes its time: an operator that lost its lease starts again, and until then its webhook refuses. */
async function onceItCan<T>(make: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await make();
    } catch (error) {
      if (!(error instanceof Error) || !/webhook|unreachable|not ready|cannot be reached/u.test(error.message)) throw error;
      await setTimeout(500);
    }
  }
}

/** Runs a program on the cluster and waits for it; called are `onLine` with each line of its log, `onTitle` with the check's titles. */
async function wait(program: string, onLine: (line: string) => void, onTitle?: (title: string) => void): Promise<BundleResult> {
  const container = { name: 'main', image: target.base, command: ['node', '-e', program] };
  const spec = { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [container] } } };
  const { run, sha } = await onceItCan(() => startJob(client, repository, namespace, spec));
  const token = github.token({ checks: 'write' }, { repository });
  const looking = setInterval(() => {
    for (const check of repository.checks(sha)) onTitle?.(check.output.title ?? '');
  }, 200);
  const result = await startBundle({
    action: 'wait-for-run',
    github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } },
    inputs: { kubeconfig: target.kubeconfig, 'kube-context': target.context, run, token },
    onLine,
  }).result;
  clearInterval(looking);
  return result;
}

const count = 400;
const numbering = `let i = 0; const t = setInterval(() => { console.log('numbered ' + ++i); if (i === ${count}) clearInterval(t); }, 15);`;
const all = Array.from({ length: count }, (_, index) => index + 1);
const numbered = ({ stdout }: BundleResult): number[] =>
  stdout.split('\n').flatMap((line) => (/^numbered \d+$/u.test(line) ? [Number(line.slice(9))] : []));

describe('a wait ends in the true state, with every line once', () => {
  it('where etcd does not answer for 20 s, while the run ends', async () => {
    const result = await wait(numbering, (line) => {
      if (line !== 'numbered 100') return;
      stop('etcd');
      void setTimeout(20_000).then(() => resume('etcd'));
    });
    expect(numbered(result)).toEqual(all);
    expect(result).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
  });

  it('where the API server is killed and started again', async () => {
    let started: Promise<unknown> | undefined;
    const result = await wait(numbering, (line) => {
      if (line !== 'numbered 100') return;
      started = killAndStart('kube-apiserver');
    });
    await started;
    expect(numbered(result)).toEqual(all);
    expect(result).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
  });
});

it('a node that is lost is the reason on the check, and no end', async () => {
  // Longer than the 50 s after which a silent node counts as lost
  // (https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/, --node-monitor-grace-period).
  let isSaid = false;
  const result = await wait(
    `console.log('up'); setTimeout(() => {}, 80_000);`,
    (line) => {
      if (line === 'up') stop('kubelet');
    },
    (title) => {
      isSaid ||= title.includes('node-lost');
      if (isSaid && stopped.has('kubelet')) resume('kubelet');
    },
  );
  expect(isSaid).toBe(true);
  expect(result).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
});
