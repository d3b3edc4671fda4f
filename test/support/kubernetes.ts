import type { Log } from '@slashtrain/core/action/log';
import type { Timing } from '@slashtrain/core/kubernetes/timing';

/** A log that keeps its lines. */
export interface KeptLog extends Log {
  readonly lines: string[];
  readonly masks: string[];
}

export function keptLog(): KeptLog {
  const lines: string[] = [];
  const masks: string[] = [];
  const keep = (text: string): void => void lines.push(text);
  return {
    lines,
    masks,
    info: keep,
    debug: keep,
    notice: keep,
    warning: keep,
    error: keep,
    startGroup: keep,
    endGroup: () => undefined,
    mask: (secret) => void masks.push(secret),
  };
}

/** Time that passes only by pausing, and no chance. */
export function jumpingTime(): Timing & { readonly pauses: number[] } {
  const pauses: number[] = [];
  let now = 1_000_000;
  return {
    pauses,
    now: () => now,
    random: () => 0,
    pause: async (milliseconds) => {
      pauses.push(milliseconds);
      now += milliseconds;
      await Promise.resolve();
    },
  };
}

/** A kubeconfig with one context, `test`, for a server at `url`. */
export function kubeconfigFor(url: string, user: object = { token: 'a-token' }, more: { cluster?: object; context?: object } = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, ...more.cluster } }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', ...more.context } }],
    'current-context': 'test',
  });
}
