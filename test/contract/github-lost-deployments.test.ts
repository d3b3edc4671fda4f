import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { addDeploymentStatus, createDeployment, type DeploymentState } from '@slashtrain/core/github/deployments';
import { endLostDeployments } from '@slashtrain/core/github/lost-deployments';
import { openFake, type FakeScene } from './github-subjects.ts';

/* What a deploy that was killed leaves on GitHub, and who ends it. */

let scene: FakeScene;
beforeEach(async () => {
  scene = await openFake();
});
afterEach(() => scene.close());

const workflow = { run: 7, attempt: 2 };
const minute = 60_000;
const stateOf = (id: number): string => scene.repository.data.deployments.get(id)?.statuses.at(-1)?.state ?? 'none';

describe('a deployment that a lost runner left', () => {
  it.each<[string, unknown, DeploymentState | undefined, string]>([
    ['of an earlier attempt, without a word', { workflow: { run: 7, attempt: 1 }, queuedUntil: 1 }, undefined, 'error'],
    ['of an earlier attempt, queued', { workflow: { run: 7, attempt: 1 }, queuedUntil: 1 }, 'queued', 'error'],
    ['of another run whose time is over', { workflow: { run: 6, attempt: 1 }, queuedUntil: -1 }, 'queued', 'error'],
    ['of another run that may still wait', { workflow: { run: 6, attempt: 1 }, queuedUntil: 1 }, 'queued', 'queued'],
    ['of a later attempt', { workflow: { run: 7, attempt: 3 }, queuedUntil: 1 }, 'queued', 'queued'],
    // It has a record: who finds that finishes it.
    ['that had begun', { workflow: { run: 7, attempt: 1 }, queuedUntil: -1 }, 'in_progress', 'in_progress'],
    ['that has ended', { workflow: { run: 7, attempt: 1 }, queuedUntil: -1 }, 'success', 'success'],
    ['that is not ours', { anything: true }, 'queued', 'queued'],
    ['whose payload is a text', 'not JSON', 'queued', 'queued'],
    ['whose payload is only like ours', { workflow: { run: '7', attempt: '1' }, queuedUntil: -1 }, 'queued', 'queued'],
  ])('%s', async (_, payload, state, expected) => {
    const github = scene.client({ deployments: 'write' });
    const now = Date.now();
    const { queuedUntil } = payload as { queuedUntil?: number };
    const until = queuedUntil === undefined ? undefined : new Date(now + queuedUntil * minute).toISOString();
    const sent = typeof payload === 'string' ? payload : { ...(payload as object), ...(until ? { queuedUntil: until } : {}) };
    const shown = { sha: scene.head, environment: 'staging', task: 'deploy:digits', description: '', payload: sent as object as Record<string, unknown> }; // prettier-ignore
    const [id, known] = [await createDeployment(github, shown), await createDeployment(github, shown)];
    if (state) await addDeploymentStatus(github, id, { state, description: '' });
    const search = { environment: 'staging', task: 'deploy:digits', workflow, isKnown: (one: number) => one === known, now };
    expect(await endLostDeployments(github, search)).toEqual(expected === 'error' ? [id] : []);
    expect([stateOf(id), stateOf(known)]).toEqual([expected, 'none']);
  });
});
