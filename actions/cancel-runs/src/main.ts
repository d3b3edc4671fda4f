import { ActionError, describe } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { backendFor } from '@slashtrain/core/backend/open';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { openFor } from '@slashtrain/core/kubernetes/access';
import { kindsOfRecords } from '@slashtrain/core/kinds/registry';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import type { StoredRecord } from '@slashtrain/core/records/store';
import { cancelRun, type CancelParts, type Order, type Outcome } from './cancel.ts';
import { concludeCheck } from './check.ts';
import { candidates } from './choose.ts';
import type { CancelInputs } from './inputs.ts';
import { cancelledList, summaryMarkdown } from './show.ts';

/** What cancel-runs works with. */
export interface Parts {
  host: Host;
  context: GitHubContext;
  github: GitHub;
}

/** Ends a pull request's runs. One that cannot be ended does not keep the others from it, and fails the step. */
export async function main(inputs: CancelInputs, { host, context, github }: Parts): Promise<void> {
  const { log } = host;
  host.setOutput('cancelled', '[]');
  const client = await openFor(host, inputs);
  const records = recordStore(client);
  const order: Order = {
    by: context.triggeringActor,
    why: inputs.reason ?? (inputs.keepSha === undefined ? 'somebody asked for it' : `a newer commit was pushed: ${inputs.keepSha}`),
    choice: inputs,
    grace: inputs.grace,
    dryRun: inputs.dryRun,
  };

  const found = await records.find(client.namespace, {
    repositoryId: context.repositoryId,
    pullRequest: inputs.pullRequest,
    ...(inputs.pipeline === undefined ? {} : { pipeline: inputs.pipeline }),
  });
  const chosen = candidates(found, inputs);
  const parts: CancelParts = {
    records,
    backend: await backendFor(
      client,
      chosen.map(({ record }) => record),
      { host, kfp: inputs.kfp, kinds: await kindsOfRecords(chosen.map(({ record }) => record)) },
    ),
    concludeCheck: (stored) => concludeCheck(github, stored, log),
    log,
    now: host.now,
  };
  if (chosen.length === 0) log.info(`no run of pull request ${inputs.pullRequest} is active in namespace ${client.namespace}`);
  const outcomes = await Promise.all(chosen.map((stored) => orFailure(stored, cancelRun(stored, order, parts))));

  for (const { stored, what } of outcomes) log.info(`${stored.name}: ${what}`);
  host.setOutput('cancelled', cancelledList(outcomes));
  if (outcomes.length > 0) await host.summarise(summaryMarkdown(outcomes));
  judge(outcomes);
}

/** An outcome, also of a run that could not be cancelled. */
type Tried = Outcome & { failure?: unknown };

async function orFailure(stored: StoredRecord, outcome: Promise<Outcome>): Promise<Tried> {
  try {
    return await outcome;
  } catch (error) {
    return { stored, cancelled: false, what: `could not be cancelled: ${describe(error)}`, failure: error };
  }
}

function judge(outcomes: readonly Tried[]): void {
  const failures = outcomes.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  const [first] = failures;
  if (first === undefined) return;
  const of = `${failures.length} of ${outcomes.length} runs could not be cancelled`;
  throw new ActionError(first instanceof ActionError ? first.code : 'internal', of, {
    remedy: 'run this step again once the cause is mended: what is done already stays done',
    cause: first,
  });
}
