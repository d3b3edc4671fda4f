import { formatDuration } from '@slashtrain/core/action/duration';
import type { PodResult } from '@slashtrain/core/run/result';
import type { Status } from '@slashtrain/core/run/state';

/** One line about a run that goes on: `running for 2 min, 3 of 4 pods`, `queued (no-gpu) for 30 s: no node has 4 free GPUs`. */
export function progressLine(status: Status, sinceSeconds: number, pods = ''): string {
  const reason = status.reason ? ` (${status.reason})` : '';
  const progress = status.progress === undefined ? '' : `, ${Math.round(status.progress * 100)} % done`;
  const words = status.message ? `: ${status.message}` : '';
  return `${status.state}${reason} for ${formatDuration(sinceSeconds)}${progress}${pods ? `, ${pods}` : ''}${words}`;
}

/** How many of several pods run: `3 of 4 pods run`; empty for one or none, since the state says it. */
export function podCounts(pods: readonly PodResult[]): string {
  const alive = pods.filter(({ endedAt }) => endedAt === undefined);
  if (alive.length < 2) return '';
  return `${alive.filter(({ phase }) => phase === 'Running').length} of ${alive.length} pods run`;
}
