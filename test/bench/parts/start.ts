import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubeconfigFor } from '../../support/kubernetes.ts';
import { minimalBundle } from '../minimal.ts';
import type { Part, Row } from '../part.ts';
import { bundle, inputsOf, peakMemory, root, runnerOf, timeToEnd, timeToFirstRequest, type Program } from '../programs.ts';
import { inTurn } from '../samples.ts';

/*
 * start: from the start of the process until it has refused missing inputs: everything is loaded but the cluster's client.
 * first request: until it asks GitHub or the cluster for the first time, with inputs that are all right.
 * Each beside a minimal bundle of the same libraries, which are those that this repository had at first.
 */
const sha = '0123456789abcdef0123456789abcdef01234567';
const run = 'jobs.batch/default/digits-pr1-0123456-89abcde@00000000-0000-4000-8000-000000000000';

/** Inputs with which an action asks somebody: one server for GitHub, cluster and registry (HOST), which knows nothing. */
const inputs: Record<string, Record<string, string>> = {
  'chatops-parse': {},
  'build-image': { image: 'HOST/a', base: 'HOST/node:24', sha },
  'submit-pipeline': { manifest: 'pipelines/train.yaml', sha, pipeline: 'default' },
  'wait-for-run': { run, pipeline: 'default' },
  'fetch-metrics': { source: 'run', run, sha, pipeline: 'default' },
  'report-pr': { 'pr-number': '1', sha, run, pipeline: 'default' },
  'cancel-runs': { 'pr-number': '1' },
  'deploy-model': { environment: 'staging', sha, 'pr-number': '1', image: `HOST/a@sha256:${'c'.repeat(64)}`, name: 'digits' },
  'sync-runs': {},
};

const kubeconfig = (url: string): string => kubeconfigFor(url, { token: 'token' }, { cluster: { 'insecure-skip-tls-verify': true } });

/** An event in which somebody writes `/train`. */
function eventFile(): string {
  const folder = join(root, '.cache/bench');
  mkdirSync(folder, { recursive: true });
  const user = { id: 1, login: 'ada', type: 'User' };
  const file = join(folder, 'event.json');
  writeFileSync(
    file,
    JSON.stringify({
      action: 'created',
      issue: { number: 1, state: 'open', user, pull_request: { url: 'http://127.0.0.1/pulls/1' } },
      comment: { id: 1, body: '/train', user, author_association: 'OWNER' },
      sender: user,
      repository: { id: 1, name: 'digits', full_name: 'acme/digits', default_branch: 'main', owner: { login: 'acme' } },
    }),
  );
  return file;
}

function asking(action: string, of = root): (url: string) => Program {
  return (url) => {
    const given = Object.entries({ token: 'token', kubeconfig: kubeconfig(url), ...inputs[action] });
    const host = Object.fromEntries(given.map(([input, value]) => [input, value.replaceAll('HOST', new URL(url).host)]));
    const event = { GITHUB_EVENT_NAME: 'issue_comment', GITHUB_EVENT_PATH: eventFile() };
    return bundle(action, { ...runnerOf(url), ...event, ...inputsOf(host) }, of);
  };
}

export const part: Part = {
  rounds: { full: 11, quick: 7 },
  async run({ rounds, before }) {
    const actions = readdirSync(join(root, 'actions')).filter((name) => existsSync(join(root, 'actions', name, 'dist/index.js')));
    const bare: Program = { command: [process.execPath, '-e', '0'] };
    const github: Program = { command: [process.execPath, minimalBundle('github')] };
    const minimal: Record<string, (url: string) => Program> = {
      github: (url) => ({ ...github, env: { GITHUB_API_URL: url, ASK_GITHUB: '1' } }),
      kubernetes: (url) => ({ command: [process.execPath, minimalBundle('kubernetes')], env: { KUBECONFIG_TEXT: kubeconfig(url) } }),
    };
    const earlier = before === undefined ? [] : actions.filter((name) => existsSync(join(before, 'actions', name, 'dist/index.js')));

    const starts = await inTurn(rounds, {
      node: () => timeToEnd(bare),
      minimal: () => timeToEnd(github),
      ...Object.fromEntries(actions.map((name) => [name, () => timeToEnd(bundle(name))])),
      ...Object.fromEntries(earlier.map((name) => [`before ${name}`, () => timeToEnd(bundle(name, {}, before))])),
    });
    const firsts = await inTurn(rounds, {
      ...Object.fromEntries(Object.entries(minimal).map(([name, program]) => [name, () => timeToFirstRequest(program)])),
      ...Object.fromEntries(actions.map((name) => [name, () => timeToFirstRequest(asking(name))])),
      ...Object.fromEntries(earlier.map((name) => [`before ${name}`, () => timeToFirstRequest(asking(name, before))])),
    });
    const [started, asked] = [starts as Record<string, number[]>, firsts];
    const least = await peakMemory(github);
    const rows: Row[] = [];
    const version = 'of the same libraries';
    for (const name of actions) {
      const memory = { ours: await peakMemory(bundle(name)), peer: least };
      const peer = { name: 'minimal bundle', version, samples: started['minimal'] ?? [] };
      rows.push({
        ...{ id: `start/${name}`, what: `${name} starts`, issues: [3, 6], unit: 'ms', better: 'lower', ours: started[name] ?? [] },
        ...{ peer, memory, limits: [{ of: 'ratio', most: 1.1 }] },
      });
    }
    // Actions that load the cluster's client before they ask anybody.
    const yml = (name: string): string => readFileSync(join(root, 'actions', name, 'action.yml'), 'utf8');
    for (const name of actions) {
      const which = /^ {2}kubeconfig:/mu.test(yml(name)) ? 'kubernetes' : 'github';
      const peer = {
        name: `minimal bundle with a client for ${which === 'github' ? 'GitHub' : 'Kubernetes'}`,
        version,
        samples: asked[which] ?? [],
      };
      const what = `${name} sends its first request`;
      rows.push({ id: `start/${name}/request`, what, issues: [3], unit: 'ms', better: 'lower', ours: asked[name] ?? [], peer });
    }
    const node = { name: 'Node that does nothing', version: process.version, samples: started['node'] ?? [] };
    const ours = started['minimal'] ?? [];
    rows.push({ id: 'start/minimal', what: 'the minimal bundle starts', issues: [3], unit: 'ms', better: 'lower', ours, peer: node });
    for (const name of earlier) {
      const was = (samples: number[] = []): Row['peer'] => ({ name: 'before', version: '', samples });
      for (const [id, what, all] of [
        ['', 'starts', started],
        ['/request', 'sends its first request', asked],
      ] as const) {
        const peer = was(all[`before ${name}`])!;
        const more = { unit: 'ms', better: 'lower', ours: all[name] ?? [], peer } as const;
        rows.push({ id: `start/before/${name}${id}`, what: `${name} ${what}, beside what it was`, issues: [13], ...more });
      }
    }
    return rows;
  },
};
