import { ActionError } from '../action/errors.ts';
import type { RunBackend } from '../backend/backend.ts';
import { kindsOfRecords } from '../kinds/registry.ts';
import { recordAnnotation } from '../run/record.ts';
import type { RunReference } from '../run/reference.ts';
import type { StoredRecord } from './store.ts';

/** A run that was made for this record and whose UID nobody wrote: the submission ended between the two. */
export async function findUnnoted({ namespace, name, uid, record }: StoredRecord, backend: RunBackend): Promise<RunReference | undefined> {
  const { plural, group } = record.kind;
  // Of several versions the server has one.
  for (const kind of (await kindsOfRecords([record])).ofReference(plural, group)) {
    const object = await backend.find(kind, namespace, name).catch(unlessUnknown);
    const runUid = object?.metadata.uid;
    if (runUid !== undefined && object?.metadata.annotations?.[recordAnnotation] === uid) {
      return { plural, group, namespace, name, uid: runUid };
    }
  }
  return undefined;
}

function unlessUnknown(error: unknown): undefined {
  if (!(error instanceof ActionError) || error.code !== 'not-found') throw error;
}
