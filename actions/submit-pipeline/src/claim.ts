import { randomUUID } from 'node:crypto';
import { ActionError } from '@slashtrain/core/action/errors';
import type { RunBackend } from '@slashtrain/core/backend/backend';
import type { Kind, KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import type { RunRecord } from '@slashtrain/core/run/record';
import { parseReference, type RunReference } from '@slashtrain/core/run/reference';
import type { Asker } from '@slashtrain/core/run/request';
import { isEnded } from '@slashtrain/core/run/state';
import { decide, joined } from './decide.ts';
import type { HelperStore } from './helper-store.ts';
import type { PlannedHelper } from './helpers.ts';
import { cancelledBefore, handOver, makeCheck, makeRun, type Process } from './make-run.ts';

const leaseMilliseconds = 60_000;
const pauseMilliseconds = 1_000;

/** A request for a run, ready to be made. */
export interface ClaimRequest {
  namespace: string;
  kind: Kind;
  asker: Asker;
  /** The next attempt, whoever asked for the finished ones. */
  again: boolean;
  /** The record of one attempt, without lease, run and check. */
  recordFor(attempt: number): RunRecord;
  nameFor(attempt: number): string;
  /** The object to submit for one attempt: named, labelled, complete but for the record's annotation. */
  objectFor(attempt: number): KubernetesObject;
  /** What is made with the run of one attempt. Absent is nothing. */
  helpersFor?(attempt: number): PlannedHelper[];
}

/** Everything outside that a claim touches. */
export interface ClaimParts {
  records: RecordStore;
  backend: RunBackend;
  helpers: HelperStore;
  /** Makes the check run of a record; where `mayExist`, looks for the one that an earlier holder may have made. @returns its id */
  makeCheck(stored: StoredRecord, mayExist: boolean): Promise<number>;
  /** Concludes the check of a record that gets no run, and says why. What fails is told, not thrown. */
  endCheck(stored: StoredRecord, checkRunId: number, end: 'failure' | 'cancelled', error: ActionError): Promise<void>;
  /** The page of a run that is none of Kubernetes. */
  pageOf?(run: RunReference): string | undefined;
  now(): number;
  pause(milliseconds: number): Promise<void>;
  /** Names this process among those that want the lease. */
  holder?: string;
}

/** A record that has its run and its check. */
export interface Claimed {
  stored: StoredRecord;
  run: string;
  /** True where the run was there before, or somebody else made it. */
  adopted: boolean;
}

/**
 * Makes one run for one request, whatever happens in between. A re-run workflow, a lost answer, a crash between any
 * two requests and two runners at once all come out as one run with one check, since
 *
 * 1. the record is made first, under a name that the request determines: of two, one gets it;
 * 2. only the holder of the record's lease goes on: check, helpers, run, UID into the record, helpers to the run, check's id
 *    into the record. The check comes first: who may not make it makes no run that nobody sees;
 * 3. each of these can be done again: the check's external id is the record, the run's name is the record's, its annotation
 *    says whose it is, and so it is with the helpers;
 * 4. a record that has a UID never makes a run again;
 * 5. a helper always has an owner: the record until there is a run, then the run, so that nothing is left for ever. A
 *    claim that is to outlive the run loses its owner then.
 *
 * @throws ActionError `conflict` where something that is not ours has the name; whatever the cluster says to the run
 */
export async function claim(request: ClaimRequest, parts: ClaimParts): Promise<Claimed> {
  const us: Process = { holder: parts.holder ?? randomUUID(), records: new Set(), checks: new Map(), runs: new Set() };
  for (;;) {
    const { repository, pullRequest, sha, pipeline, request: hash } = request.recordFor(1);
    const found = await parts.records.find(request.namespace, {
      repositoryId: repository.id,
      sha,
      pipeline,
      ...(pullRequest === undefined ? {} : { pullRequest }),
    });
    const decision = decide(
      found.filter(({ record }) => record.request === hash),
      request.asker,
      request.again,
    );
    let stored: StoredRecord | undefined;
    if ('make' in decision) {
      stored = await makeRecord(request, parts, decision.make, us);
    } else {
      stored = await join(decision.adopt, request.asker, parts.records);
    }
    // Undefined: somebody was faster. What they made is looked at like everything else.
    const complete = stored && (await completeRecord(stored, request, parts, us));
    if (complete) return complete;
  }
}

async function makeRecord(request: ClaimRequest, parts: ClaimParts, attempt: number, us: Process): Promise<StoredRecord | undefined> {
  const name = request.nameFor(attempt);
  const record = request.recordFor(attempt);
  const stored = await parts.records.create(request.namespace, name, { ...record, lease: lease(us, parts) });
  if (stored) {
    us.records.add(stored.uid);
    return stored;
  }
  const taken = await parts.records.get(request.namespace, name);
  if (await isForeign(taken, record, parts.records, request.namespace)) {
    throw new ActionError('conflict', `the ConfigMap "${name}" in namespace "${request.namespace}" is not the record of this request`, {
      remedy: "delete it, or change the pipeline's name",
    });
  }
  return undefined;
}

async function isForeign(taken: StoredRecord | undefined, record: RunRecord, records: RecordStore, namespace: string): Promise<boolean> {
  if (taken) return taken.record.request !== record.request || taken.record.repository.id !== record.repository.id;
  // A ConfigMap that holds no valid record reads as absent, and yet has the name.
  const visible = await records.find(namespace, { repositoryId: record.repository.id, sha: record.sha, pipeline: record.pipeline });
  return !visible.some((stored) => stored.record.request === record.request);
}

/** Adds the asker to an earlier attempt. @returns undefined where the record changed meanwhile */
async function join(stored: StoredRecord, asker: Asker, records: RecordStore): Promise<StoredRecord | undefined> {
  const asked = joined(stored.record.asked, asker);
  const known = stored.record.asked.find(({ id }) => id === asker.id);
  // A finished attempt that we asked for is history: it is read, not written.
  if (known && (known.runAttempt >= asker.runAttempt || isEnded(stored.record.state))) return stored;
  return unlessGone(records.update(stored, (record) => ({ ...record, asked })));
}

/** Does what is missing of run and check, as the lease's holder. @returns undefined where it has to be looked at again */
async function completeRecord(stored: StoredRecord, request: ClaimRequest, parts: ClaimParts, us: Process): Promise<Claimed | undefined> {
  const { record } = stored;
  if (isEnded(record.state) && !record.run) {
    if (record.state === 'cancelled') throw cancelledBefore(stored);
    throw new ActionError('run-failed', `the run ${stored.name} could not be made: ${record.refusal ?? 'it has no run'}`, {
      remedy: 'mend the cause and re-run the workflow, or comment again',
    });
  }
  const isComplete = record.run !== undefined && (record.checkRunId !== undefined || isEnded(record.state));
  if (isComplete && record.run) return { stored, run: record.run, adopted: !us.runs.has(record.run) };

  const held = await takeLease(stored, parts, us);
  if (!held) return undefined;
  const checkRunId = await makeCheck(held, parts, us);
  const withRun = held.record.run ? held : await makeRun(held, checkRunId, request, parts, us);
  if (!withRun?.record.run) return undefined;
  await handOver(parseReference(withRun.record.run), stored.record.attempt, request, parts);
  const complete = await parts.records.update(withRun, ({ lease: _, ...rest }) => ({ ...rest, checkRunId }));
  return complete && { stored: complete, run: withRun.record.run, adopted: !us.runs.has(withRun.record.run) };
}

async function takeLease(stored: StoredRecord, parts: ClaimParts, us: Process): Promise<StoredRecord | undefined> {
  const current = stored.record.lease;
  const isOthers = current !== undefined && current.holder !== us.holder && Date.parse(current.expiresAt) > parts.now();
  if (isOthers) {
    await parts.pause(pauseMilliseconds);
    return undefined;
  }
  if (current?.holder === us.holder && Date.parse(current.expiresAt) > parts.now() + leaseMilliseconds / 2) return stored;
  return unlessGone(parts.records.update(stored, (record) => ({ ...record, lease: lease(us, parts) })));
}

/** A record goes where its check was refused: then its request is free again. */
async function unlessGone(written: Promise<StoredRecord | undefined>): Promise<StoredRecord | undefined> {
  try {
    return await written;
  } catch (error) {
    if (error instanceof ActionError && error.code === 'not-found') return undefined;
    throw error;
  }
}

function lease({ holder }: Process, parts: ClaimParts): NonNullable<RunRecord['lease']> {
  return { holder, expiresAt: new Date(parts.now() + leaseMilliseconds).toISOString() };
}
