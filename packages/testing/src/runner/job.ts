import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResolvedAction } from './actions.ts';
import { githubContext } from './contexts.ts';
import { Deadline } from './deadline.ts';
import type { WorkflowEvent } from '../github/events.ts';
import { boolean, holds, number, text, texts, written, type Scope } from './expressions.ts';
import type { RunnerGitHub } from './github.ts';
import type { Conclusion, JobRun, Progress, StepRun, WorkflowRun } from './result.ts';
import { startAction, startBuiltIn, startShell, type Place } from './step.ts';
import type { Job, Step, Workflow } from './workflow.ts';

/** All that a job needs from the run it belongs to. */
export interface JobPlan {
  workflow: Workflow;
  job: Job;
  run: WorkflowRun;
  result: JobRun;
  github: RunnerGitHub;
  event: WorkflowEvent;
  actions: ReadonlyMap<string, ResolvedAction>;
  secrets: Record<string, string>;
  /** Contexts that are the same for all its steps: `needs`, `vars`, `inputs`. */
  contexts: Record<string, unknown>;
  signal: AbortSignal;
  emit: (progress: Progress) => void;
  now: () => number;
}

/** A post step that is still to run. */
interface Post {
  of: StepRun;
  action: Extract<ResolvedAction, { kind: 'bundle' }>['action'];
  inputs: Record<string, string>;
  env: Record<string, string>;
  state: Record<string, string>;
}

/** Runs the steps of a job, then their post steps in reverse. What a step does is its conclusion, never an exception. */
export async function runJob(plan: JobPlan): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-job-'));
  try {
    await new JobStory(plan, folder).tell();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

class JobStory {
  readonly #plan: JobPlan;
  readonly #folder: string;
  readonly #steps = Object.create(null) as Record<string, unknown>;
  readonly #posts: Post[] = [];
  /** What steps wrote to `GITHUB_ENV` and `GITHUB_PATH`. */
  readonly #env = Object.create(null) as Record<string, string>;
  #path: string[] = [];
  readonly #masks: string[];
  #token = '';
  /** Aborts when the job is cancelled or its time is over. */
  #deadline: Deadline | undefined;
  #grace: Deadline | undefined;
  #failed = false;

  constructor(plan: JobPlan, folder: string) {
    this.#plan = plan;
    this.#folder = folder;
    this.#masks = Object.values(plan.secrets);
    for (const name of ['workspace', 'temp', 'home']) mkdirSync(join(folder, name));
  }

  async tell(): Promise<void> {
    const { job, github, result, signal } = this.#plan;
    this.#token = await github.issueToken(result.permissions);
    this.#masks.push(this.#token);
    const minutes = number(job.timeoutMinutes, this.#scope({}));
    this.#deadline = new Deadline(minutes, signal);
    try {
      for (const step of job.steps) await this.#main(step);
      for (const post of this.#posts.toReversed()) await this.#post(post);
    } finally {
      this.#deadline.clear();
      this.#grace?.clear();
    }
    if (this.#deadline.passed) {
      const message = `The job has exceeded the maximum execution time of ${minutes} minutes.`;
      result.annotations.push({ level: 'error', message });
    }
    this.#setOutputs();
    result.conclusion = this.#cancelled ? 'cancelled' : this.#failed ? 'failure' : 'success';
  }

  get #cancelled(): boolean {
    return this.#deadline?.signal.aborted ?? false;
  }

  /** What ends a step that starts now: after a cancellation the `always()` steps and the post steps have 5 minutes. */
  #stop(minutes: number): Deadline {
    if (!this.#cancelled) return new Deadline(minutes, this.#deadline?.signal ?? this.#plan.signal);
    this.#grace ??= new Deadline(5, new AbortController().signal);
    return new Deadline(minutes, this.#grace.signal);
  }

  async #main(step: Step): Promise<void> {
    const { workflow, job } = this.#plan;
    const shown = this.#add(step, false);
    const env = this.#environment({});
    // A scope sees the variables of the workflow and the job, and what earlier steps have set; then the step's own.
    let scope = this.#scope(env);
    await this.#guard(shown, step, scope, async () => {
      if (!holds(step.if, scope)) return 'skipped';
      shown.name = this.#nameOf(step, scope);
      const own = { ...env, ...texts(step.env, scope) };
      scope = this.#scope(own);
      this.#begin(shown);
      const stop = this.#stop(number(step['timeout-minutes'] ?? 360, scope));
      try {
        const place = this.#place(shown, own, stop.signal);
        const conclusion =
          step.uses === undefined
            ? await this.#take(shown, startShell(step, place, { ...workflow.defaults, ...job.defaults }, scope))
            : await this.#use(step.uses, shown, place, texts(step.with, scope));
        if (!stop.passed) return stop.signal.aborted ? 'cancelled' : conclusion;
        shown.annotations.push({
          level: 'error',
          message: `The step has timed out after ${text(step['timeout-minutes'], scope)} minutes.`,
        });
        return 'failure';
      } finally {
        stop.clear();
      }
    });
    if (step.id !== undefined) {
      this.#steps[step.id] = { outputs: shown.outputs, outcome: shown.outcome, conclusion: shown.conclusion };
    }
  }

  async #use(uses: string, shown: StepRun, place: Place, inputs: Record<string, string>): Promise<Conclusion> {
    const { actions, github, event } = this.#plan;
    const action = actions.get(uses);
    if (!action) throw new Error(`${uses} was not resolved`);
    if (action.kind === 'built-in') {
      return startBuiltIn(action.run, { inputs, github, sha: event.sha, workspace: place.workspace, log: place.onLine });
    }
    const post: Post = { of: shown, action: action.action, inputs, env: place.env, state: {} };
    if (action.action.post !== undefined) this.#posts.push(post);
    const running = startAction(action.action, 'main', place, inputs, {});
    const conclusion = await this.#take(shown, running);
    post.state = (await running.result).state;
    return conclusion;
  }

  /** A post step runs however the job went (`post-if` is `always()` in all our actions). */
  async #post(post: Post): Promise<void> {
    const shown = this.#add({ name: `Post ${post.of.name}`, ...(post.of.uses !== undefined && { uses: post.of.uses }) }, true);
    await this.#guard(shown, {}, this.#scope({}), async () => {
      this.#begin(shown);
      const stop = this.#stop(360);
      try {
        const place = this.#place(shown, post.env, stop.signal);
        const conclusion = await this.#take(shown, startAction(post.action, 'post', place, post.inputs, post.state));
        return stop.signal.aborted ? 'cancelled' : conclusion;
      } finally {
        stop.clear();
      }
    });
  }

  /** Waits for a started program and takes over what it left. */
  async #take(shown: StepRun, running: ReturnType<typeof startShell>): Promise<Conclusion> {
    const result = await running.result;
    shown.summary = result.summary;
    Object.assign(shown.outputs, result.outputs);
    shown.annotations.push(...result.annotations);
    this.#masks.push(...result.masks);
    Object.assign(this.#env, result.env);
    // A later addition stands before an earlier one.
    this.#path = [...result.path.toReversed(), ...this.#path];
    return result.conclusion;
  }

  /** Runs a step's body, and makes of it and of what it throws the step's conclusion and the job's state. */
  async #guard(shown: StepRun, step: Step, scope: Scope, body: () => Promise<Conclusion>): Promise<void> {
    let forgiven = false;
    try {
      shown.outcome = await body();
      forgiven = shown.outcome === 'failure' && boolean(step['continue-on-error'] ?? false, scope);
    } catch (error) {
      shown.annotations.push({ level: 'error', message: error instanceof Error ? error.message : String(error) });
      shown.outcome = 'failure';
    }
    shown.conclusion = forgiven ? 'success' : shown.outcome;
    if (shown.conclusion === 'failure') this.#failed = true;
    shown.status = 'completed';
    if (shown.startedAt !== undefined) shown.endedAt = this.#plan.now();
    this.#emit('step-ended', shown);
  }

  #add(step: Step, post: boolean): StepRun {
    const { steps } = this.#plan.result;
    const shown: StepRun = {
      number: steps.length + 1,
      ...(step.id !== undefined && { id: step.id }),
      name: this.#nameOf(step),
      ...(step.uses !== undefined && { uses: step.uses }),
      post,
      status: 'queued',
      lines: [],
      summary: '',
      outputs: Object.create(null) as Record<string, string>,
      annotations: [],
    };
    steps.push(shown);
    return shown;
  }

  #begin(shown: StepRun): void {
    shown.status = 'in_progress';
    shown.startedAt = this.#plan.now();
    this.#emit('step-started', shown);
  }

  /** As GitHub shows it: the name, else what the step does. */
  #nameOf(step: Step, scope?: Scope): string {
    if (step.name !== undefined) return scope ? text(step.name, scope) : written(step.name);
    return step.uses === undefined ? `Run ${(step.run ?? '').split('\n', 1)[0]}` : `Run ${step.uses}`;
  }

  #environment(own: Record<string, string>): Record<string, string> {
    const { workflow, job } = this.#plan;
    const outer = this.#scope({});
    const ofWorkflow = texts(workflow.env, outer);
    return { ...ofWorkflow, ...texts(job.env, this.#scope(ofWorkflow)), ...this.#env, ...own };
  }

  #scope(env: Record<string, string>): Scope {
    const { github, run, event, job, contexts, secrets } = this.#plan;
    const cancelled = this.#cancelled;
    return {
      contexts: {
        ...contexts,
        github: githubContext(github, run, event, { id: job.id, token: this.#token, workspace: join(this.#folder, 'workspace') }),
        secrets: { ...secrets, GITHUB_TOKEN: this.#token },
        env,
        steps: this.#steps,
        job: { status: cancelled ? 'cancelled' : this.#failed ? 'failure' : 'success' },
        runner: { os: 'Linux', temp: join(this.#folder, 'temp'), name: 'slashtrain-testing', environment: 'self-hosted' },
      },
      // What the runner's StepsRunner makes of the job's state: exactly one of the three holds.
      status: { success: !this.#failed && !cancelled, failure: this.#failed && !cancelled, cancelled },
    };
  }

  #place(shown: StepRun, env: Record<string, string>, signal: AbortSignal): Place {
    const { github, run, event, job, result, emit } = this.#plan;
    return {
      run: {
        github: { url: github.url, token: this.#token, repository: github.repository },
        event,
        runId: run.id,
        runAttempt: run.attempt,
        actor: run.actor,
        ...(run.triggeringActor !== undefined && { triggeringActor: run.triggeringActor }),
      },
      variables: {
        GITHUB_JOB: job.id,
        GITHUB_ACTION: shown.id ?? `__${shown.number}`,
        GITHUB_WORKFLOW: run.workflow,
        GITHUB_RUN_NUMBER: String(run.number),
      },
      env,
      path: this.#path,
      workspace: join(this.#folder, 'workspace'),
      temp: join(this.#folder, 'temp'),
      home: join(this.#folder, 'home'),
      key: `${job.id}-${shown.number}`,
      secrets: this.#masks,
      signal,
      onLine: (line) => {
        shown.lines.push(line);
        emit({ type: 'line', run, job: result, step: shown, line });
      },
    };
  }

  /** An output that holds a masked value is dropped, as GitHub does. */
  #setOutputs(): void {
    const { job, result } = this.#plan;
    for (const [name, value] of Object.entries(texts(job.outputs, this.#scope({})))) {
      if (this.#masks.some((mask) => mask !== '' && value.includes(mask))) {
        result.annotations.push({ level: 'warning', message: `Skip output '${name}' since it may contain secret.` });
      } else {
        result.outputs[name] = value;
      }
    }
  }

  #emit(type: 'step-started' | 'step-ended', step: StepRun): void {
    const { run, result: job, emit } = this.#plan;
    emit({ type, run, job, step });
  }
}
