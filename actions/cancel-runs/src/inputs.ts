import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { readKfpInputs, type KfpInputs } from '@slashtrain/core/backend/kfp/inputs';
import { checkPipelineName } from '@slashtrain/core/run/name';

/** What a push does to runs of the commits before it. */
export type OnPush = 'keep' | 'cancel-queued' | 'cancel';

/** The inputs of cancel-runs, each checked by itself. */
export interface CancelInputs {
  token: string;
  pullRequest: number;
  /** Absent, all. */
  pipeline: string | undefined;
  keepSha: string | undefined;
  onPush: OnPush;
  /** Seconds; absent, the pods' own. */
  grace: number | undefined;
  reason: string | undefined;
  dryRun: boolean;
  kfp: KfpInputs | undefined;
  namespace: string | undefined;
  kubeconfig: string | undefined;
  context: string | undefined;
}

const longestReason = 200;

/** @throws ActionError `input` with the input's name, its value and what is allowed */
export function readInputs({ inputs }: Host): CancelInputs {
  inputs.required('pr-number');
  const pipeline = inputs.text('pipeline');
  const reason = inputs.text('reason');
  if (reason !== undefined && (reason.length > longestReason || /[\n\r]/u.test(reason))) {
    throw new ActionError('input', `input "reason" has ${reason.length} characters; allowed: one line of at most ${longestReason}`);
  }
  return {
    token: inputs.required('token'),
    pullRequest: inputs.integer('pr-number', { min: 1 }) ?? 0,
    pipeline: pipeline === undefined ? undefined : checkPipelineName(pipeline),
    keepSha: inputs.sha('keep-sha'),
    onPush: inputs.choice('on-push', ['keep', 'cancel-queued', 'cancel'], 'cancel-queued'),
    grace: inputs.duration('grace'),
    reason,
    dryRun: inputs.boolean('dry-run', false),
    kfp: readKfpInputs(inputs),
    namespace: inputs.text('namespace'),
    kubeconfig: inputs.text('kubeconfig'),
    context: inputs.text('kube-context'),
  };
}
