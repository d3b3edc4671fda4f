import { join } from 'node:path';
import { runBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startGitHub } from '@slashtrain/testing/github/github';
import { openDeploying, of } from '../../support/deploying.ts';
import { succeeded } from '../../support/steps.ts';
import { filesOf, openTarget, unique } from '../../support/targets.ts';
import { countingProxy } from '../counting-proxy.ts';
import type { Part, Row } from '../part.ts';
import { root } from '../programs.ts';

/*
 * The chain, bundle by bundle as a workflow calls them, on the embedded cluster and the fake GitHub of this repository: what each
 * step asks of GitHub and of the cluster, and how long it takes. There is no peer: nobody else does these things.
 */

/** Milliseconds between us and GitHub, one way, where it is not at hand. */
const delay = 50;

/** What a step was seen to do. */
interface Step {
  ms: number[];
  github: number;
  cluster: number;
}

/** The most requests to GitHub that an issue allows a step. */
const allowed: Record<string, { most: number; issue: number }> = {
  'chatops-parse': { most: 7, issue: 7 },
  'report-pr': { most: 6, issue: 9 },
  'deploy-model': { most: 10, issue: 10 },
};

export const part: Part = {
  rounds: { full: 5, quick: 3 },
  async run({ rounds, before }) {
    const steps = new Map<string, Step>();
    await inRounds(rounds, [await openChain(steps)]);
    await deploys(rounds, steps);
    const rows = [...steps].flatMap(([name, step]) => rowsOf(name, step));
    const far = new Map<string, Step>();
    const was = new Map<string, Step>();
    const chains = [await openChain(far, { delay })];
    if (before !== undefined) chains.push(await openChain(was, { delay, from: before }));
    await inRounds(rounds, chains);
    for (const [name, { ms }] of far) {
      const what = `${name}, the whole step, GitHub ${2 * delay} ms away`;
      const row = { what, issues: [13], unit: 'ms', better: 'lower', ours: ms } as const;
      const peer = was.get(name);
      if (peer) rows.push({ id: `steps/before/${name}`, ...row, peer: { name: 'before', version: '', samples: peer.ms } });
      else rows.push({ id: `steps/${name}/far`, ...row });
    }
    return rows;
  },
};

function rowsOf(name: string, { ms, github, cluster }: Step): Row[] {
  const limit = allowed[name];
  const count = { unit: 'count', better: 'lower' } as const;
  return [
    {
      ...{ id: `steps/${name}/github`, what: `${name} asks GitHub, requests`, issues: [limit?.issue ?? 13], ...count, ours: [github] },
      ...(limit && { limits: [{ of: 'ours', most: limit.most }] }),
    },
    { id: `steps/${name}/cluster`, what: `${name} asks the cluster, requests`, issues: [13], ...count, ours: [cluster] },
    { id: `steps/${name}/ms`, what: `${name}, the whole step`, issues: [13], unit: 'ms', better: 'lower', ours: ms },
  ];
}

/** A pull request and all that its chain needs. */
interface Chain {
  /** Goes through the chain once. @param round from -1: the first fills caches and counts nothing */
  go(round: number): Promise<void>;
  close(): Promise<void>;
}

/** All chains in turn, round by round. */
async function inRounds(rounds: number, chains: Chain[]): Promise<void> {
  try {
    for (let round = -1; round < rounds; round++) for (const chain of round % 2 === 0 ? chains : chains.toReversed()) await chain.go(round);
  } finally {
    for (const chain of chains) await chain.close();
  }
}

/** Runs a step and writes down what it did. */
type Watch = (name: string, step: () => Promise<BundleResult>) => Promise<BundleResult>;

/** @param round from -1: the first fills caches and counts nothing */
function watching(steps: Map<string, Step>, round: () => number, counts: () => { github: number; cluster: number }): Watch {
  return async (name, step) => {
    const [before, start] = [counts(), performance.now()];
    const result = await succeeded(step());
    const ms = performance.now() - start;
    const after = counts();
    if (round() < 0) return result;
    const known = steps.get(name)?.ms ?? [];
    steps.set(name, { ms: [...known, ms], github: after.github - before.github, cluster: after.cluster - before.cluster });
    return result;
  };
}

/** @param from the repository, or a copy of it as it was */
async function openChain(steps: Map<string, Step>, { from = root, delay: away = 0 } = {}): Promise<Chain> {
  const target = await openTarget('embedded');
  let minutes = 0;
  // People take their time: a push and a comment within one second would be refused, since nobody could have looked.
  const github = await startGitHub({ now: () => Date.now() + minutes * 60_000 });
  const repository = github.createRepository({ owner: 'acme', name: 'digits', files: filesOf('examples/digits') });
  repository.setPermission('ada', 'write');
  const line = await countingProxy(new URL(github.url).host, away);
  const counts = (): { github: number; cluster: number } => ({
    github: github.requests.length,
    cluster: target.cluster?.requests.length ?? 0,
  });
  let round = -1;
  const watch = watching(steps, () => round, counts);
  const hidden = (size: number): Record<string, string> => ({
    'settings.json': JSON.stringify({ hidden: size, 'learning-rate': 0.1, batch: 16 }),
  });
  const branch = unique('change');
  repository.commit({ branch, files: hidden(8), author: 'ada' });
  const number = repository.openPullRequest({ head: branch, author: 'ada' });
  const go = async (at: number): Promise<void> => {
    round = at;
    repository.commit({ branch, files: hidden(round + 16), author: 'ada' });
    minutes++;
    const comment = repository.comment(number, 'ada', '/train epochs=1');
    const token = github.token({ contents: 'read', checks: 'write', 'pull-requests': 'write' }, { repository });
    const event = repository.events.issueComment(comment);
    const common = {
      ...{ github: { url: `http://${line.host}`, token, repository: { owner: 'acme', name: 'digits', id: repository.id } } },
      ...{ event, actor: 'ada', runId: comment.id },
    };
    const step = (action: string, inputs: Record<string, string>): Promise<BundleResult> =>
      watch(action, () => runBundle({ action: join(from, 'actions', action), ...common, inputs: { token, ...inputs } }));
    const { outputs: parsed } = await step('chatops-parse', {});
    const { sha = '', attempt = '', arguments: parameters = '', 'comment-id': commentId = '' } = parsed;
    const which = { sha, 'pr-number': String(number), pipeline: 'digits' };
    const cluster = { kubeconfig: target.kubeconfig, 'kube-context': target.context, namespace: 'default' };
    const image = await step('build-image', { image: `${target.registry}/acme/digits`, base: target.base, sha });
    const manifest = { manifest: 'pipelines/train.yaml', images: `train: ${image.outputs['image'] ?? ''}`, deadline: '30m' };
    const run = await step('submit-pipeline', { ...which, ...cluster, ...manifest, parameters, attempt, 'comment-id': commentId });
    const reference = { run: run.outputs['run'] ?? '' };
    const wait = await step('wait-for-run', { ...reference, ...cluster });
    const metrics = await step('fetch-metrics', { ...reference, ...which, ...cluster });
    const files = { 'metrics-file': metrics.outputs['metrics-file'] ?? '', 'result-file': wait.outputs['result-file'] ?? '' };
    await step('report-pr', { ...reference, ...which, ...cluster, ...files });
  };
  const close = async (): Promise<void> => {
    line.close();
    await github.close();
    await target.close();
  };
  return { go, close };
}

async function deploys(rounds: number, steps: Map<string, Step>): Promise<void> {
  const inputs = { name: 'digits', args: '[node, serve.js]', 'health-path': '/healthz' };
  const world = await openDeploying('embedded', inputs);
  const counts = (): { github: number; cluster: number } => ({
    github: world.github.requests.length,
    cluster: world.target.cluster?.requests.length ?? 0,
  });
  let round = -1;
  const watch = watching(steps, () => round, counts);
  try {
    for (; round < rounds; round++) {
      const trained = await world.trained({ digit: round + 1 });
      await watch('deploy-model', () => world.deploy({ ...of(trained), image: trained.image }));
    }
  } finally {
    await world.close();
  }
}
