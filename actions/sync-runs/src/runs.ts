import { ActionError } from '@slashtrain/core/action/errors';
import { kindOfReference } from '@slashtrain/core/kinds/index';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { StoredRecord } from '@slashtrain/core/records/store';
import { labels, managedBy, recordAnnotation } from '@slashtrain/core/run/record';
import type { RunReference } from '@slashtrain/core/run/reference';
import { isEnded, type Status } from '@slashtrain/core/run/state';

/** A run that nobody's record is of. */
export interface Orphan {
  /** `jobs.batch/digits-…` */
  name: string;
  recordUid: string;
  recordName: string;
}

/** The runs of a namespace as one list a kind showed them. */
export interface Runs {
  /** @returns undefined where the list does not have it. @throws what listing its kind threw */
  status(reference: RunReference): Status | undefined;
  /** Runs of ours that go on, of the given records none. */
  without(records: ReadonlySet<string>): Orphan[];
}

interface Listed {
  kind: { plural: string; group: string };
  objects: KubernetesObject[];
  failure?: unknown;
}

/**
 * Lists each kind that a record names, once: one request for 500 runs instead of one for each. A kind that cannot be
 * listed fails the records that name it, and no others.
 */
export async function listRuns(client: KubernetesClient, repositoryId: number, records: readonly StoredRecord[]): Promise<Runs> {
  const named = new Map(records.map(({ record: { kind } }) => [keyOf(kind), kind]));
  const labelSelector = `${labels.managedBy}=${managedBy},${labels.repository}=${repositoryId}`;
  const lists = await Promise.all(
    [...named.values()].map(async (kind): Promise<Listed> => {
      try {
        const known = kindOfReference(kind.plural, kind.group);
        if (!known) throw new ActionError('unsupported', `${keyOf(kind)} is not a kind of run that this version knows`);
        const { items } = await client.list(known.resource, client.namespace, { labelSelector });
        return { kind, objects: items };
      } catch (failure) {
        return { kind, objects: [], failure };
      }
    }),
  );
  const byUid = new Map(lists.flatMap(({ kind, objects }) => objects.map((object) => [object.metadata.uid ?? '', { kind, object }])));
  const statusOf = (kind: Listed['kind'], object: KubernetesObject): Status =>
    kindOfReference(kind.plural, kind.group)?.status(object) ?? { state: 'unknown' };
  return {
    status(reference) {
      const list = lists.find(({ kind }) => keyOf(kind) === keyOf(reference));
      if (list && 'failure' in list) throw list.failure;
      const found = byUid.get(reference.uid);
      return found && statusOf(found.kind, found.object);
    },
    without: (known) =>
      [...byUid.values()].flatMap(({ kind, object }) => {
        const { name = '', annotations } = object.metadata;
        const recordUid = annotations?.[recordAnnotation];
        if (recordUid === undefined || known.has(recordUid) || isEnded(statusOf(kind, object).state)) return [];
        return [{ name: `${keyOf(kind)}/${name}`, recordName: name, recordUid }];
      }),
  };
}

function keyOf({ plural, group }: { plural: string; group: string }): string {
  return `${plural}.${group}`;
}
