import type { RunRecord } from './record.ts';
import type { RunState } from './state.ts';

/** The check run that says whether the commit was trained. */
export function trainCheckName(pipeline: string): string {
  return `train: ${pipeline}`;
}

/** The check run that says whether the metrics hold against the baseline. */
export function metricsCheckName(pipeline: string): string {
  return `metrics: ${pipeline}`;
}

/** A check's `external_id`: the record it belongs to, by which it is found after a lost answer. */
export function checkExternalId(record: { namespace: string; name: string; uid: string }): string {
  return `${record.namespace}/${record.name}@${record.uid}`;
}

/** What names the check `train: <pipeline>` of a record, for CheckRuns in core/github. */
export function trainCheckKey(stored: { namespace: string; name: string; uid: string; record: RunRecord }): {
  sha: string;
  name: string;
  externalId: string;
  id?: number;
} {
  const { sha, pipeline, checkRunId } = stored.record;
  return {
    sha,
    name: trainCheckName(pipeline),
    externalId: checkExternalId(stored),
    ...(checkRunId === undefined ? {} : { id: checkRunId }),
  };
}

/** The conclusions that a run's check gets. GitHub counts neutral and skipped as passed, so that nothing bad may be them. */
export type RunConclusion = 'success' | 'failure' | 'cancelled' | 'timed_out';

/** The conclusion of an ended run's check. */
export function conclusionOf(state: RunState, record: Pick<RunRecord, 'cancel'>): RunConclusion {
  if (state === 'succeeded') return 'success';
  if (state !== 'cancelled') return 'failure';
  return record.cancel?.why.startsWith(timedOut) ? 'timed_out' : 'cancelled';
}

/** How a record's `cancel.why` begins where a time-out was the reason. */
export const timedOut = 'timed out';
