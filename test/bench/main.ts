import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { median, peakMemory, timeToEnd, timeToFirstRequest, type Program } from './measure.ts';
import { minimalBundle } from './minimal.ts';

/*
 * Measures, and asserts nothing.
 *   node test/bench/main.ts [--runs N] [ACTION...]
 *
 * start: from the start of the process until it has refused missing inputs: everything is loaded but the cluster's client.
 * first request: until it asks GitHub or the cluster for the first time, with inputs that are all right.
 * Each is divided by a minimal bundle of the same libraries, and by Node that does nothing. All of one table is measured
 * in turn, round by round, so that what else the machine does falls on all of them.
 */
const root = resolve(import.meta.dirname, '../..');
const { values, positionals } = parseArgs({ options: { runs: { type: 'string', default: '15' } }, allowPositionals: true });
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs is ${values.runs}; allowed: a whole number from 1`);

const build = spawnSync(process.execPath, [join(root, 'scripts/build.ts'), ...positionals], { cwd: root, stdio: 'inherit' });
if (build.status !== 0) throw new Error('the bundles could not be built');
const actions = readdirSync(join(root, 'actions'))
  .filter((name) => existsSync(join(root, 'actions', name, 'dist/index.js')))
  .filter((name) => positionals.length === 0 || positionals.includes(name));

const node = process.execPath;
const sha = '0123456789abcdef0123456789abcdef01234567';
const run = `jobs.batch/default/digits-pr1-0123456-89abcde@00000000-0000-4000-8000-000000000000`;

/** Inputs with which an action asks somebody: one server for GitHub, cluster and registry (HOST), which knows nothing. */
const inputs: Record<string, Record<string, string>> = {
  'chatops-parse': {},
  'build-image': { image: 'HOST/a', base: 'HOST/node:24', sha },
  'submit-pipeline': { manifest: 'pipelines/train.yaml', sha, pipeline: 'default' },
  'wait-for-run': { run, pipeline: 'default' },
  'fetch-metrics': { source: 'run', run, sha, pipeline: 'default' },
  'report-pr': { 'pr-number': '1', sha, run, pipeline: 'default' },
  'cancel-runs': { 'pr-number': '1' },
  'deploy-model': {},
  'sync-runs': {},
};

const comment = { id: 1, body: '/train', user: { id: 1, login: 'ada', type: 'User' }, author_association: 'OWNER' };
const eventFile = join(root, '.cache/bench/event.json');
mkdirSync(join(root, '.cache/bench'), { recursive: true });
writeFileSync(
  eventFile,
  JSON.stringify({
    action: 'created',
    issue: { number: 1, state: 'open', user: comment.user, pull_request: { url: 'http://127.0.0.1/pulls/1' } },
    comment,
    sender: comment.user,
    repository: { id: 1, name: 'digits', full_name: 'acme/digits', default_branch: 'main', owner: { login: 'acme' } },
  }),
);

const kubeconfig = (url: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'a', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'a', user: { token: 'token' } }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    'current-context': 'a',
  });
const runner = (url: string): Record<string, string> => ({
  GITHUB_REPOSITORY: 'acme/digits',
  GITHUB_REPOSITORY_ID: '1',
  GITHUB_API_URL: url,
  GITHUB_SERVER_URL: url,
  GITHUB_RUN_ID: '1',
  GITHUB_RUN_ATTEMPT: '1',
  GITHUB_ACTOR: 'ada',
  GITHUB_EVENT_NAME: 'issue_comment',
  GITHUB_EVENT_PATH: eventFile,
});
const bundle = (name: string): Program => ({ command: [node, join(root, 'actions', name, 'dist/index.js')] });
const asking =
  (name: string) =>
  (url: string): Program => {
    const given = { token: 'token', kubeconfig: kubeconfig(url), ...inputs[name] };
    const env = Object.fromEntries(
      Object.entries(given).map(([input, value]) => [`INPUT_${input.toUpperCase()}`, value.replaceAll('HOST', new URL(url).host)]),
    );
    return { ...bundle(name), env: { ...runner(url), ...env } };
  };
const github: Program = { command: [node, minimalBundle('github')] };
const kubernetes = minimalBundle('kubernetes');
const minimalAsking: Record<'github' | 'kubernetes', (url: string) => Program> = {
  github: (url) => ({ ...github, env: { GITHUB_API_URL: url, ASK_GITHUB: '1' } }),
  kubernetes: (url) => ({ command: [node, kubernetes], env: { KUBECONFIG_TEXT: kubeconfig(url) } }),
};
/** Actions that load the cluster's client before they ask anybody. */
const loadsClient = new Set(
  actions.filter((name) => /^ {2}kubeconfig:/mu.test(readFileSync(join(root, 'actions', name, 'action.yml'), 'utf8'))),
);

const bare: Program = { command: [node, '-e', '0'] };
const start = await inTurn([
  ['node', () => timeToEnd(bare)],
  ['minimal', () => timeToEnd(github)],
  ...actions.map((name): Measurement => [name, () => timeToEnd(bundle(name))]),
]);
const request = await inTurn([
  ['minimal github', () => timeToFirstRequest(minimalAsking.github)],
  ['minimal kubernetes', () => timeToFirstRequest(minimalAsking.kubernetes)],
  ...actions.map((name): Measurement => [name, () => timeToFirstRequest(asking(name))]),
]);
const memory = new Map<string, number>();
for (const [name, program] of [['node', bare], ['minimal', github], ...actions.map((name) => [name, bundle(name)] as const)] as const)
  memory.set(name, await peakMemory(program));

const of = (results: Map<string, number>, name: string): number => results.get(name) ?? Number.NaN;
const rows = actions.map((name) => {
  const minimal = of(request, loadsClient.has(name) ? 'minimal kubernetes' : 'minimal github');
  return {
    action: name,
    'bundle MB': megabytes(join(root, 'actions', name, 'dist')),
    'start ms': round(of(start, name)),
    '÷ minimal': round(of(start, name) / of(start, 'minimal'), 2),
    '÷ node': round(of(start, name) / of(start, 'node'), 2),
    'first request ms': round(of(request, name)),
    '÷ minimal client': round(of(request, name) / minimal, 2),
    'RSS MB': round(of(memory, name)),
  };
});
console.log(
  `Node ${process.version}, medians of ${runs}; Node that does nothing ${round(of(start, 'node'))} ms, ${round(of(memory, 'node'))} MB; minimal bundle ${round(of(start, 'minimal'))} ms, ${round(of(memory, 'minimal'))} MB; minimal first request to GitHub ${round(of(request, 'minimal github'))} ms, to a cluster ${round(of(request, 'minimal kubernetes'))} ms`,
);
console.table(rows);
const file = join(root, '.cache/bench/start.json');
writeFileSync(
  file,
  `${JSON.stringify({ node: process.version, runs, start: Object.fromEntries(start), request: Object.fromEntries(request), memory: Object.fromEntries(memory) }, null, 2)}\n`,
);
console.log(`written to ${file}`);

type Measurement = [name: string, measure: () => Promise<number>];

/** Medians by name. What cannot be measured is NaN, and is said. */
async function inTurn(measurements: Measurement[]): Promise<Map<string, number>> {
  const samples = new Map(measurements.map(([name]): [string, number[]] => [name, []]));
  const failed = new Set<string>();
  for (let round = -1; round < runs; round++) {
    for (const [name, measure] of measurements) {
      if (failed.has(name)) continue;
      try {
        const value = await measure();
        // The first round fills the file cache.
        if (round >= 0) samples.get(name)?.push(value);
      } catch (error) {
        failed.add(name);
        console.log(`${name}: not measured: ${error instanceof Error ? error.message.slice(0, 300) : String(error)}`);
      }
    }
  }
  return new Map([...samples].map(([name, values_]): [string, number] => [name, median(values_)]));
}

function megabytes(folder: string): number {
  const bytes = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  return round(bytes / 1e6, 2);
}

function round(value: number, digits = 0): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
