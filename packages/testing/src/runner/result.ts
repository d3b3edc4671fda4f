/** https://docs.github.com/actions/reference/workflows-and-actions/contexts#steps-context */
export type Conclusion = 'success' | 'failure' | 'cancelled' | 'skipped';

/** `waiting`: for the approval of its environment. */
export type Status = 'queued' | 'waiting' | 'in_progress' | 'completed';

/** One run of one workflow file. Filled while it goes on; only `conclusion` says that it is over. */
export interface WorkflowRun {
  id: number;
  number: number;
  attempt: number;
  /** The workflow's `name:`, else its path. */
  workflow: string;
  /** e.g. `.github/workflows/slashtrain.yml` */
  file: string;
  /** `run-name:`, else what the event is about. */
  title: string;
  event: string;
  /** `github.sha`: for a comment the default branch's. */
  sha: string;
  ref: string;
  actor: string;
  /** Who started this attempt; the actor, where nobody started it again. */
  triggeringActor?: string;
  status: Status;
  conclusion?: Conclusion;
  /** Milliseconds since 1970, here and below. */
  startedAt: number;
  endedAt?: number;
  jobs: JobRun[];
}

export interface JobRun {
  /** The key below `jobs:`. */
  id: string;
  name: string;
  status: Status;
  conclusion?: Conclusion;
  /** Exactly these the job's token has. */
  permissions: Record<string, string>;
  /** Null prototype. */
  outputs: Record<string, string>;
  steps: StepRun[];
  annotations: Annotation[];
  startedAt?: number;
  endedAt?: number;
}

export interface StepRun {
  number: number;
  /** `id:`, where it has one. */
  id?: string;
  name: string;
  uses?: string;
  post: boolean;
  status: Status;
  /** Before `continue-on-error` is applied. */
  outcome?: Conclusion;
  /** After it. */
  conclusion?: Conclusion;
  /** As the runner shows them: with masks. */
  lines: string[];
  /** Markdown. */
  summary: string;
  /** Null prototype. */
  outputs: Record<string, string>;
  annotations: Annotation[];
  startedAt?: number;
  endedAt?: number;
}

export interface Annotation {
  level: 'notice' | 'warning' | 'error';
  message: string;
}

/** What happened, for who shows it. The objects are the ones of the run: read them, do not keep them. */
export type Progress =
  | { type: 'run-started' | 'run-ended'; run: WorkflowRun }
  | { type: 'job-waiting' | 'job-started' | 'job-ended'; run: WorkflowRun; job: JobRun }
  | { type: 'step-started' | 'step-ended'; run: WorkflowRun; job: JobRun; step: StepRun }
  | { type: 'line'; run: WorkflowRun; job: JobRun; step: StepRun; line: string };
