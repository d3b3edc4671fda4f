/** What a program is written with, and so which object makes its processes find each other. */
export const frameworks = ['job', 'pytorch', 'tensorflow', 'xgboost', 'mpi', 'ray', 'trainer'] as const;
export type Framework = (typeof frameworks)[number];

/** A program to run, where no manifest says how. */
export interface Program {
  framework: Framework;
  /** `name@sha256:…` */
  image: string;
  /** Empty: the image's own entry point. */
  command: readonly string[];
  /** Pods that train; for MPI and several Ray workers one more starts them. */
  workers: number;
  /** Accelerators of each of them. */
  gpus?: number;
  /** e.g. `nvidia.com/gpu` */
  gpuResource?: string;
  /** Quantities. */
  cpu?: string;
  memory?: string;
  /** The ClusterTrainingRuntime of a TrainJob; absent, the one that fits the framework. */
  runtime?: string;
}
