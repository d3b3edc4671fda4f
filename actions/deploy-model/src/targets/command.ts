import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';

/** What a command is told of the model, as SLASHTRAIN_… variables. */
export interface CommandModel {
  name: string;
  environment: string;
  sha: string;
  run: string;
  revision: string;
  image?: string;
  modelUri?: string;
}

/**
 * Runs a command of the workflow's, as a step's `run:` does: by bash, in the workspace. What it is told comes as variables,
 * never as a part of its text.
 * @throws ActionError `run-failed` with its exit code; the signal's reason once it has ended
 */
export async function runCommand(
  what: string,
  script: string,
  model: CommandModel,
  { log, environment, workspace, signal }: Host,
): Promise<void> {
  signal.throwIfAborted();
  const { name, environment: where, sha, run, revision, image = '', modelUri = '' } = model;
  const told = { NAME: name, ENVIRONMENT: where, SHA: sha, RUN: run, REVISION: revision, IMAGE: image, MODEL_URI: modelUri };
  const inherited = Object.entries(environment).filter(([key]) => !key.startsWith('INPUT_'));
  const ours = Object.entries(told).map(([key, value]) => [`SLASHTRAIN_${key}`, value]);
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
    cwd: workspace,
    env: Object.fromEntries([...inherited, ...ours]) as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  const ended = new Promise<number | null>((done, fail) => child.once('error', fail).once('close', done));
  try {
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', (line) => log.info(line));
    const code = await ended;
    signal.throwIfAborted();
    if (code !== 0)
      throw new ActionError('run-failed', `input "${what}" ended ${code === null ? 'by a signal' : `with exit code ${code}`}`, {
        remedy: 'its lines are above',
      });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
