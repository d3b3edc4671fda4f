import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { parseCommand, parseKeyValueFile, type Command } from './commands.ts';
import { makeCommandFiles, makeEnvironment, readAction } from './environment.ts';

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
  /** Cancels as the runner does, see {@link RunningBundle.interrupt}. */
  signal?: AbortSignal;
  /** Each line as it comes, masked as the runner shows it, and the command that it is, if it is one. */
  onLine?: (line: string, command?: Command) => void;
}

/** All that a bundle left behind. */
export interface BundleResult {
  /** The exit code; null where a signal killed it. */
  code: number | null;
  /** What the runner makes of it: a file that it cannot read fails a step that ended 0. */
  conclusion: 'success' | 'failure';
  /** Raw. */
  stdout: string;
  /** Raw. */
  stderr: string;
  /** Both streams line by line as they came, with masks applied. */
  shown: string;
  /** Null prototype. */
  outputs: Record<string, string>;
  summary: string;
  /** What the action itself masked. */
  masks: string[];
  /** Null prototype: what `post` gets. */
  state: Record<string, string>;
  annotations: { level: 'notice' | 'warning' | 'error'; message: string }[];
  /** What the runner took as workflow commands, in order: text from outside must never be among them. */
  commands: Command[];
  /** `RUNNER_TEMP` of this run. */
  temp: string;
  /** From spawn to close, milliseconds. */
  durationMs: number;
}

export interface RunningBundle {
  result: Promise<BundleResult>;
  process: ChildProcess;
  /**
   * SIGINT, after 7.5 s SIGTERM, after 2.5 s more SIGKILL
   * (https://docs.github.com/actions/reference/workflows-and-actions/workflow-cancellation).
   */
  interrupt(): void;
  /** SIGKILL, as when the runner's machine is lost. */
  kill(): void;
}

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

  const started = performance.now();
  const child = spawn(process.execPath, [file], { cwd: workspace, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const reader = new StepReader([run.github.token, ...(run.secrets ?? [])], run.onLine);
  const reading = [reader.read(child.stdout, 'stdout'), reader.read(child.stderr, 'stderr')];

  const timers: NodeJS.Timeout[] = [];
  const interrupt = (): void => {
    child.kill('SIGINT');
    timers.push(
      setTimeout(() => child.kill('SIGTERM'), 7_500),
      setTimeout(() => child.kill('SIGKILL'), 10_000),
    );
  };
  if (run.signal?.aborted) interrupt();
  else run.signal?.addEventListener('abort', interrupt, { once: true });

  const ended = new Promise<number | null>((done, fail) => child.once('error', fail).once('close', done));
  const result = Promise.all([ended, ...reading])
    .then(([code]) => reader.finish(code, { ...files, temp, durationMs: performance.now() - started }))
    .finally(() => {
      for (const timer of timers) clearTimeout(timer);
      run.signal?.removeEventListener('abort', interrupt);
    });
  return { result, process: child, interrupt, kill: () => void child.kill('SIGKILL') };
}

/** What the runner does with a step's lines. */
class StepReader {
  readonly #raw = { stdout: '', stderr: '' };
  readonly #shown: string[] = [];
  readonly #secrets: string[];
  readonly #masks: string[] = [];
  readonly #commands: Command[] = [];
  readonly #annotations: BundleResult['annotations'] = [];
  readonly #outputs = Object.create(null) as Record<string, string>;
  readonly #state = Object.create(null) as Record<string, string>;
  readonly #onLine: BundleRun['onLine'];
  /** Set while `stop-commands` holds. */
  #resume: string | undefined;

  constructor(secrets: string[], onLine: BundleRun['onLine']) {
    this.#secrets = secrets.filter((secret) => secret !== '');
    this.#onLine = onLine;
  }

  async read(stream: Readable, name: 'stdout' | 'stderr'): Promise<void> {
    stream.setEncoding('utf8').on('data', (text: string) => (this.#raw[name] += text));
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) this.#line(line);
  }

  #line(line: string): void {
    const command = this.#take(line);
    const shown = this.#masked(line);
    this.#shown.push(shown);
    this.#onLine?.(shown, command && { ...command, data: this.#masked(command.data) });
  }

  #take(line: string): Command | undefined {
    const command = parseCommand(line, this.#resume);
    if (!command) return undefined;
    if (this.#resume !== undefined) {
      if (command.name !== this.#resume.toLowerCase()) return undefined;
      this.#resume = undefined;
      return command;
    }
    this.#commands.push(command);
    const { name, properties, data } = command;
    if (name === 'stop-commands') this.#resume = data;
    if (name === 'add-mask') this.#mask(data);
    if (name === 'set-output' && properties['name']) this.#outputs[properties['name']] = data;
    if (name === 'save-state' && properties['name']) this.#state[properties['name']] = data;
    if (name === 'notice' || name === 'warning' || name === 'error') this.#annotations.push({ level: name, message: data });
    return command;
  }

  #mask(value: string): void {
    if (value.trim() === '') return;
    this.#masks.push(value);
    // The runner masks each line of a value too, since it shows lines.
    this.#secrets.push(value, ...value.split(/[\r\n]+/u).filter((line) => line !== ''));
  }

  #masked(text: string): string {
    let masked = text;
    for (const secret of this.#secrets.toSorted((a, b) => b.length - a.length)) masked = masked.replaceAll(secret, '***');
    return masked;
  }

  finish(code: number | null, run: { output: string; state: string; summary: string; temp: string; durationMs: number }): BundleResult {
    let failed = code !== 0;
    const merge = (target: Record<string, string>, file: string, name: string): void => {
      try {
        Object.assign(target, parseKeyValueFile(readFileSync(file, 'utf8')));
      } catch (error) {
        failed = true;
        const message = `Unable to process file command '${name}' successfully. ${error instanceof Error ? error.message : String(error)}`;
        this.#annotations.push({ level: 'error', message });
      }
    };
    merge(this.#outputs, run.output, 'output');
    merge(this.#state, run.state, 'save_state');
    return {
      code,
      conclusion: failed ? 'failure' : 'success',
      stdout: this.#raw.stdout,
      stderr: this.#raw.stderr,
      shown: this.#shown.map((line) => `${line}\n`).join(''),
      outputs: this.#outputs,
      summary: this.#masked(this.#summary(run.summary)),
      masks: this.#masks,
      state: this.#state,
      annotations: this.#annotations,
      commands: this.#commands,
      temp: run.temp,
      durationMs: run.durationMs,
    };
  }

  /** https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits */
  #summary(file: string): string {
    const summary = readFileSync(file);
    if (summary.length <= 1024 * 1024) return summary.toString('utf8');
    const message = `$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got ${Math.floor(summary.length / 1024)}k.`;
    this.#annotations.push({ level: 'error', message });
    return '';
  }
}
