import { ActionError, messageOf } from '@slashtrain/core/action/errors';
import type { Kind, KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { StoredRecord } from '@slashtrain/core/records/store';
import { recordAnnotation, type RunRecord } from '@slashtrain/core/run/record';
import { formatReference, type RunReference } from '@slashtrain/core/run/reference';
import { isEnded } from '@slashtrain/core/run/state';
import type { ClaimParts, ClaimRequest } from './claim.ts';
import type { PlannedHelper } from './helpers.ts';

/** What a process that claims is and did. */
export interface Process {
  holder: string;
  /** UIDs of the records that it made. */
  records: Set<string>;
  /** The checks that it made or found, by the UIDs of their records. */
  checks: Map<string, number>;
  /** References of the runs that it made. */
  runs: Set<string>;
}

/**
 * Makes the check of a record, or finds it. Where it is refused, our own record goes as well, so that nothing is left; another's
 * may have a run that is not noted yet, and stays.
 * @returns its id
 */
export async function makeCheck(stored: StoredRecord, parts: ClaimParts, us: Process): Promise<number> {
  const known = us.checks.get(stored.uid);
  if (known !== undefined) return known;
  try {
    const id = await parts.makeCheck(stored, !us.records.has(stored.uid));
    us.checks.set(stored.uid, id);
    return id;
  } catch (error) {
    if (!us.records.has(stored.uid) || stored.record.run !== undefined || !isRefusal(error)) throw error;
    const failed = await failRecord(stored, error, parts);
    // From its failure on nobody makes a run of it. Without the right to delete it, it stays and says why.
    if (failed) await parts.records.delete(failed).catch(() => undefined);
    throw new ActionError(error.code, `nothing was submitted, since the commit could not get its check: ${error.message}`, {
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      cause: error,
    });
  }
}

/** Whether somebody said no. A server that did not answer may have done what it was asked for. */
function isRefusal(error: unknown): error is ActionError {
  return error instanceof ActionError && error.code !== 'unreachable' && error.code !== 'timeout';
}

/** POSTs the run and writes its UID into the record. @returns undefined where the record changed, and has to be looked at again */
export async function makeRun(
  stored: StoredRecord,
  checkRunId: number,
  request: ClaimRequest,
  parts: ClaimParts,
  us: Process,
): Promise<StoredRecord | undefined> {
  const { attempt } = stored.record;
  const object = request.objectFor(attempt);
  object.metadata.annotations = { ...object.metadata.annotations, [recordAnnotation]: stored.uid };
  const run = await orFail(stored, checkRunId, request, parts, async () => {
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: stored.name, uid: stored.uid };
    for (const helper of helpersOf(request, attempt)) await parts.helpers.make(helper, stored.uid, owner);
    return post(stored, object, request.kind, parts);
  });
  const reference: RunReference = {
    plural: request.kind.resource.plural,
    group: request.kind.resource.group,
    namespace: stored.namespace,
    name: stored.name,
    uid: run.metadata.uid ?? '',
  };
  us.runs.add(formatReference(reference));
  const url = parts.pageOf?.(reference);
  const noted = { run: formatReference(reference), ...(url === undefined ? {} : { url }) };
  const written = await parts.records.update(stored, (record) => ({ ...record, ...noted }));
  if (written) return written;

  // The record changed while the run was being made: somebody joined, cancelled, or took an expired lease over.
  const current = await parts.records.get(stored.namespace, stored.name);
  const isOurs = current?.uid === stored.uid && current.record.cancel === undefined && !isEnded(current.record.state);
  const isElsewhere = current?.record.run !== undefined && current.record.run !== formatReference(reference);
  if (!isOurs || isElsewhere) {
    // Whatever this run has goes with it: a run of this name that could still need it, there is not.
    await handOver(reference, attempt, request, parts);
    await parts.backend.cancel(reference, 0);
  }
  if (current?.uid === stored.uid && current.record.cancel) {
    if (!isEnded(current.record.state)) await parts.records.update(current, (record) => ({ ...record, state: 'cancelled' }));
    // Who cancelled may have looked for the check before it was there.
    if (!current.record.run) await parts.endCheck(current, checkRunId, 'cancelled', cancelledBefore(current));
  }
  return undefined;
}

async function post(stored: StoredRecord, object: KubernetesObject, kind: Kind, parts: ClaimParts): Promise<KubernetesObject> {
  const answer = await parts.backend.create(kind, object);
  if ('made' in answer) return answer.made;
  if (answer.taken.metadata.annotations?.[recordAnnotation] === stored.uid) return answer.taken;
  throw new ActionError(
    'conflict',
    `the ${kind.resource.kind} "${stored.name}" in namespace "${stored.namespace}" exists and was not made for this request`,
    {
      remedy: "delete it, or change the pipeline's name",
    },
  );
}

/** Fails the attempt where it is refused for good; the next one is free. A server that did not answer may have made it. */
async function orFail<Result>(
  stored: StoredRecord,
  checkRunId: number,
  request: ClaimRequest,
  parts: ClaimParts,
  make: () => Promise<Result>,
): Promise<Result> {
  try {
    return await make();
  } catch (error) {
    const failed = isRefusal(error) ? await failRecord(stored, error, parts) : undefined;
    // Only who failed the record knows that no other made the run meanwhile. What cannot be taken away goes with the record.
    for (const helper of failed ? helpersOf(request, stored.record.attempt) : []) {
      await parts.helpers.drop(helper, stored.uid).catch(() => undefined);
    }
    if (failed && isRefusal(error)) await parts.endCheck(failed, checkRunId, 'failure', error);
    throw error;
  }
}

function helpersOf(request: ClaimRequest, attempt: number): PlannedHelper[] {
  return request.helpersFor?.(attempt) ?? [];
}

/** From the record to its run, so that they go with it; a claim that is to stay has no owner any more. */
export async function handOver(run: RunReference, attempt: number, request: ClaimRequest, parts: ClaimParts): Promise<void> {
  const { group, version, kind } = request.kind.resource;
  const owner = { apiVersion: `${group}/${version}`, kind, name: run.name, uid: run.uid };
  for (const helper of helpersOf(request, attempt)) await parts.helpers.handOver(helper, helper.goesWithRun ? owner : undefined);
}

/** @returns undefined where the record changed meanwhile */
async function failRecord(stored: StoredRecord, error: unknown, parts: ClaimParts): Promise<StoredRecord | undefined> {
  return parts.records.update(stored, ({ lease: _, ...record }) => ({ ...record, state: 'failed', refusal: messageOf(error) }));
}

/** What to say to whoever submits a run that somebody else cancelled. */
export function cancelledBefore({ name, record }: StoredRecord): ActionError {
  return new ActionError('cancelled', `the run ${name} was cancelled before it started${byWhom(record)}`);
}

function byWhom(record: RunRecord): string {
  return record.cancel ? ` by ${record.cancel.by}: ${record.cancel.why}` : '';
}
