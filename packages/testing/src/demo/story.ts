import { messageOf } from '@slashtrain/core/action/errors';
import type { FakeGitHub, Repository } from '../github/github.ts';
import type { WorkflowRun } from '../runner/result.ts';
import type { WorkflowRuns } from '../runner/workflow-runs.ts';
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
}

/** How a training of a pull request ended, as the story shows it. */
export interface Outcome {
  sha: string;
  run: WorkflowRun;
  image: string;
  reference: string;
}

/** The three acts: a first model, a better one, and one that is held back. @returns the pull request that stays open */
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
  repository.merge(first, 'squash', 'ada');
  teller.person('ada', `merges #${first} by squash`);
  await scene.workflows.dispatch(repository.events.pullRequestTarget(first, { action: 'closed', by: 'ada' }));

  teller.act(2, 'A better one');
  const second = await open(scene, {
    author: 'mona',
    branch: 'wider',
    title: 'Widen the hidden layer',
    values: { hidden: 96, 'learning-rate': 0.2, batch: 16 },
  });
  await train(scene, second, 'mona');
  report(scene, second);

  teller.act(3, 'A worse one is held back');
  await push(scene, second, { hidden: 96, 'learning-rate': 0.003, batch: 16 }, 'Take smaller steps');
  await train(scene, second, 'mona');
  report(scene, second);
  return second;
}

type Settings = Parameters<typeof settings>[0];

async function open(scene: Scene, pull: { author: string; branch: string; title: string; values: Settings }): Promise<number> {
  const { repository, teller, workflows } = scene;
  const { author, branch, title, values } = pull;
  const sha = repository.commit({ branch, files: { 'settings.json': settings(values) }, message: title, author });
  const number = repository.openPullRequest({ head: branch, title, author, body: `\`\`\`json\n${settings(values)}\`\`\`` });
  teller.person(author, `opens #${number}, "${title}", ${sha.slice(0, 7)}`);
  await workflows.dispatch(repository.events.pullRequestTarget(number, { action: 'opened' }));
  return number;
}

async function push(scene: Scene, number: number, values: Settings, message: string): Promise<void> {
  const { repository, teller, workflows } = scene;
  const { user, pull } = repository.issue(number);
  const before = pull?.head.sha ?? '';
  const sha = repository.commit({
    branch: pull?.head.ref ?? '',
    files: { 'settings.json': settings(values) },
    message,
    author: user.login,
  });
  teller.person(user.login, `pushes "${message}", ${sha.slice(0, 7)}`);
  await workflows.dispatch(repository.events.pullRequestTarget(number, { action: 'synchronize', before }));
}

async function train(scene: Scene, number: number, login: string): Promise<Outcome> {
  const { repository, teller, workflows } = scene;
  teller.person(login, 'comments /train epochs=20');
  const comment = repository.comment(number, login, '/train epochs=20');
  const [run] = await workflows.dispatch(repository.events.issueComment(comment));
  if (!run) throw new Error('the comment started no workflow');
  return outcomeOf(scene, number, run);
}

/** Says what the run left: image, run, metrics, checks, merge. */
function outcomeOf({ repository, teller }: Scene, number: number, run: WorkflowRun): Outcome {
  const sha = repository.pull(number).head.sha;
  const output = (step: string, name: string): string =>
    run.jobs.flatMap((job) => job.steps).find(({ id }) => id === step)?.outputs[name] ?? '';
  const outcome = { sha, run, image: output('image', 'image'), reference: output('submit', 'run') };
  teller.gap();
  teller.fact('image', outcome.image || 'none');
  teller.fact('run', outcome.reference || 'none');
  for (const [name, value] of Object.entries(metricsOf(output('metrics', 'metrics')))) teller.fact(name, value);
  for (const check of repository.checks(sha).filter(({ name }) => name === trainCheck || name === metricsCheck)) {
    const text = `${check.name}: ${check.output.title ?? check.conclusion ?? check.status}`;
    teller.fact('check', check.conclusion === 'success' ? teller.good(text) : teller.bad(text));
  }
  const { allowed, reasons } = repository.canMerge(number);
  teller.fact('merge', allowed ? teller.good('allowed') : teller.bad(`blocked: ${reasons.join('; ')}`));
  return outcome;
}

function metricsOf(json: string): Record<string, string> {
  if (json === '') return {};
  try {
    return { metrics: JSON.stringify(JSON.parse(json)) };
  } catch (error) {
    throw new Error(`fetch-metrics gave no JSON: ${messageOf(error)}`, { cause: error });
  }
}

function report({ github, repository, teller }: Scene, number: number): void {
  const comment = repository.comments(number).findLast(({ app }) => app?.id === github.actions.id);
  if (!comment) return;
  teller.gap();
  teller.text(markdownText(comment.body));
}
