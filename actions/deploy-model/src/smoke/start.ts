import { ActionError, describe } from '@slashtrain/core/action/errors';
import { backoff, type Timing } from '@slashtrain/core/kubernetes/timing';
import type { Endpoint, EndpointsOf, Serving } from '../types.ts';
import { words } from './answer.ts';
import type { SmokeRequest } from './test.ts';

/** How long a start is waited for. */
export interface Patience {
  timing: Timing;
  /** Seconds from the first look until it counts as failed. */
  startSeconds: number;
  say(line: string): void;
}

/** The endpoints that answer, and what does not. */
export interface Started {
  endpoints: Endpoint[];
  problems: string[];
}

type Probe = Pick<SmokeRequest, 'method' | 'path' | 'headers' | 'body' | 'timeout'>;

/**
 * Opens the endpoints, and waits until each answers `probe` with something else than "not yet": 503, behind an ingress 502 and 504
 * as well, or nothing that listens.
 */
export async function waitForStart(
  endpointsOf: EndpointsOf,
  serving: Serving,
  probe: Probe,
  patience: Patience,
  signal: AbortSignal,
): Promise<Started> {
  const until = patience.timing.now() + patience.startSeconds * 1000;
  const notYet = serving.how === 'url' ? [502, 503, 504] : [503];
  const opened = await patiently(until, patience, signal, 'a pod that is ready', async () => {
    try {
      return { value: await endpointsOf(serving, signal) };
    } catch (error) {
      if (error instanceof ActionError && error.code === 'not-found') return { wait: describe(error) };
      throw error;
    }
  });
  if ('problem' in opened) return { endpoints: [], problems: [opened.problem] };
  const problems: string[] = [];
  await Promise.all(
    opened.value.map(async (endpoint) => {
      const begun = await patiently(until, patience, signal, endpoint.name, async () => {
        const state = await probeOnce(endpoint, probe, notYet, signal);
        return state === undefined ? { value: true } : { wait: state };
      });
      if ('problem' in begun) problems.push(`${endpoint.name}: ${begun.problem}`);
    }),
  );
  return { endpoints: opened.value, problems };
}

/** Why it is not there yet; undefined where it answers, well or badly, and where it fails in a way that is no start. */
async function probeOnce(
  endpoint: Endpoint,
  { path, ...request }: Probe,
  notYet: readonly number[],
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const answer = await endpoint.fetch(path, { ...request, signal });
    return notYet.includes(answer.status) ? `it answers ${answer.status}: ${words(answer)}` : undefined;
  } catch (error) {
    signal.throwIfAborted();
    return isRefused(error) ? describe(error) : undefined;
  }
}

function isRefused(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  return code === 'ECONNREFUSED' || (cause !== undefined && cause !== error && isRefused(cause));
}

async function patiently<T>(
  until: number,
  { timing, startSeconds, say }: Patience,
  signal: AbortSignal,
  what: string,
  attempt: () => Promise<{ value: T } | { wait: string }>,
): Promise<{ value: T } | { problem: string }> {
  let said = '';
  for (let count = 1; ; count++) {
    signal.throwIfAborted();
    const result = await attempt();
    if ('value' in result) return result;
    if (result.wait !== said) say(`waiting for ${what}: ${result.wait}`);
    said = result.wait;
    const pause = backoff(count, timing.random, { most: 5_000 });
    if (timing.now() + pause > until) return { problem: `${result.wait}, for ${startSeconds} s` };
    await timing.pause(pause, signal);
  }
}
