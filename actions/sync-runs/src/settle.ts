import { describe } from '@slashtrain/core/action/errors';
import type { Log } from '@slashtrain/core/action/log';
import type { PodsObservation, RunBackend } from '@slashtrain/core/backend/backend';
import { concludeRun } from '@slashtrain/core/records/conclude';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { findUnnoted } from '@slashtrain/core/records/unnoted';
import { LogGatherer } from '@slashtrain/core/run/log-gatherer';
import { formatReference, parseReference, type RunReference } from '@slashtrain/core/run/reference';
import { isEnded, type Status } from '@slashtrain/core/run/state';
import { hasTrials } from '@slashtrain/core/sweep/sweep';
import { podsToRead } from '@slashtrain/core/sweep/trials';
import type { Runs } from './runs.ts';

/** Everything outside that settling a record touches. */
export interface SettleParts {
  records: RecordStore;
  backend: RunBackend;
  /** As they were listed. */
  runs: Runs;
  log: Log;
  signal: AbortSignal;
  now(): number;
  dryRun: boolean;
}

/** What came of one record. */
export interface Settled {
  stored: StoredRecord;
  /** One sentence for people; absent where the record had its end before. */
  what?: string;
}

/** How long a submission may take until its claim has failed. */
const longestClaim = 3_600_000;
/** How long somebody who cancels may take to write the end. */
const longestCancel = 600_000;
/** How long a log is tried to be read after the end. */
const longestLog = 3_600_000;
const nothing: PodsObservation = { pods: [], evidence: [] };

/** Brings one record to where its run stands. Every step may be done again, and by several at once. */
export async function settle(stored: StoredRecord, parts: SettleParts): Promise<Settled> {
  const { record } = stored;
  if (isEnded(record.state)) return { stored };
  if (record.run === undefined) return settleClaim(stored, parts);
  const reference = parseReference(record.run);
  // What a list does not have may have lost its labels, or be younger: only a look says that it is gone.
  const status = parts.runs.status(reference) ?? (await parts.backend.look(reference)).status;
  if (isEnded(status.state)) return conclude(stored, reference, status, parts);
  const isLost = hasTrials(record.sweep) && status.state === 'running' && parts.runs.failedTrials(reference) > record.sweep.maxFailed;
  if (isLost && !record.cancel) {
    if (parts.dryRun) return { stored, what: 'would be stopped: more of its trials failed than may' };
    await parts.backend.cancel(reference);
    return { stored, what: 'is stopped: more of its trials failed than may' };
  }
  const isForgotten = record.cancel !== undefined && parts.now() - Date.parse(record.cancel.at) > longestCancel;
  if (!isForgotten) return { stored, what: `goes on (${status.state})` };
  if (parts.dryRun) return { stored, what: 'would be cancelled: whoever did it ended before it was done' };
  await parts.backend.cancel(reference);
  return { stored, what: 'is cancelled once more: whoever did it ended before it was done' };
}

async function conclude(stored: StoredRecord, reference: RunReference, status: Status, parts: SettleParts): Promise<Settled> {
  if (parts.dryRun) return { stored, what: `would be concluded: ${status.state}` };
  const pods = await parts.backend.pods(reference).catch((error: unknown) => {
    parts.log.debug(`no pods of ${stored.name}: ${describe(error)}`);
    return nothing;
  });
  const gathered = await readLog(stored, reference, { status, pods }, parts);
  // That it is gone is what was asked for; why, the record says.
  const end: Status = status.state === 'deleted' && stored.record.cancel ? { state: 'cancelled' } : status;
  const ended = await concludeRun(stored, end, { pods, gathered }, parts);
  return { stored: ended.stored, what: ended.result.state };
}

/** Reads the log to its end. What cannot be read is tried again by the next sync, for an hour: metrics are written once. */
async function readLog(
  { name, record }: StoredRecord,
  reference: RunReference,
  { status, pods }: { status: Status; pods: PodsObservation },
  parts: SettleParts,
): Promise<LogGatherer> {
  const { sweep } = record;
  const gathered = new LogGatherer({ byPod: hasTrials(sweep) });
  try {
    // A request for each log: of a sweep of a thousand trials one reads what termination messages do not say.
    const outputs = hasTrials(sweep) ? await parts.backend.podOutputs?.(reference) : undefined;
    const needed = hasTrials(sweep) && outputs ? podsToRead(sweep, pods, (pod) => outputs.get(pod) ?? []) : undefined;
    const only = needed && ((pod: string): boolean => needed.has(pod));
    for await (const lines of parts.backend.logs(reference, parts.signal, 'ended', only)) for (const line of lines) gathered.add(line);
    parts.signal.throwIfAborted();
  } catch (error) {
    const since = Date.parse(status.endedAt ?? record.createdAt);
    if (parts.signal.aborted || parts.now() - since < longestLog) throw error;
    parts.log.warning(`the log of ${name} could not be read, so that metrics may be missing: ${describe(error)}`);
  }
  return gathered;
}

/** A record without a run: its submission goes on, or ended half-way. */
async function settleClaim(stored: StoredRecord, parts: SettleParts): Promise<Settled> {
  const { record } = stored;
  const { records, backend } = parts;
  const isHeld = record.lease !== undefined && Date.parse(record.lease.expiresAt) > parts.now();
  if (isHeld || parts.now() - Date.parse(record.createdAt) < longestClaim) return { stored, what: 'is being submitted' };
  const unnoted = await findUnnoted(stored, backend);
  if (unnoted && !record.cancel) {
    if (parts.dryRun) return { stored, what: 'has a run that was not noted' };
    const run = formatReference(unnoted);
    const noted = await records.update(stored, ({ lease: _, ...rest }) => ({ ...rest, run }));
    return noted ? settle(noted, parts) : changed(stored);
  }
  const state = record.cancel ? 'cancelled' : 'failed';
  if (parts.dryRun) return { stored, what: `would be concluded: ${state}, its run was never made` };
  const refusal = 'the submission ended before the run was made';
  // From here on a submission that still goes on makes no run, or takes back the one that it made.
  const written = await records.update(stored, ({ lease: _, ...rest }) => ({
    ...rest,
    state,
    ...(record.cancel ? {} : { refusal }),
  }));
  if (!written) return changed(stored);
  if (unnoted) await backend.cancel(unnoted);
  return { stored: written, what: `${state}: ${refusal}` };
}

function changed(stored: StoredRecord): Settled {
  return { stored, what: 'changed meanwhile, and is left to the next time' };
}

/** What came of a record, also of one that could not be settled. */
export type Tried = Settled & { failure?: Error };

/** As {@link settle}; one record's failure is told and keeps nothing from the others. */
export async function trySettle(stored: StoredRecord, parts: SettleParts): Promise<Tried> {
  try {
    return await settle(stored, parts);
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    return { stored, what: `could not be settled: ${describe(error)}`, failure };
  }
}
