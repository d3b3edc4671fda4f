import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { openMlflow } from '@slashtrain/core/trackers/mlflow';
import { median } from './measure.ts';

/*
 * All runs of an MLflow server: our client, beside fetch() that pages and parses and does nothing else, in turn, after a round
 * that fills the server's caches; which is first changes from round to round. Measures, and asserts nothing. The server and
 * its runs are yours:
 *   node test/bench/mlflow.ts --url http://127.0.0.1:5000 --experiment NAME [--runs N]
 */
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    experiment: { type: 'string' },
    runs: { type: 'string', default: '5' },
    // Ours once, and its peak of memory.
    alone: { type: 'boolean', default: false },
  },
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

if (values.alone) {
  await ours();
  console.log(Math.round(process.resourceUsage().maxRSS / 1024));
} else {
  await compare(Number(values.runs));
}

async function compare(rounds: number): Promise<void> {
  const seconds: Record<'ours' | 'bare', number[]> = { ours: [], bare: [] };
  const both = [['ours', ours] as const, ['bare', bare] as const];
  let count = 0;
  for (let round = -1; round < rounds; round++) {
    for (const [name, work] of round % 2 === 0 ? both : both.toReversed()) {
      const start = performance.now();
      count = await work();
      if (round >= 0) seconds[name].push((performance.now() - start) / 1000);
    }
    if (round >= 0) console.log(`ours ${seconds.ours.at(-1)?.toFixed(1)} s, bare ${seconds.bare.at(-1)?.toFixed(1)} s`);
  }
  const [own, plain] = [median(seconds.ours), median(seconds.bare)];
  const { stdout } = spawnSync(process.execPath, [...process.argv.slice(1), '--alone'], { encoding: 'utf8' });
  console.log(
    `${count} runs, medians of ${rounds}: ours ${own.toFixed(1)} s, bare ${plain.toFixed(1)} s, ÷ ${(own / plain).toFixed(2)}; RSS of ours alone ${stdout.trim()} MB`,
  );
}
