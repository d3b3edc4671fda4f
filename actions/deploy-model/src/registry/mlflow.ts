import { ActionError } from '@slashtrain/core/action/errors';
import { openMlflow, quoted, type MlflowOptions } from '@slashtrain/core/trackers/mlflow';
import { openMlflowRegistry, type ModelVersion } from '@slashtrain/core/trackers/mlflow-registry';
import { parseReference } from '@slashtrain/core/run/reference';
import type { Candidate, Registry } from '../types.ts';
import { readState } from './state.ts';

/** What the inputs say of the registry. */
export interface MlflowInputs {
  /** Of the registered model. */
  model: string;
  /** The alias that names what is deployed: `champion`. */
  alias: string;
}

const commitTag = 'mlflow.source.git.commit';
const runTag = 'slashtrain.run';

/**
 * MLflow's registry. A model that is not registered yet is the candidate's run's: the MLflow run that carries the run's
 * name or, else, its commit. One that is registered must be of the same commit.
 */
export function mlflowModels({ model, alias }: MlflowInputs, options: MlflowOptions): Registry {
  const registry = openMlflowRegistry(options);
  const mlflow = openMlflow(options);

  const runOf = async (candidate: Candidate): Promise<string> => {
    const experimentIds = await mlflow.experimentIds([]);
    for (const [tag, value] of [
      [runTag, parseReference(candidate.run).name],
      [commitTag, candidate.sha],
    ] as const) {
      const filter = `tags.\`${tag}\` = ${quoted(value)}`;
      for await (const [run] of mlflow.searchRuns({ experimentIds, filter, orderBy: ['attributes.start_time DESC'] }))
        if (run) return run.id;
    }
    throw new ActionError(
      'not-found',
      `no run on the MLflow server ${registry.url} is of ${candidate.run} or its commit ${candidate.sha}`,
      {
        remedy: 'let the training log to this server; submit-pipeline sets MLFLOW_RUN_CONTEXT for it',
      },
    );
  };

  const versionOf = async (candidate: Candidate): Promise<ModelVersion> => {
    const { modelUri } = candidate;
    if (modelUri?.startsWith('models:/')) {
      const version = await registry.find(modelUri);
      await checkCommit(version, candidate);
      return version;
    }
    const runId = await runOf(candidate);
    return registry.register({ name: model, runId, source: modelUri ?? `runs:/${runId}/model` });
  };

  const checkCommit = async ({ name, version, runId }: ModelVersion, { sha }: Candidate): Promise<void> => {
    const commit = runId === undefined ? undefined : (await mlflow.run(runId)).commit;
    if (commit === sha) return;
    throw new ActionError(
      'mismatch',
      `models:/${name}/${version} was made by commit ${commit ?? '(none is known)'}, and ${sha} is deployed`,
      {
        remedy: 'deploy the commit that made it, or leave "model-uri" out',
      },
    );
  };

  return {
    name: 'mlflow',

    async resolve(candidate) {
      const version = await versionOf(candidate);
      const uri = await registry.downloadUri(version);
      // What the server hands out itself is known to its own clients alone, by the version.
      const isOwn = uri === '' || /^(mlflow-artifacts|file|runs|models):/u.test(uri) || uri.startsWith('/');
      return { modelUri: isOwn ? `models:/${version.name}/${version.version}` : uri, version: version.version };
    },

    async plan(candidate) {
      const { name, version } = await versionOf(candidate);
      const before = (await registry.aliases(name)).get(alias);
      return { version, previous: { model: name, alias, version: before ?? null, set: version } };
    },

    async promote({ sha, run, environment, record: { verdict } }, planned) {
      const { model: name, alias: moved, set } = readState(planned);
      await registry.tag(
        { name, version: set },
        {
          'slashtrain.sha': sha,
          'slashtrain.run': parseReference(run).name,
          'slashtrain.environment': environment,
          ...(verdict === undefined ? {} : { 'slashtrain.verdict': verdict }),
        },
      );
      await registry.setAlias(name, moved, set);
    },

    async back(previous) {
      const { model: name, alias: moved, version, set } = readState(previous);
      const now = (await registry.aliases(name)).get(moved);
      // It was not moved yet, or somebody has moved it since: that is theirs.
      if (now !== set) return;
      if (version === null) await registry.dropAlias(name, moved);
      else await registry.setAlias(name, moved, version);
    },
  };
}
