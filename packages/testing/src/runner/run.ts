import type { WorkflowEvent } from '../github/events.ts';
import { ownActions, resolveActions, type ActionResolver } from './actions.ts';
import { Concurrency } from './concurrency.ts';
import { githubContext, needsContext } from './contexts.ts';
import { startedBy } from './events.ts';
import { boolean, holds, text, written, type Scope } from './expressions.ts';
import { permissionsOf, type RunnerGitHub } from './github.ts';
import { runJob } from './job.ts';
import type { Conclusion, JobRun, Progress, WorkflowRun } from './result.ts';
import { readWorkflow, type Job, type Workflow } from './workflow.ts';

/** One workflow file and what happened. */
export interface RunOptions {
  workflow: { file: string; content: string };
  event: WorkflowEvent;
  github: RunnerGitHub;
  /** What `uses:` may name; our own actions where not given. */
  actions?: ActionResolver;
  secrets?: Record<string, string>;
  vars?: Record<string, string>;
  /** The groups of the repository, which its runs share; of this run alone where not given. */
  concurrency?: Concurrency;
  onProgress?: (progress: Progress) => void;
  /** Cancels the run. */
  signal?: AbortSignal;
  id?: number;
  number?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/**
 * Runs a workflow file as GitHub does, if the event starts it.
 * @returns the run when it is over, or undefined where `on:` does not want this event
 * @throws Error that names what the file has wrong or what this runner does not do, before anything runs
 */
export async function runWorkflow(options: RunOptions): Promise<WorkflowRun | undefined> {
  const workflow = readWorkflow(options.workflow.file, options.workflow.content);
  if (!startedBy(workflow.on, options.event)) return undefined;
  return new RunStory(options, workflow).tell();
}

class RunStory {
  readonly #options: RunOptions;
  readonly #workflow: Workflow;
  readonly #event: WorkflowEvent;
  readonly #actions: ReturnType<typeof resolveActions>;
  readonly #run: WorkflowRun;
  readonly #stop = new AbortController();
  readonly #concurrency: Concurrency;
  readonly #done = new Map<string, Promise<void>>();

  constructor(options: RunOptions, workflow: Workflow) {
    const { event } = options;
    this.#options = options;
    this.#workflow = workflow;
    this.#event = event;
    this.#concurrency = options.concurrency ?? new Concurrency();
    this.#actions = resolveActions(
      workflow.jobs.flatMap((job) => job.steps),
      options.actions ?? ownActions,
    );
    this.#run = {
      id: options.id ?? 1,
      number: options.number ?? 1,
      attempt: 1,
      workflow: workflow.name,
      file: workflow.file,
      title: titleOf(event) ?? workflow.name,
      event: event.name,
      sha: event.sha,
      ref: event.ref,
      actor: event.actor,
      status: 'queued',
      startedAt: this.#now(),
      jobs: workflow.jobs.map((job) => ({
        id: job.id,
        name: written(job.name),
        status: 'queued',
        permissions: permissionsOf(job.permissions, workflow.permissions),
        outputs: Object.create(null) as Record<string, string>,
        steps: [],
        annotations: [],
      })),
    };
  }

  async tell(): Promise<WorkflowRun> {
    const run = this.#run;
    const { signal } = this.#options;
    const stop = (): void => this.#stop.abort();
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
    if (this.#workflow.runName !== undefined) run.title = text(this.#workflow.runName, this.#scope([]));
    this.#emit({ type: 'run-started', run });
    const leave = await this.#enter(this.#workflow.concurrency, this.#scope([]), this.#stop);
    if (leave) {
      run.status = 'in_progress';
      await Promise.all(this.#workflow.jobs.map((job) => this.#job(job)));
      leave();
    }
    signal?.removeEventListener('abort', stop);
    run.conclusion = leave ? conclude(run.jobs) : 'cancelled';
    run.status = 'completed';
    run.endedAt = this.#now();
    this.#emit({ type: 'run-ended', run });
    return run;
  }

  /** A job's whole life, once; whoever needs it waits for the same promise. */
  #job(job: Job): Promise<void> {
    const known = this.#done.get(job.id);
    if (known) return known;
    const life = this.#live(job);
    this.#done.set(job.id, life);
    return life;
  }

  async #live(job: Job): Promise<void> {
    const result = this.#result(job.id);
    const before = job.needs.map((id) => this.#workflow.jobs.find((other) => other.id === id)).filter((other) => other !== undefined);
    await Promise.all(before.map((other) => this.#job(other)));
    const scope = this.#scope(job.needs);
    try {
      if (!holds(job.if, { ...scope, status: this.#statusBefore(job) })) {
        result.conclusion = this.#stop.signal.aborted ? 'cancelled' : 'skipped';
      } else {
        await this.#start(job, result, scope);
      }
    } catch (error) {
      result.annotations.push({ level: 'error', message: error instanceof Error ? error.message : String(error) });
      result.conclusion = 'failure';
    }
    result.status = 'completed';
    if (result.startedAt !== undefined) result.endedAt = this.#now();
    this.#emit({ type: 'job-ended', run: this.#run, job: result });
  }

  async #start(job: Job, result: JobRun, scope: Scope): Promise<void> {
    const own = new AbortController();
    const cancel = (): void => own.abort();
    // A job whose `if:` holds although the run is cancelled is there to clean up: it is not cancelled as well.
    if (!this.#stop.signal.aborted) this.#stop.signal.addEventListener('abort', cancel, { once: true });
    const leave = await this.#enter(job.concurrency, scope, own);
    if (!leave) {
      result.conclusion = 'cancelled';
      return;
    }
    try {
      result.name = text(job.name, scope);
      result.status = 'in_progress';
      result.startedAt = this.#now();
      this.#emit({ type: 'job-started', run: this.#run, job: result });
      const { github, secrets = {} } = this.#options;
      await runJob({
        workflow: this.#workflow,
        job,
        run: this.#run,
        result,
        github,
        event: this.#event,
        actions: this.#actions,
        secrets,
        contexts: scope.contexts,
        signal: own.signal,
        emit: (progress) => this.#emit(progress),
        now: () => this.#now(),
      });
    } finally {
      leave();
      this.#stop.signal.removeEventListener('abort', cancel);
    }
  }

  /** Waits for a place in a concurrency group, where there is one. */
  async #enter(written: unknown, scope: Scope, stop: AbortController): Promise<(() => void) | undefined> {
    if (written === undefined) return () => undefined;
    const group = typeof written === 'object' ? (written as Record<string, unknown>) : { group: written };
    return this.#concurrency.enter(
      {
        group: text(group['group'], scope),
        cancelInProgress: boolean(group['cancel-in-progress'] ?? false, scope),
        queue: group['queue'] === 'max' ? 'max' : 'single',
        cancel: () => stop.abort(),
      },
      stop.signal,
    );
  }

  /** success() wants that of every job before this one, not of its `needs` alone; failure() wants one that failed. */
  #statusBefore(job: Job): Scope['status'] {
    const ancestors = new Set<string>();
    const visit = (id: string): void => {
      if (ancestors.has(id)) return;
      ancestors.add(id);
      for (const other of this.#workflow.jobs.find((candidate) => candidate.id === id)?.needs ?? []) visit(other);
    };
    for (const id of job.needs) visit(id);
    const results = [...ancestors].map((id) => this.#result(id));
    const cancelled = this.#stop.signal.aborted;
    return {
      success: !cancelled && results.every((result) => result.conclusion === 'success'),
      failure: !cancelled && results.some((result) => result.conclusion === 'failure'),
      cancelled,
    };
  }

  #result(id: string): JobRun {
    const result = this.#run.jobs.find((job) => job.id === id);
    if (!result) throw new Error(`no job ${id}`);
    return result;
  }

  #scope(needs: readonly string[]): Scope {
    const { github, vars = {} } = this.#options;
    const cancelled = this.#stop.signal.aborted;
    return {
      contexts: {
        github: githubContext(github, this.#run, this.#event),
        needs: needsContext(needs.map((id) => this.#result(id))),
        vars,
        inputs: this.#event.payload['inputs'] ?? {},
      },
      status: { success: !cancelled, failure: false, cancelled },
    };
  }

  #emit(progress: Progress): void {
    this.#options.onProgress?.(progress);
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

/** What GitHub calls a run without a `run-name:`: as what its event is about. */
function titleOf({ payload }: WorkflowEvent): string | undefined {
  const { pull_request: pull, issue, head_commit: commit } = payload as Record<string, { title?: string; message?: string } | undefined>;
  return pull?.title ?? issue?.title ?? commit?.message?.split('\n', 1)[0];
}

function conclude(jobs: readonly JobRun[]): Conclusion {
  const conclusions = jobs.map((job) => job.conclusion);
  for (const worst of ['failure', 'cancelled'] as const) if (conclusions.includes(worst)) return worst;
  return conclusions.every((conclusion) => conclusion === 'skipped') ? 'skipped' : 'success';
}
