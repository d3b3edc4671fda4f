import type { WorkflowEvent } from '../github/events.ts';
import type { ActionResolver } from './actions.ts';
import { Concurrency } from './concurrency.ts';
import type { RunnerGitHub } from './github.ts';
import type { Progress, WorkflowRun } from './result.ts';
import { runWorkflow, type Environments, type RunOptions } from './run.ts';

export interface WorkflowRunsOptions {
  github: RunnerGitHub;
  /** What `uses:` may name; our own actions as they are built in this checkout where not given. */
  actions?: ActionResolver;
  secrets?: Record<string, string>;
  vars?: Record<string, string>;
  /** None is protected where not given. */
  environments?: Environments;
  onProgress?: (progress: Progress) => void;
  /** Cancels everything that runs. */
  signal?: AbortSignal;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Where the runs are kept, for who shows them. */
  runs?: WorkflowRun[];
}

/** All workflow runs of a repository: its events start the workflow files that stand in it. */
export class WorkflowRuns {
  /** Oldest first; each is there from its start. */
  readonly runs: WorkflowRun[];
  readonly #options: WorkflowRunsOptions;
  readonly #concurrency = new Concurrency();
  #lastId = 0;

  constructor(options: WorkflowRunsOptions) {
    this.#options = options;
    this.runs = options.runs ?? [];
  }

  /**
   * Starts every workflow of the event's commit that wants it, and waits for their end.
   * @param again where somebody starts again what the event started before
   * @returns the runs that were started
   * @throws Error that names what a file has wrong
   */
  async dispatch(event: WorkflowEvent, again?: RunOptions['again']): Promise<WorkflowRun[]> {
    const files = [...this.#options.github.filesOf(event.sha)].filter(([path]) => /^\.github\/workflows\/[^/]+\.ya?ml$/u.test(path));
    const ended = await Promise.all(files.map(([file, content]) => this.#run(file, String(Buffer.from(content)), event, again)));
    return ended.filter((run) => run !== undefined);
  }

  #run(file: string, content: string, event: WorkflowEvent, again: RunOptions['again']): Promise<WorkflowRun | undefined> {
    const number = ++this.#lastId;
    const { onProgress, ...options } = this.#options;
    return runWorkflow({
      ...options,
      workflow: { file, content },
      event,
      ...(again && { again }),
      concurrency: this.#concurrency,
      id: 1000 + number,
      number,
      onProgress: (progress) => {
        if (progress.type === 'run-started') this.runs.push(progress.run);
        onProgress?.(progress);
      },
    });
  }
}
