import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { refused } from '@slashtrain/core/action/inputs';
import type { Registry } from '../types.ts';
import { mlflowModels } from './mlflow.ts';

/** The model registry that the inputs name, if any. @throws ActionError `input` */
export function openRegistry({ inputs, environment, log, signal }: Host): Registry | undefined {
  const kind = inputs.choice('registry', ['none', 'mlflow'], 'none');
  if (kind === 'none') return undefined;
  const url = environment['MLFLOW_TRACKING_URI'];
  if (url === undefined || url === '') {
    throw new ActionError('input', 'input "registry" is mlflow, and MLFLOW_TRACKING_URI is not set', {
      remedy: "name the MLflow server in the step's env: MLFLOW_TRACKING_URI: https://mlflow.example.com",
    });
  }
  const model = inputs.text('registered-model') ?? inputs.text('pipeline') ?? 'default';
  const alias = inputs.text('registry-alias') ?? 'champion';
  // https://mlflow.org/docs/latest/ml/model-registry/: neither holds what parts them in models:/NAME@ALIAS.
  for (const [name, value] of [
    ['registered-model', model],
    ['registry-alias', alias],
  ] as const) {
    if (!/^[^/:@'"`\\\n\r]{1,100}$/u.test(value)) throw refused(name, value, 'a name without / : @ and quotes');
  }
  const onRetry = (why: string, seconds: number): void => log.warning(`${why}; trying again in ${Math.round(seconds)} s`);
  return mlflowModels(
    { model, alias },
    { url, from: 'MLFLOW_TRACKING_URI', environment, signal, onRetry, mask: (secret) => log.mask(secret) },
  );
}
