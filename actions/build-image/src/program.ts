/** A program with its arguments, which no shell ever sees. */
export interface Command {
  program: string;
  args: readonly string[];
  /** Over the environment that all have. */
  env?: Record<string, string>;
}

export interface Ended {
  /** null where a signal ended it. */
  code: number | null;
  /** The last lines of what it wrote, stdout and stderr as they came. */
  lines: string[];
}

/**
 * Runs a program to its end.
 * @param onLine each line as it comes; the text is the program's and hostile
 * @throws what spawn throws: ENOENT where there is no such program, and the signal's reason when it aborts
 */
export type RunProgram = (command: Command, onLine?: (line: string) => void) => Promise<Ended>;

/**
 * Programs of this machine. They get the job's environment but for what the runner gave this step alone: its inputs,
 * and the tokens with which a step speaks for the job. (`@actions/exec` has no way to end a child when the job is cancelled.)
 */
export function programs(environment: NodeJS.ProcessEnv, signal: AbortSignal): RunProgram {
  const inherited = Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !/^(?:INPUT_|ACTIONS_|STATE_|GITHUB_(?:TOKEN|OUTPUT|ENV|PATH|STATE|STEP_SUMMARY)$)/u.test(name),
    ),
  );
  return async ({ program, args, env }, onLine) => {
    signal.throwIfAborted();
    // Loaded by whom it starts: the layer builder alone needs no program.
    const [{ spawn }, { createInterface }] = await Promise.all([import('node:child_process'), import('node:readline')]);
    const child = spawn(program, args, { env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGTERM' });
    const lines: string[] = [];
    const readers = [child.stdout, child.stderr].map((input) => {
      const reader = createInterface({ input, crlfDelay: Infinity });
      reader.on('line', (line) => {
        lines.push(line);
        if (lines.length > 400) lines.splice(0, 200);
        onLine?.(line);
      });
      return new Promise<void>((done) => reader.once('close', done));
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error));
      child.once('close', resolve);
    });
    await Promise.all(readers);
    return { code, lines };
  };
}

/** Whether a program is there and answers, with lines that are `good`. */
export async function answers(
  run: RunProgram,
  command: Command,
  good: (lines: readonly string[]) => boolean = () => true,
): Promise<boolean> {
  try {
    const { code, lines } = await run(command);
    return code === 0 && good(lines);
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
