import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { digitsFiles } from '@slashtrain/testing/demo/example';
import { openDigits, type DigitsWorld } from '../support/digits.ts';
import { keptLog } from '../support/kubernetes.ts';

/*
 * The example's /deploy and /rollback, where a model does not hold: the story of a good one is the demo's.
 */
let world: DigitsWorld;
let client: KubernetesClient;
beforeAll(async () => {
  world = await openDigits();
  client = await openKubernetes({ kubeconfig: world.place.kubeconfig, environment: {}, log: keptLog() });
});
afterAll(() => world.close());

const deployments = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' };
const commit = 'slashtrain.dev/sha';

/** What a comment's workflow came to, and what its deploy said. */
async function say(
  number: number,
  body: string,
): Promise<{ jobs: Record<string, string | undefined>; state: string | undefined; errors: string }> {
  const [run] = await world.workflows.dispatch(world.comment(number, 'ada', body).event);
  const step = run?.jobs.flatMap(({ steps }) => steps).find(({ id }) => id === 'deploy');
  return {
    jobs: Object.fromEntries(run?.jobs.map((job) => [job.id, job.conclusion]) ?? []),
    state: step?.outputs['state'],
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

it('takes a model back that answers nonsense, and goes back where it is told to', async () => {
  const { repository } = world;
  const push = (files: Record<string, string>): string => repository.commit({ branch: 'topic', files, author: 'ada' });
  const settings = (hidden: number): string => `${JSON.stringify({ hidden, 'learning-rate': 0.1, batch: 16 })}\n`;
  const { number, sha: first } = world.open({ 'settings.json': settings(32) });

  expect(await say(number, '/deploy environment=staging')).toMatchObject({ jobs: { command: 'success', deploy: 'failure' } });
  expect(await running()).toBeUndefined();
  expect(await say(number, '/train epochs=5')).toMatchObject({ jobs: { train: 'success', deploy: 'skipped' } });
  expect(await say(number, '/deploy environment=staging')).toMatchObject({
    jobs: { train: 'skipped', deploy: 'success' },
    state: 'success',
  });
  expect(await running()).toBe(first);

  const serve = String(digitsFiles()['serve.js']);
  const nonsense = push({ 'serve.js': serve.replace(/\.digit;$/mu, '.digit + 1;') });
  await say(number, '/train epochs=5');
  const refused = await say(number, '/deploy environment=staging');
  expect(refused).toMatchObject({ jobs: { deploy: 'failure' }, state: 'failure', errors: expect.stringContaining('it reads a zero') });
  expect(await running()).toBe(first);

  const second = push({ 'serve.js': serve, 'settings.json': settings(48) });
  await say(number, '/train epochs=5');
  expect((await say(number, '/deploy environment=staging')).state).toBe('success');
  expect(await running()).toBe(second);
  expect((await say(number, '/rollback environment=staging')).state).toBe('success');
  expect(await running()).toBe(first);

  expect(states()).toEqual([
    [first, ['queued', 'in_progress', 'success', 'inactive']],
    [nonsense, ['queued', 'in_progress', 'failure']],
    [second, ['queued', 'in_progress', 'success', 'inactive']],
    [first, ['queued', 'in_progress', 'success']],
  ]);
  expect(world.github.requests.filter(({ status }) => status === 401 || status === 403 || status >= 500)).toEqual([]);
}, 300_000);
