import type { RunBackend } from '../backend/backend.ts';
import { kindOfReference } from '../kinds/index.ts';
import { recordAnnotation } from '../run/record.ts';
import type { RunReference } from '../run/reference.ts';
import type { StoredRecord } from './store.ts';

/** A run that was made for this record and whose UID nobody wrote: the submission ended between the two. */
export async function findUnnoted({ namespace, name, uid, record }: StoredRecord, backend: RunBackend): Promise<RunReference | undefined> {
  const kind = kindOfReference(record.kind.plural, record.kind.group);
  const object = kind && (await backend.find(kind, namespace, name));
  const runUid = object?.metadata.uid;
  if (runUid === undefined || object?.metadata.annotations?.[recordAnnotation] !== uid) return undefined;
  return { ...record.kind, namespace, name, uid: runUid };
}
