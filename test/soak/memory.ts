import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BundleRun } from '@slashtrain/testing/bundle/bundle';
import { startGitHub } from '@slashtrain/testing/github/github';
import { writeEventFile } from '../support/event-files.ts';
import { kubeconfigFor } from '../support/kubernetes.ts';
import { succeeded } from '../support/steps.ts';
import { Sweeps, sweepText } from '../support/sweeps.ts';
import { runLimited } from './limited.ts';

/*
 * Large inputs through the bundles, each held to 512 MB:
 *   node test/soak/memory.ts [log|pods|events|trials...]
 * A layer of 2 GB is in test/bench.
 */
const most = 512;
const parts: Record<string, () => Promise<void>> = { log, pods, events, trials };
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts);
for (const name of wanted) {
  const part = parts[name];
  if (!part) throw new Error(`no part ${name}; there are: ${Object.keys(parts).join(', ')}`);
  await part();
}

/** Runs it, and prints what it came to. */
async function measure(what: string, run: BundleRun, holds: (outputs: string) => boolean): Promise<void> {
  const started = performance.now();
  const { code, peak, isLimited, outputs, tail } = await runLimited(run, most);
  const seconds = Math.round((performance.now() - started) / 1000);
  const limit = isLimited ? `held to ${most} MB` : 'not held, only measured: this user may make no control group';
  console.log(`${what}: code ${String(code)}, at most ${Math.round(peak)} MB (${limit}), ${seconds} s`);
  if (code === 0 && peak <= most && holds(outputs)) return;
  console.error(`✗ ${what}\n${tail}\n${outputs.slice(0, 2000)}`);
  process.exitCode = 1;
}

/** An API server with one Job, its record and its pods; each pod's log is `flood`, and the Job has succeeded once `logs` were read. */
async function waitFor(what: string, count: number, flood: (response: ServerResponse) => Promise<void>): Promise<void> {
  const github = await startGitHub();
  const repository = github.createRepository({ owner: 'acme', name: 'digits' });
  const sha = repository.head();
  const [namespace, name, uid] = ['ml', 'default-1a2b3c4-9f8e7d6', '0f0c7a52-3c1e-4d0e-9c77-6d1f0a2b3c4d'];
  const metadata = { name, namespace, uid, resourceVersion: '1' };
  const run = `jobs.batch/${namespace}/${name}@${uid}`;
  const record = {
    ...{ version: 1, repository: { id: repository.id, fullName: repository.fullName }, sha, tree: repository.tree(sha) },
    ...{ pipeline: 'default', request: 'c'.repeat(64), asked: [], attempt: 1, actor: 'ada', createdAt: '2026-01-01T00:00:00Z' },
    ...{ images: [], parameters: [], kind: { plural: 'jobs', group: 'batch' }, state: 'queued', run },
  };
  let map: object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { record: JSON.stringify(record) } };
  // About what a pod takes as a server tells it, with its managed fields.
  const filler = 'x'.repeat(4000);
  const podOf = (index: number): object => ({
    metadata: {
      name: `${name}-${index}`,
      namespace,
      uid: `${uid.slice(0, -6)}${String(index).padStart(6, '0')}`,
      resourceVersion: '1',
      annotations: { 'example.com/filler': filler },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true }],
    },
    spec: { containers: [{ name: 'main', image: 'a' }] },
    status: {
      phase: 'Succeeded',
      containerStatuses: [{ name: 'main', restartCount: 0, containerID: 'containerd://a', state: { terminated: { exitCode: 0 } } }],
    },
  });
  const watches = new Set<ServerResponse>();
  let read = 0;
  const jobNow = (): object => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...metadata, resourceVersion: read < count ? '1' : '2' },
    spec: { completions: count },
    status:
      read < count
        ? { active: count, startTime: '2026-01-01T00:00:00Z' }
        : {
            succeeded: count,
            startTime: '2026-01-01T00:00:00Z',
            completionTime: '2026-01-01T01:00:00Z',
            conditions: [{ type: 'Complete', status: 'True' }],
          },
  });
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server');
    response.setHeader('content-type', 'application/json');
    if (pathname.endsWith('/log')) {
      void flood(response).then(() => {
        read += 1;
        if (read !== count) return;
        for (const watch of watches) watch.write(`${JSON.stringify({ type: 'MODIFIED', object: jobNow() })}\n`);
      });
      return;
    }
    if (request.method === 'PATCH' || request.method === 'POST' || request.method === 'PUT') {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const sent = JSON.parse(Buffer.concat(chunks).toString()) as { metadata?: object };
        const merged = { ...map, ...sent, metadata: { ...metadata, ...sent.metadata, name, namespace, uid, resourceVersion: '2' } };
        if (pathname.endsWith(`/configmaps/${name}`)) map = merged;
        response.writeHead(request.method === 'POST' ? 201 : 200).end(JSON.stringify(merged));
      });
      return;
    }
    if (searchParams.get('watch') === 'true') {
      if (pathname.endsWith('/jobs')) watches.add(response);
      response.writeHead(200).flushHeaders();
      if (pathname.endsWith('/jobs') && read >= count) response.write(`${JSON.stringify({ type: 'MODIFIED', object: jobNow() })}\n`);
      return;
    }
    if (pathname.endsWith('/pods')) {
      const from = Number(searchParams.get('continue') ?? 0);
      const size = Number(searchParams.get('limit') ?? count);
      const items = Array.from({ length: Math.min(size, count - from) }, (_, index) => podOf(from + index));
      const next = from + size < count ? { continue: String(from + size) } : {};
      response.end(JSON.stringify({ metadata: { resourceVersion: '1', ...next }, items }));
      return;
    }
    const [, plural = '', one] = /\/namespaces\/[^/]+\/([^/]+)(?:\/([^/]+))?$/u.exec(pathname) ?? [];
    const object = plural === 'jobs' ? jobNow() : plural === 'configmaps' && (one === name || !one) ? map : undefined;
    if (one) return void response.writeHead(object ? 200 : 404).end(JSON.stringify(object ?? { kind: 'Status', code: 404 }));
    response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: object ? [object] : [] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const token = github.token({ checks: 'write' }, { repository });
  await measure(
    what,
    {
      action: 'wait-for-run',
      github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } },
      inputs: { kubeconfig: kubeconfigFor(url), run, logs: 'all', timeout: '30m' },
    },
    (outputs) => /^state<<.*\nsucceeded$/mu.test(outputs),
  );
  server.closeAllConnections();
  server.close();
  await github.close();
}

async function log(): Promise<void> {
  const lines = 1000;
  await waitFor('a log of 1 GB, followed by wait-for-run', 1, async (response) => {
    const start = Date.parse('2026-01-01T00:00:00Z');
    const rest = 'x'.repeat(100 - 32);
    for (let written = 0; written < 1e7; written += lines) {
      const stamp = new Date(start + written / 100).toISOString().slice(0, -1);
      const chunk = Array.from({ length: lines }, (_, index) => `${stamp}${String(index).padStart(6, '0')}Z ${rest}\n`).join('');
      if (!response.write(chunk)) await once(response, 'drain');
    }
    response.end();
  });
}

async function pods(): Promise<void> {
  await waitFor('10,000 pods with a line each, waited for', 10_000, (response) => {
    response.end('2026-01-01T00:00:00.000000000Z a line\n');
    return Promise.resolve();
  });
}

async function events(): Promise<void> {
  const workspace = mkdtempSync(join(tmpdir(), 'slashtrain-memory-'));
  writeEventFile(join(workspace, 'events.out.tfevents.1.host'), 300e6);
  const github = await startGitHub();
  const repository = github.createRepository({ owner: 'acme', name: 'digits' });
  const token = github.token({ contents: 'read', 'pull-requests': 'read' }, { repository });
  await measure(
    'an event file of 300 MB, read by fetch-metrics',
    {
      action: 'fetch-metrics',
      workspace,
      github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } },
      inputs: { source: 'files', files: '["events.out.*"]', sha: repository.head(), baseline: 'none' },
    },
    (outputs) => outputs.includes('train/some_metric_9'),
  );
  rmSync(workspace, { recursive: true });
  await github.close();
}

async function trials(): Promise<void> {
  const sweeps = await Sweeps.open('embedded');
  const { outputs } = await succeeded(sweeps.submit({ sweep: sweepText({ parameters: { hidden: [4] } }), parameters: 'epochs: 1' }));
  await succeeded(sweeps.run('wait-for-run', { run: outputs['run'] ?? '', logs: 'failed' }));
  const run = await sweeps.seedTrials('thousand', 1000);
  const repository = { owner: 'acme', name: 'digits', id: sweeps.repository.id };
  const permissions = { contents: 'read', checks: 'write', 'pull-requests': 'write' } as const;
  const token = sweeps.github.token(permissions, { repository: sweeps.repository });
  const cluster = { kubeconfig: sweeps.target.kubeconfig, 'kube-context': sweeps.target.context, namespace: sweeps.namespace };
  const inputs = { ...cluster, ...sweeps.which, run, pipeline: 'thousand' };
  const github = { url: sweeps.github.url, token, repository };
  await measure('a sweep of 1,000 trials, read by fetch-metrics', { action: 'fetch-metrics', github, inputs }, (text) =>
    text.includes('accuracy'),
  );
  await measure('the same, reported by report-pr', { action: 'report-pr', github, inputs }, (text) => text.includes('comment-id'));
  await sweeps.close();
}
