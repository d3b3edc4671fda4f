import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from './commands.ts';
import { makeCommandFiles, makeEnvironment, readAction } from './environment.ts';
import { startStep, type RunningStep, type StepResult } from './step.ts';

/** How to run an action's bundle. */
export interface BundleRun {
  /** The folder's name below `actions/`, or the absolute path of a folder with an `action.yml`. */
  action: string;
  /** `main` where not given. */
  entry?: 'main' | 'post';
  /** What stands under `with:`. Defaults come from `action.yml`. */
  inputs?: Record<string, string>;
  /** What stands under `env:`. */
  env?: Record<string, string>;
  /** What started the workflow; `workflow_dispatch` with an empty payload where not given. */
  event?: { name: string; payload: unknown; sha?: string; ref?: string; headRef?: string; baseRef?: string };
  /** `url` is the server's address: a fake GitHub's, or `https://github.com`. */
  github: { url: string; token: string; repository: { owner: string; name: string; id: number } };
  /** `GITHUB_WORKSPACE`; an empty folder where not given. */
  workspace?: string;
  /** `RUNNER_TEMP`, which the steps of one job share; a new folder where not given. */
  temp?: string;
  runId?: number;
  runAttempt?: number;
  actor?: string;
  triggeringActor?: string;
  /** What `main` saved, for `post`. */
  state?: Record<string, string>;
  /** Values that the runner masks from the start, besides the token. */
  secrets?: string[];
  /** Cancels as the runner does, see {@link RunningStep.interrupt}. */
  signal?: AbortSignal;
  /** Each line as it comes, masked as the runner shows it, and the command that it is, if it is one. */
  onLine?: (line: string, command?: Command) => void;
}

/** All that a bundle left behind. */
export type BundleResult = StepResult;
export type RunningBundle = RunningStep;

/** Runs an action's built bundle as the runner does, in an environment made from nothing, and waits for its end. */
export function runBundle(run: BundleRun): Promise<BundleResult> {
  return startBundle(run).result;
}

/** Like {@link runBundle}, for who wants to interrupt it. */
export function startBundle(run: BundleRun): RunningBundle {
  const action = readAction(run.action);
  const entry = (run.entry ?? 'main') === 'main' ? action.main : action.post;
  if (entry === undefined) throw new Error(`${run.action} has no post entry`);
  const file = join(action.folder, entry);
  if (!existsSync(file)) throw new Error(`${file} is missing; build it with: pnpm build ${run.action}`);

  const own = mkdtempSync(join(tmpdir(), 'slashtrain-bundle-'));
  const folder = (name: string): string => {
    mkdirSync(join(own, name), { recursive: true });
    return join(own, name);
  };
  const temp = run.temp ?? folder('temp');
  const workspace = run.workspace ?? folder('workspace');
  const files = makeCommandFiles(temp, own.slice(-6));
  const env = makeEnvironment(run, action, { temp, workspace, home: folder('home'), files });

  return startStep({
    command: [process.execPath, file],
    folder: workspace,
    env,
    files,
    temp,
    secrets: [run.github.token, ...(run.secrets ?? [])],
    ...(run.signal && { signal: run.signal }),
    ...(run.onLine && { onLine: run.onLine }),
  });
}
