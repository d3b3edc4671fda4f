import { servedKind } from '@slashtrain/core/backend/served-kind';
import { isWorkflow } from '@slashtrain/core/backend/argo-inputs';
import { failedTrials } from '@slashtrain/core/kinds/argo-workflow-status';
import { isKfp } from '@slashtrain/core/kinds/kfp-run';
import type { Kind, KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { kindsOfRecords } from '@slashtrain/core/kinds/registry';
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
  /** How many trials of a Workflow's sweep have failed so far; 0 for any other run. */
  failedTrials(reference: RunReference): number;
  /** Runs of ours that go on, of the given records none. */
  without(records: ReadonlySet<string>): Orphan[];
}

/** A kind as a record names it. */
type KindName = Pick<RunReference, 'plural' | 'group'>;

interface Listed {
  name: KindName;
  found: { name: KindName; kind: Kind; object: KubernetesObject }[];
  failure?: unknown;
}

/**
 * Lists each kind that a record names, once: one request for 500 runs instead of one for each. A kind that cannot be
 * listed fails the records that name it, and no others.
 */
export async function listRuns(client: KubernetesClient, repositoryId: number, records: readonly StoredRecord[]): Promise<Runs> {
  // What is no object of the cluster is looked at by itself.
  const listable = records.filter(({ record: { kind } }) => !isKfp(kind));
  const named = new Map(listable.map(({ record: { kind } }) => [keyOf(kind), kind]));
  const kinds = await kindsOfRecords(records.map(({ record }) => record));
  const labelSelector = `${labels.managedBy}=${managedBy},${labels.repository}=${repositoryId}`;
  const lists = await Promise.all(
    [...named.values()].map(async (name): Promise<Listed> => {
      try {
        const kind = await servedKind(client, name, kinds);
        const { items } = await client.list(kind.resource, client.namespace, { labelSelector });
        return { name, found: items.map((object) => ({ name, kind, object })) };
      } catch (failure) {
        return { name, found: [], failure };
      }
    }),
  );
  const byUid = new Map(lists.flatMap(({ found }) => found.map((run) => [run.object.metadata.uid ?? '', run])));
  return {
    status(reference) {
      const list = lists.find(({ name }) => keyOf(name) === keyOf(reference));
      if (list && 'failure' in list) throw list.failure;
      const found = byUid.get(reference.uid);
      return found?.kind.status(found.object);
    },
    failedTrials(reference) {
      const found = isWorkflow(reference) ? byUid.get(reference.uid) : undefined;
      return found ? failedTrials(found.object) : 0;
    },
    without: (known) =>
      [...byUid.values()].flatMap(({ name, kind, object }) => {
        const { name: recordName = '', annotations } = object.metadata;
        const recordUid = annotations?.[recordAnnotation];
        if (recordUid === undefined || known.has(recordUid) || isEnded(kind.status(object).state)) return [];
        return [{ name: `${keyOf(name)}/${recordName}`, recordName, recordUid }];
      }),
  };
}

function keyOf({ plural, group }: KindName): string {
  return `${plural}.${group}`;
}
