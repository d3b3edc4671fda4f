import { fieldsIn, isFields, type Fields } from '../../kinds/fields.ts';
import type { RunState, Status } from '../../run/state.ts';
import type { ApiRun, ApiTask } from './api.ts';

/** One task of a pipeline as people know it. */
export interface Task {
  name: string;
  state: 'waiting' | 'running' | 'done' | 'cached' | 'skipped' | 'failed' | 'cancelled';
  startedAt?: string;
  endedAt?: string;
  /** The server's words. Hostile text. */
  message?: string;
}

const states = new Map<string, RunState>([
  ['PENDING', 'queued'],
  ['RUNNING', 'running'],
  // It runs until its pods have ended.
  ['CANCELING', 'running'],
  ['PAUSED', 'suspended'],
  ['SUCCEEDED', 'succeeded'],
  // All of its tasks were.
  ['SKIPPED', 'succeeded'],
  ['FAILED', 'failed'],
  ['CANCELED', 'cancelled'],
]);

const taskStates = new Map<string, Task['state']>([
  ['PENDING', 'waiting'],
  ['RUNNING', 'running'],
  ['CANCELING', 'running'],
  ['PAUSED', 'waiting'],
  ['SUCCEEDED', 'done'],
  ['SKIPPED', 'skipped'],
  ['FAILED', 'failed'],
  ['CANCELED', 'cancelled'],
]);

/** What the API alone does not say of a run. */
export interface Beside {
  /** The tasks that the pipeline names; empty where it could not be read. */
  names: ReadonlySet<string>;
  /** Those that took their results from the cache, as far as ML Metadata was read: the API has no state for it. */
  cached: ReadonlySet<string>;
}

/**
 * A run's state.
 * @param wasCancelling whether somebody was seen to stop it: Kubeflow Pipelines 2.17 calls what it stopped FAILED, and its history
 *   does not say why (https://github.com/kubeflow/pipelines/blob/2.17.0/backend/src/apiserver/storage/run_store.go, TerminateRun)
 */
export function statusOf(run: ApiRun, beside: Beside, wasCancelling: boolean): Status {
  const { names } = beside;
  const known = states.get(run.state ?? '');
  const state = known === 'failed' && wasCancelling ? 'cancelled' : (known ?? 'unknown');
  const tasks = tasksOf(run, beside);
  const startedAt = tasks
    .map((task) => task.startedAt ?? '')
    .filter(Boolean)
    .sort()[0];
  const endedAt = timeOf(run.finished_at);
  const message = messageOf(run, tasks, state);
  const done = tasks.filter((task) => task.endedAt !== undefined).length;
  return {
    state,
    ...(message === undefined ? {} : { message }),
    ...(state === 'running' && names.size > 0 ? { progress: Math.min(1, done / Math.max(names.size, tasks.length)) } : {}),
    ...(startedAt === undefined || state === 'queued' ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
  };
}

function messageOf(run: ApiRun, tasks: readonly Task[], state: RunState): string | undefined {
  if (state === 'running') return run.state === 'CANCELING' ? 'it is being stopped' : taskWords(tasks, cachedIn(run));
  if (state === 'succeeded') return cacheWords(run, tasks);
  if (state !== 'failed') return undefined;
  const failed = tasks.filter((task) => task.state === 'failed');
  // A group of tasks fails after the one in it that did.
  const first = failed.find(({ message }) => message) ?? failed[0];
  const own = run.error?.message ?? run.state_history?.findLast(({ error }) => error?.message)?.error?.message;
  if (!first) return own ?? 'Kubeflow Pipelines does not say why';
  const words = first.message ?? own;
  return `task "${first.name}" failed${words ? `: ${words}` : ''}${failed.length > 1 ? ` (${failed.length} tasks failed)` : ''}`;
}

/**
 * The tasks that the pipeline names, in the order in which they were made. The API lists the nodes of the Argo Workflow that the
 * server makes: drivers, groups and executors are among them.
 */
export function tasksOf({ run_details: details }: ApiRun, { names, cached }: Beside): Task[] {
  const all = details?.task_details ?? [];
  const shown = all.filter(({ display_name: name = '' }) => (names.size > 0 ? names.has(plain(name)) : !isInner(name)));
  return shown
    .toSorted((a, b) => Date.parse(a.create_time ?? '') - Date.parse(b.create_time ?? '') || 0)
    .map((task) => {
      const startedAt = timeOf(task.start_time);
      const endedAt = timeOf(task.end_time);
      const message = task.error?.message ?? task.state_history?.findLast(({ error }) => error?.message)?.error?.message;
      const name = task.display_name ?? '';
      const state = taskStates.get(task.state ?? '') ?? 'waiting';
      return {
        name,
        state: state === 'done' && cached.has(plain(name)) ? 'cached' : state,
        ...(startedAt === undefined ? {} : { startedAt }),
        ...(endedAt === undefined ? {} : { endedAt }),
        ...(message ? { message } : {}),
      };
    });
}

/** Of a retried or looped task: `train(0)`. */
function plain(name: string): string {
  return name.replace(/\(\d+(?::[^)]*)?\)$/u, '');
}

function isInner(name: string): boolean {
  return name === 'root' || name === 'executor' || /-driver$/u.test(name) || /\(\d+\)$/u.test(name);
}

/** How many tasks took their results from the cache: their executor is skipped, and they are done nevertheless. */
export function cachedIn({ run_details: details }: ApiRun): number {
  return (details?.task_details ?? []).filter(isCachedExecutor).length;
}

function isCachedExecutor({ display_name: name, state }: ApiTask): boolean {
  return name === 'executor' && state === 'SKIPPED';
}

/**
 * Of a run that has succeeded how much of it was not run: `all 3 tasks were taken from the cache, nothing ran anew`. Each task with a
 * program has one executor. Undefined where all of them ran.
 */
function cacheWords(run: ApiRun, tasks: readonly Task[]): string | undefined {
  const count = cachedIn(run);
  if (count === 0) return undefined;
  const all = (run.run_details?.task_details ?? []).filter(({ display_name: name }) => name === 'executor').length;
  if (count === all) return `${all === 1 ? 'the only task was' : `all ${all} tasks were`} taken from the cache, nothing ran anew`;
  const names = tasks.filter(({ state }) => state === 'cached').map(({ name }) => name);
  const which = names.length > 0 && names.length <= 20 ? `: ${names.join(', ')}` : '';
  return `${count} of ${all} tasks ${count === 1 ? 'was' : 'were'} taken from the cache${which}`;
}

/** `prepare cached, train running, evaluate waiting`; where it is not known which: `…; 1 from the cache`. */
export function taskWords(tasks: readonly Task[], cached: number): string | undefined {
  if (tasks.length === 0) return undefined;
  const shown = tasks.slice(0, 20).map(({ name, state }) => `${name} ${state}`);
  const more = tasks.length > shown.length ? `, and ${tasks.length - shown.length} more` : '';
  const unnamed = cached - tasks.filter(({ state }) => state === 'cached').length;
  return `${shown.join(', ')}${more}${unnamed > 0 ? `; ${unnamed} from the cache` : ''}`;
}

/** The tasks that a pipeline's specification names, those of its groups among them. Empty where it cannot be read. */
export function taskNames(pipelineSpec: unknown): Set<string> {
  const spec = fieldsIn(pipelineSpec, 'pipeline_spec') ?? fieldsIn(pipelineSpec, 'pipelineSpec') ?? pipelineSpec;
  const groups = [fieldsIn(spec, 'root'), ...Object.values(fieldsIn(spec, 'components') ?? {})];
  const tasks = groups.flatMap((group): [string, unknown][] => Object.entries(fieldsIn(fieldsIn(group, 'dag'), 'tasks') ?? {}));
  return new Set(tasks.map(([key, task]) => nameIn(task) ?? key).concat(tasks.map(([key]) => key)));
}

function nameIn(task: unknown): string | undefined {
  const info: Fields | undefined = isFields(task) ? fieldsIn(task, 'taskInfo') : undefined;
  return typeof info?.['name'] === 'string' ? info['name'] : undefined;
}

/** A time of the API: what has not come is the year 1970. */
export function timeOf(text: string | undefined): string | undefined {
  return text === undefined || !(Date.parse(text) > 0) ? undefined : text;
}
