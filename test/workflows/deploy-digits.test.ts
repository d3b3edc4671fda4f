import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { openMlflowRegistry, type MlflowRegistry } from '@slashtrain/core/trackers/mlflow-registry';
import { digitsFiles } from '@slashtrain/testing/demo/example';
import { startMlflow, type FakeMlflow } from '@slashtrain/testing/trackers/mlflow';
import { openDigits, type DigitsWorld } from '../support/digits.ts';
import { keptLog } from '../support/kubernetes.ts';

/*
 * The example's /deploy and /rollback, where a model does not hold: the story of a good one is the demo's.
 */
let world: DigitsWorld;
let client: KubernetesClient;
let mlflow: FakeMlflow;
let registry: MlflowRegistry;
beforeAll(async () => {
  world = await openDigits();
  mlflow = await startMlflow();
  registry = openMlflowRegistry({ url: mlflow.url, from: 'MLFLOW_TRACKING_URI', environment: {}, mask: () => undefined });
  client = await openKubernetes({ kubeconfig: world.place.kubeconfig, environment: {}, log: keptLog() });
});
afterAll(async () => {
  await world.close();
  await mlflow.close();
});

const deployments = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' };
const commit = 'slashtrain.dev/sha';

/** What a comment's workflow came to, and what its deploy said. */
async function say(
  number: number,
  body: string,
): Promise<{
  jobs: Record<string, string | undefined>;
  state: string | undefined;
  errors: string;
  summary: string | undefined;
  /** What GitHub was asked once the command had been accepted. */
  asked: string[];
}> {
  const before = world.github.requests.length;
  const [run] = await world.workflows.dispatch(world.comment(number, 'ada', body).event);
  const step = run?.jobs.flatMap(({ steps }) => steps).find(({ id }) => id === 'deploy');
  const requests = world.github.requests.slice(before).map(({ method, path }) => `${method} ${path}`);
  return {
    asked: requests.slice(requests.findLastIndex((one) => one.includes('/reactions')) + 1),
    jobs: Object.fromEntries(run?.jobs.map((job) => [job.id, job.conclusion]) ?? []),
    state: step?.outputs['state'],
    summary: step?.summary,
    errors: step?.annotations.map(({ message }) => message).join('\n') ?? '',
  };
}

/** The commit whose model stands on staging. */
async function running(): Promise<string | undefined> {
  const found = await client.get<KubernetesObject>(deployments, 'default', 'digits-staging');
  return found?.metadata.labels?.[commit];
}

const states = (): [sha: string, states: string[]][] =>
  [...world.repository.data.deployments.values()].map(({ sha, statuses }) => [sha, statuses.map(({ state }) => state)]);

/** The example's workflow with a model registry and a profile, at the default branch. */
function addRegistry(): void {
  const file = '.github/workflows/slashtrain.yml';
  const text = String(digitsFiles()[file])
    .replace(
      '          health-path: /healthz\n',
      '          health-path: /healthz\n          registry: mlflow\n          profile: true\n          profile-time: 1s\n',
    )
    .replace('env:\n  PIPELINE: digits\n', `env:\n  PIPELINE: digits\n  MLFLOW_TRACKING_URI: ${mlflow.url}\n`);
  world.repository.commit({ branch: 'main', files: { [file]: text }, author: 'ada' });
}

/** A training that logs to MLflow as well. */
async function train(number: number, sha: string): Promise<Awaited<ReturnType<typeof say>>> {
  await mlflow.log([{ experiment: 'digits', context: { 'mlflow.source.git.commit': sha } }]);
  return say(number, '/train epochs=5');
}

/** How commands that came to nothing were answered. */
const answers = (number: number): string[] =>
  world.repository
    .comments(number)
    .filter(({ body }) => body.startsWith('<!-- slashtrain:reply:comment:'))
    .map(({ body }) => body);

const champion = async (): Promise<string | undefined> => (await registry.aliases('digits')).get('champion');

it('takes a model back that answers nonsense, and goes back where it is told to', async () => {
  const { repository } = world;
  addRegistry();
  const push = (files: Record<string, string>): string => repository.commit({ branch: 'topic', files, author: 'ada' });
  const settings = (hidden: number): string => `${JSON.stringify({ hidden, 'learning-rate': 0.1, batch: 16 })}\n`;
  const { number, sha: first } = world.open({ 'settings.json': settings(32) });

  expect(await say(number, '/deploy environment=staging')).toMatchObject({ jobs: { command: 'success', deploy: 'failure' } });
  expect(answers(number)).toEqual([expect.stringContaining('`digits-staging` was not deployed to `staging`')]);
  expect(await running()).toBeUndefined();
  const { vars } = world.settings;
  const base = vars['SLASHTRAIN_BASE'] ?? '';
  vars['SLASHTRAIN_BASE'] = `${base}-missing`;
  expect(await say(number, '/train')).toMatchObject({ jobs: { train: 'failure' } });
  expect(answers(number)[1]).toContain('**Nothing was started:** the image could not be built, see [the log](');
  vars['SLASHTRAIN_BASE'] = base;
  expect(await train(number, first)).toMatchObject({ jobs: { train: 'success', deploy: 'skipped' } });
  expect(await say(number, '/deploy environment=staging')).toMatchObject({
    jobs: { train: 'skipped', deploy: 'success' },
    state: 'success',
    summary: expect.stringMatching(/Profile of one endpoint[^]*At once[^]*\| *1 \|[^]*used is not known/u),
  });
  expect([await running(), await champion()]).toEqual([first, '1']);

  const serve = String(digitsFiles()['serve.js']);
  const nonsense = push({ 'serve.js': serve.replace(/\.digit;$/mu, '.digit + 1;') });
  await train(number, nonsense);
  const refused = await say(number, '/deploy environment=staging');
  expect(refused).toMatchObject({ jobs: { deploy: 'failure' }, state: 'failure', errors: expect.stringContaining('it reads a zero') });
  expect([await running(), await champion()]).toEqual([first, '1']);
  expect(answers(number)[2]).toMatch(
    /was not deployed to `staging`:\*\* The smoke test did not pass: [^]*\n\nNow [0-9a-f]{7}-\w+ runs\. \[Log\]\(/u,
  );

  const second = push({ 'serve.js': serve, 'settings.json': settings(48) });
  await train(number, second);
  const deployed = await say(number, '/deploy environment=staging');
  expect(deployed.state).toBe('success');
  expect(deployed.asked).toContainEqual(expect.stringMatching(/^POST .*\/deployments$/u));
  expect(deployed.asked.length).toBeLessThanOrEqual(10);
  // The one that was taken back is registered as well; the alias never named it.
  expect([await running(), await champion()]).toEqual([second, '3']);
  expect((await say(number, '/rollback environment=staging')).state).toBe('success');
  expect([await running(), await champion()]).toEqual([first, '1']);

  expect(states()).toEqual([
    [first, ['queued', 'in_progress', 'success', 'inactive']],
    [nonsense, ['queued', 'in_progress', 'failure']],
    [second, ['queued', 'in_progress', 'success', 'inactive']],
    [first, ['queued', 'in_progress', 'success']],
  ]);
  expect(world.github.requests.filter(({ status }) => status === 401 || status === 403 || status >= 500)).toEqual([]);
}, 300_000);
