import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ActionError } from '@slashtrain/core/action/errors';
import { Inputs } from '@slashtrain/core/action/inputs';
import { openGitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { kinds } from '@slashtrain/core/kinds/index';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { recordAnnotation, runLabels, type RunRecord } from '@slashtrain/core/run/record';
import { formatReference } from '@slashtrain/core/run/reference';
import { addressesOf } from '@slashtrain/testing/bundle/environment';
import { startCluster, type EmbeddedCluster } from '@slashtrain/testing/cluster/cluster';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { readInputs } from '../../actions/sync-runs/src/inputs.ts';
import { main } from '../../actions/sync-runs/src/main.ts';
import { keptLog, type KeptLog } from '../support/kubernetes.ts';
import { seedRun, type SeededRun } from '../support/records.ts';
import { unique } from '../support/targets.ts';

/*
 * sync-runs' story in this process, with a clock of its own: what it makes of each record. As a bundle, and on a real cluster, it
 * stands in test/contract/sync.test.ts.
 */
const jobs = kinds[0]!.resource;
const image = `localhost:1/digits@sha256:${'a'.repeat(64)}`;
const hour = 3_600_000;

let folder: string;
let cluster: EmbeddedCluster;
let client: KubernetesClient;
let records: RecordStore;
let github: FakeGitHub;
let repository: Repository;
let namespace: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sync-runs-'));
  cluster = await startCluster();
  cluster.registerImage(image, folder);
  github = await startGitHub();
  client = await openKubernetes({ kubeconfig: cluster.kubeconfig, environment: {}, log: keptLog() });
  records = recordStore(client);
});
afterAll(async () => {
  await cluster.stop();
  await github.close();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  repository = github.createRepository({ owner: 'acme', name: unique('digits') });
  namespace = unique('sync');
  const resource = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
  await client.create(resource, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
});
afterEach(() => void github.requests.splice(0));

type Permissions = Record<string, 'read' | 'write'>;
interface Synced {
  ended: { run: string; sha: string; 'pr-number'?: number; pipeline: string }[];
  summary: string;
  log: KeptLog;
  failure?: unknown;
}

/** A sync at the given time. */
async function sync(
  now: number,
  inputs: Record<string, string> = {},
  permissions: Permissions = { contents: 'read', checks: 'write' },
): Promise<Synced> {
  const log = keptLog();
  const outputs = new Map<string, string>();
  const given = { token: 'x', kubeconfig: cluster.kubeconfig, namespace, ...inputs };
  const environment = Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]));
  let summary = '';
  const host = {
    inputs: new Inputs(environment),
    environment,
    log,
    workspace: folder,
    temp: folder,
    signal: new AbortController().signal,
    now: () => now,
    setOutput: (name: string, value: string) => void outputs.set(name, value),
    summarise: (markdown: string) => Promise.resolve(void (summary = markdown)),
    saveState: () => undefined,
  };
  const { api, graphql, server } = addressesOf(github.url);
  const context = {
    owner: 'acme',
    repo: repository.name,
    repositoryId: repository.id,
    apiUrl: api,
    graphqlUrl: graphql,
    serverUrl: server,
  } as GitHubContext;
  const token = github.token(permissions, { repository });
  const parts = { host, context, github: openGitHub({ token, context, log, second: 1, patience: 1 }) };
  let failure: unknown;
  try {
    await main(readInputs(host), parts);
  } catch (error) {
    failure = error;
  }
  return { ended: JSON.parse(outputs.get('ended') ?? '') as Synced['ended'], summary, log, ...(failure === undefined ? {} : { failure }) };
}

const start = Date.parse('2026-11-21T10:00:00Z');
const at = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** A record of a run on a commit of its own. */
async function seed(run: Partial<SeededRun> = {}): Promise<StoredRecord> {
  const branch = unique('change');
  const sha = repository.commit({ branch, files: { 'NOTES.md': branch } });
  return seedRun(records, repository, { sha, createdAt: at(start), ...run }, namespace);
}
const withoutRun = async (stored: StoredRecord): Promise<StoredRecord> =>
  (await records.update(stored, ({ run: _, ...record }) => record)) ?? stored;
const recordOf = async (stored: StoredRecord): Promise<RunRecord | undefined> => (await records.get(namespace, stored.name))?.record;

/** The Job of a record: one that waits, so that it goes on until it is deleted. */
async function makeJob(stored: StoredRecord, labels = runLabels(stored.record), uid = stored.uid): Promise<string> {
  const container = { name: 'train', image, command: ['node', 'train.js'] };
  const made = await client.create<KubernetesObject>(jobs, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: stored.name, namespace, labels, annotations: { [recordAnnotation]: uid } },
    spec: { suspend: true, template: { metadata: { labels }, spec: { restartPolicy: 'Never', containers: [container] } } },
  });
  return formatReference({ plural: 'jobs', group: 'batch', namespace, name: stored.name, uid: made?.metadata.uid ?? '' });
}
async function running(run: Partial<SeededRun> = {}, labels?: Record<string, string>): Promise<StoredRecord> {
  const stored = await seed({ state: 'queued', ...run });
  const reference = await makeJob(stored, labels);
  return (await records.update(stored, (record) => ({ ...record, run: reference }))) ?? stored;
}

describe('sync-runs', () => {
  it('leaves what goes on, also where its labels were lost; notices what was deleted, and says so on the check', async () => {
    const goesOn = await running();
    const unlabelled = await running({}, {});
    const gone = await seed({ state: 'queued', pullRequest: 7 });
    const synced = await sync(start + hour);
    expect(synced.failure).toBeUndefined();
    expect(synced.ended).toEqual([{ run: gone.record.run, sha: gone.record.sha, 'pr-number': 7, pipeline: 'digits' }]);
    expect(await recordOf(goesOn)).toEqual(goesOn.record);
    expect(await recordOf(unlabelled)).toEqual(unlabelled.record);
    expect(await recordOf(gone)).toMatchObject({
      state: 'deleted',
      result: { reason: 'deleted', message: expect.stringContaining(gone.name) },
    });
    expect(repository.checks(gone.record.sha)).toMatchObject([
      { name: 'train: digits', conclusion: 'failure', output: { title: expect.stringContaining('deleted') } },
    ]);
    expect(synced.summary).toContain('3 runs had no end; 1 to be reported');
  });

  it('reports every end until it was shown, and no more than the limit at once', async () => {
    const ends = [
      await seed(),
      await seed({ state: 'failed', createdAt: at(start + 1000) }),
      await seed({ state: 'cancelled', createdAt: at(start + 2000) }),
    ];
    const references = ends.map(({ record }) => record.run);
    expect((await sync(start + hour)).ended.map(({ run }) => run)).toEqual(references);
    const limited = await sync(start + hour, { limit: '2' });
    expect(limited.ended.map(({ run }) => run)).toEqual(references.slice(0, 2));
    expect(limited.log.lines).toContain('3 to be reported, 2 of them now');
    await records.update(ends[0]!, (record) => ({ ...record, reportedAt: at(start) }));
    expect((await sync(start + hour)).ended.map(({ run }) => run)).toEqual(references.slice(1));
    expect((await sync(start + 25 * hour, { 'max-age': '1d' })).ended).toEqual([]);
  });

  it('fails a claim that has no run after an hour, and none that is younger or held', async () => {
    const claim = await withoutRun(await seed({ state: 'queued', pullRequest: 7 }));
    expect((await sync(start + hour - 1000)).ended).toEqual([]);
    const lease = { holder: 'us', expiresAt: at(start + 2 * hour) };
    const held = await records.update(claim, (record) => ({ ...record, lease }));
    expect((await sync(start + hour + 1000)).ended).toEqual([]);
    expect(await recordOf(claim)).toEqual(held?.record);

    const synced = await sync(start + 3 * hour);
    expect(synced.ended).toEqual([{ run: '', sha: claim.record.sha, 'pr-number': 7, pipeline: 'digits' }]);
    const failed = await recordOf(claim);
    expect(failed).toMatchObject({ state: 'failed', refusal: 'the submission ended before the run was made' });
    expect(failed?.lease).toBeUndefined();
    expect(repository.checks(claim.record.sha)).toMatchObject([{ conclusion: 'failure' }]);
  });

  it('takes on a run that a submission made and did not note, and ends it where somebody cancelled', async () => {
    const half = await withoutRun(await seed({ state: 'queued' }));
    const reference = await makeJob(half);
    const cancelled = await withoutRun(
      await seed({ state: 'queued', record: { cancel: { at: at(start), by: 'grace', why: 'too dear' } } }),
    );
    await makeJob(cancelled);
    const foreign = await withoutRun(await seed({ state: 'queued' }));
    await makeJob(foreign, {}, 'somebody-else');

    expect((await sync(start + 2 * hour)).failure).toBeUndefined();
    expect(await recordOf(half)).toMatchObject({ state: 'queued', run: reference });
    expect(await recordOf(cancelled)).toMatchObject({ state: 'cancelled' });
    expect(await client.get(jobs, namespace, cancelled.name)).toBeUndefined();
    expect(await recordOf(foreign)).toMatchObject({ state: 'failed' });
    expect(await client.get(jobs, namespace, foreign.name)).toBeDefined();
  });

  it('ends once more what somebody cancelled and did not come to the end of', async () => {
    const stored = await running({ record: { cancel: { at: at(start), by: 'grace', why: 'too dear' } } });
    await sync(start + 60_000);
    expect(await client.get(jobs, namespace, stored.name)).toBeDefined();
    await sync(start + hour);
    expect(await client.get(jobs, namespace, stored.name)).toBeUndefined();
    await sync(start + hour);
    expect(await recordOf(stored)).toMatchObject({ state: 'cancelled', result: { message: 'too dear' } });
    expect(repository.checks(stored.record.sha)).toMatchObject([{ conclusion: 'cancelled' }]);
  });

  it('does everything else where one record cannot be settled, and fails with that one', async () => {
    const bad = await seed({
      state: 'queued',
      record: {
        kind: { plural: 'balls', group: 'crystal.dev' },
        run: `balls.crystal.dev/${namespace}/x@${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}`,
      },
    });
    const gone = await seed({ state: 'queued' });
    const synced = await sync(start + hour);
    expect(synced.ended.map(({ run }) => run)).toEqual([gone.record.run]);
    expect(synced.failure).toBeInstanceOf(ActionError);
    expect(synced.failure).toMatchObject({ code: 'unsupported', message: '1 thing failed; everything else is done' });
    expect(synced.summary).toContain('balls.crystal.dev is not a kind of run');
    expect(await recordOf(bad)).toEqual(bad.record);
  });

  it('warns of a run that goes on and whose record is gone', async () => {
    const stored = await running();
    await running();
    await records.delete(stored);
    const { log, summary } = await sync(start + hour);
    expect(log.lines).toContainEqual(expect.stringContaining(`the run jobs.batch/${stored.name} goes on and has no record`));
    expect(summary).toContain(stored.name);
  });

  it('leaves the other checks to later where GitHub takes no more, and lists the ends all the same', async () => {
    const gone = [await seed({ state: 'queued' }), await seed({ state: 'queued' }), await seed({ state: 'queued' })];
    github.disturb({ kind: 'secondary', method: 'POST', path: /check-runs$/u, retryAfter: 60, times: 2 });
    const synced = await sync(start + hour);
    expect(synced.ended).toHaveLength(3);
    expect(synced.failure).toMatchObject({ code: 'unreachable' });
    expect(synced.log.lines).toContainEqual(expect.stringContaining('2 more checks are left'));

    const again = await sync(start + hour);
    expect(again.failure).toBeUndefined();
    for (const { record } of gone) expect(repository.checks(record.sha)).toMatchObject([{ conclusion: 'failure' }]);
    github.requests.splice(0);
    await sync(start + hour);
    expect(github.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('says which permission is missing', async () => {
    await seed({ state: 'queued' });
    const { failure, log } = await sync(start + hour, {}, { checks: 'read' });
    expect(failure).toMatchObject({ code: 'permission' });
    expect(log.lines).toContainEqual(expect.stringContaining('missing permission "checks: write"'));
  });

  it('deletes what ended longer ago than it is kept, but not the newest with metrics', async () => {
    repository.commit({ branch: 'main', files: { '.github/slashtrain.yml': 'retention: 30d\n' } });
    const day = 24 * hour;
    const old = await seed({ metrics: { accuracy: [0.5] } });
    const newest = await seed({ metrics: { accuracy: [0.6] }, createdAt: at(start + hour) });
    const failed = await seed({ state: 'failed', createdAt: at(start + 2 * hour) });
    const goesOn = await running();
    expect((await sync(start + 29 * day)).log.lines).not.toContainEqual(expect.stringContaining('deleted, it ended'));
    const dry = await sync(start + 31 * day, { 'dry-run': 'true' });
    expect(dry.log.lines).toContainEqual(`${old.name}: would be deleted, it ended more than 30 d ago`);

    const synced = await sync(start + 31 * day);
    expect(synced.failure).toBeUndefined();
    expect(await Promise.all([old, newest, failed, goesOn].map(async (one) => (await recordOf(one)) !== undefined))).toEqual([
      false,
      true,
      false,
      true,
    ]);
    expect(synced.summary).toContain('2 old records deleted');
  });

  it('a dry run says what it would do, and writes nothing', async () => {
    const gone = await seed({ state: 'queued' });
    const claim = await withoutRun(await seed({ state: 'queued' }));
    await seed();
    const before = cluster.requests.length;
    const { log, ended } = await sync(start + 2 * hour, { 'dry-run': 'true' }, { contents: 'read', checks: 'read' });
    expect(ended).toEqual([]);
    expect(log.lines).toContain(`${gone.name}: would be concluded: deleted`);
    expect(log.lines).toContain(`${claim.name}: would be concluded: failed, its run was never made`);
    expect(cluster.requests.slice(before).filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(github.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it.each([
    [{ limit: '0' }, 'input "limit" is "0"; allowed: a whole number from 1 to 256'],
    [{ 'max-age': '7' }, 'input "max-age" is "7"'],
    [{ 'dry-run': 'yes' }, 'input "dry-run" is "yes"'],
  ] as [Record<string, string>, string][])('refuses %j', (inputs, message) => {
    const environment = Object.fromEntries(
      Object.entries({ token: 'x', ...inputs }).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
    );
    expect(() => readInputs({ inputs: new Inputs(environment) } as Parameters<typeof readInputs>[0])).toThrow(message);
  });
});
