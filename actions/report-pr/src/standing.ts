import { describe } from '@slashtrain/core/action/errors';
import type { Log } from '@slashtrain/core/action/log';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { RunRecord } from '@slashtrain/core/run/record';
import { parseReference } from '@slashtrain/core/run/reference';
import { isEnded, type Status } from '@slashtrain/core/run/state';

/**
 * How a run that goes on stands on the cluster now: how much of it is done, since when it runs, what keeps it. The record of
 * such a run does not know. Nothing for one that has ended: what came of it is told once its record says so. Where it
 * cannot be looked at, the report says less, and the log why.
 */
export async function standingOf(record: RunRecord, client: KubernetesClient, log: Log): Promise<Status | undefined> {
  if (record.run === undefined || isEnded(record.state)) return undefined;
  try {
    const { kubernetesBackend } = await import('@slashtrain/core/backend/kubernetes');
    const { kindsOfRecords } = await import('@slashtrain/core/kinds/registry');
    const backend = kubernetesBackend(client, { log, kinds: await kindsOfRecords([record]) });
    const { status } = await backend.look(parseReference(record.run));
    return isEnded(status.state) ? undefined : status;
  } catch (error) {
    log.info(`how the run stands could not be read: ${describe(error)}`);
    return undefined;
  }
}
