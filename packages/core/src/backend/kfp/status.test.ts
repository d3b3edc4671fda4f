import { describe, expect, it } from '@jest/globals';
import type { ApiRun, ApiTask } from './api.ts';
import { statusOf, taskNames, tasksOf } from './status.ts';

const never = '1970-01-01T00:00:00Z';
const task = (name: string, state: string, more: Partial<ApiTask> = {}): ApiTask => ({
  display_name: name,
  state,
  create_time: '2026-11-21T10:00:00Z',
  start_time: '2026-11-21T10:00:05Z',
  end_time: state === 'RUNNING' ? never : '2026-11-21T10:00:09Z',
  ...more,
});
/* As the API server of 2.17.0 lists them: the nodes of the Workflow that it makes. */
const run = (state: string, tasks: ApiTask[] = [], more: Partial<ApiRun> = {}): ApiRun => ({
  state,
  finished_at: never,
  run_details: { task_details: [task('digits-x7k2p', 'RUNNING'), task('root-driver', 'SUCCEEDED'), task('root', 'RUNNING'), ...tasks] },
  ...more,
});
const names = { names: new Set(['prepare', 'train', 'evaluate']), cached: new Set<string>() };

describe('statusOf', () => {
  it.each<[string, boolean, string]>([
    ['PENDING', false, 'queued'],
    ['RUNNING', false, 'running'],
    ['CANCELING', false, 'running'],
    ['PAUSED', false, 'suspended'],
    ['SUCCEEDED', false, 'succeeded'],
    ['SKIPPED', false, 'succeeded'],
    ['FAILED', false, 'failed'],
    ['FAILED', true, 'cancelled'],
    ['SUCCEEDED', true, 'succeeded'],
    ['CANCELED', false, 'cancelled'],
    ['RUNTIME_STATE_UNSPECIFIED', false, 'unknown'],
    ['WHATEVER_IS_NEW', false, 'unknown'],
  ])('%s, being stopped %s: %s', (state, wasCancelling, expected) => {
    expect(statusOf({ state }, names, wasCancelling).state).toBe(expected);
  });

  it('tells tasks, those from the cache, the share that is done, and since when', () => {
    const tasks = [
      task('prepare', 'SUCCEEDED'),
      task('executor', 'SKIPPED'),
      task('train-driver', 'SUCCEEDED'),
      task('train', 'RUNNING'),
      task('executor', 'RUNNING'),
    ];
    expect(statusOf(run('RUNNING', tasks), names, false)).toEqual({
      state: 'running',
      message: 'prepare done, train running; 1 from the cache',
      progress: 1 / 3,
      startedAt: '2026-11-21T10:00:05Z',
    });
  });

  it('names the tasks from the cache where ML Metadata said which', () => {
    const tasks = [
      ...[task('prepare', 'SUCCEEDED'), task('executor', 'SKIPPED')],
      ...[task('train', 'RUNNING'), task('executor', 'RUNNING')],
    ];
    const cached = new Set(['prepare']);
    expect(statusOf(run('RUNNING', tasks), { ...names, cached }, false).message).toBe('prepare cached, train running');
  });

  const executors = (...states: string[]): ApiTask[] => states.map((state) => task('executor', state));
  it.each<[string, ApiTask[], string[], string | undefined]>([
    ['none', [task('train', 'SUCCEEDED'), ...executors('SUCCEEDED')], [], undefined],
    // What a condition left out has no executor.
    ['a condition that did not hold', [task('train', 'SKIPPED'), task('prepare', 'SUCCEEDED'), ...executors('SUCCEEDED')], [], undefined],
    [
      'one',
      [task('prepare', 'SUCCEEDED'), ...executors('SKIPPED', 'SUCCEEDED')],
      ['prepare'],
      '1 of 2 tasks was taken from the cache: prepare',
    ],
    [
      'one, nobody knows which',
      [task('prepare', 'SUCCEEDED'), ...executors('SKIPPED', 'SUCCEEDED')],
      [],
      '1 of 2 tasks was taken from the cache',
    ],
    [
      'all',
      [task('prepare', 'SUCCEEDED'), ...executors('SKIPPED', 'SKIPPED')],
      [],
      'all 2 tasks were taken from the cache, nothing ran anew',
    ],
    [
      'the only one',
      [task('prepare', 'SUCCEEDED'), ...executors('SKIPPED')],
      [],
      'the only task was taken from the cache, nothing ran anew',
    ],
  ])('says of a run that succeeded what was not run: %s', (_, tasks, cached, message) => {
    expect(statusOf(run('SUCCEEDED', tasks), { ...names, cached: new Set(cached) }, false).message).toBe(message);
  });

  it.each<[string, ApiRun, string]>([
    [
      'a task with words',
      run('FAILED', [task('train', 'FAILED', { error: { message: 'exit code 1' } })]),
      'task "train" failed: exit code 1',
    ],
    ['a task without', run('FAILED', [task('train', 'FAILED')]), 'task "train" failed'],
    [
      'a task whose history has them',
      run('FAILED', [task('train', 'FAILED', { state_history: [{ error: { message: 'OOM' } }] })]),
      'task "train" failed: OOM',
    ],
    [
      'two',
      run('FAILED', [task('prepare', 'FAILED'), task('train', 'FAILED', { error: { message: 'b' } })]),
      'task "train" failed: b (2 tasks failed)',
    ],
    ['none', run('FAILED', [], { error: { message: 'no such service account' } }), 'no such service account'],
    ['nothing', run('FAILED'), 'Kubeflow Pipelines does not say why'],
  ])('says why it failed, of %s', (_, failed, message) => {
    expect(statusOf(failed, names, false).message).toBe(message);
  });
});

describe('tasksOf', () => {
  it('leaves out what the server adds, also where the pipeline is not known', () => {
    const tasks = [task('train', 'RUNNING'), task('train-driver', 'SUCCEEDED'), task('executor', 'RUNNING')];
    expect(tasksOf(run('RUNNING', tasks), names).map(({ name }) => name)).toEqual(['train']);
    expect(tasksOf({ run_details: { task_details: tasks } }, { names: new Set(), cached: new Set() }).map(({ name }) => name)).toEqual([
      'train',
    ]);
  });
});

it('the names of tasks are those of all groups, in a pipeline with settings and without', () => {
  const spec = {
    root: { dag: { tasks: { 'for-loop-1': { componentRef: { name: 'comp-for-loop-1' }, taskInfo: { name: 'for-loop-1' } } } } },
    components: {
      'comp-for-loop-1': { dag: { tasks: { one: { taskInfo: { name: 'one' } } } } },
      'comp-one': { executorLabel: 'exec-one' },
    },
  };
  expect([...taskNames(spec)]).toEqual(['for-loop-1', 'one']);
  expect([...taskNames({ pipeline_spec: spec, platform_spec: {} })]).toEqual(['for-loop-1', 'one']);
  expect([...taskNames(undefined)]).toEqual([]);
});
