import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openMlflow } from '@slashtrain/core/trackers/mlflow';
import { mlflowTarget } from '../../support/mlflow.ts';
import type { Part } from '../part.ts';
import { inTurn, timeOf } from '../samples.ts';

/** All runs of an experiment of a real MLflow server: our client, beside fetch() that pages and parses and does nothing else. */
const experiment = 'bench';

export const part: Part = {
  rounds: { full: 3, quick: 5 },
  missing: ({ mlflow }) =>
    mlflow !== undefined && existsSync(join(mlflow, 'bin/mlflow'))
      ? undefined
      : 'make a virtual environment with pip install mlflow, and name it by --mlflow or SLASHTRAIN_MLFLOW',
  async run({ rounds, quick, mlflow: venv = '' }) {
    const runs = quick ? 1000 : 10_000;
    const folder = mkdtempSync(join(tmpdir(), 'slashtrain-bench-mlflow-'));
    const database = join(folder, 'mlflow.db');
    const server = await mlflowTarget({ SLASHTRAIN_MLFLOW: venv }, { database });
    try {
      fill(venv, database, runs);
      const client = openMlflow({ url: server.url, from: '--mlflow', environment: {}, mask: () => undefined });
      const ids = await client.experimentIds([experiment]);
      const seen = { ours: 0, bare: 0 };
      const ours = async (): Promise<void> => {
        seen.ours = 0;
        for await (const page of client.searchRuns({ experimentIds: ids })) seen.ours += page.length;
      };
      const bare = async (): Promise<void> => {
        seen.bare = await countBare(server.url, ids);
      };
      const seconds = (work: () => Promise<void>) => async (): Promise<number> => (await timeOf(work)) / 1000;
      const times = await inTurn(rounds, { ours: seconds(ours), bare: seconds(bare) });
      if (seen.ours !== runs || seen.bare !== runs) throw new Error(`of ${runs} runs ours read ${seen.ours}, fetch() ${seen.bare}`);
      return [
        {
          ...{ id: 'mlflow/runs', what: `${runs.toLocaleString('en-GB')} runs × 20 metrics are read from MLflow`, issues: [9], unit: 's' },
          ...{ better: 'lower', ours: times.ours, memory: { ours: alone(server.url) } },
          peer: { name: 'paging by fetch() alone', version: server.name.replace('mlflow, version', 'MLflow'), samples: times.bare },
          limits: [
            { of: 'ratio', most: 1.3 },
            { of: 'memory', most: 300 },
          ],
        },
      ];
    } finally {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function countBare(url: string, ids: readonly string[]): Promise<number> {
  let count = 0;
  for (let token: string | undefined, more = true; more;) {
    const body = JSON.stringify({ experiment_ids: ids, max_results: 1000, ...(token && { page_token: token }) });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/api/2.0/mlflow/runs/search`, { method: 'POST', headers, body });
    const page = (await answer.json()) as { runs?: unknown[]; next_page_token?: string };
    count += page.runs?.length ?? 0;
    token = page.next_page_token;
    more = token !== undefined;
  }
  return count;
}

/** Runs as rows of the server's own database: through its API they would take minutes. */
function fill(venv: string, database: string, runs: number): void {
  const script = resolve(import.meta.dirname, '../mlflow-fill.py');
  const { status, stderr } = spawnSync(join(venv, 'bin/python'), [script, database, experiment, String(runs)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mlflow-fill.py: ${stderr}`);
}

/** The most memory of a process that reads them all with our client and does nothing else, in MB. */
function alone(url: string): number {
  const { stdout, stderr, status } = spawnSync(process.execPath, [resolve(import.meta.dirname, '../mlflow-alone.ts'), url, experiment], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}
