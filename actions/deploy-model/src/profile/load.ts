import type { Endpoint, Latency } from '../types.ts';
import { latencyOf } from '../smoke/percentile.ts';
import type { SmokeRequest, SmokeTest } from '../smoke/test.ts';

/** What came of so many requests at once. */
export interface Stage {
  concurrency: number;
  /** Answers that succeeded, a second. */
  throughput: number;
  answered: number;
  failed: number;
  /** Of the answers that succeeded; absent where there was none. */
  latency?: Latency;
}

type Load = Pick<SmokeRequest, 'method' | 'path' | 'headers' | 'body' | 'timeout'>;

/** The requests that a profile sends, in turn: the smoke test's own, and the rows of its golden sets. */
export function loadOf({ requests, goldens }: SmokeTest): Load[] {
  const rows = goldens.flatMap(({ rows: all, timeout }) => all.map(({ request }) => ({ ...request, timeout })));
  return [...requests.filter(({ expect }) => !expect.status || expect.status.some(isSuccess)), ...rows];
}

/**
 * Sends requests for so many seconds, `concurrency` at once, each with its next one as soon as it has its answer.
 * @param clock milliseconds from whenever
 */
export async function stage(
  load: readonly Load[],
  endpoints: readonly Endpoint[],
  { concurrency, seconds, clock, signal }: { concurrency: number; seconds: number; clock: () => number; signal: AbortSignal },
): Promise<Stage> {
  const begin = clock();
  const end = begin + seconds * 1000;
  const times: number[] = [];
  let [next, failed] = [0, 0];
  const one = async (): Promise<void> => {
    // A model that refuses everything at once is not asked as fast as it refuses.
    for (let failures = 0; clock() < end && failures < 10;) {
      signal.throwIfAborted();
      const index = next++;
      const { path, ...request } = load[index % load.length]!;
      const sent = clock();
      try {
        const { status } = await endpoints[index % endpoints.length]!.fetch(path, { ...request, signal });
        if (!isSuccess(status)) throw new Error(`status ${status}`);
        times.push((clock() - sent) / 1000);
        failures = 0;
      } catch {
        signal.throwIfAborted();
        // Counted; what it was the smoke test says.
        failed += 1;
        failures += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  const latency = latencyOf(times);
  const elapsed = Math.max((clock() - begin) / 1000, 1e-6);
  return { concurrency, throughput: times.length / elapsed, answered: times.length, failed, ...(latency ? { latency } : {}) };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}
