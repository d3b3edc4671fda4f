import { isKfp } from '../../kinds/kfp-run.ts';
import type { RunReference } from '../../run/reference.ts';
import type { KfpInputs } from './inputs.ts';

/** The page of a run, as the front end of Kubeflow Pipelines has it. Undefined for other runs. */
export function runPages({ url }: Pick<KfpInputs, 'url'>): (run: RunReference) => string | undefined {
  return (run) => (isKfp(run) ? `${url}/#/runs/details/${encodeURIComponent(run.uid)}` : undefined);
}
