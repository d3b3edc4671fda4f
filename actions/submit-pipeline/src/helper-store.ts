import { ActionError } from '@slashtrain/core/action/errors';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { recordAnnotation } from '@slashtrain/core/run/record';
import type { PlannedHelper } from './helpers.ts';

/** Who owns a helper: it goes when its owner does. */
export type Owner = NonNullable<KubernetesObject['metadata']['ownerReferences']>[number];

/** The helpers of runs in one cluster. All of it may be done again after a lost answer. */
export interface HelperStore {
  /** Asks the server to check it and make nothing. @throws ActionError with its words */
  check(helper: PlannedHelper): Promise<void>;
  /**
   * Makes it for a record, owned by `owner`.
   * @throws ActionError `conflict` where something that is not this record's has the name
   */
  make(helper: PlannedHelper, record: string, owner: Owner): Promise<void>;
  /** Gives it to another owner, or to nobody. Not an error where it is gone. */
  handOver(helper: PlannedHelper, owner: Owner | undefined): Promise<void>;
  /** Takes it away, if it is this record's. */
  drop(helper: PlannedHelper, record: string): Promise<void>;
}

export function helperStore(client: KubernetesClient): HelperStore {
  const whereIs = ({ object: { metadata } }: PlannedHelper): [string, string] => [
    metadata.namespace ?? client.namespace,
    metadata.name ?? '',
  ];
  const isOf = (object: KubernetesObject, record: string): boolean => object.metadata.annotations?.[recordAnnotation] === record;
  return {
    async check({ resource, object }) {
      await client.create(resource, object, { dryRun: true });
    },

    async make(helper, record, owner) {
      const { resource, object } = helper;
      const annotations = { ...object.metadata.annotations, [recordAnnotation]: record };
      const complete = { ...object, metadata: { ...object.metadata, annotations, ownerReferences: [owner] } };
      for (;;) {
        if (await client.create(resource, complete)) return;
        const taken = await client.get(resource, ...whereIs(helper));
        if (taken && isOf(taken, record)) return;
        if (taken) {
          const [namespace, name] = whereIs(helper);
          throw new ActionError(
            'conflict',
            `the ${resource.kind} "${name}" in namespace "${namespace}" exists and was not made for this request`,
            { remedy: 'delete it, or give the document another name' },
          );
        }
        // It was deleted in between: the name is free.
      }
    },

    async handOver(helper, owner) {
      try {
        await client.patch(helper.resource, ...whereIs(helper), { metadata: { ownerReferences: owner ? [owner] : null } });
      } catch (error) {
        if (!(error instanceof ActionError) || error.code !== 'not-found') throw error;
      }
    },

    async drop(helper, record) {
      const found = await client.get(helper.resource, ...whereIs(helper));
      if (found?.metadata.uid && isOf(found, record)) await client.delete(helper.resource, ...whereIs(helper), { uid: found.metadata.uid });
    },
  };
}
