import { ActionError } from '@slashtrain/core/action/errors';
import type { WorkflowEvent } from '../github/events.ts';
import type { FakeGitHub, Repository } from '../github/github.ts';
import type { WorkflowRun } from '../runner/result.ts';
import type { WorkflowRuns } from '../runner/workflow-runs.ts';
import type { StoryClock } from './clock.ts';
import { settings } from './example.ts';
import { markdownText } from './markdown-text.ts';
import type { Teller } from './teller.ts';

export const trainCheck = 'train: digits';
export const metricsCheck = 'metrics: digits';

/** What the story is told with. */
export interface Scene {
  github: FakeGitHub;
  repository: Repository;
  workflows: WorkflowRuns;
  teller: Teller;
  clock: StoryClock;
  /** Aborts when somebody has seen enough. */
  signal: AbortSignal;
}

/** The environment whose jobs wait for a reviewer. */
export const protectedEnvironment = 'production';

/** The four acts: a first model, a better one, its way to production, and one that is held back. @returns the pull request that stays open */
export async function tellStory(scene: Scene): Promise<number> {
  const { repository, teller } = scene;

  teller.act(1, 'A first model, to compare with');
  const first = await open(scene, {
    author: 'ada',
    branch: 'first-model',
    title: 'Learn to read digits',
    values: { hidden: 32, 'learning-rate': 0.1, batch: 16 },
  });
  await train(scene, first, 'ada');
  scene.clock.pass();
  repository.merge(first, 'squash', 'ada');
  teller.person('ada', `merges #${first} by squash`);
  await dispatch(scene, repository.events.pullRequestTarget(first, { action: 'closed', by: 'ada' }));

  teller.act(2, 'A better one');
  const second = await open(scene, {
    author: 'mona',
    branch: 'wider',
    title: 'Widen the hidden layer',
    values: { hidden: 96, 'learning-rate': 0.2, batch: 16 },
  });
  await train(scene, second, 'mona');
  report(scene, second);

  teller.act(3, 'Into staging, and on to production behind an approval');
  await deploy(scene, second, 'mona', 'staging');
  await deploy(scene, second, 'mona', protectedEnvironment);

  teller.act(4, 'A worse one is held back');
  await push(scene, second, { hidden: 96, 'learning-rate': 0.003, batch: 16 }, 'Take smaller steps');
  await train(scene, second, 'mona');
  report(scene, second);
  teller.gap();
  await deploy(scene, second, 'mona', 'staging');
  return second;
}

type Settings = Parameters<typeof settings>[0];

async function open(scene: Scene, pull: { author: string; branch: string; title: string; values: Settings }): Promise<number> {
  const { repository, teller, clock } = scene;
  clock.pass();
  const { author, branch, title, values } = pull;
  const sha = repository.commit({ branch, files: { 'settings.json': settings(values) }, message: title, author });
  const number = repository.openPullRequest({ head: branch, title, author, body: `\`\`\`json\n${settings(values)}\`\`\`` });
  teller.person(author, `opens #${number}, "${title}", ${sha.slice(0, 7)}`);
  await dispatch(scene, repository.events.pullRequestTarget(number, { action: 'opened' }));
  return number;
}

async function push(scene: Scene, number: number, values: Settings, message: string): Promise<void> {
  const { repository, teller, clock } = scene;
  clock.pass();
  const { user, pull } = repository.issue(number);
  const before = pull?.head.sha ?? '';
  const sha = repository.commit({
    branch: pull?.head.ref ?? '',
    files: { 'settings.json': settings(values) },
    message,
    author: user.login,
  });
  teller.person(user.login, `pushes "${message}", ${sha.slice(0, 7)}`);
  await dispatch(scene, repository.events.pullRequestTarget(number, { action: 'synchronize', before }));
}

async function train(scene: Scene, number: number, login: string): Promise<void> {
  const { repository, teller, clock } = scene;
  clock.pass();
  teller.person(login, 'comments /train epochs=20');
  const comment = repository.comment(number, login, '/train epochs=20');
  const [run] = await dispatch(scene, repository.events.issueComment(comment));
  if (!run) throw new Error('the comment started no workflow');
  tellOutcome(scene, number, run);
}

async function deploy(scene: Scene, number: number, login: string, environment: string): Promise<void> {
  const { repository, teller, clock } = scene;
  clock.pass();
  teller.person(login, `comments /deploy environment=${environment}`);
  const comment = repository.comment(number, login, `/deploy environment=${environment}`);
  const [run] = await dispatch(scene, repository.events.issueComment(comment));
  if (!run) throw new Error('the comment started no workflow');
  const outputs = run.jobs.flatMap((job) => job.steps).find(({ id }) => id === 'deploy')?.outputs ?? {};
  const deployments = [...repository.data.deployments.values()].filter((one) => one.environment === environment);
  const last = deployments.at(-1);
  teller.gap();
  const isGood = outputs['state'] === 'success';
  teller.fact('deploy', isGood ? teller.good(`${environment}: ${outputs['revision']}`) : teller.bad(`${environment}: refused`));
  if (last) teller.fact('runs', `${last.sha.slice(0, 7)}, ${last.statuses.at(-1)?.state}: ${last.statuses.at(-1)?.description}`);
  teller.gap();
}

/** What an event starts, until its end. */
async function dispatch({ workflows, signal }: Scene, event: WorkflowEvent): Promise<WorkflowRun[]> {
  const runs = await workflows.dispatch(event);
  if (signal.aborted) throw new ActionError('cancelled', 'stopped before the end of the story');
  return runs;
}

/** Says what the run left: image, run, metrics, checks, merge. */
function tellOutcome({ repository, teller }: Scene, number: number, run: WorkflowRun): void {
  const sha = repository.pull(number).head.sha;
  const output = (step: string, name: string): string =>
    run.jobs.flatMap((job) => job.steps).find(({ id }) => id === step)?.outputs[name] ?? '';
  teller.gap();
  teller.fact('image', output('image', 'image') || 'none');
  teller.fact('run', output('submit', 'run') || 'none');
  for (const [name, text] of metricsOf(output('metrics', 'metrics'), teller)) teller.fact(name, text);
  for (const wanted of [trainCheck, metricsCheck]) {
    const check = repository.checks(sha).findLast(({ name }) => name === wanted);
    if (!check) continue;
    const text = `${check.name}: ${check.output.title ?? check.conclusion ?? check.status}`;
    teller.fact('check', check.conclusion === 'success' ? teller.good(text) : teller.bad(text));
  }
  const { allowed, reasons } = repository.canMerge(number);
  teller.fact('merge', allowed ? teller.good('allowed') : teller.bad(`blocked: ${reasons.join('; ')}`));
}

/** fetch-metrics' output `metrics`. */
type Metrics = Record<string, { candidate?: number | string; baseline?: number | string; outcome?: string }>;

/** Candidate, baseline and what the gate says of it. */
function metricsOf(json: string, teller: Teller): [name: string, text: string][] {
  if (json === '') return [];
  return Object.entries(JSON.parse(json) as Metrics).map(([name, { candidate, baseline, outcome }]) => {
    const against = baseline === undefined ? 'no baseline yet' : `baseline ${shown(baseline)}`;
    const gate = outcome === 'pass' ? teller.good('gate passes') : outcome === 'fail' ? teller.bad('gate fails') : '';
    return [name, `${shown(candidate)}, ${against}   ${gate}`.trimEnd()];
  });
}

function shown(value: number | string | undefined): string {
  return typeof value === 'number' ? value.toFixed(4) : (value ?? 'missing');
}

function report({ github, repository, teller }: Scene, number: number): void {
  const comment = repository.comments(number).findLast(({ app }) => app?.id === github.actions.id);
  if (!comment) return;
  teller.gap();
  teller.text(markdownText(comment.body));
}
