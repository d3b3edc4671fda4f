import { expect, it } from '@jest/globals';
import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { Inputs } from '@slashtrain/core/action/inputs';
import type { LogLine, RunBackend } from '@slashtrain/core/backend/backend';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { awaitRun } from './await-run.ts';
import { Follower } from './follow.ts';
import { ProgressReporter } from './reporter.ts';

const nothing = (): void => {};
const log = {
  info: nothing,
  debug: nothing,
  notice: nothing,
  warning: nothing,
  error: nothing,
  startGroup: nothing,
  endGroup: nothing,
  mask: nothing,
};

const timers = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

it('a wait that fails leaves no log open and no check to write, so that the step ends', async () => {
  const expired = new ActionError('permission', 'https://test does not accept the credentials of the context test: Unauthorized');
  let isLogOpen = false;
  const untilAbort = async function* <T>(signal: AbortSignal): AsyncGenerator<T> {
    yield* [];
    await new Promise<void>((done) => signal.addEventListener('abort', () => done()));
  };
  const backend: Partial<RunBackend> = {
    async *observe() {
      yield { status: { state: 'queued' } };
      yield { status: { state: 'running' } };
      // Once the log is open.
      while (!isLogOpen) await new Promise((done) => setImmediate(done));
      throw expired;
    },
    watchPods: (_, signal) => untilAbort(signal),
    async *logs(_, signal): AsyncGenerator<LogLine[]> {
      isLogOpen = true;
      yield* untilAbort<LogLine[]>(signal);
      isLogOpen = false;
    },
  };
  const told: string[] = [];
  const reporter = new ProgressReporter({ say: nothing, update: (title) => Promise.resolve(void told.push(title)), now: Date.now });
  const stored: StoredRecord = {
    namespace: 'ml',
    name: 'digits-1a2b3c4',
    uid: '1',
    resourceVersion: '1',
    record: {
      version: 1,
      repository: { id: 7, fullName: 'acme/digits' },
      sha: 'a'.repeat(40),
      tree: 'b'.repeat(40),
      pipeline: 'digits',
      request: 'c'.repeat(64),
      asked: [],
      attempt: 1,
      actor: 'ada',
      createdAt: '2026-01-01T00:00:00Z',
      images: [],
      parameters: [],
      kind: { plural: 'jobs', group: 'batch' },
      state: 'queued',
      run: 'jobs.batch/ml/digits-1a2b3c4@0f0c7a52-3c1e-4d0e-9c77-6d1f0a2b3c4d',
    },
  };
  const host: Host = {
    inputs: new Inputs({}),
    environment: {},
    log,
    workspace: '',
    temp: '',
    signal: new AbortController().signal,
    now: Date.now,
    setOutput: nothing,
    summarise: () => Promise.resolve(),
    saveState: nothing,
  };
  const inputs = {
    run: stored.record.run,
    timeout: undefined,
    queueTimeout: undefined,
    onTimeout: 'cancel',
    onCancel: 'detach',
    logs: 'all',
  } as Parameters<typeof awaitRun>[1];
  const parts = { host, records: {} as RecordStore, backend: backend as RunBackend, reporter };
  const follower = new Follower({ log, run: stored.name, show: true, write: nothing });
  const before = timers();
  await expect(awaitRun(stored, inputs, { ...parts, follower })).rejects.toBe(expired);
  expect(isLogOpen).toBe(false);
  // The change to "running" waits for its turn on the check, which does not come.
  expect(told).toEqual(['queued for 0 s']);
  expect(timers()).toBe(before);
});
