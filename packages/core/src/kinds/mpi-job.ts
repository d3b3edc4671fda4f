import { replicaJob } from './replica-job.ts';

/**
 * MPIJob v2beta1 of the MPI operator (https://github.com/kubeflow/mpi-operator/tree/v0.7.0/pkg/apis/kubeflow/v2beta1).
 * Its launcher is a batch Job, which has the run's deadline, so that it is enforced. A cluster has this or the training
 * operator's v1 of it (kinds/training-operator.ts): both own the name mpijobs.kubeflow.org.
 */
export const mpiJob = replicaJob({
  resource: { group: 'kubeflow.org', version: 'v2beta1', plural: 'mpijobs', kind: 'MPIJob' },
  operator: 'the Kubeflow MPI operator (https://github.com/kubeflow/mpi-operator)',
  replicaSpecs: 'mpiReplicaSpecs',
  operatorName: 'mpi-operator',
  deadlineBy: 'controller',
  kueue: 'run',
});
