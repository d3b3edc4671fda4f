import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunRecord } from '@slashtrain/core/run/record';
import { openMlflowRegistry, type MlflowRegistry } from '@slashtrain/core/trackers/mlflow-registry';
import { mlflowModels } from '../../actions/deploy-model/src/registry/mlflow.ts';
import type { Candidate, Registry } from '../../actions/deploy-model/src/types.ts';
import { mlflowTarget, type MlflowTarget } from '../support/mlflow.ts';

/* The same cases on the fake and, where SLASHTRAIN_MLFLOW names a virtual environment, on a real server whose runs its own client logs. */

let target: MlflowTarget;
let registry: MlflowRegistry;
let models: Registry;
let ids: string[];
const [first, second] = ['1'.repeat(40), '2'.repeat(40)];
const uid = '0f0c1c2d-0000-4000-8000-000000000000';

const context = (sha: string, run: string) => ({ 'mlflow.source.git.commit': sha, 'slashtrain.run': run });
const candidate = (sha: string, name: string, modelUri?: string): Candidate => ({
  name: 'digits',
  namespace: 'ml',
  environment: 'production',
  sha,
  run: `jobs.batch/ml/${name}@${uid}`,
  record: { verdict: 'pass' } as RunRecord,
  revision: `${sha.slice(0, 7)}-1`,
  ...(modelUri === undefined ? {} : { modelUri }),
});

beforeAll(async () => {
  target = await mlflowTarget();
  const options = { url: target.url, from: 'MLFLOW_TRACKING_URI', environment: {}, mask: () => undefined };
  registry = openMlflowRegistry(options);
  models = mlflowModels({ model: 'digits', alias: 'champion' }, options);
  ids = await target.log([
    { experiment: 'digits', context: context(first, 'digits-pr1'), model: { name: 'digits', alias: 'champion' } },
    { experiment: 'digits', context: context(second, 'digits-pr2') },
  ]);
});
afterAll(() => target.stop());

describe("MLflow's model registry", () => {
  it('registers a run’s model once, moves the alias with tags, and puts it back', async () => {
    const better = candidate(second, 'digits-pr2');
    const resolved = await models.resolve(better);
    expect(resolved).toEqual({ modelUri: 'models:/digits/2', version: '2' });
    expect(await models.resolve(better)).toEqual(resolved);
    expect(await registry.aliases('digits')).toEqual(new Map([['champion', '1']]));

    const deployed = { ...better, modelUri: 'models:/digits/2' };
    const { version, previous } = await models.plan(deployed);
    expect(version).toBe('2');
    // A runner that died here moved nothing, and nothing is put back.
    await models.back(previous);
    expect(await registry.aliases('digits')).toEqual(new Map([['champion', '1']]));
    await models.promote(deployed, previous);
    expect(await registry.find('models:/digits@champion')).toMatchObject({ name: 'digits', version: '2', runId: ids[1] });
    const answer = await fetch(`${target.url}/api/2.0/mlflow/model-versions/get?name=digits&version=2`);
    const { model_version: found } = (await answer.json()) as { model_version: { tags: { key: string; value: string }[] } };
    expect(new Set(found.tags)).toEqual(
      new Set([
        { key: 'slashtrain.sha', value: second },
        { key: 'slashtrain.run', value: 'digits-pr2' },
        { key: 'slashtrain.environment', value: 'production' },
        { key: 'slashtrain.verdict', value: 'pass' },
      ]),
    );
    // The state passes through a ConfigMap.
    await models.back(JSON.parse(JSON.stringify(previous)) as typeof previous);
    expect(await registry.aliases('digits')).toEqual(new Map([['champion', '1']]));
  });

  it('deploys by alias what the same commit made, and nothing else', async () => {
    expect(await models.resolve(candidate(first, 'digits-pr1', 'models:/digits@champion'))).toEqual({
      modelUri: 'models:/digits/1',
      version: '1',
    });
    await expect(models.resolve(candidate(second, 'digits-pr2', 'models:/digits@champion'))).rejects.toThrow(
      `models:/digits/1 was made by commit ${first}, and ${second} is deployed`,
    );
  });

  it('says what is not there', async () => {
    await expect(registry.find('models:/digits@nobody')).rejects.toMatchObject({ code: 'not-found', remedy: 'it has: champion' });
    await expect(registry.find('models:/digits/7')).rejects.toMatchObject({ code: 'not-found' });
    await expect(registry.find('digits')).rejects.toMatchObject({ code: 'input' });
    await expect(models.resolve(candidate('3'.repeat(40), 'digits-pr3'))).rejects.toThrow('no run on the MLflow server');
  });

  it('takes away an alias that was not there before, and leaves one that somebody has moved since', async () => {
    const options = { url: target.url, from: 'MLFLOW_TRACKING_URI', environment: {}, mask: () => undefined };
    const challenger = mlflowModels({ model: 'digits', alias: 'challenger' }, options);
    const { previous } = await challenger.plan(candidate(second, 'digits-pr2'));
    await challenger.promote(candidate(second, 'digits-pr2'), previous);
    await registry.setAlias('digits', 'challenger', '1');
    await challenger.back(previous);
    expect((await registry.aliases('digits')).get('challenger')).toBe('1');
    await registry.setAlias('digits', 'challenger', '2');
    await challenger.back(previous);
    expect((await registry.aliases('digits')).has('challenger')).toBe(false);
    await challenger.back(previous);
  });
});
