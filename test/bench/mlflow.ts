import { parseArgs } from 'node:util';
import { openMlflow } from '@slashtrain/core/trackers/mlflow';

/*
 * All runs of an MLflow server: our client, beside fetch() that pages and parses and does nothing else, in turn.
 * Measures, and asserts nothing. The server and its runs are yours:
 *   node test/bench/mlflow.ts --url http://127.0.0.1:5000 --experiment NAME [--runs N]
 */
const { values } = parseArgs({
  options: { url: { type: 'string' }, experiment: { type: 'string' }, runs: { type: 'string', default: '3' } },
});
const { url, experiment } = values;
if (!url || !experiment) throw new Error('--url and --experiment are needed');
const mlflow = openMlflow({ url, from: '--url', environment: {}, mask: () => undefined });
const ids = await mlflow.experimentIds([experiment]);

async function bare(): Promise<number> {
  let count = 0;
  for (let token: string | undefined, more = true; more;) {
    const body = JSON.stringify({ experiment_ids: ids, max_results: 1000, ...(token && { page_token: token }) });
    const answer = await fetch(`${url ?? ''}/api/2.0/mlflow/runs/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const page = (await answer.json()) as { runs?: unknown[]; next_page_token?: string };
    count += page.runs?.length ?? 0;
    token = page.next_page_token;
    more = token !== undefined;
  }
  return count;
}

async function ours(): Promise<number> {
  let count = 0;
  for await (const page of mlflow.searchRuns({ experimentIds: ids })) count += page.length;
  return count;
}

const seconds: Record<'ours' | 'bare', number[]> = { ours: [], bare: [] };
let most = 0;
let count = 0;
for (let round = 0; round < Number(values.runs); round++) {
  for (const [name, work] of [['ours', ours] as const, ['bare', bare] as const]) {
    const start = performance.now();
    count = await work();
    seconds[name].push((performance.now() - start) / 1000);
    if (name === 'ours') most = Math.max(most, process.memoryUsage().rss / 1e6);
  }
}
const median = (all: number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
const [own, plain] = [median(seconds.ours), median(seconds.bare)];
console.log(
  `${count} runs: ours ${own.toFixed(1)} s, bare ${plain.toFixed(1)} s, ÷ ${(own / plain).toFixed(2)}; RSS after ours ${Math.round(most)} MB`,
);
