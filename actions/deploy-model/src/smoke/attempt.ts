import { answerProblems, outputOf } from './answer.ts';
import type { Asker } from './asker.ts';
import { difference } from './compare.ts';
import { formatSeconds, percentile } from './percentile.ts';
import type { GoldenRow, GoldenSet, SmokeRequest, SmokeTest } from './test.ts';

/** What came of a smoke test at one endpoint. All words hold hostile text. */
export interface Tried {
  endpoint: string;
  /** In the order of the test. `note` says how it went where there are no problems. */
  requests: { problems: string[]; note: string }[];
  goldens: { rows: number; disagreements: string[] }[];
  /** Of each answer. */
  seconds: readonly number[];
}

/** @param isOurs which rows of a golden set this endpoint is asked */
export async function tryEndpoint(test: SmokeTest, asker: Asker, isOurs: (row: number) => boolean): Promise<Tried> {
  const requests = [];
  for (const request of test.requests) requests.push(await tryRequest(request, asker));
  const goldens = [];
  for (const golden of test.goldens)
    goldens.push(
      await tryGolden(
        golden,
        golden.rows.filter((_, index) => isOurs(index)),
        asker,
      ),
    );
  return { endpoint: asker.endpoint.name, requests, goldens, seconds: asker.seconds };
}

async function tryRequest(request: SmokeRequest, asker: Asker): Promise<{ problems: string[]; note: string }> {
  const { expect, timeout } = request;
  const once = async (): Promise<{ problems: string[]; seconds: number }> => {
    const { answer, seconds, problem } = await asker.ask(request, timeout);
    return { problems: answer ? answerProblems(expect, answer) : [problem], seconds };
  };
  const first = await once();
  if (first.problems.length > 0) return { problems: first.problems, note: '' };
  const { latency } = expect;
  if (!latency) return { problems: [], note: formatSeconds(first.seconds) };
  const seconds: number[] = [];
  for (let count = 0; count < latency.requests; count++) {
    const next = await once();
    if (next.problems.length > 0) return { problems: next.problems.map((problem) => `request ${count + 2}: ${problem}`), note: '' };
    seconds.push(next.seconds);
  }
  const note = latency.limits.map(
    ({ percentile: percent, seconds: limit }) =>
      `p${percent} ${formatSeconds(percentile(seconds, percent))}, allowed ${formatSeconds(limit)}`,
  );
  const problems = note.filter((_, index) => percentile(seconds, latency.limits[index]!.percentile) > latency.limits[index]!.seconds);
  const over = ` (${latency.requests} requests)`;
  return { problems: problems.map((problem) => problem + over), note: note.join('; ') + over };
}

async function tryGolden(golden: GoldenSet, rows: readonly GoldenRow[], asker: Asker): Promise<{ rows: number; disagreements: string[] }> {
  const disagreements: string[] = [];
  for (const row of rows) {
    const { answer, problem } = await asker.ask(row.request, golden.timeout);
    const output = answer ? outputOf(golden.value, answer) : { problem };
    const words = 'problem' in output ? output.problem : difference(row.expected, output.value, golden.tolerance);
    if (words !== undefined) disagreements.push(`${row.name} ${words}`);
  }
  return { rows: rows.length, disagreements };
}
