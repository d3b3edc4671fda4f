import { Slots } from '@slashtrain/core/kubernetes/slots';
import type { Check, EndpointsOf, Judge } from '../types.ts';
import { Asker } from './asker.ts';
import { tryEndpoint, type Tried } from './attempt.ts';
import { latencyOf } from './percentile.ts';
import { waitForStart, type Patience } from './start.ts';
import type { GoldenSet, SmokeRequest, SmokeTest } from './test.ts';

/** What a smoke test works with. */
export interface SmokeParts extends Patience {
  endpointsOf: EndpointsOf;
  /** Milliseconds from whenever, finer than a millisecond: `performance.now`. */
  clock: () => number;
}

const endpointsAtOnce = 8;

/** A smoke test as a {@link Judge}: its requests go to each endpoint, the rows of its golden sets are shared out among them. */
export function smokeJudge(test: SmokeTest, parts: SmokeParts): Judge {
  return async (serving, signal) => {
    const { endpoints, problems } = await waitForStart(parts.endpointsOf, serving, probeOf(test), parts, signal);
    try {
      if (problems.length > 0) return { passed: false, checks: [{ name: 'it starts', outcome: 'fail', detail: problems.join('; ') }] };
      const slots = new Slots(endpointsAtOnce);
      const tried = await Promise.all(
        endpoints.map(async (endpoint, index) => {
          const done = await slots.take();
          try {
            return await tryEndpoint(test, new Asker(endpoint, parts.clock, signal), (row) => row % endpoints.length === index);
          } finally {
            done();
          }
        }),
      );
      const checks = [
        ...test.requests.map((request, index) => requestCheck(request, tried, index)),
        ...test.goldens.map((golden, index) => goldenCheck(golden, tried, index)),
      ];
      const latency = latencyOf(tried.flatMap(({ seconds }) => seconds));
      return { passed: checks.every(({ outcome }) => outcome === 'pass'), checks, ...(latency ? { latency } : {}) };
    } finally {
      for (const endpoint of endpoints) await endpoint.close();
    }
  };
}

function probeOf({ requests: [request], goldens: [golden] }: SmokeTest): Omit<SmokeRequest, 'name' | 'expect'> {
  if (request) return request;
  // Reading refuses a test without either, and a golden set without rows.
  const row = golden!.rows[0]!;
  return { ...row.request, timeout: golden!.timeout };
}

function requestCheck({ name }: SmokeRequest, tried: readonly Tried[], index: number): Check {
  const each = tried.map(({ endpoint, requests }) => ({ endpoint, ...requests[index]! }));
  const failed = each.filter(({ problems }) => problems.length > 0);
  const [first] = failed;
  if (!first)
    return {
      name,
      outcome: 'pass',
      detail: each
        .map(({ endpoint, note }) => (each.length > 1 ? `${endpoint}: ${note}` : note))
        .slice(0, 5)
        .join('; '),
    };
  const others = failed.length > 1 ? `, and ${failed.length - 1} more of ${each.length}` : '';
  return { name, outcome: 'fail', detail: `${first.endpoint}: ${first.problems.join('; ')}${others}` };
}

function goldenCheck({ name, maxDisagreement }: GoldenSet, tried: readonly Tried[], index: number): Check {
  const each = tried.map(({ goldens }) => goldens[index]!);
  const rows = each.reduce((sum, one) => sum + one.rows, 0);
  const disagreements = each.flatMap((one) => one.disagreements);
  const share = disagreements.length / rows;
  const words = `${disagreements.length} of ${rows} disagree (${percent(share)}), allowed ${percent(maxDisagreement)}`;
  const examples = disagreements.length > 0 ? `: ${disagreements.slice(0, 3).join('; ')}${disagreements.length > 3 ? '; …' : ''}` : '';
  return { name, outcome: share <= maxDisagreement ? 'pass' : 'fail', detail: words + examples };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
