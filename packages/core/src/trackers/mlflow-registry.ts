import { ActionError } from '../action/errors.ts';
import { understanding, type JsonClient } from './http.ts';
import { quoted, mlflowServer, type MlflowOptions } from './mlflow.ts';

/** A version of a registered model. */
export interface ModelVersion {
  name: string;
  version: string;
  /** The MLflow run that made it; absent where none is known. */
  runId?: string;
  /** Where its files are, as it was registered: `runs:/…/model`, `s3://…`. */
  source: string;
}

/**
 * MLflow's model registry (https://mlflow.org/docs/latest/api_reference/rest-api.html#registered-models). Every write may
 * be sent twice: a version that a lost answer made twice is found by its run, the older one.
 */
export interface MlflowRegistry {
  readonly url: string;
  /** Registers a run's model, unless that is done. */
  register(model: { name: string; runId: string; source: string }): Promise<ModelVersion>;
  /** By `models:/NAME@ALIAS` or `models:/NAME/VERSION`. @throws ActionError `input`, `not-found` */
  find(uri: string): Promise<ModelVersion>;
  /** Where its files really are, such as `s3://…` or `mlflow-artifacts:/…`. */
  downloadUri(version: Pick<ModelVersion, 'name' | 'version'>): Promise<string>;
  /** The aliases of a model and the versions that they name; none where there is no such model. */
  aliases(name: string): Promise<Map<string, string>>;
  setAlias(name: string, alias: string, version: string): Promise<void>;
  /** Takes an alias away; none is no error. */
  dropAlias(name: string, alias: string): Promise<void>;
  tag(version: Pick<ModelVersion, 'name' | 'version'>, tags: Readonly<Record<string, string>>): Promise<void>;
}

const base = '/api/2.0/mlflow';

export function openMlflowRegistry(options: MlflowOptions): MlflowRegistry {
  const json = mlflowServer(options);
  const registry: MlflowRegistry = {
    url: json.url,

    async register({ name, runId, source }) {
      const known = await ofRun(json, name, runId);
      if (known) return known;
      await createModel(json, name);
      const made = (await json.post(`${base}/model-versions/create`, { name, source, run_id: runId })) as { model_version?: VersionData };
      return read(made.model_version);
    },

    async find(uri) {
      const [, name = '', separator = '', which = ''] = /^models:\/([^/@]+)([/@])([^/@]+)$/u.exec(uri) ?? [];
      if (name === '') {
        throw new ActionError('input', `${JSON.stringify(uri.slice(0, 200))} names no registered model`, {
          remedy: 'write models:/NAME@ALIAS or models:/NAME/VERSION',
        });
      }
      const version = separator === '/' ? which : (await registry.aliases(name)).get(which);
      if (version === undefined) {
        const has = [...(await registry.aliases(name)).keys()];
        throw new ActionError('not-found', `the registered model "${name}" on ${json.url} has no alias "${which}"`, {
          remedy: has.length > 0 ? `it has: ${has.join(', ')}` : 'deploy a run with this alias first',
        });
      }
      const query: [string, string][] = [
        ['name', name],
        ['version', version],
      ];
      const found = (await json.get(`${base}/model-versions/get`, query)) as { model_version?: VersionData };
      return read(found.model_version);
    },

    async downloadUri({ name, version }) {
      const query: [string, string][] = [
        ['name', name],
        ['version', version],
      ];
      const { artifact_uri: uri } = (await json.get(`${base}/model-versions/get-download-uri`, query)) as { artifact_uri?: string };
      return uri ?? '';
    },

    async aliases(name) {
      const model = await modelOf(json, name);
      return new Map((model?.aliases ?? []).map(({ alias, version }) => [alias, String(version)]));
    },

    async setAlias(name, alias, version) {
      await json.post(`${base}/registered-models/alias`, { name, alias, version });
    },

    async dropAlias(name, alias) {
      if (!(await registry.aliases(name)).has(alias)) return;
      await json.delete(`${base}/registered-models/alias`, { name, alias });
    },

    async tag({ name, version }, tags) {
      for (const [key, value] of Object.entries(tags)) await json.post(`${base}/model-versions/set-tag`, { name, version, key, value });
    },
  };
  return understanding('MLflow', json.url, registry);
}

interface VersionData {
  name?: string;
  version?: string | number;
  run_id?: string;
  source?: string;
}

interface ModelData {
  aliases?: { alias: string; version: string | number }[];
}

function read(data: VersionData | undefined): ModelVersion {
  const { name = '', version, run_id: runId, source = '' } = data ?? {};
  if (version === undefined) throw new ActionError('unreachable', 'MLflow answered a model version that has no number');
  return { name, version: String(version), ...(runId ? { runId } : {}), source };
}

/** The first version of the model that the run made. */
async function ofRun(json: JsonClient, name: string, runId: string): Promise<ModelVersion | undefined> {
  const filter = `run_id = ${quoted(runId)}`;
  const { model_versions: found = [] } = (await json.get(`${base}/model-versions/search`, [['filter', filter]])) as {
    model_versions?: VersionData[];
  };
  const own = found.filter((one) => one.name === name).sort((a, b) => Number(a.version) - Number(b.version));
  return own[0] && read(own[0]);
}

async function modelOf(json: JsonClient, name: string): Promise<ModelData | undefined> {
  try {
    const { registered_model: model } = (await json.get(`${base}/registered-models/get`, [['name', name]])) as {
      registered_model?: ModelData;
    };
    return model;
  } catch (error) {
    if (error instanceof ActionError && error.code === 'not-found') return undefined;
    throw error;
  }
}

async function createModel(json: JsonClient, name: string): Promise<void> {
  if (await modelOf(json, name)) return;
  try {
    await json.post(`${base}/registered-models/create`, { name });
  } catch (error) {
    // Another runner was faster.
    if (!(await modelOf(json, name))) throw error;
  }
}
