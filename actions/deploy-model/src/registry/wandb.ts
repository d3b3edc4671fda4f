import { ActionError } from '@slashtrain/core/action/errors';
import { parseReference } from '@slashtrain/core/run/reference';
import type { TrackedRun } from '@slashtrain/core/trackers/tracked';
import { openWandb, type WandbOptions } from '@slashtrain/core/trackers/wandb';
import {
  isWandbUri,
  openWandbRegistry,
  pathOf,
  uriOf,
  type WandbCollection,
  type WandbVersion,
} from '@slashtrain/core/trackers/wandb-registry';
import type { Candidate, Registry } from '../types.ts';
import { readState } from './state.ts';

/** What the inputs say of the registry. */
export interface WandbInputs {
  /** The collection: `[[ENTITY/]PROJECT/]NAME`. */
  model: string;
  /** The alias that names what is deployed: `champion`. */
  alias: string;
}

// Of a run with several processes, one logs the model.
const mostRuns = 20;

/**
 * W&B's registry. What is linked to the collection is the model that the candidate's W&B run logged: the newest of the run's group
 * that logged one or, else, of its commit. What is named by its version must be of the same commit.
 */
export function wandbModels({ model, alias }: WandbInputs, options: WandbOptions & { entity: string; project: string }): Registry {
  const registry = openWandbRegistry(options);
  const { entity, project } = options;
  const newest = async (filters: object, of: { entity: string; project: string }): Promise<TrackedRun[]> => {
    for await (const page of openWandb({ ...options, ...of }).searchRuns(filters)) return page;
    return [];
  };

  const modelOf = async (candidate: Candidate): Promise<string> => {
    const { sha } = candidate;
    const group = parseReference(candidate.run).name;
    for (const filter of [{ group }, { $or: [{ commit: sha }, { 'config.github_sha.value': sha }] }]) {
      const runs = (await newest(filter, { entity, project })).filter(({ commit }) => commit === sha);
      for (const run of runs.slice(0, mostRuns)) {
        const [found, ...more] = (await registry.models(run.id)).toSorted((a, b) => b.index - a.index);
        const other = more.find(({ name }) => name !== found?.name);
        if (found && !other) return found.artifactId;
        if (found && other) {
          throw new ActionError('input', `the W&B run ${run.url} logged several models: ${found.name}, ${other.name}`, {
            remedy: `name the one: model-uri: wandb-artifact://${entity}/${project}/${found.name}:v${found.index}`,
          });
        }
      }
    }
    throw new ActionError(
      'not-found',
      `no run of ${entity}/${project} on ${registry.url} that is of ${candidate.run} or its commit ${sha} logged a model`,
      {
        remedy:
          "let the training log it: run.log_artifact(wandb.Artifact(name, type='model')); submit-pipeline sets WANDB_RUN_GROUP and WANDB_GIT_COMMIT for it",
      },
    );
  };

  const versionOf = async (candidate: Candidate): Promise<WandbVersion> => {
    const { modelUri } = candidate;
    if (modelUri === undefined || !isWandbUri(modelUri)) return registry.link(await modelOf(candidate), await registry.collection(model));
    const found = await registry.find(modelUri);
    await checkCommit(found, candidate);
    return found.isLinked ? found : registry.link(found.artifactId, await registry.collection(model));
  };

  const checkCommit = async (version: WandbVersion, { sha }: Candidate): Promise<void> => {
    const maker = await registry.maker(version.artifactId);
    const runs = maker ? await newest({ name: maker.run }, maker) : [];
    const commit = runs.find(({ id }) => id === maker?.run)?.commit;
    if (commit === sha) return;
    throw new ActionError('mismatch', `${uriOf(version)} was made by commit ${commit ?? '(none is known)'}, and ${sha} is deployed`, {
      remedy: 'deploy the commit that made it, or leave "model-uri" out',
    });
  };

  return {
    name: 'wandb',

    async resolve(candidate) {
      const version = await versionOf(candidate);
      const { modelUri } = candidate;
      // What the run says of where its model is stays; else only W&B's own clients know, by the version.
      const isTheirs = modelUri !== undefined && !isWandbUri(modelUri);
      return { modelUri: isTheirs ? modelUri : uriOf(version), version: version.version };
    },

    async plan(candidate) {
      const { collection, version } = await versionOf(candidate);
      const before = await registry.at(collection, alias);
      return { version, previous: { model: pathOf(collection), alias, version: before?.version ?? null, set: version } };
    },

    async promote({ sha, environment, record: { verdict } }, planned) {
      const { model: path, alias: moved, set } = readState(planned);
      const collection = collectionIn(path);
      const tags = { 'slashtrain-sha': sha, 'slashtrain-environment': environment };
      await registry.tag({ collection, version: set }, { ...tags, ...(verdict === undefined ? {} : { 'slashtrain-verdict': verdict }) });
      await registry.setAlias(collection, moved, set);
    },

    async back(previous) {
      const { model: path, alias: moved, version, set } = readState(previous);
      const collection = collectionIn(path);
      const now = await registry.at(collection, moved);
      // It was not moved yet, or somebody has moved it since: that is theirs.
      if (now?.version !== set) return;
      if (version === null) await registry.dropAlias(collection, moved);
      else await registry.setAlias(collection, moved, version);
    },
  };
}

function collectionIn(path: string): WandbCollection {
  const [entity = '', project = '', name = ''] = path.split('/');
  return { entity, project, name };
}
