import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { parseCommand, parseKeyValueFile, type Command } from './commands.ts';
import type { CommandFiles } from './environment.ts';

/** A program that runs as a step: an action's bundle, or the shell of a `run:`. */
export interface StepProcess {
  /** The program and its arguments. */
  command: [string, ...string[]];
  /** Working directory. */
  folder: string;
  /** All of it: nothing of ours is added. */
  env: Record<string, string>;
  files: CommandFiles;
  /** `RUNNER_TEMP`, for the result. */
  temp: string;
  /** Values that the runner masks from the start. */
  secrets: string[];
  /** Cancels as the runner does, see {@link RunningStep.interrupt}. */
  signal?: AbortSignal;
  /** Each line as it comes, masked as the runner shows it, and the command that it is, if it is one. */
  onLine?: (line: string, command?: Command) => void;
}

/** All that a step left behind. */
export interface StepResult {
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
  /** Null prototype: what it wrote to `GITHUB_ENV`, for the steps after it. */
  env: Record<string, string>;
  /** The lines it wrote to `GITHUB_PATH`. */
  path: string[];
  annotations: { level: 'notice' | 'warning' | 'error'; message: string }[];
  /** What the runner took as workflow commands, in order: text from outside must never be among them. */
  commands: Command[];
  /** `RUNNER_TEMP` of this run. */
  temp: string;
  /** From spawn to close, milliseconds. */
  durationMs: number;
}

export interface RunningStep {
  result: Promise<StepResult>;
  process: ChildProcess;
  /**
   * SIGINT, after 7.5 s SIGTERM, after 2.5 s more SIGKILL
   * (https://docs.github.com/actions/reference/workflows-and-actions/workflow-cancellation).
   */
  interrupt(): void;
  /** SIGKILL, as when the runner's machine is lost. */
  kill(): void;
}

/** Starts a step's program, in a process group of its own so that what it started ends with it. */
export function startStep(step: StepProcess): RunningStep {
  const started = performance.now();
  const [program, ...args] = step.command;
  const child = spawn(program, args, { cwd: step.folder, env: step.env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const reader = new StepReader(step.secrets, step.onLine);
  const reading = [reader.read(child.stdout, 'stdout'), reader.read(child.stderr, 'stderr')];
  let closed = false;
  const kill = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined || closed) return;
    try {
      process.kill(-child.pid, signal);
    } catch (error) {
      // It ended in this moment; there is nothing left to signal.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };

  const timers: NodeJS.Timeout[] = [];
  const interrupt = (): void => {
    kill('SIGINT');
    timers.push(
      setTimeout(() => kill('SIGTERM'), 7_500),
      setTimeout(() => kill('SIGKILL'), 10_000),
    );
  };
  if (step.signal?.aborted) interrupt();
  else step.signal?.addEventListener('abort', interrupt, { once: true });

  const ended = new Promise<number | null>((done, fail) => child.once('error', fail).once('close', done));
  const result = Promise.all([ended, ...reading])
    .then(([code]) => reader.finish(code, step.files, { temp: step.temp, durationMs: performance.now() - started }))
    .finally(() => {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
      step.signal?.removeEventListener('abort', interrupt);
    });
  return { result, process: child, interrupt, kill: () => kill('SIGKILL') };
}

/** What the runner does with a step's lines. */
class StepReader {
  readonly #raw = { stdout: '', stderr: '' };
  readonly #shown: string[] = [];
  readonly #secrets: string[];
  readonly #masks: string[] = [];
  readonly #commands: Command[] = [];
  readonly #annotations: StepResult['annotations'] = [];
  readonly #outputs = Object.create(null) as Record<string, string>;
  readonly #state = Object.create(null) as Record<string, string>;
  readonly #onLine: StepProcess['onLine'];
  /** Set while `stop-commands` holds. */
  #resume: string | undefined;

  constructor(secrets: string[], onLine: StepProcess['onLine']) {
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

  finish(code: number | null, files: CommandFiles, run: { temp: string; durationMs: number }): StepResult {
    let failed = code !== 0;
    const env = Object.create(null) as Record<string, string>;
    const merge = (target: Record<string, string>, file: string, name: string): void => {
      try {
        Object.assign(target, parseKeyValueFile(readFileSync(file, 'utf8')));
      } catch (error) {
        failed = true;
        const message = `Unable to process file command '${name}' successfully. ${error instanceof Error ? error.message : String(error)}`;
        this.#annotations.push({ level: 'error', message });
      }
    };
    merge(this.#outputs, files.output, 'output');
    merge(this.#state, files.state, 'save_state');
    merge(env, files.env, 'env');
    return {
      code,
      conclusion: failed ? 'failure' : 'success',
      stdout: this.#raw.stdout,
      stderr: this.#raw.stderr,
      shown: this.#shown.map((line) => `${line}\n`).join(''),
      outputs: this.#outputs,
      summary: this.#masked(this.#summary(files.summary)),
      masks: this.#masks,
      state: this.#state,
      env,
      path: readFileSync(files.path, 'utf8')
        .split(/\r?\n/u)
        .filter((line) => line !== ''),
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
