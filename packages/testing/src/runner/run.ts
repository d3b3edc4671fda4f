import type { WorkflowEvent } from '../github/events.ts';
import { ownActions, resolveActions, type ActionResolver } from './actions.ts';
import { calledWorkflow, handOn, outputsOf, refuseMore, type Handed } from './call.ts';
import { Concurrency } from './concurrency.ts';
import { githubContext, needsContext } from './contexts.ts';
import { startedBy } from './events.ts';
import { boolean, holds, text, written, type Scope } from './expressions.ts';
import { permissionsOf, type RunnerGitHub } from './github.ts';
import { runJob } from './job.ts';
import { nameOf, readStrategy } from './matrix.ts';
import type { Conclusion, JobRun, Progress, WorkflowRun } from './result.ts';
import { readWorkflow, type Job, type Workflow } from './workflow.ts';

/** What an environment's protection rules say; https://docs.github.com/actions/concepts/workflows-and-actions/deployment-environments */
export interface Environments {
  /** Whether somebody has to approve a job of it. */
  isProtected(environment: string): boolean;
  /** Waits for the review. @returns who has approved or rejected it */
  review(environment: string, run: WorkflowRun, job: JobRun): Promise<{ by: string; approved: boolean }>;
}

/** One workflow file and what happened. */
export interface RunOptions {
  workflow: { file: string; content: string };
  event: WorkflowEvent;
  github: RunnerGitHub;
  /** What `uses:` may name; our own actions where not given. */
  actions?: ActionResolver;
  secrets?: Record<string, string>;
  vars?: Record<string, string>;
  /** None is protected where not given. */
  environments?: Environments;
  /** The groups of the repository, which its runs share; of this run alone where not given. */
  concurrency?: Concurrency;
  onProgress?: (progress: Progress) => void;
  /** Cancels the run. */
  signal?: AbortSignal;
  id?: number;
  number?: number;
  /** A run that somebody starts again, as "Re-run all jobs" does. */
  again?: { attempt: number; by: string };
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

/** Where a called workflow's jobs belong. */
interface Within {
  /** The calling job's. */
  id: string;
  name: string;
  run: WorkflowRun;
  /** The most that its jobs may do. */
  allowed: Readonly<Record<string, string>>;
  concurrency: Concurrency;
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
  /** By the job's id: what its `needs` see. Of a matrix and of a call it stands in no list of the run's. */
  readonly #results = new Map<string, JobRun>();
  readonly #called = new Map<string, RunStory>();
  #handed: Handed;

  constructor(options: RunOptions, workflow: Workflow, within?: Within) {
    const { event } = options;
    this.#options = options;
    this.#workflow = workflow;
    this.#event = event;
    this.#concurrency = within?.concurrency ?? options.concurrency ?? new Concurrency();
    this.#handed = { inputs: (event.payload['inputs'] ?? {}) as Record<string, unknown>, secrets: options.secrets ?? {} };
    this.#actions = resolveActions(
      workflow.jobs.flatMap((job) => job.steps),
      options.actions ?? ownActions,
    );
    this.#run = within?.run ?? {
      id: options.id ?? 1,
      number: options.number ?? 1,
      attempt: options.again?.attempt ?? 1,
      workflow: workflow.name,
      file: workflow.file,
      title: titleOf(event) ?? workflow.name,
      event: event.name,
      sha: event.sha,
      ref: event.ref,
      actor: event.actor,
      triggeringActor: options.again?.by ?? event.actor,
      status: 'queued',
      startedAt: this.#now(),
      jobs: [],
    };
    for (const job of workflow.jobs) {
      const permissions = permissionsOf(job.permissions ?? workflow.permissions, within?.allowed);
      if (within) refuseMore(job.id, permissions, within.allowed);
      const result: JobRun = {
        id: within ? `${within.id}/${job.id}` : job.id,
        name: within ? `${within.name} / ${written(job.name)}` : written(job.name),
        status: 'queued',
        permissions,
        outputs: Object.create(null) as Record<string, string>,
        steps: [],
        annotations: [],
      };
      this.#results.set(job.id, result);
      if (job.uses === undefined) {
        this.#run.jobs.push(result);
        continue;
      }
      const callee = calledWorkflow(job, options.github, event);
      const place = { id: result.id, name: result.name, run: this.#run, allowed: permissions, concurrency: this.#concurrency };
      this.#called.set(job.id, new RunStory(options, callee, place));
    }
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
        this.#called.get(job.id)?.leaveOut(result.conclusion);
      } else {
        await this.#begin(job, result, scope);
      }
    } catch (error) {
      result.annotations.push({ level: 'error', message: messageOf(error) });
      result.conclusion = 'failure';
    }
    result.status = 'completed';
    if (result.startedAt !== undefined) result.endedAt = this.#now();
    // Of a matrix and of a call the jobs have told it themselves.
    if (this.#run.jobs.includes(result)) this.#emit({ type: 'job-ended', run: this.#run, job: result });
  }

  #begin(job: Job, result: JobRun, scope: Scope): Promise<void> {
    const called = this.#called.get(job.id);
    if (called) return this.#call(job, called, result, scope);
    return job.strategy === undefined ? this.#start(job, result, scope) : this.#multiply(job, result, scope);
  }

  /** Runs the jobs of a called workflow in place of the one that calls it. */
  async #call(job: Job, called: RunStory, result: JobRun, scope: Scope): Promise<void> {
    const stop = (): void => called.#stop.abort();
    if (this.#stop.signal.aborted) stop();
    this.#stop.signal.addEventListener('abort', stop, { once: true });
    try {
      called.#handed = handOn(job, called.#workflow, this.#handed.secrets, scope);
    } catch (error) {
      // The caller stands in no list: its jobs show it.
      called.leaveOut('failure');
      for (const { annotations } of called.#results.values()) annotations.push({ level: 'error', message: messageOf(error) });
      throw error;
    }
    await Promise.all(called.#workflow.jobs.map((one) => called.#job(one)));
    this.#stop.signal.removeEventListener('abort', stop);
    const results = [...called.#results].map(([id, one]): JobRun => ({ ...one, id }));
    const all = { ...called.#scope([]), contexts: { ...called.#scope([]).contexts, jobs: needsContext(results) } };
    Object.assign(result.outputs, outputsOf(called.#workflow, all));
    result.conclusion = conclude(results);
  }

  /** A called workflow that is not started. */
  leaveOut(conclusion: Conclusion): void {
    for (const result of this.#results.values()) Object.assign(result, { status: 'completed', conclusion });
    for (const called of this.#called.values()) called.leaveOut(conclusion);
  }

  /** Runs a job once for each combination of its matrix. */
  async #multiply(job: Job, result: JobRun, scope: Scope): Promise<void> {
    const { combinations, failFast, maxParallel } = readStrategy(job.strategy, scope);
    const stop = new AbortController();
    const isNamed = job.name !== job.id;
    const jobs = combinations.map((matrix): [Scope, JobRun] => [
      { ...scope, contexts: { ...scope.contexts, matrix } },
      {
        ...result,
        name: isNamed ? result.name : nameOf(result.name, matrix),
        outputs: Object.create(null) as Record<string, string>,
        steps: [],
        annotations: [],
      },
    ]);
    this.#run.jobs.splice(this.#run.jobs.indexOf(result), 1, ...jobs.map(([, one]) => one));
    const waiting = [...jobs];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [own, one] = next;
        if (stop.signal.aborted || this.#stop.signal.aborted) one.conclusion = 'cancelled';
        else await this.#start(job, one, own, isNamed ? undefined : one.name, stop.signal);
        one.status = 'completed';
        if (one.startedAt !== undefined) one.endedAt = this.#now();
        this.#emit({ type: 'job-ended', run: this.#run, job: one });
        if (one.conclusion === 'failure' && failFast) stop.abort();
      }
    };
    await Promise.all(Array.from({ length: Math.min(maxParallel, jobs.length) }, work));
    for (const [, one] of jobs) for (const [name, value] of Object.entries(one.outputs)) if (value !== '') result.outputs[name] = value;
    result.conclusion = conclude(jobs.map(([, one]) => one));
  }

  async #start(job: Job, result: JobRun, scope: Scope, name?: string, stop?: AbortSignal): Promise<void> {
    const own = new AbortController();
    stop?.addEventListener('abort', () => own.abort(), { once: true });
    const cancel = (): void => own.abort();
    // A job whose `if:` holds although the run is cancelled is there to clean up: it is not cancelled as well.
    if (!this.#stop.signal.aborted) this.#stop.signal.addEventListener('abort', cancel, { once: true });
    const leave = await this.#enter(job.concurrency, scope, own);
    if (!leave) {
      result.conclusion = 'cancelled';
      return;
    }
    try {
      if (!(await this.#approve(job, result, scope, own.signal))) return;
      // Of a called workflow the caller's name stands before it.
      const prefix = result.name.slice(0, result.name.length - written(job.name).length);
      result.name = name ?? prefix + text(job.name, scope);
      result.status = 'in_progress';
      result.startedAt = this.#now();
      this.#emit({ type: 'job-started', run: this.#run, job: result });
      const { github } = this.#options;
      await runJob({
        workflow: this.#workflow,
        job,
        run: this.#run,
        result,
        github,
        event: this.#event,
        actions: this.#actions,
        secrets: this.#handed.secrets,
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

  /** Waits for the review of the job's environment, where it wants one. @returns whether the job may start */
  async #approve(job: Job, result: JobRun, scope: Scope, signal: AbortSignal): Promise<boolean> {
    const { environments } = this.#options;
    const environment = job.environment === undefined ? '' : text(job.environment, scope);
    if (environment === '' || !environments?.isProtected(environment)) return true;
    result.status = 'waiting';
    this.#emit({ type: 'job-waiting', run: this.#run, job: result });
    const cancelled = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
    const review = signal.aborted ? undefined : await Promise.race([environments.review(environment, this.#run, result), cancelled]);
    if (review?.approved) return true;
    if (review) result.annotations.push({ level: 'error', message: `${review.by} rejected the deployment to ${environment}.` });
    result.conclusion = review ? 'failure' : 'cancelled';
    return false;
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
    const result = this.#results.get(id);
    if (!result) throw new Error(`no job ${id}`);
    return result;
  }

  #scope(needs: readonly string[]): Scope {
    const { github, vars = {} } = this.#options;
    const cancelled = this.#stop.signal.aborted;
    return {
      contexts: {
        github: githubContext(github, this.#run, this.#event),
        needs: needsContext(needs.map((id) => ({ ...this.#result(id), id }))),
        vars,
        inputs: this.#handed.inputs,
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What GitHub calls a run without a `run-name:`: as what its event is about. */
function titleOf({ payload }: WorkflowEvent): string | undefined {
  const { pull_request: pull, issue, head_commit: commit } = payload as Record<string, { title?: string; message?: string } | undefined>;
  return pull?.title ?? issue?.title ?? commit?.message?.split('\n', 1)[0];
}

function conclude(jobs: readonly Pick<JobRun, 'conclusion'>[]): Conclusion {
  const conclusions = jobs.map((job) => job.conclusion);
  for (const worst of ['failure', 'cancelled'] as const) if (conclusions.includes(worst)) return worst;
  return conclusions.every((conclusion) => conclusion === 'skipped') ? 'skipped' : 'success';
}
