import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { backendFor } from '@slashtrain/core/backend/open';
import { fetchFromDefaultBranch, loadConfig } from '@slashtrain/core/config/load';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { concludeTrainCheck } from '@slashtrain/core/github/train-check';
import { openFor } from '@slashtrain/core/kubernetes/access';
import { Slots } from '@slashtrain/core/kubernetes/slots';
import { kindsOfRecords } from '@slashtrain/core/kinds/registry';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { pendingRollouts } from '@slashtrain/core/rollouts/pending';
import { rolloutStore } from '@slashtrain/core/rollouts/store';
import { isEnded } from '@slashtrain/core/run/state';
import { concludeChecks } from './checks.ts';
import { endLost } from './deployments.ts';
import { endedList, rolloutList, toReport } from './ended.ts';
import type { SyncInputs } from './inputs.ts';
import { listRuns, type Runs } from './runs.ts';
import { trySettle, type SettleParts, type Tried } from './settle.ts';
import { summaryMarkdown } from './show.ts';
import { tidy } from './tidy.ts';

/** What sync-runs works with. */
export interface Parts {
  host: Host;
  context: GitHubContext;
  github: GitHub;
}

// So many logs are read at once.
const atOnce = 8;

/** Brings every record to where its run stands, and says which ends are still to be reported. What fails keeps nothing else from it. */
export async function main(inputs: SyncInputs, { host, context, github }: Parts): Promise<void> {
  const { log, now, signal } = host;
  const { dryRun } = inputs;
  host.setOutput('ended', '[]');
  host.setOutput('rollouts', '[]');
  const client = await openFor(host, inputs);
  const records = recordStore(client);
  const all = await records.find(client.namespace, { repositoryId: context.repositoryId });
  const active = all.filter(({ record }) => !isEnded(record.state));
  const runs = await listRuns(client, context.repositoryId, active);

  const backend = await backendFor(
    client,
    active.map(({ record }) => record),
    { host, kfp: inputs.kfp, argo: inputs.argo, kinds: await kindsOfRecords(active.map(({ record }) => record)) },
  );
  const tried = await settleAll(active, { records, backend, runs, log, signal, now, dryRun });
  for (const { stored, what = '' } of tried) log.info(`${stored.name}: ${what}`);
  const settled = new Map(tried.map(({ stored }) => [stored.uid, stored]));
  const known = all.map((stored) => settled.get(stored.uid) ?? stored);
  const waiting = dryRun ? [] : toReport(known, { maxAge: inputs.maxAge, now: now() });
  const listed = waiting.slice(0, inputs.limit);
  host.setOutput('ended', endedList(listed));
  log.info(`${waiting.length} to be reported${listed.length < waiting.length ? `, ${listed.length} of them now` : ''}`);

  const deploys = await rolloutStore(client).find(client.namespace, { repositoryId: context.repositoryId });
  const rollouts = dryRun ? [] : await pendingRollouts(client, deploys, now());
  host.setOutput('rollouts', rolloutList(rollouts));
  for (const { name, rollout } of rollouts) log.info(`${name}: its rollout is to be gone on with (${rollout.state})`);
  if (!dryRun) await endLost(deploys, { github, context, log, now });

  const orphans = await findOrphans(runs, known, records, client.namespace);
  for (const name of orphans) log.warning(`the run ${name} goes on and has no record: nobody looks after it; delete it if nobody needs it`);
  const conclude = concludeTrainCheck.bind(undefined, github);
  const unconcluded = await concludeChecks(listed, { conclude, log, signal, now });
  const retention = async (): Promise<number> => (await loadConfig(fetchFromDefaultBranch(github))).config.retentionSeconds;
  // Whoever goes back to an older deploy wants to know where it came from.
  const deployed = new Set(deploys.map(({ rollout }) => rollout.run));
  const free = known.filter(({ record }) => record.run === undefined || !deployed.has(record.run));
  const tidied = await tidy(free, { records, retention, log, now, dryRun });

  const counts = { waiting: waiting.length, listed: listed.length, deleted: tidied.deleted.length };
  await host.summarise(summaryMarkdown({ tried, ...counts, orphans }));
  judge([...tried.flatMap(({ failure }) => failure ?? []), ...unconcluded, ...tidied.failures]);
}

async function settleAll(active: readonly StoredRecord[], parts: SettleParts): Promise<Tried[]> {
  const slots = new Slots(atOnce);
  const one = async (stored: StoredRecord): Promise<Tried> => {
    const leave = await slots.take();
    try {
      return await trySettle(stored, parts);
    } finally {
      leave();
    }
  };
  return Promise.all(active.map(one));
}

/** Runs that go on and whose record is gone. One whose record is younger than our list of records is none. */
async function findOrphans(runs: Runs, known: readonly StoredRecord[], records: RecordStore, namespace: string): Promise<string[]> {
  const orphans: string[] = [];
  for (const { name, recordName, recordUid } of runs.without(new Set(known.map(({ uid }) => uid)))) {
    if ((await records.get(namespace, recordName))?.uid !== recordUid) orphans.push(name);
  }
  return orphans;
}

/** @throws ActionError with the first of what failed */
function judge(failures: readonly unknown[]): void {
  const [first] = failures;
  if (first === undefined) return;
  throw new ActionError(
    first instanceof ActionError ? first.code : 'internal',
    `${failures.length} ${failures.length === 1 ? 'thing' : 'things'} failed; everything else is done`,
    { remedy: 'the next sync tries again', cause: first },
  );
}
