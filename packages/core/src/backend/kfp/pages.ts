import { isKfp } from '../../kinds/kfp-run.ts';
import type { RunReference } from '../../run/reference.ts';
import type { KfpInputs } from './inputs.ts';

/** The page of a run, as the front end of Kubeflow Pipelines has it. Undefined for other runs, and where nobody said where pages are. */
export function runPages({ pages: url }: Pick<KfpInputs, 'pages'>): (run: RunReference) => string | undefined {
  return (run) => (isKfp(run) && url !== undefined ? `${url}/#/runs/details/${encodeURIComponent(run.uid)}` : undefined);
}
