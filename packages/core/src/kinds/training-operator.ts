import type { Kind } from './kind.ts';
import { replicaJob } from './replica-job.ts';

// The kinds of the legacy training operator: https://github.com/kubeflow/training-operator/tree/v1.9.3/pkg/apis/kubeflow.org/v1
const of = (kind: string, plural: string, replicaSpecs: string, helpers: string[] = []): Kind =>
  replicaJob({
    resource: { group: 'kubeflow.org', version: 'v1', plural, kind },
    operator: 'the Kubeflow training operator 1.x (https://github.com/kubeflow/trainer/tree/release-1.9)',
    replicaSpecs,
    operatorName: `${kind.toLowerCase()}-controller`,
    deadlineBy: 'pods',
    // Kueue knows MPIJob as v2beta1 alone: https://kueue.sigs.k8s.io/docs/tasks/run/kubeflow/mpijobs/
    kueue: kind === 'MPIJob' ? 'none' : 'run',
    helperContainers: new Set(helpers),
  });

export const pytorchJob = of('PyTorchJob', 'pytorchjobs', 'pytorchReplicaSpecs', ['init-pytorch']);
export const tfJob = of('TFJob', 'tfjobs', 'tfReplicaSpecs');
export const xgboostJob = of('XGBoostJob', 'xgboostjobs', 'xgbReplicaSpecs');
export const paddleJob = of('PaddleJob', 'paddlejobs', 'paddleReplicaSpecs');
export const jaxJob = of('JAXJob', 'jaxjobs', 'jaxReplicaSpecs');
export const mpiJobV1 = of('MPIJob', 'mpijobs', 'mpiReplicaSpecs', ['kubectl-delivery']);
