import type { Answer } from './server.ts';

interface Version {
  name: string;
  version: string;
  run_id: string;
  source: string;
  tags: { key: string; value: string }[];
}

/** MLflow's model registry in memory: what deploy-model and fetch-metrics ask of it, as MLflow 3.17 answers. */
export class ModelRegistry {
  readonly #models = new Map<string, { versions: Version[]; aliases: Map<string, string> }>();

  register(name: string, runId: string, source: string): Version {
    const model = this.#models.get(name) ?? { versions: [], aliases: new Map<string, string>() };
    this.#models.set(name, model);
    const version = { name, version: String(model.versions.length + 1), run_id: runId, source, tags: [] };
    model.versions.push(version);
    return version;
  }

  setAlias(name: string, alias: string, version: string): void {
    this.#models.get(name)?.aliases.set(alias, version);
  }

  /** @returns undefined for what it does not have */
  answer(method: string, path: string, query: URLSearchParams, body: Record<string, unknown>): Answer | undefined {
    const of = (name: string): string => query.get(name) ?? (typeof body[name] === 'string' ? body[name] : '');
    const name = of('name');
    const model = this.#models.get(name);
    const noModel = missing(`Registered Model with name=${name} not found`);
    const version = model?.versions.find((one) => one.version === of('version'));
    const noVersion = missing(`Model Version (name=${name}, version=${of('version')}) not found`);
    switch (`${method} ${path}`) {
      case 'GET registered-models/get': {
        const aliases = [...(model?.aliases ?? [])].map(([alias, number]) => ({ alias, version: number }));
        return model ? { registered_model: { name, ...(aliases.length > 0 && { aliases }) } } : noModel;
      }
      case 'POST registered-models/create':
        if (model)
          return {
            status: 400,
            body: { error_code: 'RESOURCE_ALREADY_EXISTS', message: `Registered Model (name=${name}) already exists.` },
          };
        this.#models.set(name, { versions: [], aliases: new Map() });
        return { registered_model: { name } };
      case 'GET registered-models/alias': {
        const found = model?.versions.find((one) => one.version === model.aliases.get(of('alias')));
        const problem = { error_code: 'INVALID_PARAMETER_VALUE', message: `Registered model alias ${of('alias')} not found.` };
        return found ? { model_version: found } : { status: 400, body: problem };
      }
      case 'POST registered-models/alias':
        if (!model) return noModel;
        if (!version) return noVersion;
        model.aliases.set(of('alias'), version.version);
        return {};
      case 'DELETE registered-models/alias':
        model?.aliases.delete(of('alias'));
        return model ? {} : noModel;
      case 'POST model-versions/create':
        return model ? { model_version: this.register(name, of('run_id'), of('source')) } : noModel;
      case 'GET model-versions/get':
        return version ? { model_version: version } : noVersion;
      case 'GET model-versions/get-download-uri':
        return version ? { artifact_uri: version.source.replace(/^runs:/u, 'mlflow-artifacts:') } : noVersion;
      case 'GET model-versions/search': {
        const [, runId] = /^run_id = '([^']*)'$/u.exec(of('filter')) ?? [];
        const found = [...this.#models.values()].flatMap(({ versions }) => versions).filter((one) => one.run_id === runId);
        return found.length > 0 ? { model_versions: found } : {};
      }
      case 'POST model-versions/set-tag':
        if (!version) return noVersion;
        version.tags = [...version.tags.filter(({ key }) => key !== of('key')), { key: of('key'), value: of('value') }];
        return {};
      default:
        return undefined;
    }
  }
}

function missing(message: string): Answer {
  return { status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message } };
}
