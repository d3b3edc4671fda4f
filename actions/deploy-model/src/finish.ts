import { describe, messageOf } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { Rollout, StoredRollout } from '@slashtrain/core/rollouts/rollout';
import { change, type RolloutStore } from '@slashtrain/core/rollouts/store';
import { boardOf, tell } from './board.ts';
import { runningRevision } from './history.ts';
import type { CommonInputs } from './inputs.ts';
import { restore } from './rollback/restore.ts';
import { runCommand } from './targets/command.ts';
import { kindsFor } from './targets/kinds/index.ts';
import type { Registry } from './types.ts';

/** What taking back works with. */
export interface BackParts {
  inputs: CommonInputs;
  host: Host;
  context: GitHubContext;
  github: GitHub;
  client: KubernetesClient;
  rollouts: RolloutStore;
  registry?: Registry;
  signal: AbortSignal;
  /** Seconds for what was there before to be ready again. */
  timeout: number;
}

/**
 * Takes an unfinished rollout back: what was there before stands again and is waited for, the registry's alias goes back, and
 * the deployment on GitHub says what runs now. May be done again after it was cut off.
 * @returns what is said of it, how it stands now, and whether it got there
 */
export async function takeBack(
  stored: StoredRollout,
  why: string,
  parts: BackParts,
): Promise<{ stored: StoredRollout; restored: boolean; message: string; now: string }> {
  const { host, rollouts, github, context } = parts;
  const { log } = host;
  const marked = await mark(rollouts, stored, why);
  const { rollout } = marked;
  log.info(`${rollout.name}: taken back: ${why}`);
  let failure: unknown;
  try {
    await bringBack(rollout, parts);
  } catch (error) {
    parts.signal.throwIfAborted();
    failure = error;
    log.error(`${rollout.name} could not be taken back whole: ${describe(error)}`);
  }
  const now = runsNow(rollout);
  const message = failure === undefined ? `${why}; ${now}` : `${why}; NOT taken back: ${messageOf(failure)}`;
  const ended = await change(rollouts, marked, (one) => ({
    ...one,
    state: failure === undefined ? 'restored' : 'failed',
    message,
    endedAt: new Date(host.now()).toISOString(),
  }));
  // GitHub cuts it: what runs now counts most.
  const words = failure === undefined ? `${now}: ${why}` : `not taken back: ${messageOf(failure)}`;
  const isTold = await tell(host, boardOf(github, context, rollout.deploymentId).say(failure === undefined ? 'failure' : 'error', words));
  if (!isTold) await leaveUntold(rollouts, ended);
  const stands = failure === undefined ? `now ${now}` : `it could not be taken back whole: ${messageOf(failure)}`;
  return { stored: ended, restored: failure === undefined, message, now: stands };
}

/** Writes down that it is to be taken back, for whoever comes next. */
export function mark(rollouts: RolloutStore, stored: StoredRollout, why: string): Promise<StoredRollout> {
  return change(rollouts, stored, (one) => ({ ...one, state: 'restoring', message: one.message ?? why }));
}

/** GitHub could not be told how it ended: the next deploy does, or who is sent by sync-runs. */
export function leaveUntold(rollouts: RolloutStore, stored: StoredRollout): Promise<StoredRollout> {
  return change(rollouts, stored, (one) => ({ ...one, untold: true }));
}

/** Tells GitHub how a rollout ended, where that could not be told at its end. */
export async function tellEnd(
  stored: StoredRollout,
  isCurrent: boolean,
  { host, rollouts, github, context }: Pick<BackParts, 'host' | 'rollouts' | 'github' | 'context'>,
): Promise<void> {
  const { rollout } = stored;
  const board = boardOf(github, context, rollout.deploymentId);
  const running = runningRevision(rollout);
  const telling =
    rollout.state !== 'deployed'
      ? board.say(rollout.state === 'restored' ? 'failure' : 'error', rollout.message ?? '')
      : isCurrent
        ? board.say('success', `${running} runs`, rollout.url)
        : board.say('inactive', `${running} was replaced`);
  if (await tell(host, telling)) await change(rollouts, stored, ({ untold: _, ...one }) => one);
}

async function bringBack(rollout: Rollout, parts: BackParts): Promise<void> {
  const { host, client, inputs, registry, signal, timeout } = parts;
  const { log } = host;
  if (rollout.target === 'command') await commandBack(rollout, parts);
  const kinds = await kindsFor([...rollout.applied, ...(rollout.extras ?? [])], inputs.readiness, client);
  await restore(rollout, { client, kinds, signal, timeout, say: (line) => log.info(line), warn: (line) => log.warning(line) });
  if (rollout.registry && registry?.name === rollout.registry.name) await registry.back(rollout.registry.previous);
  else if (rollout.registry) log.warning(`the alias in ${rollout.registry.name} was not put back: this step has no input "registry"`);
}

async function commandBack(rollout: Rollout, { host, inputs, rollouts, client }: BackParts): Promise<void> {
  const script = inputs.rollbackCommand ?? inputs.command;
  const { environment, name, repository, previous } = rollout;
  const all = await rollouts.find(client.namespace, { repositoryId: repository.id, environment, name });
  const before = all.find((one) => one.rollout.revision === previous)?.rollout;
  if (!before && inputs.rollbackCommand === undefined) {
    host.log.warning('nothing was deployed before, and there is no input "rollback-command": what the command did stays');
    return;
  }
  if (script === undefined) {
    host.log.warning('neither "rollback-command" nor "command" was given: what the command did stays');
    return;
  }
  const model = before ?? rollout;
  await runCommand(inputs.rollbackCommand === undefined ? 'command' : 'rollback-command', script, model, host);
}

/** What stands there once it is taken back. */
function runsNow({ previous, saved }: Rollout): string {
  if (previous !== undefined) return `${previous} runs`;
  return saved.objects.length > 0 ? 'what was there before runs' : 'nothing runs';
}
