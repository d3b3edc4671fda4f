import { describe, expect, it } from '@jest/globals';
import { openMlflowRegistry } from '@slashtrain/core/trackers/mlflow-registry';
import { mlflowModels } from '../../actions/deploy-model/src/registry/mlflow.ts';
import { mlflowTarget, type MlflowTarget } from '../support/mlflow.ts';
import { first, registryCases, second, type RegistryWorld } from '../support/registry-cases.ts';

/* The same cases on the fake and, where SLASHTRAIN_MLFLOW names a virtual environment, on a real server whose runs its own client logs. */

const context = (sha: string, run: string) => ({ 'mlflow.source.git.commit': sha, 'slashtrain.run': run });
const optionsFor = ({ url }: MlflowTarget) => ({ url, from: 'MLFLOW_TRACKING_URI', environment: {}, mask: () => undefined });

let target: MlflowTarget;
let ids: string[];

async function openWorld(): Promise<RegistryWorld> {
  target = await mlflowTarget();
  ids = await target.log([
    { experiment: 'digits', context: context(first, 'digits-pr1'), model: { name: 'digits', alias: 'champion' } },
    { experiment: 'digits', context: context(second, 'digits-pr2') },
  ]);
  const registry = openMlflowRegistry(optionsFor(target));
  return {
    models: (alias) => mlflowModels({ model: 'digits', alias }, optionsFor(target)),
    byAlias: (alias) => `models:/digits@${alias}`,
    byNumber: (number) => `models:/digits/${number}`,
    version: String,
    named: async (alias) => (await registry.aliases('digits')).get(alias),
    move: (alias, number) => registry.setAlias('digits', alias, String(number)),
    async tags(number) {
      const answer = await fetch(`${target.url}/api/2.0/mlflow/model-versions/get?name=digits&version=${number}`);
      const { model_version: found } = (await answer.json()) as { model_version: { tags: { key: string; value: string }[] } };
      expect(found.tags).toContainEqual({ key: 'slashtrain.run', value: `digits-pr${number}` });
      return found.tags.map(({ key, value }) => `${key.replace('slashtrain.', '')} ${value}`);
    },
    close: () => target.stop(),
  };
}

describe("MLflow's model registry", () => {
  registryCases(openWorld);

  it('finds a version by its alias, and says what is not there', async () => {
    const registry = openMlflowRegistry(optionsFor(target));
    expect(await registry.find('models:/digits@champion')).toMatchObject({ name: 'digits', version: '1', runId: ids[0] });
    await expect(registry.find('models:/digits@nobody')).rejects.toMatchObject({ code: 'not-found', remedy: 'it has: champion' });
    await expect(registry.find('models:/digits/7')).rejects.toMatchObject({ code: 'not-found' });
    await expect(registry.find('digits')).rejects.toMatchObject({ code: 'input' });
  });
});
