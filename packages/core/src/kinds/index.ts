import { argoWorkflow } from './argo-workflow.ts';
import { job } from './job.ts';
import { jobSet } from './job-set.ts';
import { katibExperiment } from './katib-experiment.ts';
import { kfpRun } from './kfp-run.ts';
import type { Kind } from './kind.ts';
import { mpiJob } from './mpi-job.ts';
import { rayJob } from './ray-job.ts';
import { trainJob } from './train-job.ts';
import { jaxJob, mpiJobV1, paddleJob, pytorchJob, tfJob, xgboostJob } from './training-operator.ts';
import { volcanoJob } from './volcano-job.ts';

/** Every kind of run that is known, in the order in which people look for them. */
export const kinds: readonly Kind[] = [
  job,
  jobSet,
  trainJob,
  rayJob,
  pytorchJob,
  tfJob,
  xgboostJob,
  paddleJob,
  jaxJob,
  mpiJob,
  mpiJobV1,
  volcanoJob,
  argoWorkflow,
  katibExperiment,
  kfpRun,
];

/** The kind of an object, by its `apiVersion` and `kind`. */
export function kindFor(apiVersion: string, kind: string): Kind | undefined {
  return kinds.find(({ resource }) => resource.kind === kind && `${resource.group}/${resource.version}` === apiVersion);
}
