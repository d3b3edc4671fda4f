import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startMlflow, type LoggedRun } from '@slashtrain/testing/trackers/mlflow';

/** A server to log runs to and to read them from. */
export interface MlflowTarget {
  /** `fake`, or the version of the real one. */
  name: string;
  url: string;
  log(runs: readonly LoggedRun[]): Promise<string[]>;
  stop(): Promise<void>;
}

/**
 * The real server where SLASHTRAIN_MLFLOW names a virtual environment that has it, else the fake.
 * @param database the real one's SQLite file, for who fills it himself
 */
export async function mlflowTarget(
  environment: NodeJS.ProcessEnv = process.env,
  { database }: { database?: string } = {},
): Promise<MlflowTarget> {
  const venv = environment['SLASHTRAIN_MLFLOW'];
  if (!venv) {
    const fake = await startMlflow();
    return { name: 'fake', url: fake.url, log: fake.log, stop: fake.close };
  }
  return realMlflow(resolve(venv, 'bin'), database);
}

async function realMlflow(bin: string, database?: string): Promise<MlflowTarget> {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-mlflow-'));
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: folder, GIT_PYTHON_REFRESH: 'quiet', MLFLOW_DISABLE_TELEMETRY: 'true' };
  const server = spawn(
    join(bin, 'mlflow'),
    [
      'server',
      '--backend-store-uri',
      `sqlite:///${database ?? join(folder, 'mlflow.db')}`,
      '--artifacts-destination',
      `${folder}/artifacts`,
      '--host',
      '127.0.0.1',
      '--port',
      '0',
      '--workers',
      '1',
    ],
    { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  const output: string[] = [];
  const url = await new Promise<string>((found, fail) => {
    const look = (chunk: Buffer): void => {
      output.push(chunk.toString());
      const [, address] = /running on (http:\/\/127\.0\.0\.1:\d+)/u.exec(output.join('')) ?? [];
      if (address) found(address);
    };
    server.stdout.on('data', look);
    server.stderr.on('data', look);
    server.on('error', fail);
    server.on('exit', (code) => fail(new Error(`mlflow server ended with ${code}: ${output.join('').slice(-2000)}`)));
  });
  for (let ready = false; !ready;) {
    const answer = await fetch(`${url}/health`).catch(() => undefined);
    ready = answer?.ok === true;
  }
  // Outside of the repository, whose commit MLflow's client would take for the run's.
  const script = join(folder, 'log.py');
  copyFileSync(resolve(import.meta.dirname, '../../packages/testing/src/trackers/mlflow-log.py'), script);
  return {
    name: spawnSync(join(bin, 'mlflow'), ['--version'], { env, encoding: 'utf8' }).stdout.trim(),
    url,
    async log(runs) {
      const child = spawn(join(bin, 'python'), [script], {
        cwd: folder,
        env: { ...env, MLFLOW_TRACKING_URI: url },
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      child.stdin.end(JSON.stringify(runs));
      const [out, error]: [string[], string[]] = [[], []];
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => error.push(chunk.toString()));
      const code = await new Promise((done) => child.on('close', done));
      if (code !== 0) throw new Error(`mlflow-log.py ended with ${String(code)}: ${error.join('').slice(-2000)}`);
      return JSON.parse(out.join('').split('\n').at(-1) ?? '') as string[];
    },
    async stop() {
      server.removeAllListeners('exit');
      const ended = new Promise((done) => server.on('close', done));
      if (server.pid !== undefined) process.kill(-server.pid, 'SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
