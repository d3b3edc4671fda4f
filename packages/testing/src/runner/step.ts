import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BundleRun } from '../bundle/bundle.ts';
import { makeCommandFiles, makeEnvironment, type ActionFile } from '../bundle/environment.ts';
import { startStep, type RunningStep } from '../bundle/step.ts';
import type { BuiltIn } from './actions.ts';
import { text, type Scope } from './expressions.ts';
import type { RunDefaults, Step } from './workflow.ts';

/** Where a step runs and what it sees. */
export interface Place {
  /** Who, what and where, as the bundle runner takes it. */
  run: Omit<BundleRun, 'action' | 'entry' | 'inputs' | 'env' | 'state' | 'secrets' | 'signal' | 'onLine' | 'workspace' | 'temp'>;
  /** Variables of the runner that the bundle runner does not know. */
  variables: Record<string, string>;
  /** `env:` of workflow, job and step, and what earlier steps have set. */
  env: Record<string, string>;
  /** Folders that earlier steps put before `PATH`, the first one first. */
  path: readonly string[];
  workspace: string;
  temp: string;
  home: string;
  /** Unlike that of every other step of the job. */
  key: string;
  secrets: string[];
  signal: AbortSignal;
  onLine: (line: string) => void;
}

/** Starts an action's bundle. */
export function startAction(
  action: ActionFile,
  entry: 'main' | 'post',
  place: Place,
  inputs: Record<string, string>,
  state: Record<string, string>,
): RunningStep {
  const file = entry === 'main' ? action.main : action.post;
  if (file === undefined) throw new Error(`${action.folder} has no ${entry}`);
  const variables = { GITHUB_ACTION_PATH: action.folder };
  return start([process.execPath, join(action.folder, file)], place.workspace, place, action, { inputs, state, variables });
}

/** Starts the shell of a `run:`. */
export function startShell(step: Step, place: Place, defaults: RunDefaults, scope: Scope): RunningStep {
  const shell = text(step.shell ?? defaults.shell, scope);
  const { command, extension } = commandOf(shell);
  const folder = join(place.workspace, text(step['working-directory'] ?? defaults['working-directory'], scope));
  const file = join(place.temp, `${place.key}${extension}`);
  mkdirSync(place.temp, { recursive: true });
  writeFileSync(file, text(step.run, scope));
  const [program = '', ...args] = command.map((part) => part.replaceAll('{0}', file));
  return start([program, ...args], folder, place, { folder: '', main: '', post: undefined, inputs: new Map() }, {});
}

/** https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell */
function commandOf(shell: string): { command: string[]; extension: string } {
  if (shell === '') return { command: ['bash', '-e', '{0}'], extension: '.sh' };
  if (shell === 'bash') return { command: ['bash', '--noprofile', '--norc', '-eo', 'pipefail', '{0}'], extension: '.sh' };
  if (shell === 'sh') return { command: ['sh', '-e', '{0}'], extension: '.sh' };
  if (shell.includes('{0}')) return { command: shell.split(/\s+/u), extension: shell.startsWith('node') ? '.mjs' : '' };
  throw new Error(`this runner does not support shell: ${shell}`);
}

function start(
  command: [string, ...string[]],
  folder: string,
  place: Place,
  action: ActionFile,
  own: { inputs?: Record<string, string>; state?: Record<string, string>; variables?: Record<string, string> },
): RunningStep {
  const files = makeCommandFiles(place.temp, place.key);
  const { inputs = {}, state = {}, variables = {} } = own;
  const env = makeEnvironment({ ...place.run, action: action.folder, inputs, state, env: place.env }, action, { ...place, files });
  return startStep({
    command,
    folder,
    env: {
      ...env,
      ...place.variables,
      ...variables,
      PATH: [...place.path, env['PATH']].join(':'),
    },
    files,
    temp: place.temp,
    secrets: place.secrets,
    signal: place.signal,
    onLine: place.onLine,
  });
}

/** Runs an action that this runner does itself. */
export async function startBuiltIn(run: (context: BuiltIn) => Promise<void>, context: BuiltIn): Promise<'success'> {
  await run(context);
  return 'success';
}
