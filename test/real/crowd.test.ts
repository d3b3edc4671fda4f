import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'yaml';
import { kindFor } from '@slashtrain/core/kinds/index';
import type { Kind } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { configMaps, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { startCuttingProxy, type CuttingProxy } from '../support/cutting-proxy.ts';
import { keptLog } from '../support/kubernetes.ts';
import { openTarget, unique, type Target } from '../support/targets.ts';

/*
 * 200 submissions of 20 requests by 10 processes at once, while connections are cut at random: 20 runs.
 */
const processes = 10;
const requests = 20;
const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
const job = kindFor('batch/v1', 'Job') as Kind;

let folder: string;
let target: Target;
let client: KubernetesClient;
let proxy: CuttingProxy;
const namespace = unique('slashtrain-crowd');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'crowd-'));
  target = await openTarget('real');
  client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  proxy = await startCuttingProxy(client.server);
});
afterAll(async () => {
  await proxy.close();
  await client.delete(namespaces, '', namespace);
  rmSync(folder, { recursive: true });
});

/** The target's kubeconfig, with the proxy in front of its server. */
function throughProxy(): string {
  const text = existsSync(target.kubeconfig) ? readFileSync(target.kubeconfig, 'utf8') : target.kubeconfig;
  const whole = parse(text) as { clusters: { cluster: { server: string; 'tls-server-name'?: string } }[]; 'current-context': string };
  for (const { cluster } of whole.clusters) {
    cluster['tls-server-name'] = new URL(client.server).hostname;
    cluster.server = `https://127.0.0.1:${proxy.port}`;
  }
  whole['current-context'] = target.context;
  return JSON.stringify(whole);
}

function submitter(kubeconfig: string, checks: string): Promise<Record<string, string>> {
  const program = resolve(import.meta.dirname, '../support/submitter.ts');
  const child = spawn(process.execPath, [program, kubeconfig, namespace, String(requests), checks], {
    env: {},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let problems = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (problems += chunk.toString()));
  return new Promise((done, fail) => {
    child.once('close', (code) => (code === 0 ? done(JSON.parse(output) as Record<string, string>) : fail(new Error(problems))));
  });
}

it('200 submissions of 20 requests make 20 runs with a check each, whatever is cut', async () => {
  const checks = join(folder, 'checks');
  writeFileSync(checks, '');
  const kubeconfig = throughProxy();
  const crowd = Promise.all(Array.from({ length: processes }, () => submitter(kubeconfig, checks)));
  let isOver = false;
  const over = crowd.finally(() => (isOver = true));
  const cutting = (async () => {
    while (!isOver) {
      await pause(100 + Math.random() * 400);
      proxy.cut();
    }
  })();
  const [first, ...others] = await over;
  await cutting;

  expect(Object.keys(first ?? {})).toHaveLength(requests);
  for (const other of others) expect(other).toEqual(first);
  const { items: jobs } = await client.list(job.resource, namespace);
  expect(jobs).toHaveLength(requests);
  const { items: records } = await client.list(configMaps, namespace, { labelSelector: 'app.kubernetes.io/managed-by=slashtrain' });
  expect(records).toHaveLength(requests);
  const made = readFileSync(checks, 'utf8').trim().split('\n');
  expect(made.sort()).toEqual(records.map(({ metadata }) => metadata.uid ?? '').sort());
  expect(proxy.cuts).toBeGreaterThan(0);
});
