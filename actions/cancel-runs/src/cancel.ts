import { describe } from '@slashtrain/core/action/errors';
import type { Log } from '@slashtrain/core/action/log';
import type { Observation, PodsObservation, RunBackend } from '@slashtrain/core/backend/backend';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { kindsOfRecords } from '@slashtrain/core/kinds/registry';
import { markCancelled, reread, writeEnd } from '@slashtrain/core/records/end';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { findUnnoted } from '@slashtrain/core/records/unnoted';
import { resultOf } from '@slashtrain/core/run/outcome';
import type { RunRecord } from '@slashtrain/core/run/record';
import { parseReference } from '@slashtrain/core/run/reference';
import { isEnded } from '@slashtrain/core/run/state';
import { spared, type Choice } from './choose.ts';
import { savedBy, savedWords } from './saved.ts';

/** Everything outside that a cancellation touches. */
export interface CancelParts {
  records: RecordStore;
  backend: RunBackend;
  /** Concludes the check of an ended record. */
  concludeCheck(stored: StoredRecord): Promise<void>;
  log: Log;
  now(): number;
}

/** How to cancel, beside which. */
export interface Order {
  by: string;
  why: string;
  choice: Choice;
  /** Seconds; absent, the pods' own. */
  grace: number | undefined;
  dryRun: boolean;
}

/** What came of one record. */
export interface Outcome {
  stored: StoredRecord;
  cancelled: boolean;
  /** One sentence for people. */
  what: string;
}

const nothing: PodsObservation = { pods: [], evidence: [] };

/**
 * Ends one run: noted on the record first, so that its disappearance is no mystery and a submission that is under way
 * stops; then the run, then the record's state, then the check. Every step may be done again.
 */
export async function cancelRun(stored: StoredRecord, order: Order, parts: CancelParts): Promise<Outcome> {
  const { records, backend, now } = parts;
  const { run } = stored.record;
  const seen: Observation = run === undefined ? { status: { state: 'queued' } } : await backend.look(parseReference(run));
  const { status, object } = seen;
  // A cancellation that broke off after the run was gone: the record and the check are still to be told.
  const isHalf = status.state === 'deleted' && stored.record.cancel !== undefined;
  const sparedBy = isHalf ? undefined : spared(status, order.choice);
  if (sparedBy !== undefined)
    return { stored, cancelled: false, what: `${isEnded(status.state) ? 'is left as it is' : 'goes on as it is'}: ${sparedBy}` };
  if (order.dryRun) return { stored, cancelled: false, what: `would be cancelled (${status.state})` };

  const cancel: NonNullable<RunRecord['cancel']> = { at: new Date(now()).toISOString(), by: order.by, why: order.why };
  const marked = await markCancelled(records, stored, cancel);
  if (isEnded(marked.record.state)) return { stored: marked, cancelled: false, what: `ended meanwhile (${marked.record.state})` };
  const ended = await endRun(marked, order, parts);
  await parts.concludeCheck(ended);
  const saved = object ? await savedOf(ended.record, object) : [];
  return { stored: ended, cancelled: ended.record.state === 'cancelled', what: [ended.record.state, ...saved].join(': ') };
}

async function savedOf(record: RunRecord, object: KubernetesObject): Promise<string[]> {
  if (record.state !== 'cancelled' || !record.result) return [];
  const [kind] = (await kindsOfRecords([record])).ofReference(record.kind.plural, record.kind.group);
  const words = savedWords(savedBy(record.result, object, kind), record.price);
  return words === undefined ? [] : [words];
}

async function endRun(stored: StoredRecord, order: Order, parts: CancelParts): Promise<StoredRecord> {
  const { records, backend, now } = parts;
  if (stored.record.run === undefined) {
    const written = await records.update(stored, (record) => ({ ...record, state: 'cancelled' }));
    // Whoever submits it was faster: then it has a run by now.
    if (!written) return endRun(await reread(records, stored), order, parts);
    const unnoted = await findUnnoted(written, backend);
    if (unnoted) await backend.cancel(unnoted, order.grace);
    return written;
  }
  const reference = parseReference(stored.record.run);
  // Of pods that are gone nobody knows how long they held their GPUs.
  const pods = await backend.pods(reference).catch((error: unknown) => {
    parts.log.debug(`no pods: ${describe(error)}`);
    return nothing;
  });
  await backend.cancel(reference, order.grace);
  const result = resultOf({ record: stored.record, status: { state: 'cancelled' }, pods, outputs: [], tail: () => [], now: now() });
  // Whoever waits for the run adds its log and its metrics.
  return writeEnd(records, stored, result);
}
