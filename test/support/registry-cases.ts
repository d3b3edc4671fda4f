import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Host } from '@slashtrain/core/action/host';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { createDeployment } from '@slashtrain/core/github/deployments';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { Rollout, StoredRollout } from '@slashtrain/core/rollouts/rollout';
import type { RolloutStore } from '@slashtrain/core/rollouts/store';
import type { RunRecord } from '@slashtrain/core/run/record';
import { advance, TakenBack } from '../../actions/deploy-model/src/deploy.ts';
import { takeBack } from '../../actions/deploy-model/src/finish.ts';
import type { CommonInputs } from '../../actions/deploy-model/src/inputs.ts';
import type { Advance } from '../../actions/deploy-model/src/parts.ts';
import type { Candidate, Registry } from '../../actions/deploy-model/src/types.ts';
import { openFake, type FakeScene } from '../contract/github-subjects.ts';
import { keptLog } from './kubernetes.ts';

/** A registry with the model `digits`: its first version is of {@link first} and the champion; a run of {@link second} waits. */
export interface RegistryWorld {
  models(alias: string): Registry;
  /** @example `models:/digits@champion` */
  byAlias(alias: string): string;
  /** As deploys name it: the first is 1. */
  byNumber(number: number): string;
  /** As the registry names it. */
  version(number: number): string;
  /** The version that an alias names. */
  named(alias: string): Promise<string | undefined>;
  /** What somebody else does. */
  move(alias: string, number: number): Promise<void>;
  /** Of a version, `name value`. */
  tags(number: number): Promise<string[]>;
  close(): Promise<void>;
}

export const [first, second] = ['1'.repeat(40), '2'.repeat(40)];
const uid = '0f0c1c2d-0000-4000-8000-000000000000';

export function candidateOf(sha: string, name: string, modelUri?: string): Candidate {
  return {
    name: 'digits',
    namespace: 'ml',
    environment: 'production',
    sha,
    run: `jobs.batch/ml/${name}@${uid}`,
    record: { verdict: 'pass' } as RunRecord,
    revision: `${sha.slice(0, 7)}-1`,
    ...(modelUri === undefined ? {} : { modelUri }),
  };
}

/** What holds for every model registry. */
export function registryCases(open: () => Promise<RegistryWorld>): void {
  let world: RegistryWorld;
  let github: FakeScene;
  beforeAll(async () => {
    [world, github] = await Promise.all([open(), openFake()]);
  });
  afterAll(() => Promise.all([world.close(), github.close()]));
  beforeEach(() => world.move('champion', 1));
  const better = (): Candidate => candidateOf(second, 'digits-pr2', world.byNumber(2));

  it('registers a run’s model once, moves the alias with tags, and puts it back', async () => {
    const models = world.models('champion');
    const found = candidateOf(second, 'digits-pr2');
    const resolved = await models.resolve(found);
    expect(resolved).toEqual({ modelUri: world.byNumber(2), version: world.version(2) });
    expect(await models.resolve(found)).toEqual(resolved);
    expect(await world.named('champion')).toBe(world.version(1));
    const { version, previous } = await models.plan(better());
    expect(version).toBe(world.version(2));
    await models.promote(better(), previous);
    await models.promote(better(), previous);
    expect(await world.named('champion')).toBe(world.version(2));
    expect(await world.tags(2)).toEqual(expect.arrayContaining([`sha ${second}`, 'environment production', 'verdict pass']));
    // The state passes through a ConfigMap.
    const kept = JSON.parse(JSON.stringify(previous)) as typeof previous;
    await models.back(kept);
    await models.back(kept);
    expect(await world.named('champion')).toBe(world.version(1));
  });

  it('deploys by alias what the same commit made, and nothing else', async () => {
    const models = world.models('champion');
    expect(await models.resolve(candidateOf(first, 'digits-pr1', world.byAlias('champion')))).toEqual({
      modelUri: world.byNumber(1),
      version: world.version(1),
    });
    await expect(models.resolve(candidateOf(second, 'digits-pr2', world.byAlias('champion')))).rejects.toThrow(
      `${world.byNumber(1)} was made by commit ${first}, and ${second} is deployed`,
    );
    await expect(models.resolve(candidateOf(second, 'digits-pr2', world.byAlias('nobody')))).rejects.toMatchObject({ code: 'not-found' });
    await expect(models.resolve(candidateOf('3'.repeat(40), 'digits-pr3'))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('takes away an alias that was not there before, and leaves one that somebody has moved since', async () => {
    const challenger = world.models('challenger');
    const { previous } = await challenger.plan(better());
    await challenger.promote(better(), previous);
    await world.move('challenger', 1);
    await challenger.back(previous);
    expect(await world.named('challenger')).toBe(world.version(1));
    await world.move('challenger', 2);
    await challenger.back(previous);
    expect(await world.named('challenger')).toBeUndefined();
    await challenger.back(previous);
  });

  it('has the alias back after a deploy that failed once it was moved', async () => {
    const { turn, store } = await deploying(github, world, async (move) => {
      await move();
      throw new Error('the registry is full');
    });
    await expect(advance(store.stored, [], turn)).rejects.toThrow(TakenBack);
    expect(store.stored.rollout).toMatchObject({ state: 'restored', message: expect.stringContaining('the registry is full') });
    expect(await world.named('champion')).toBe(world.version(1));
  });

  it.each([
    ['between plan and move', false],
    ['right after the move', true],
  ])('has the alias where it was after a runner died %s', async (_, isMoved) => {
    const { turn, store, registry } = await deploying(github, world, async (move) => {
      if (isMoved) await move();
      store.isDead = true;
      throw new Error('killed');
    });
    await expect(advance(store.stored, [], turn)).rejects.toThrow('a dead runner writes nothing');
    expect(await world.named('champion')).toBe(world.version(isMoved ? 2 : 1));
    expect(store.stored.rollout).toMatchObject({ state: 'started', registry: { name: registry.name } });
    store.isDead = false;
    // As the next deploy does, or deploy-model for sync-runs.
    expect(await takeBack(store.stored, 'its runner was lost', { ...turn, registry, timeout: 10 })).toMatchObject({ restored: true });
    expect(await world.named('champion')).toBe(world.version(1));
    expect(store.stored.rollout.state).toBe('restored');
  });

  it('has the alias on the new one after a deploy that holds', async () => {
    const { turn, store } = await deploying(github, world, (move) => move());
    await advance(store.stored, [], turn);
    expect(store.stored.rollout.state).toBe('deployed');
    expect(await world.named('champion')).toBe(world.version(2));
  });

  /** A deploy of the better model whose objects stand: what is left is the alias. */
  async function deploying(
    scene: FakeScene,
    { models }: RegistryWorld,
    promoting: (move: () => Promise<void>) => Promise<void>,
  ): Promise<{ turn: Advance; store: MemoryStore; registry: Registry }> {
    const registry = models('champion');
    const client = scene.client({ deployments: 'write' });
    const deploymentId = await createDeployment(client, {
      sha: scene.head,
      environment: 'production',
      task: 'deploy:digits',
      description: '',
      payload: {},
    });
    const { environment, name, sha, run, revision } = better();
    const store = new MemoryStore({
      version: 1,
      repository: { id: 1, fullName: 'ada/digits' },
      ...{ environment, name, sha, run, revision, deploymentId },
      target: 'deployment',
      pipeline: 'digits',
      actor: 'ada',
      createdAt: '2026-01-01T00:00:00Z',
      state: 'started',
      saved: { objects: [], absent: [] },
      applied: [],
      inputs: [],
    });
    const signal = new AbortController().signal;
    const host = { log: keptLog(), environment: {}, signal, now: () => 0, setOutput: () => undefined, summarise: async () => undefined };
    const turn = {
      inputs: { timeout: 10, url: undefined, readiness: new Map() } as Partial<CommonInputs> as CommonInputs,
      host: host as Partial<Host> as Host,
      context: { owner: 'ada', repo: 'digits', serverUrl: 'https://github.com', runId: 1 } as Partial<GitHubContext> as GitHubContext,
      github: client,
      // Nothing is applied, nothing restored: it is not asked.
      client: { namespace: 'ml' } as Partial<KubernetesClient> as KubernetesClient,
      rollouts: store,
      tools: { endpointsOf: () => Promise.reject(new Error('it answers nowhere')) },
      registry: { ...registry, promote: (one: Candidate, planned) => promoting(() => registry.promote(one, planned)) } satisfies Registry,
      signal,
      kinds: () => {
        throw new Error('there are no objects');
      },
      notes: [],
      candidate: better(),
    };
    return { turn: turn as Partial<Advance> as Advance, store, registry };
  }
}

/** The record of one rollout, by a runner that may die. */
class MemoryStore implements RolloutStore {
  stored: StoredRollout;
  isDead = false;

  constructor(rollout: Rollout) {
    this.stored = { namespace: 'ml', name: 'deploy-digits', uid, resourceVersion: '1', in: 'ConfigMap', rollout };
  }

  async update(_: StoredRollout, change: (rollout: Rollout) => Rollout): Promise<StoredRollout> {
    if (this.isDead) throw new Error('a dead runner writes nothing');
    this.stored = { ...this.stored, rollout: JSON.parse(JSON.stringify(change(this.stored.rollout))) as Rollout };
    return this.stored;
  }

  get = async (): Promise<StoredRollout> => this.stored;
  find = async (): Promise<StoredRollout[]> => [this.stored];
  create = async (): Promise<StoredRollout> => this.stored;
  delete = async (): Promise<void> => undefined;
}
