import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Host } from '@slashtrain/core/action/host';
import { Inputs } from '@slashtrain/core/action/inputs';
import { openWandbRegistry, type WandbRegistry } from '@slashtrain/core/trackers/wandb-registry';
import { serveTracker } from '@slashtrain/testing/trackers/server';
import { startWandb, type FakeWandb } from '@slashtrain/testing/trackers/wandb';
import { openRegistry } from '../../actions/deploy-model/src/registry/open.ts';
import type { Registry } from '../../actions/deploy-model/src/types.ts';
import { keptLog } from '../support/kubernetes.ts';
import { candidateOf, first, registryCases, second, type RegistryWorld } from '../support/registry-cases.ts';

/* W&B's registry by a fake that takes the operations of W&B's public client alone: no real server has answered them. */

const place = { entity: 'acme', project: 'digits' };
const collection = { entity: 'acme-org', project: 'wandb-registry-model', name: 'digits' };
const pinned = (number: number): string => `wandb-artifact://acme-org/wandb-registry-model/digits:v${number - 1}`;

const clientFor = ({ url }: { url: string }): WandbRegistry =>
  openWandbRegistry({ url, from: 'WANDB_BASE_URL', ...place, environment: { WANDB_API_KEY: 'key' }, mask: () => undefined });

/** By the inputs and the environment of a step. */
function modelsFor(url: string, inputs: Record<string, string>, more: NodeJS.ProcessEnv = {}): Registry | undefined {
  const given = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  const environment = { WANDB_BASE_URL: url, WANDB_API_KEY: 'key', WANDB_ENTITY: 'acme', WANDB_PROJECT: 'digits', ...more };
  const host = {
    inputs: new Inputs(Object.fromEntries(given) as NodeJS.ProcessEnv),
    environment,
    log: keptLog(),
    signal: new AbortController().signal,
  };
  return openRegistry(host as Partial<Host> as Host);
}

async function openFakeWandb(): Promise<FakeWandb> {
  const wandb = await startWandb({ key: 'key', ...place });
  wandb.log([
    { name: 'r1', commit: first, group: 'digits-pr1' },
    { name: 'r2', commit: second, group: 'digits-pr2' },
    // The second process of that run logs nothing.
    { name: 'r2-1', commit: second, group: 'digits-pr2' },
  ]);
  return wandb;
}

async function openWorld(): Promise<RegistryWorld> {
  const wandb = await openFakeWandb();
  const registry = clientFor(wandb);
  const logged = [wandb.logArtifact('r1', 'mlp'), wandb.logArtifact('r2', 'mlp', { metadata: '{"loss": NaN}' })];
  wandb.logArtifact('r2', 'mlp', { state: 'PENDING' });
  wandb.logArtifact('r2', 'run-r2-history', { type: 'wandb-history' });
  await registry.link(logged[0]!.id, collection);
  return {
    models: (alias) => modelsFor(wandb.url, { registry: 'wandb', 'registered-model': 'digits', 'registry-alias': alias })!,
    byAlias: (alias) => `wandb-artifact://digits:${alias}`,
    byNumber: pinned,
    version: (number) => `v${number - 1}`,
    named: async (alias) => (await registry.at(collection, alias))?.version,
    move: (alias, number) => registry.setAlias(collection, alias, `v${number - 1}`),
    async tags(number) {
      const { tags, metadata } = logged[number - 1]!;
      // Whatever its program put there stays as it was.
      expect(metadata).toBe('{"loss": NaN}');
      return tags.map((tag) => tag.replace(/^slashtrain-(\w+)-/u, '$1 '));
    },
    close: () => wandb.close(),
  };
}

describe("W&B's registry", () => {
  registryCases(openWorld);
});

describe("W&B's registry, asked by itself", () => {
  let wandb: FakeWandb;
  let registry: WandbRegistry;
  beforeAll(async () => {
    wandb = await openFakeWandb();
    registry = clientFor(wandb);
    wandb.logArtifact('r1', 'mlp');
  });
  afterAll(() => wandb.close());

  it('links what is named by the version that its run logged, and keeps where the run says that its model is', async () => {
    const models = modelsFor(wandb.url, { registry: 'wandb', pipeline: 'digits' })!;
    const logged = 'wandb-artifact://acme/digits/mlp:v0';
    expect(await models.resolve(candidateOf(first, 'digits-pr1', logged))).toEqual({ modelUri: pinned(1), version: 'v0' });
    const uri = 's3://models/digits/1';
    expect(await models.resolve(candidateOf(first, 'digits-pr1', uri))).toEqual({ modelUri: uri, version: 'v0' });
    const own = modelsFor(wandb.url, { registry: 'wandb', 'registered-model': 'digits/served' })!;
    expect(await own.resolve(candidateOf(first, 'digits-pr1'))).toEqual({
      modelUri: 'wandb-artifact://acme/digits/served:v0',
      version: 'v0',
    });
    const links = wandb.requests
      .map(({ body }) => JSON.parse(body) as { query: string; variables: { input: object } })
      .filter(({ query }) => query.startsWith('mutation LinkArtifact'));
    expect(links.map(({ variables }) => variables.input)).toEqual([
      {
        artifactID: expect.any(String),
        artifactPortfolioName: 'digits',
        entityName: 'acme-org',
        projectName: 'wandb-registry-model',
        aliases: [],
      },
      { artifactID: expect.any(String), artifactPortfolioName: 'served', entityName: 'acme', projectName: 'digits', aliases: [] },
    ]);
  });

  it('says what is not there', async () => {
    await expect(registry.find('wandb-artifact://digits:nobody')).rejects.toMatchObject({ code: 'not-found' });
    await expect(registry.find('wandb-artifact://acme/other/digits:v0')).rejects.toThrow('W&B has no project acme/other');
    await expect(registry.find('wandb-artifact://digits')).rejects.toMatchObject({ code: 'input' });
    await expect(registry.collection('elsewhere/wandb-registry-model/digits')).rejects.toThrow('no organization named "elsewhere"');
    expect(await registry.collection('Acme Inc/wandb-registry-model/digits')).toEqual(collection);
    wandb.logArtifact('r2', 'mlp');
    wandb.logArtifact('r2', 'cnn');
    await expect(modelsFor(wandb.url, { registry: 'wandb' })!.resolve(candidateOf(second, 'digits-pr2'))).rejects.toMatchObject({
      message: `the W&B run ${wandb.url}/acme/digits/runs/r2 logged several models: mlp, cnn`,
      remedy: 'name the one: model-uri: wandb-artifact://acme/digits/mlp:v1',
    });
  });

  it.each<[Record<string, string>, NodeJS.ProcessEnv, string]>([
    [{}, { WANDB_ENTITY: '' }, 'input "registry" is wandb, and WANDB_ENTITY is not set'],
    [{}, { WANDB_PROJECT: undefined }, 'input "registry" is wandb, and WANDB_PROJECT is not set'],
    [{ 'registry-alias': 'latest' }, {}, "an alias that is none of W&B's own"],
    [{ 'registry-alias': 'a/b' }, {}, 'a name without / : @ and quotes'],
    [{ 'registered-model': 'a/b/c/d' }, {}, '[[ENTITY/]PROJECT/]NAME'],
  ])('refuses inputs %j with %j', (inputs, environment, words) => {
    expect(() => modelsFor(wandb.url, { registry: 'wandb', ...inputs }, environment)).toThrow(words);
  });

  it('is told as failed where the alias did not move', async () => {
    const artifactCollection = {
      __typename: 'ArtifactPortfolio',
      name: 'digits',
      project: { name: collection.project, entity: { name: 'acme-org' } },
    };
    const stuck = await serveTracker('W&B', async ({ body }) => {
      const { query, variables } = JSON.parse(body) as { query: string; variables: { name: string } };
      if (query.startsWith('mutation')) return { data: { addAliases: { success: true } } };
      const versionIndex = variables.name.endsWith('v1') ? 1 : 0;
      return { data: { project: { artifactCollectionMembership: { versionIndex, artifactCollection, artifact: { id: 'a' } } } } };
    });
    await expect(clientFor(stuck).setAlias(collection, 'champion', 'v1')).rejects.toMatchObject({
      code: 'conflict',
      message: 'the alias acme-org/wandb-registry-model/digits:champion was to name v1 and names v0',
    });
    await stuck.close();
  });
});
