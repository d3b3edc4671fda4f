import type { Host } from '@slashtrain/core/action/host';
import { readArgoInputs, type ArgoInputs } from '@slashtrain/core/backend/argo-inputs';
import { readKfpInputs, type KfpInputs } from '@slashtrain/core/backend/kfp/inputs';

/** The inputs of sync-runs, each checked by itself. */
export interface SyncInputs {
  token: string;
  /** Seconds. */
  maxAge: number;
  /** The most runs in the output `ended`. */
  limit: number;
  dryRun: boolean;
  kfp: KfpInputs | undefined;
  argo: ArgoInputs | undefined;
  namespace: string | undefined;
  kubeconfig: string | undefined;
  context: string | undefined;
}

const day = 86_400;

/** @throws ActionError `input` with the input's name, its value and what is allowed */
export function readInputs({ inputs }: Host): SyncInputs {
  return {
    token: inputs.required('token'),
    maxAge: inputs.duration('max-age') ?? 7 * day,
    // https://docs.github.com/actions/reference/limits: a matrix makes at most 256 jobs.
    limit: inputs.integer('limit', { min: 1, max: 256 }) ?? 50,
    dryRun: inputs.boolean('dry-run', false),
    kfp: readKfpInputs(inputs),
    argo: readArgoInputs(inputs),
    namespace: inputs.text('namespace'),
    kubeconfig: inputs.text('kubeconfig'),
    context: inputs.text('kube-context'),
  };
}
