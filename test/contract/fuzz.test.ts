import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { readConfig } from '@slashtrain/core/config/read';
import { kinds } from '@slashtrain/core/kinds/index';
import { openAccess } from '@slashtrain/core/kubernetes/access';
import { readStatus } from '@slashtrain/core/kubernetes/refusal';
import { parseMetricsFile } from '@slashtrain/core/metrics/file';
import { parseMetricLine } from '@slashtrain/core/metrics/lines';
import { unpackMetrics } from '@slashtrain/core/records/pack';
import { readRecord } from '@slashtrain/core/records/validate';
import { parseChallenges } from '@slashtrain/core/registry/auth';
import { parseImageName } from '@slashtrain/core/registry/image-name';
import { parseImageConfig, parseManifest } from '@slashtrain/core/registry/media-types';
import { parseReference } from '@slashtrain/core/run/reference';
import { parseResultFile } from '@slashtrain/core/run/result-file';
import { openMlflow } from '@slashtrain/core/trackers/mlflow';
import { openMlflowRegistry } from '@slashtrain/core/trackers/mlflow-registry';
import { openPrometheus } from '@slashtrain/core/trackers/prometheus';
import { openWandb } from '@slashtrain/core/trackers/wandb';
import { readInstall } from '../../actions/build-image/src/notebook/installs.ts';
import { readNotebook } from '../../actions/build-image/src/notebook/read.ts';
import { imagesOf } from '../../actions/build-image/src/dockerfile.ts';
import { readProject, readRequirements } from '../../actions/build-image/src/requirements.ts';
import { findCommandLines } from '../../actions/chatops-parse/src/find.ts';
import { readTokens } from '../../actions/chatops-parse/src/tokens.ts';
import { readGates } from '../../actions/fetch-metrics/src/gates/read.ts';
import { Curves } from '../../actions/fetch-metrics/src/sources/events/curves.ts';
import { readEvents } from '../../actions/fetch-metrics/src/sources/events/read.ts';
import { readFiles } from '../../actions/fetch-metrics/src/sources/files.ts';
import { readManifest } from '../../actions/submit-pipeline/src/manifest.ts';
import { readSweep } from '../../actions/submit-pipeline/src/sweep/read.ts';
import { readSmokeTest } from '../../actions/deploy-model/src/smoke/read.ts';
import { readCanary } from '../../actions/deploy-model/src/canary/read.ts';
import { fuzzRuns, holds, spoiled, torn, tried } from '../support/fuzz.ts';
import { keptLog } from '../support/kubernetes.ts';
import { ScriptedServer } from '../support/scripted-server.ts';

/*
 * Everything that reads what somebody else wrote: it gives a value or an ActionError, whatever it gets. What it is given is a
 * valid text with something in it replaced, cut or doubled, or no such text at all. `pnpm faults` gives each of them more.
 */
const root = resolve(import.meta.dirname, '../..');
const fileOf = (path: string): string => readFileSync(join(root, path), 'utf8');

const readKubeconfig = (text: string): unknown =>
  // A text without a line feed counts as a path.
  openAccess({ kubeconfig: `${text}\n`, environment: {}, log: keptLog() }).then(() => undefined);

/** Problems of a file are told beside what the others have; nothing is thrown. */
async function readMetrics(text: string, name: string): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  writeFileSync(join(folder, name), text);
  const measured = await readFiles([name], folder, { sha });
  rmSync(folder, { recursive: true });
  if (measured.runs.length + measured.problems.length + measured.notes.length === 0) throw new Error('it was lost without a word');
  return measured;
}

const quiet = { environment: {}, mask: () => undefined, wait: () => Promise.resolve() };
const dataOf = (text: string): unknown => parse(text) as unknown;
const config = fileOf('examples/digits/.github/slashtrain.yml');
const manifest = fileOf('examples/digits/pipelines/train.yaml');
const sha = '1a2b3c4'.repeat(6).slice(0, 40);
const record = {
  version: 1,
  repository: { id: 1, fullName: 'acme/digits' },
  sha,
  tree: sha,
  pipeline: 'digits',
  request: 'a'.repeat(64),
  asked: [{ id: 'comment:1', runAttempt: 1 }],
  attempt: 1,
  actor: 'ada',
  createdAt: '2026-11-21T10:00:00Z',
  images: [],
  parameters: [{ name: 'epochs', value: '20' }],
  kind: { plural: 'jobs', group: 'batch' },
  state: 'queued',
};
const result = {
  version: 1,
  run: 'jobs.batch/ml/digits@00000000-0000-4000-8000-000000000000',
  sha,
  pipeline: 'digits',
  attempt: 1,
  state: 'succeeded',
  createdAt: '2026-11-21T10:00:00Z',
  queueSeconds: 5,
  runSeconds: 90,
  pods: [{ name: 'a', phase: 'Succeeded', containers: [{ name: 'train', restarts: 0, exitCode: 0 }] }],
  outputs: [{ name: 'model-uri', value: 's3://x' }],
  gpuHours: 0,
  logTail: ['a'],
};
const metrics = {
  version: 1,
  sha,
  pipeline: 'digits',
  verdict: 'pass',
  noBaseline: 'pass',
  candidates: [{ id: 'a', source: 'run', metrics: [{ name: 'accuracy', last: 0.9, history: [[1, 0.9]] }] }],
  gates: [],
  notes: [],
};
const kubeconfig = {
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'a', cluster: { server: 'https://127.0.0.1:6443', 'certificate-authority-data': 'YQ==' } }],
  users: [
    {
      name: 'a',
      user: {
        token: 'x',
        exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'true', args: [], env: [{ name: 'A', value: 'b' }] },
      },
    },
  ],
  contexts: [{ name: 'a', context: { cluster: 'a', user: 'a', namespace: 'ml' } }],
  'current-context': 'a',
};
const notebook = {
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { name: 'python3', language: 'python' } },
  cells: [
    {
      cell_type: 'code',
      id: 'a',
      metadata: { tags: ['parameters'] },
      source: ['epochs = 3\n', '%pip install numpy'],
      outputs: [],
      execution_count: null,
    },
    { cell_type: 'markdown', id: 'b', metadata: {}, source: '# words' },
  ],
};
const digest = `sha256:${'a'.repeat(64)}`;
const imageManifest = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2 },
  layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 2 }],
};
const imageConfig = {
  architecture: 'amd64',
  os: 'linux',
  config: { Env: ['A=b'], Labels: { a: 'b' }, Cmd: ['x'] },
  rootfs: { type: 'layers', diff_ids: [digest] },
  history: [{ created_by: 'x' }],
};
const index = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: [{ mediaType: imageManifest.mediaType, digest, size: 2, platform: { os: 'linux', architecture: 'amd64' } }],
};
const gates = '- { metric: accuracy, direction: higher, max-regression: "1%", min: 0.5, require-seeds: 3, confidence: 0.95 }\n';
const smoke =
  '- name: a seven\n  path: /predict\n  json: { pixels: [1, 2] }\n  expect: { status: 200, value: { path: $.digit, equals: 7 } }\n';
const sweep =
  'parameters:\n  lr: { min: 0.001, max: 0.1, log: true }\n  batch: [16, 32]\nmetric: { name: accuracy, goal: maximize }\ntrials: 4\nparallel: 2\n';
const comment =
  'Looks *good*.\n\n> quoted\n\n```sh\n/train no\n```\n\n/train 20 --gpu=a100 note="a \\" b" | for the paper\n\n<!-- /train -->\n';

describe('a text in one of our forms', () => {
  const asYaml = (text: string): fc.Arbitrary<string> =>
    fc.oneof(
      torn(text),
      spoiled(dataOf(text)).map((data) => stringify(data)),
    );
  const asJson = (data: unknown): fc.Arbitrary<string> =>
    fc.oneof(
      torn(JSON.stringify(data)),
      spoiled(data).map((one) => JSON.stringify(one)),
    );
  it.each<[string, fc.Arbitrary<string>, (text: string) => unknown]>([
    ['configuration', asYaml(config), (text) => readConfig(text, 'slashtrain.yml')],
    ['manifest', asYaml(manifest), (text) => readManifest({ text, file: 'train.yaml' })],
    ['gates', asYaml(gates), (text) => readGates(text, 'gates')],
    ['sweep', asYaml(sweep), (text) => readSweep(text, 'sweep')],
    [
      'smoke test',
      asYaml(smoke),
      (text) => readSmokeTest(text, { where: 'smoke-test', folder: root } as unknown as Parameters<typeof readSmokeTest>[1]),
    ],
    ['canary', asYaml('steps: [10, 50]\npause: 1m\n'), (text) => readCanary(text, 'canary')],
    ['comment', torn(comment), async (text) => (await findCommandLines(text)).map((line) => readTokens(line.text))],
    ['metric line', torn('slashtrain-metric {"name":"accuracy","value":0.93,"step":5}'), parseMetricLine],
    ['metrics file', asJson(metrics), (text) => parseMetricsFile(text, 'metrics.json')],
    ['result file', asJson(result), (text) => parseResultFile(text, 'result.json')],
    ['record', asJson(record), readRecord],
    ['packed metrics', torn('\u001f\u008bxyz'), (text) => unpackMetrics(Buffer.from(text, 'latin1'))],
    ['run reference', torn(result.run), parseReference],
    ['image name', torn(`localhost:5000/acme/digits:v1@${digest}`), (text) => parseImageName(text, 'the image')],
    ['notebook', asJson(notebook), (text) => readNotebook(text, 'a.ipynb')],
    ['install of a notebook', torn('pip install -q "numpy>=2" --index-url x'), (text) => readInstall(text, 'cell 1')],
    [
      'Dockerfile',
      torn('ARG A=1\nFROM --platform=x python:${A} AS b\nCOPY --from=b / /\n'),
      (text) => imagesOf(text, new Map([['A', '2']])),
    ],
    [
      'requirements',
      torn('numpy==2.0 ; python_version < "4"\n-r other.txt\n--hash=sha256:a \\\n x\n'),
      (text) => readRequirements('r.txt', (path) => Promise.resolve(path === 'r.txt' ? text : undefined)),
    ],
    [
      'pyproject',
      torn('[project]\nname = "a"\ndependencies = ["numpy>=2"]\n[tool.uv]\nx = 1\n'),
      (text) => readProject(text, 'pyproject.toml'),
    ],
    ['kubeconfig', asYaml(stringify(kubeconfig)), readKubeconfig],
    ['image manifest', asJson(imageManifest), (text) => parseManifest(Buffer.from(text), undefined, 'x')],
    ['image index', asJson(index), (text) => parseManifest(Buffer.from(text), index.mediaType, 'x')],
    ['image config', asJson(imageConfig), (text) => parseImageConfig(Buffer.from(text), 'x')],
    ['challenge of a registry', torn('Bearer realm="https://x/token",service="x",scope="a:b:c", Basic realm=y'), parseChallenges],
    ['refusal of an API server', torn('{"kind":"Status","message":"x","reason":"y","details":{"name":"z"}}'), readStatus],
    [
      'metrics as JSON',
      asJson({ accuracy: [0.1, 0.9], loss: { train: 1, nested: [{ step: 1, value: 2 }] } }),
      (text) => readMetrics(text, 'm.json'),
    ],
    ['metrics as JSON lines', torn('{"step":1,"accuracy":0.5}\n{"step":2,"accuracy":NaN}\n'), (text) => readMetrics(text, 'm.jsonl')],
    ['metrics as CSV', torn('step,accuracy,"lo""ss"\n1,0.5,2\n2,nan,\n'), (text) => readMetrics(text, 'm.csv')],
    ['metrics as YAML', asYaml('accuracy: 0.9\nnested: { a: [1, 2] }\n'), (text) => readMetrics(text, 'm.yaml')],
  ])('%s: is read or refused in words', (_, texts, read) => holds(fc.oneof(texts, fc.string({ unit: 'binary', maxLength: 300 })), read));
});

describe('a file of events', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is read as far as it is whole', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ minLength: 12, maxLength: 80 }).map((data) => Uint8Array.from([24, 0, 0, 0, 0, 0, 0, 0, ...data])),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (data) => {
        const file = join(folder, 'events.out.tfevents.1');
        writeFileSync(file, data);
        expect(await tried(async () => (await readEvents(file, new Curves())).notes)).toBeUndefined();
      }),
      fuzzRuns,
    );
  });
});

describe('an object of a cluster, whatever its status', () => {
  const status = {
    conditions: [{ type: 'Failed', status: 'True', reason: 'x', message: 'y', lastTransitionTime: '2026-11-21T10:00:00Z' }],
    phase: 'Running',
    active: 1,
    ready: 1,
    succeeded: 0,
    failed: 1,
    startTime: '2026-11-21T10:00:00Z',
    replicaStatuses: { Worker: { active: 1, failed: 1 } },
    replicatedJobsStatus: [{ name: 'a', ready: 1, failed: 1, succeeded: 0 }],
    jobsStatus: [{ name: 'node', ready: 1 }],
    nodes: {
      a: {
        id: 'a',
        type: 'Pod',
        phase: 'Failed',
        displayName: 'x',
        message: 'y',
        outputs: { parameters: [{ name: 'n', value: 'v' }], exitCode: '1' },
        children: ['b'],
      },
    },
    outputs: { parameters: [{ name: 'n', value: 'v' }] },
    progress: '1/2',
    jobStatus: 'RUNNING',
    jobDeploymentStatus: 'Running',
    rayClusterStatus: { state: 'ready' },
    state: { phase: 'Running' },
    currentOptimalTrial: {
      bestTrialName: 'a',
      parameterAssignments: [{ name: 'a', value: '1' }],
      observation: { metrics: [{ name: 'm', latest: '1' }] },
    },
    trials: 3,
  };
  it.each(kinds.map((kind) => [kind.resource.kind, kind] as const))('%s: its state is told', async (_, kind) => {
    await holds(
      spoiled(status, true).map((data) => JSON.stringify(data)),
      (text) => {
        const object = {
          apiVersion: `${kind.resource.group}/${kind.resource.version}`,
          kind: kind.resource.kind,
          metadata: { name: 'a', namespace: 'b' },
          spec: {},
          status: JSON.parse(text) as unknown,
        };
        return kind.status(object);
      },
    );
  });
});

describe('an answer of a tracker', () => {
  let server: ScriptedServer;
  let answer: string;
  beforeAll(async () => {
    server = await ScriptedServer.start();
    server.otherwise = (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
  });
  afterAll(() => server.stop());
  const from = 'URL';
  async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
    const found: T[] = [];
    for await (const page of pages) {
      found.push(page);
      // The same next page for ever is what the answer says here.
      if (found.length > 3) break;
    }
    return found;
  }
  const run = {
    info: { run_id: 'a', run_name: 'b', experiment_id: '1', status: 'FINISHED', start_time: 1, lifecycle_stage: 'active' },
    data: {
      metrics: [{ key: 'a', value: 1, step: 1, timestamp: 1 }],
      params: [{ key: 'a', value: 'b' }],
      tags: [{ key: 'mlflow.source.git.commit', value: sha }],
    },
  };
  const wandbRun = {
    name: 'a',
    displayName: 'b',
    state: 'finished',
    commit: sha,
    createdAt: '2026-11-21T10:00:00Z',
    summaryMetrics: '{"a":1}',
    config: '{"lr":{"value":1}}',
    historyKeys: { lastStep: 3 },
    tags: [],
    group: null,
  };
  it.each<[string, unknown, () => unknown]>([
    [
      'MLflow: runs',
      { runs: [run] },
      () => all(openMlflow({ ...quiet, url: server.url, from }).searchRuns({ experimentIds: ['1'], filter: '' })),
    ],
    ['MLflow: a run', { run }, () => openMlflow({ ...quiet, url: server.url, from }).run('a')],
    [
      'MLflow: experiments',
      { experiment: { experiment_id: '1' }, experiments: [{ experiment_id: '1', name: 'x' }] },
      () => openMlflow({ ...quiet, url: server.url, from }).experimentIds(['x']),
    ],
    [
      'MLflow: curves',
      { metrics: [{ key: 'a', value: 1, step: 1, run_id: 'a', timestamp: 1 }] },
      async () => [...(await openMlflow({ ...quiet, url: server.url, from }).histories(['a'], 'a'))],
    ],
    [
      'MLflow: a model',
      { model_version: { version: '1', run_id: 'a', name: 'x' } },
      () => openMlflow({ ...quiet, url: server.url, from }).modelRun('models:/x/1'),
    ],
    [
      'MLflow: aliases',
      { registered_model: { name: 'x', aliases: [{ alias: 'a', version: '1' }] } },
      async () => [...(await openMlflowRegistry({ ...quiet, url: server.url, from }).aliases('x'))],
    ],
    [
      'W&B: runs',
      { data: { project: { runs: { edges: [{ node: wandbRun }], pageInfo: { endCursor: 'x', hasNextPage: false } } } } },
      () => all(openWandb({ ...quiet, url: server.url, from, entity: 'a', project: 'b' }).searchRuns({})),
    ],
    [
      'Prometheus',
      { status: 'success', data: { resultType: 'vector', result: [{ metric: {}, value: [1, '2'] }] } },
      () => openPrometheus({ ...quiet, url: server.url, from }).value('up'),
    ],
  ])('%s: is read or refused in words', async (_, data, ask) => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          spoiled(data).map((one) => JSON.stringify(one)),
          torn(JSON.stringify(data)),
        ),
        async (text) => {
          answer = text;
          const thrown = await tried(ask);
          if (thrown !== undefined) throw new Error(thrown);
        },
      ),
      fuzzRuns,
    );
  });
});
