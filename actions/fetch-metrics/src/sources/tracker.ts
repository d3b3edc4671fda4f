import type { Host } from '@slashtrain/core/action/host';
import type { Gate } from '@slashtrain/core/metrics/metrics';
import type { Subject } from '../baseline/find.ts';

/** What a tracker's source is opened with. */
export interface TrackerOptions {
  subject: Subject;
  /** The name of the candidate's run, where it is known. */
  run: string | undefined;
  /** Input `tracker-url`. */
  url: string | undefined;
  /** Input `experiment`; empty for all. */
  experiments: readonly string[];
  gates: readonly Gate[];
  host: Pick<Host, 'environment' | 'log' | 'signal'>;
}
