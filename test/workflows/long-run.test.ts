import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { kindFor } from '@slashtrain/core/kinds/index';
import type { Kind } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { WorkflowRun } from '@slashtrain/testing/runner/result';
import { keptLog } from '../support/kubernetes.ts';
import { filesOf } from '../support/targets.ts';
import { openWorld, type World } from '../support/world.ts';

/*
 * examples/long-run through the runner: a training that nobody waits for is reported by the sync workflow, both of which call
 * the reusable ones of this repository. And the callback, against a server that checks what it says.
 */
const job = kindFor('batch/v1', 'Job') as Kind;
let folder: string;
let world: World;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'long-run-'));
  const files = filesOf('examples/long-run');
  const train = '.github/workflows/train.yml';
  world = await openWorld({
    files: {
      ...files,
      // Nobody has ten minutes here.
      [train]: String(files[train]).replace('wait: 10m', 'wait: 1s'),
      'train.js': `const { existsSync } = require('node:fs');
        console.log('begun');
        const until = setInterval(() => {
          if (!existsSync(${JSON.stringify(join(folder, 'go'))})) return;
          clearInterval(until);
          console.log('slashtrain-metric {"name":"accuracy","value":0.9,"step":1}');
        }, 20);`,
    },
  });
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

async function synced(): Promise<WorkflowRun> {
  const [run] = await world.workflows.dispatch(world.repository.events.schedule('7,37 * * * *'));
  if (!run) throw new Error('the schedule started no workflow');
  return run;
}
const shown = (run: WorkflowRun): [string, string | undefined][] => run.jobs.map(({ name, conclusion }) => [name, conclusion]);

it('a run goes on without a runner, and its end is reported by the schedule', async () => {
  const { repository } = world;
  const { sha, number } = world.open({ 'NOTES.md': 'a' });
  const submitted = await world.say(number, '/train');
  expect(shown(submitted)).toMatchObject([
    ['command', 'success'],
    ['train / train', 'success'],
    ['cleanup / cancel', 'skipped'],
    [expect.stringContaining('cleanup / ask'), 'skipped'],
  ]);
  const steps = submitted.jobs[1]?.steps.map(({ name, conclusion }) => [name, conclusion]);
  expect(steps?.slice(2, 5)).toEqual([
    ['Wait for the training', 'success'],
    ['Compare the metrics', 'skipped'],
    ['Report to the pull request', 'skipped'],
  ]);
  expect(repository.checks(sha)).toMatchObject([{ name: 'train: digits', conclusion: undefined }]);

  expect(shown(await synced())).toEqual([
    ['sync / sync', 'success'],
    // As GitHub shows one that was skipped: nothing was filled in.
    ['sync / ${{ matrix.pipeline }} ${{ matrix.sha }}', 'skipped'],
  ]);
  writeFileSync(join(folder, 'go'), '');
  const client = await openKubernetes({ kubeconfig: world.place.kubeconfig, environment: {}, log: keptLog() });
  for (;;) {
    const { items } = await client.list(job.resource, 'default');
    if (items.length === 1 && items.every((item) => job.status(item).state === 'succeeded')) break;
  }

  const ended = await synced();
  expect(shown(ended)).toEqual([
    ['sync / sync', 'success'],
    [`sync / digits ${sha}`, 'success'],
  ]);
  expect(ended.jobs[1]?.steps.map(({ conclusion }) => conclusion)).toEqual(['success', 'success', 'success']);
  expect(repository.comments(number).map(({ body }) => body)).toEqual(['/train', expect.stringContaining('accuracy')]);
  expect(repository.checks(sha).map(({ name, conclusion }) => [name, conclusion])).toEqual([
    ['train: digits', 'success'],
    ['metrics: digits', 'success'],
  ]);
});

it('the callback starts the sync workflow as an App that may do nothing else', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = join(folder, 'key.pem');
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const asked: [path: string, authorization: string, body: unknown][] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push([request.url ?? '', request.headers.authorization ?? '', JSON.parse(body)]);
      const isToken = request.url?.endsWith('/access_tokens') ?? false;
      response.writeHead(isToken ? 201 : 204, { 'content-type': 'application/json' }).end(isToken ? '{"token":"ghs_short"}' : undefined);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const child = spawn(process.execPath, [resolve(import.meta.dirname, '../../examples/long-run/callback.mjs')], {
      env: {
        GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        REPOSITORY: 'acme/digits',
        APP_ID: '7',
        INSTALLATION_ID: '8',
        PRIVATE_KEY_FILE: key,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    expect(await new Promise((done) => child.once('close', done))).toBe(0);
  } finally {
    server.close();
  }
  expect(asked).toEqual([
    [
      '/app/installations/8/access_tokens',
      expect.stringMatching(/^Bearer /u),
      { repositories: ['digits'], permissions: { actions: 'write' } },
    ],
    ['/repos/acme/digits/actions/workflows/sync.yml/dispatches', 'Bearer ghs_short', { ref: 'main' }],
  ]);
  const [header = '', claims = '', signature = ''] = (asked[0]?.[1] ?? '').slice('Bearer '.length).split('.');
  expect(verify('RSA-SHA256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({ iss: '7' });
});
