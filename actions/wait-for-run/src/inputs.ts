import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { readArgoInputs, type ArgoInputs } from '@slashtrain/core/backend/argo-inputs';
import { readKfpInputs, type KfpInputs } from '@slashtrain/core/backend/kfp/inputs';
import { checkPipelineName } from '@slashtrain/core/run/name';

/** The inputs of wait-for-run, each checked by itself. */
export interface WaitInputs {
  token: string;
  run: string | undefined;
  pullRequest: number | undefined;
  sha: string | undefined;
  pipeline: string;
  /** Seconds. */
  timeout: number | undefined;
  /** Seconds. */
  queueTimeout: number | undefined;
  onTimeout: 'cancel' | 'fail' | 'detach';
  onCancel: 'detach' | 'cancel';
  logs: 'all' | 'failed' | 'none';
  kfp: KfpInputs | undefined;
  kfpRetries: number;
  argo: ArgoInputs | undefined;
  namespace: string | undefined;
  kubeconfig: string | undefined;
  context: string | undefined;
}

/** @throws ActionError `input` with the input's name, its value and what is allowed */
export function readInputs({ inputs }: Host): WaitInputs {
  const run = inputs.text('run');
  const sha = inputs.sha('sha');
  if (run === undefined && sha === undefined) {
    throw new ActionError('input', 'neither input "run" nor input "sha" was given', {
      remedy: 'pass run: ${{ steps.submit.outputs.run }}, or sha (with pr-number and pipeline) to find the newest run',
    });
  }
  return {
    token: inputs.required('token'),
    run,
    pullRequest: inputs.integer('pr-number', { min: 1 }),
    sha,
    pipeline: checkPipelineName(inputs.text('pipeline') ?? 'default'),
    timeout: inputs.duration('timeout'),
    queueTimeout: inputs.duration('queue-timeout'),
    onTimeout: inputs.choice('on-timeout', ['cancel', 'fail', 'detach'], 'cancel'),
    onCancel: inputs.choice('on-cancel', ['detach', 'cancel'], 'detach'),
    logs: inputs.choice('logs', ['all', 'failed', 'none'], 'all'),
    kfp: readKfpInputs(inputs),
    kfpRetries: inputs.integer('kfp-retries', { max: 100 }) ?? 0,
    argo: readArgoInputs(inputs),
    namespace: inputs.text('namespace'),
    kubeconfig: inputs.text('kubeconfig'),
    context: inputs.text('kube-context'),
  };
}
