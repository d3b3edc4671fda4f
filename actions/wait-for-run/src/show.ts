import { formatDuration } from '@slashtrain/core/action/duration';
import type { Status } from '@slashtrain/core/run/state';

/** One line about a run that goes on: `running for 2 min`, `queued (no-gpu): no node has 4 free GPUs`. */
export function progressLine(status: Status, sinceSeconds: number): string {
  const reason = status.reason ? ` (${status.reason})` : '';
  const progress = status.progress === undefined ? '' : `, ${Math.round(status.progress * 100)} % done`;
  const words = status.message ? `: ${status.message}` : '';
  return `${status.state}${reason} for ${formatDuration(sinceSeconds)}${progress}${words}`;
}
