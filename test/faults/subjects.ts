import { createHash } from 'node:crypto';
import { job } from '@slashtrain/core/kinds/job';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { rolloutStore } from '@slashtrain/core/rollouts/store';
import { isActive } from '@slashtrain/core/rollouts/rollout';
import { checkExternalId } from '@slashtrain/core/run/check';
import { recordAnnotation, type RunRecord } from '@slashtrain/core/run/record';
import { parseReference } from '@slashtrain/core/run/reference';
import { isEnded } from '@slashtrain/core/run/state';
import type { StoredRecord } from '@slashtrain/core/records/store';
import type { BundleResult } from '@slashtrain/testing/bundle/bundle';
import type { CheckRun } from '@slashtrain/testing/github/store';
import { seedRun } from '../support/records.ts';
import { startJob } from '../support/runs.ts';
import { unique } from '../support/targets.ts';
import { bundleOf, unless, whereOf, type Place, type Subject, type Told } from './subject.ts';
import { image, lineCount, type World } from './world.ts';

const deployments: Resource = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' };

/** What an action's step said with its exit code. */
const succeeded = ({ result }: Told): boolean => result.code === 0;

interface Pull {
  sha: string;
  number: number;
}

function pullRequest({ repository }: Place, files: Record<string, string> = {}): Pull {
  const branch = unique('change');
  const sha = repository.commit({ branch, files: { 'NOTES.md': branch, ...files } });
  return { sha, number: repository.openPullRequest({ head: branch, author: 'ada' }) };
}

function jobSpec(command: string[], suspend = false): object {
  const container = { name: 'train', image, command };
  return {
    suspend,
    backoffLimit: 0,
    template: { spec: { terminationGracePeriodSeconds: 1, restartPolicy: 'Never', containers: [container] } },
  };
}

async function jobsIn({ client }: World, namespace: string): Promise<KubernetesObject[]> {
  return (await client.list(job.resource, namespace)).items;
}

async function recordsIn({ world, repository, namespace }: Place): Promise<StoredRecord[]> {
  return world.records.find(namespace, { repositoryId: repository.id });
}

/** Makes an object of the same name that is not ours. */
async function replaceJob(place: Place, name: string): Promise<void> {
  const { world, namespace } = place;
  await world.client.delete(job.resource, namespace, name, { graceSeconds: 0 });
  for (let tries = 0; tries < 200; tries += 1) {
    const made = await world.client.create(job.resource, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, namespace },
      spec: jobSpec(['node', '-e', ''], true),
    });
    if (made) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error(`the Job ${name} does not go`);
}

const chatops: Subject = {
  name: 'chatops-parse',
  traffic: { github: { reads: 3, writes: 2, streams: 0 } },
  async prepare(place) {
    const { repository } = place;
    repository.commit({
      files: { '.github/slashtrain.yml': 'commands:\n  train:\n    arguments:\n      epochs: { type: integer, default: 10 }\n' },
    });
    repository.setPermission('ada', 'write');
    const { sha, number } = pullRequest(place);
    // A head that is younger than the comment is refused.
    place.world.later();
    const comment = repository.comment(number, 'ada', '/train epochs=20');
    const event = repository.events.issueComment(comment);
    const run = {
      ...bundleOf(place, 'chatops-parse', { contents: 'read', 'pull-requests': 'write', checks: 'read', statuses: 'read' }, {}),
      event,
      actor: event.actor,
    };
    return Promise.resolve({
      run,
      judge: async (told) => {
        const { matched, sha: said, arguments: given } = told.result.outputs;
        const replies = repository.comments(number).filter(({ user }) => user.type === 'Bot');
        return Promise.resolve([
          ...unless(succeeded(told) === (matched === 'true'), `code ${told.result.code}, and matched is ${matched ?? 'not set'}`),
          ...unless(matched !== 'true' || said === sha, `the commit is ${said ?? ''}, and not ${sha}`),
          ...unless(matched !== 'true' || given === '{"epochs":20}', `the arguments are ${given ?? ''}`),
          ...unless(replies.length <= 1, `${replies.length} replies`),
          ...unless(
            told.is === 'disturbed' ||
              !replies.some(({ body }) => body.includes('**Nothing was started:**') && !body.includes('Started by')),
            'a reply still says that nothing was started',
          ),
        ]);
      },
    });
  },
};

const build: Subject = {
  name: 'build-image',
  traffic: { github: { reads: 2, writes: 0, streams: 0 }, registry: { reads: 6, writes: 6, streams: 0 } },
  async prepare(place) {
    const { world, repository, ways } = place;
    const sha = repository.commit({ files: { 'train.js': 'console.log(1)\n' } });
    const name = `acme/${unique('digits')}`;
    const run = bundleOf(
      place,
      'build-image',
      { contents: 'read' },
      { image: `${ways.registry}/${name}`, base: `${ways.registry}/node:24`, sha },
    );
    return Promise.resolve({
      run,
      judge: async (told) => {
        const said = told.result.outputs['image'] ?? '';
        const digest = told.result.outputs['digest'] ?? '';
        if (!succeeded(told)) return unless(said === '', `it failed, and says ${said}`);
        const answer = await fetch(`http://${world.registry.host}/v2/${name}/manifests/${digest}`);
        if (answer.status !== 200) return [`the image ${said} is answered ${answer.status}`];
        const bytes = Buffer.from(await answer.arrayBuffer());
        const manifest = JSON.parse(bytes.toString()) as { config: { digest: string }; layers: { digest: string }[] };
        const blob = async (of: string): Promise<Buffer> =>
          Buffer.from(await (await fetch(`http://${world.registry.host}/v2/${name}/blobs/${of}`)).arrayBuffer());
        const broken: string[] = [];
        for (const { digest: of } of [manifest.config, ...manifest.layers]) {
          if (digestOf(await blob(of)) !== of) broken.push(`the blob ${of} of ${said} is not there whole`);
        }
        const { config } = JSON.parse((await blob(manifest.config.digest)).toString()) as { config?: { Labels?: Record<string, string> } };
        return [
          ...broken,
          ...unless(digestOf(bytes) === digest, `the manifest of ${said} has another digest`),
          ...unless(config?.Labels?.['org.opencontainers.image.revision'] === sha, 'the label does not name the commit'),
        ];
      },
    });
  },
};

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

const submit: Subject = {
  name: 'submit-pipeline',
  traffic: { github: { reads: 4, writes: 1, streams: 0 }, kubernetes: { reads: 2, writes: 5, streams: 0 } },
  async prepare(place) {
    const { world, repository, namespace } = place;
    const manifest = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'digits' }, spec: jobSpec(['node', 'train.js'], true) };
    const { sha, number } = pullRequest(place, { 'train.yaml': JSON.stringify(manifest) });
    const inputs = { manifest: 'train.yaml', sha, 'pr-number': String(number), pipeline: 'digits', 'comment-id': '1' };
    const run = bundleOf(
      place,
      'submit-pipeline',
      { contents: 'read', checks: 'write', 'pull-requests': 'read' },
      { ...inputs, ...whereOf(place) },
    );
    let isReplaced = false;
    return Promise.resolve({
      run,
      again: { ...run, runAttempt: 2 },
      replace: async () => {
        isReplaced = true;
        for (const one of await jobsIn(world, namespace)) await replaceJob(place, one.metadata.name ?? '');
      },
      judge: async (told) => {
        const jobs = await jobsIn(world, namespace);
        const ours = jobs.filter(({ metadata }) => metadata.annotations?.[recordAnnotation] !== undefined);
        const records = await recordsIn(place);
        const checks = repository.checks(sha);
        const said = told.result.outputs['run'];
        const active = records.filter(({ record }) => !isEnded(record.state));
        const problems = [
          ...unless(ours.length <= 1, `${ours.length} runs`),
          ...unless(active.length <= 1, `${active.length} records that go on`),
          ...doubled(checks),
          ...unless(succeeded(told) === (said !== undefined), `code ${told.result.code}, and the output "run" is ${said ?? 'not set'}`),
        ];
        if (!succeeded(told) || said === undefined) return problems;
        const stored = records.find(({ record }) => record.run === said);
        const found = jobs.find(({ metadata }) => metadata.uid === parseReference(said).uid);
        return [
          ...problems,
          ...unless(stored !== undefined, `no record has the run ${said}`),
          ...unless(found !== undefined || isReplaced || told.result.outputs['adopted'] === 'true', `there is no run ${said}`),
          ...unless(
            checks.some(({ id, status }) => id === stored?.record.checkRunId && status === 'queued'),
            `the record's check ${stored?.record.checkRunId ?? ''} is not among those of the commit, queued`,
          ),
          ...(told.is === 'again' ? orphans(checks, records) : []),
        ];
      },
    });
  },
};

/** Two unfinished checks of one record, or two conclusions of it that differ. */
function doubled(checks: readonly CheckRun[]): string[] {
  const open = checks.filter(({ status }) => status !== 'completed');
  const names = open.map(({ name, externalId }) => `${name} ${externalId}`);
  return unless(new Set(names).size === names.length, `a check is there twice: ${names.join(', ')}`);
}

/** Checks that nobody will conclude: no record of theirs goes on. */
function orphans(checks: readonly CheckRun[], records: readonly StoredRecord[]): string[] {
  const active = new Set(records.filter(({ record }) => !isEnded(record.state)).map(checkExternalId));
  return checks
    .filter(({ status, externalId }) => status !== 'completed' && !active.has(externalId))
    .map(({ name }) => `the check "${name}" is left in progress, and no run of it goes on`);
}

/** A check as submit-pipeline leaves it, and its id on the record. */
async function withCheck({ world, repository }: Place, stored: StoredRecord): Promise<StoredRecord> {
  const { sha, pipeline } = stored.record;
  const { id } = repository.addCheck({
    name: `train: ${pipeline}`,
    headSha: sha,
    externalId: checkExternalId(stored),
    status: 'queued',
    app: world.github.actions,
  });
  return (await world.records.update(stored, (record) => ({ ...record, checkRunId: id }))) ?? stored;
}

/** A Job as submit-pipeline makes it, with record and check. */
async function submitted(place: Place, spec: object): Promise<{ stored: StoredRecord; run: string; name: string }> {
  const { world, repository, namespace } = place;
  const { run, reference } = await startJob(world.client, repository, namespace, spec, { pullRequest: 1, pipeline: 'digits' });
  const stored = await world.records.get(namespace, reference.name);
  if (!stored) throw new Error('no record');
  await world.client.patch(job.resource, namespace, reference.name, { metadata: { annotations: { [recordAnnotation]: stored.uid } } });
  return { stored: await withCheck(place, stored), run, name: reference.name };
}

const recordOf = async ({ world, namespace }: Place, name: string): Promise<RunRecord | undefined> =>
  (await world.records.get(namespace, name))?.record;

const numbered = ({ stdout }: BundleResult): number[] =>
  stdout.split('\n').flatMap((line) => (/^numbered \d+$/u.test(line) ? [Number(line.slice(9))] : []));
const allLines = JSON.stringify(Array.from({ length: lineCount }, (_, index) => index + 1));

const wait: Subject = {
  name: 'wait-for-run',
  traffic: { github: { reads: 0, writes: 2, streams: 0 }, kubernetes: { reads: 8, writes: 2, streams: 4 } },
  async prepare(place) {
    const { world, repository } = place;
    const { stored, run, name } = await submitted(place, jobSpec(['node', 'train.js']));
    const step = bundleOf(place, 'wait-for-run', { checks: 'write' }, { run, timeout: '3m', ...whereOf(place) });
    let isReplaced = false;
    return {
      run: step,
      replace: async () => {
        isReplaced = true;
        await replaceJob(place, name);
      },
      judge: async (told) => {
        const record = await recordOf(place, name);
        const { state } = told.result.outputs;
        const checks = repository.checks(stored.record.sha);
        const lines = JSON.stringify(numbered(told.result));
        const isWhole = !isReplaced && record?.result?.logTail.length !== 0 && succeeded(told) && told.is === 'disturbed';
        const metrics = record?.state === 'succeeded' ? await world.records.readMetrics(stored) : undefined;
        return [
          ...unless(checks.length === 1, `${checks.length} checks`),
          ...unless(succeeded(told) === (state === 'succeeded'), `code ${told.result.code}, and the state is ${state ?? 'not set'}`),
          ...unless(!succeeded(told) || record?.state === 'succeeded', `it says succeeded, and the record ${record?.state ?? 'is gone'}`),
          ...unless(!isWhole || lines === allLines, `lines of the log are missing or doubled: ${lines}`),
          ...unless(new Set(numbered(told.result)).size === numbered(told.result).length, `lines of the log are doubled: ${lines}`),
          ...unless(
            isReplaced || record?.state !== 'succeeded' || (metrics?.series.length ?? 0) === 1,
            `the record has ${metrics?.series.length ?? 0} curves, and the run wrote one`,
          ),
          ...unless(
            !isReplaced || state !== 'succeeded' || record?.state === 'succeeded',
            'a run that was replaced is told as its successor',
          ),
          ...(told.is === 'again'
            ? [
                ...unless(record !== undefined && isEnded(record.state), `the record is still ${record?.state ?? 'gone'}`),
                ...unless(checks[0]?.status === 'completed', 'the check is still in progress'),
                ...unless(
                  checks[0]?.conclusion === (record?.state === 'succeeded' ? 'success' : 'failure'),
                  `the check says ${checks[0]?.conclusion ?? ''}, and the record ${record?.state ?? ''}`,
                ),
              ]
            : []),
        ];
      },
    };
  },
};

const cancel: Subject = {
  name: 'cancel-runs',
  traffic: { github: { reads: 1, writes: 1, streams: 0 }, kubernetes: { reads: 4, writes: 3, streams: 0 } },
  async prepare(place) {
    const { world, repository, namespace } = place;
    const { stored, run, name } = await submitted(place, jobSpec(['node', 'train.js'], true));
    const { uid } = parseReference(run);
    let isReplaced = false;
    return {
      run: bundleOf(place, 'cancel-runs', { checks: 'write' }, { 'pr-number': '1', ...whereOf(place) }),
      heals: bundleOf(place, 'sync-runs', { contents: 'read', checks: 'write' }, whereOf(place)),
      replace: async () => {
        isReplaced = true;
        await replaceJob(place, name);
      },
      judge: async (told) => {
        const record = await recordOf(place, name);
        const [found] = await jobsIn(world, namespace);
        const said = JSON.parse(told.result.outputs['cancelled'] || '[]') as unknown[];
        const checks = repository.checks(stored.record.sha);
        return [
          ...unless(checks.length === 1, `${checks.length} checks`),
          ...unless(said.length === 0 || record?.state === 'cancelled', `it says cancelled, and the record ${record?.state ?? 'is gone'}`),
          ...unless(said.length === 0 || found?.metadata.uid !== uid, 'it says cancelled, and the run goes on'),
          ...unless(!isReplaced || found !== undefined, 'it deleted a Job that is not the run'),
          ...(succeeded(told) && !isReplaced
            ? [
                ...unless(record !== undefined && isEnded(record.state), `it ended well, and the record is ${record?.state ?? 'gone'}`),
                ...unless(found?.metadata.uid !== uid, 'it ended well, and the run goes on'),
              ]
            : []),
          ...(told.is === 'again' ? unless(checks[0]?.status === 'completed', 'the check is still in progress') : []),
        ];
      },
    };
  },
};

const sync: Subject = {
  name: 'sync-runs',
  traffic: { github: { reads: 1, writes: 1, streams: 0 }, kubernetes: { reads: 8, writes: 2, streams: 0 } },
  async prepare(place) {
    const { world, repository, namespace } = place;
    const script = `console.log('slashtrain-metric {"name":"accuracy","value":0.9,"step":1}')`;
    const { stored, run, name } = await submitted(place, jobSpec(['node', '-e', script]));
    for (;;) {
      const now = await world.client.get<KubernetesObject>(job.resource, namespace, name);
      if ((now?.['status'] as { completionTime?: string } | undefined)?.completionTime !== undefined) break;
      await new Promise((done) => setTimeout(done, 50));
    }
    return {
      run: bundleOf(place, 'sync-runs', { contents: 'read', checks: 'write' }, whereOf(place)),
      replace: () => replaceJob(place, name),
      judge: async (told) => {
        const record = await recordOf(place, name);
        const checks = repository.checks(stored.record.sha);
        const ended = (JSON.parse(told.result.outputs['ended'] || '[]') as { run: string }[]).map((one) => one.run);
        const curves = record?.state === 'succeeded' ? (await world.records.readMetrics(stored))?.series.length : undefined;
        return [
          ...unless(checks.length === 1, `${checks.length} checks`),
          ...unless(!ended.includes(run) || (record !== undefined && isEnded(record.state)), 'it says ended, and the record does not'),
          ...unless(curves === undefined || curves === 1, `the record has ${curves ?? 0} curves, and the run wrote one`),
          ...(succeeded(told)
            ? [
                ...unless(record !== undefined && isEnded(record.state), `it ended well, and the record is ${record?.state ?? 'gone'}`),
                ...unless(ended.includes(run), 'it ended well, and does not list the run'),
                // Asked to end, it leaves the rest to the next one, which it is there for.
                ...unless(
                  told.trouble === 'sigterm' || checks[0]?.status === 'completed',
                  'it ended well, and the check is still in progress',
                ),
              ]
            : []),
        ];
      },
    };
  },
};

/** A run with metrics, and a baseline at the base commit. */
async function trained(place: Place, accuracy: number): Promise<{ pull: Pull; stored: StoredRecord }> {
  const { world, repository, namespace } = place;
  await seedRun(world.records, repository, { sha: repository.head(), metrics: { accuracy: [0.8, 0.9] } }, namespace);
  const pull = pullRequest(place);
  const stored = await seedRun(
    world.records,
    repository,
    { sha: pull.sha, pullRequest: pull.number, metrics: { accuracy: [0.8, accuracy] } },
    namespace,
  );
  return { pull, stored };
}

const gates = '- { metric: accuracy, direction: higher, max-regression: "0" }';

const fetchRun: Subject = {
  name: 'fetch-metrics',
  traffic: { github: { reads: 3, writes: 0, streams: 0 }, kubernetes: { reads: 5, writes: 2, streams: 0 } },
  async prepare(place) {
    const { world, namespace } = place;
    const { pull, stored } = await trained(place, 0.7);
    const inputs = { sha: pull.sha, 'pr-number': String(pull.number), pipeline: 'digits', gates, ...whereOf(place) };
    return {
      run: bundleOf(place, 'fetch-metrics', { contents: 'read', 'pull-requests': 'read' }, inputs),
      judge: async (told) => {
        const record = await recordOf(place, stored.name);
        const { verdict } = told.result.outputs;
        return [
          ...unless(
            verdict === undefined || verdict === '' || verdict === 'fail' || verdict === 'error',
            `the verdict is ${verdict ?? ''}, and the model is worse`,
          ),
          ...unless(
            record?.verdict === undefined || record.verdict === 'fail' || record.verdict === 'error',
            `the record says ${record?.verdict ?? ''}`,
          ),
          ...unless(!succeeded(told) || record?.verdict === verdict, `it says ${verdict ?? ''}, and the record ${record?.verdict ?? ''}`),
          ...unless(told.is === 'disturbed' || verdict === 'fail', `the verdict is ${verdict ?? ''}`),
          ...unless((await world.records.get(namespace, stored.name)) !== undefined, 'the record is gone'),
        ];
      },
    };
  },
};

const fetchMlflow: Subject = {
  name: 'fetch-metrics of MLflow',
  traffic: { mlflow: { reads: 3, writes: 0, streams: 0 } },
  async prepare(place) {
    const { world, repository, ways } = place;
    const base = repository.commit({ files: { 'a.txt': 'base' } });
    const pull = pullRequest(place);
    const experiment = unique('digits');
    const name = unique('digits-pr1');
    const of = (sha: string, value: number, run: string): Parameters<typeof world.mlflow.log>[0][number] => ({
      experiment,
      context: { 'mlflow.source.git.commit': sha, 'slashtrain.pipeline': 'digits', 'slashtrain.run': run },
      metrics: { accuracy: [[1, value]] },
    });
    await world.mlflow.log([of(base, 0.9, 'digits-base'), of(pull.sha, 0.7, name)]);
    const inputs = {
      source: 'mlflow',
      'tracker-url': ways.mlflow,
      experiment,
      sha: pull.sha,
      'pr-number': String(pull.number),
      pipeline: 'digits',
      gates,
      run: `jobs.batch/ml/${name}@00000000-0000-4000-8000-000000000000`,
    };
    return {
      run: bundleOf(place, 'fetch-metrics', { contents: 'read', 'pull-requests': 'read' }, inputs),
      judge: (told) => {
        const { verdict } = told.result.outputs;
        return Promise.resolve([
          ...unless(
            verdict === undefined || verdict === '' || verdict === 'fail' || verdict === 'error',
            `the verdict is ${verdict ?? ''}, and the model is worse`,
          ),
          ...unless(!succeeded(told) || verdict !== undefined, 'it ended well without a verdict'),
          ...unless(told.is === 'disturbed' || verdict === 'fail', `the verdict is ${verdict ?? ''}`),
        ]);
      },
    };
  },
};

const report: Subject = {
  name: 'report-pr',
  traffic: { github: { reads: 3, writes: 2, streams: 0 }, kubernetes: { reads: 4, writes: 1, streams: 0 } },
  async prepare(place) {
    const { world, repository } = place;
    const { pull, stored } = await trained(place, 0.95);
    const gate = { metric: 'accuracy', direction: 'higher', 'max-regression': '0' } as const;
    await world.records.update(stored, (record) => ({
      ...record,
      verdict: 'pass',
      comparison: { gates: [{ gate, outcome: 'pass', why: 'said of 0.95' }], noBaseline: 'pass', notes: [] },
    }));
    const inputs = { run: stored.record.run ?? '', 'pr-number': String(pull.number), sha: pull.sha, pipeline: 'digits', ...whereOf(place) };
    return {
      run: bundleOf(place, 'report-pr', { checks: 'write', 'pull-requests': 'write' }, inputs),
      judge: async (told) => {
        const record = await recordOf(place, stored.name);
        const comments = repository.comments(pull.number);
        const checks = repository.checks(pull.sha);
        // Two reports in one moment each make a check, since GitHub's have no compare-and-swap: of the same verdict, then.
        const most = told.trouble === 'twin' ? 2 : 1;
        const areRight = checks.length >= 1 && checks.length <= most && checks.every(({ conclusion }) => conclusion === 'success');
        const isThere = comments.length === 1 && areRight;
        return [
          ...unless(comments.length <= 1, `${comments.length} comments`),
          ...unless(checks.filter(({ status }) => status !== 'completed').length === 0, 'a check is left in progress'),
          ...unless(told.is === 'disturbed' || areRight, `${checks.length} checks`),
          ...unless(!succeeded(told) || isThere, `it ended well with ${comments.length} comments and ${checks.length} checks`),
          ...unless(record?.reportedAt === undefined || isThere, 'the record says reported, and comment and check are not both there'),
          ...unless(!succeeded(told) || record?.reportedAt !== undefined, 'it ended well, and the record does not say reported'),
        ];
      },
    };
  },
};

const deploy: Subject = {
  name: 'deploy-model',
  traffic: { github: { reads: 4, writes: 3, streams: 0 }, kubernetes: { reads: 10, writes: 6, streams: 2 } },
  async prepare(place) {
    const { world, repository, namespace } = place;
    const pull = pullRequest(place);
    await seedRun(
      world.records,
      repository,
      { sha: pull.sha, pullRequest: pull.number, record: { images: [image], verdict: 'pass', reportedAt: '2026-11-21T12:00:00Z' } },
      namespace,
    );
    const rollouts = rolloutStore(world.client);
    const inputs = {
      environment: 'staging',
      name: 'digits',
      pipeline: 'digits',
      sha: pull.sha,
      'pr-number': String(pull.number),
      args: '[node, serve.js]',
      'health-path': '/healthz',
      'smoke-test': '- name: a seven\n  path: /predict\n  json: {}\n  expect: { value: { path: $.digit, equals: 7 } }\n',
      timeout: '1m',
      'lock-timeout': '3m',
      ...whereOf(place),
    };
    const run = bundleOf(place, 'deploy-model', { contents: 'read', deployments: 'write', 'pull-requests': 'read' }, inputs);
    return {
      run,
      judge: async (told) => {
        const found = await world.client.get<KubernetesObject>(deployments, namespace, 'digits');
        const onGitHub = [...repository.data.deployments.values()];
        const last = onGitHub.map(({ statuses }) => statuses.at(-1)?.state ?? 'none');
        const stored = await rollouts.find(namespace, { repositoryId: repository.id });
        const { state } = told.result.outputs;
        const success = last.filter((one) => one === 'success');
        return [
          ...unless(succeeded(told) === (state === 'success'), `code ${told.result.code}, and the state is ${state ?? 'not set'}`),
          ...unless(success.length <= 1, `${success.length} deployments are active`),
          ...unless(stored.filter(({ rollout }) => isActive(rollout)).length <= 1, 'two rollouts are active'),
          ...(succeeded(told)
            ? [
                ...unless(found?.metadata.labels?.['slashtrain.dev/sha'] === pull.sha, 'it ended well, and another thing is deployed'),
                ...unless(
                  stored[0]?.rollout.state === 'deployed',
                  `it ended well, and the rollout is ${stored[0]?.rollout.state ?? 'gone'}`,
                ),
              ]
            : []),
          ...(told.is === 'again'
            ? [
                ...unless(success.length === 1, `GitHub says ${last.join(', ')}`),
                ...unless(!stored.some(({ rollout }) => isActive(rollout)), 'a rollout is left half'),
                ...unless(
                  last.every((one) => ['success', 'failure', 'error', 'inactive'].includes(one)),
                  `deployments are left: ${last.join(', ')}`,
                ),
              ]
            : []),
        ];
      },
    };
  },
};

/** Every action, in the order of the case numbers: what comes new goes to the end. */
export const subjects: readonly Subject[] = [chatops, build, submit, wait, cancel, sync, fetchRun, fetchMlflow, report, deploy];
