import type { RunRecord } from '@slashtrain/core/run/record';
import { isEnded, type Status } from '@slashtrain/core/run/state';
import type { CancelInputs } from './inputs.ts';

/** What of the inputs decides which runs end. */
export type Choice = Pick<CancelInputs, 'keepSha' | 'onPush'>;

/** Records whose run may have to end: what has ended by its record, and the commit that is kept, are not looked at. */
export function candidates<Stored extends { record: RunRecord }>(found: readonly Stored[], { keepSha }: Choice): Stored[] {
  return found.filter(({ record }) => !isEnded(record.state) && record.sha !== keepSha);
}

/**
 * Whether a run goes on, and why.
 * @returns undefined where it is to be cancelled
 */
export function spared(status: Status, { keepSha, onPush }: Choice): string | undefined {
  if (isEnded(status.state)) return `it has ended already (${status.state})`;
  // Somebody asked for the end of it, or the pull request was closed.
  if (keepSha === undefined) return undefined;
  if (onPush === 'keep') return 'on-push is keep';
  const hasStarted = status.state === 'running' || status.startedAt !== undefined;
  return onPush === 'cancel-queued' && hasStarted ? 'it has started, and on-push is cancel-queued' : undefined;
}
