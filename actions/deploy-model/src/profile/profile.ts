import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { Timing } from '@slashtrain/core/kubernetes/timing';
import { ActionError } from '@slashtrain/core/action/errors';
import type { SmokeTest } from '../smoke/test.ts';
import type { EndpointsOf, Serving } from '../types.ts';
import { loadOf, stage, type Stage } from './load.ts';
import { suggest, type Suggestion } from './suggest.ts';
import { lookAtUsage, type Usage, type UsageSource } from './usage.ts';

/** What a deployed model does under load. */
export interface Profile {
  pods: number;
  stages: Stage[];
  suggestions: Suggestion[];
  source?: UsageSource;
  /** Why nothing is suggested. */
  problems: string[];
}

export interface ProfileParts {
  endpointsOf: EndpointsOf;
  /** Absent where nothing is on Kubernetes. */
  client?: KubernetesClient;
  timing: Pick<Timing, 'pause'>;
  /** Milliseconds from whenever. */
  clock: () => number;
  /** Seconds for all of it (120). */
  seconds?: number;
  say(line: string): void;
}

const concurrencies = [1, 2, 4, 8, 16, 32, 64];
// What the kubelet says is measured over 10 to 20 s.
const lookEvery = 5_000;
const enoughGain = 1.1;
const mostFailures = 0.05;

/**
 * Drives a deployed model with the requests of its smoke test at rising concurrency, until more at once brings no more answers a
 * second, more than 5 % fail, or the time is over, and looks meanwhile at what its pods use.
 */
export async function profile(test: SmokeTest, serving: Serving, parts: ProfileParts, signal: AbortSignal): Promise<Profile> {
  const load = loadOf(test);
  if (load.length === 0) throw new ActionError('input', 'a profile takes requests that succeed, and the smoke test has none');
  const endpoints = await parts.endpointsOf(serving, signal);
  const over = new AbortController();
  const looking = watchUsage(serving, parts, AbortSignal.any([signal, over.signal]));
  try {
    const stages: Stage[] = [];
    const seconds = (parts.seconds ?? 120) / concurrencies.length;
    for (const concurrency of concurrencies) {
      const came = await stage(load, endpoints, { concurrency, seconds, clock: parts.clock, signal });
      const before = stages.at(-1);
      stages.push(came);
      parts.say(
        `${concurrency} at once: ${came.throughput.toFixed(1)} answers a second${came.failed > 0 ? `, ${came.failed} failed` : ''}`,
      );
      if (came.failed > mostFailures * (came.answered + came.failed)) break;
      if (before && came.throughput < before.throughput * enoughGain) break;
    }
    over.abort();
    return { pods: endpoints.length, stages, ...(await looking) };
  } finally {
    over.abort();
    await looking;
    for (const endpoint of endpoints) await endpoint.close();
  }
}

async function watchUsage(
  serving: Serving,
  { client, timing }: ProfileParts,
  signal: AbortSignal,
): Promise<Pick<Profile, 'suggestions' | 'source' | 'problems'>> {
  if (serving.how === 'url' || !client) return { suggestions: [], problems: ['what answers at a URL is not looked at'] };
  const looks: Usage[][] = [];
  let source: UsageSource | undefined;
  let problems: string[] = [];
  for (;;) {
    const isLast = signal.aborted;
    const look = await lookAtUsage(client, serving.namespace, serving.selector);
    if (look.source !== undefined) {
      source = look.source;
      looks.push(look.usage);
    } else problems = look.problems;
    if (isLast) break;
    await timing.pause(lookEvery, signal);
  }
  return { suggestions: suggest(looks), ...(source === undefined ? { problems } : { source, problems: [] }) };
}
