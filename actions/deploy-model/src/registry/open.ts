import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { refused } from '@slashtrain/core/action/inputs';
import type { Registry } from '../types.ts';
import { mlflowModels } from './mlflow.ts';
import { wandbModels } from './wandb.ts';

/** The model registry that the inputs name, if any. @throws ActionError `input` */
export function openRegistry(host: Host): Registry | undefined {
  const { inputs, environment, log, signal } = host;
  const kind = inputs.choice('registry', ['none', 'mlflow', 'wandb'], 'none');
  if (kind === 'none') return undefined;
  const model = inputs.text('registered-model') ?? inputs.text('pipeline') ?? 'default';
  const alias = inputs.text('registry-alias') ?? 'champion';
  const onRetry = (why: string, seconds: number): void => log.warning(`${why}; trying again in ${Math.round(seconds)} s`);
  const common = { environment, signal, onRetry, mask: (secret: string): void => log.mask(secret) };
  checkName('registry-alias', alias, plain);
  if (kind === 'mlflow') {
    const url = needed(
      host,
      kind,
      'MLFLOW_TRACKING_URI',
      "name the MLflow server in the step's env: MLFLOW_TRACKING_URI: https://mlflow.example.com",
    );
    checkName('registered-model', model, plain);
    return mlflowModels({ model, alias }, { url, from: 'MLFLOW_TRACKING_URI', ...common });
  }
  const entity = needed(host, kind, 'WANDB_ENTITY', "name the team whose runs they are in the step's env: WANDB_ENTITY: my-team");
  const project = needed(host, kind, 'WANDB_PROJECT', "name the project of the runs in the step's env: WANDB_PROJECT: digits");
  checkName('registered-model', model, collection);
  // https://docs.wandb.ai/guides/core/artifacts/create-a-custom-alias/: these W&B gives by itself.
  if (/^(?:latest|v[0-9]+)$/u.test(alias))
    throw refused('registry-alias', alias, "an alias that is none of W&B's own, latest and v0, v1, …");
  const url = environment['WANDB_BASE_URL'] || 'https://api.wandb.ai';
  return wandbModels({ model, alias }, { url, from: 'WANDB_BASE_URL', entity, project, ...common });
}

// https://mlflow.org/docs/latest/ml/model-registry/: neither holds what parts them in models:/NAME@ALIAS.
const plain = { form: /^[^/:@'"`\\\n\r]{1,100}$/u, words: 'a name without / : @ and quotes' };
// https://github.com/wandb/wandb/blob/v0.22.3/wandb/sdk/artifacts/_validators.py, `ArtifactPath`
const collection = { form: /^(?:[^/:#?%@'"`\\\n\r]{1,128}\/){0,2}[^/:#?%@'"`\\\n\r]{1,100}$/u, words: '[[ENTITY/]PROJECT/]NAME' };

function checkName(name: string, value: string, { form, words }: typeof plain): void {
  if (!form.test(value)) throw refused(name, value, words);
}

function needed({ environment }: Host, kind: string, name: string, remedy: string): string {
  const value = environment[name];
  if (value !== undefined && value !== '') return value;
  throw new ActionError('input', `input "registry" is ${kind}, and ${name} is not set`, { remedy });
}
