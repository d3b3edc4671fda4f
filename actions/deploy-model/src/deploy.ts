import { describe, messageOf } from '@slashtrain/core/action/errors';
import { endLostDeployments } from '@slashtrain/core/github/lost-deployments';
import { takeLease, type TakenLease } from '@slashtrain/core/rollouts/lease';
import { isActive, leaseName, type Rollout, type StoredRollout } from '@slashtrain/core/rollouts/rollout';
import { change } from '@slashtrain/core/rollouts/store';
import { boardOf, openBoard, taskOf, tell, type Board } from './board.ts';
import { leaveUntold, mark, takeBack, tellEnd, type BackParts } from './finish.ts';
import { currentOf, prunable, runningRevision } from './history.ts';
import { checkCanary, extrasOf, look, sharesOf } from './look.ts';
import type { Advance, DeployParts, Plan, Turn } from './parts.ts';
import { NotPassed, replace, walk } from './reach.ts';
import { applyAll, readBefore, savedOf } from './rollout/apply.ts';
import { stagesOf } from './rollout/traffic.ts';
import { diffOf, summarise } from './show.ts';
import { judgementLine } from './smoke/show.ts';
import { Before } from './targets/before.ts';
import { keptInputs } from './tools.ts';
import type { Judgement, Serving } from './types.ts';
import { descriptionOf, payloadOf, rowsOf } from './words.ts';

/** So many milliseconds after GitHub was asked, the head of a pull request is asked for again. */
const freshMilliseconds = 30_000;

/**
 * Deploys a plan: one at a time in its environment, with a way back before anything is changed.
 * @throws TakenBack once something was changed; else why nothing was
 */
export async function deploy(plan: Plan, parts: DeployParts): Promise<void> {
  const { inputs, host, client, github, context } = parts;
  const { about } = plan;
  const proved = host.now();
  host.setOutput('revision', runningRevision({ ...about } as Rollout));
  const first = await look(plan, parts);
  checkCanary(plan, first.before, parts);
  const would = await applyAll(first.objects, { client, kinds: first.kinds, takeOver: inputs.takeOver }, { dryRun: true });
  const diff = diffOf(first.before, would);
  for (const note of plan.notes) host.log.notice(note);
  if (inputs.dryRun) {
    host.setOutput('state', 'dry-run');
    return summarise(host, {
      title: `Dry run: nothing was deployed to ${inputs.environment}`,
      rows: rowsOf({ ...about, environment: inputs.environment, name: inputs.name }),
      notes: plan.notes,
      diff,
    });
  }

  const board = await openBoard(github, context, host, {
    sha: about.sha,
    environment: inputs.environment,
    name: inputs.name,
    description: descriptionOf(about, inputs.name),
    payload: payloadOf(plan, parts),
  });
  let lease: TakenLease | undefined;
  let isCancelled = false;
  try {
    await board.say('queued', 'its turn has not come yet');
    lease = await takeTurn(parts, about.revision);
    const turn = { ...parts, signal: AbortSignal.any([host.signal, lease.lost]) };
    await finishOthers(turn, board.id);
    if (host.now() - proved > freshMilliseconds) await plan.recheck?.();
    await roll(plan, board, { ...turn, diff });
  } catch (error) {
    isCancelled = host.signal.aborted && error instanceof TakenBack;
    host.setOutput('state', host.signal.aborted ? 'error' : 'failure');
    // What came so far as to be taken back has told it itself, or its post step does.
    if (!(error instanceof TakenBack)) await tell(host, board.say('error', messageOf(error)));
    throw error;
  } finally {
    // The post step takes it on.
    await lease?.release({ keep: isCancelled });
  }
}

/** It failed, for its cause, and was taken back. */
export class TakenBack extends Error {
  /** What runs now, or that it is not taken back; absent where somebody else has it in hand. */
  readonly now: string | undefined;

  constructor(now: string | undefined, cause: unknown) {
    super('taken back', { cause });
    this.now = now;
  }
}

function takeTurn({ inputs, host, context, client }: DeployParts, revision: string): Promise<TakenLease> {
  const { environment, name } = inputs;
  const repository = { id: context.repositoryId, fullName: `${context.owner}/${context.repo}` };
  return takeLease({
    client,
    namespace: client.namespace,
    name: leaseName({ repository, environment }),
    holder: holderFor(repository.fullName, name, revision),
    signal: host.signal,
    waitSeconds: inputs.lockTimeout,
    onWait: ({ holder, since }) => host.log.info(`waiting: ${holder} is at work on "${environment}" since ${since}`),
  });
}

/** Who holds the environment: the same for a deploy and for its post step. */
export function holderFor(repository: string, name: string, revision: string): string {
  return `${repository}: deploy of ${name} ${revision}`;
}

/** What a runner that was killed left behind is taken back first: it is no ground to build on. */
async function finishOthers(turn: Turn, own: number): Promise<void> {
  const { inputs, host, context, client, rollouts, github } = turn;
  const { environment, name } = inputs;
  const all = await rollouts.find(client.namespace, { repositoryId: context.repositoryId, environment, name });
  const { rollout: current } = currentOf(all) ?? {};
  for (const stored of all) {
    const { revision, state, deploymentId, untold } = stored.rollout;
    if (isActive(stored.rollout)) {
      host.log.warning(`the deploy ${revision} was not finished (${state}): it is taken back first`);
      await takeBack(stored, 'it was not finished', backParts(turn));
    } else if (untold) await tellEnd(stored, deploymentId === current?.deploymentId, turn);
  }
  const known = new Set([own, ...all.map(({ rollout }) => rollout.deploymentId)]);
  const { runId: run, runAttempt: attempt } = context;
  const where = { environment, task: taskOf(name), workflow: { run, attempt } };
  const ending = endLostDeployments(github, { ...where, isKnown: (id) => known.has(id), now: host.now() });
  await tell(host, ending);
}

function backParts(turn: Advance | Turn): BackParts {
  return { ...turn, timeout: turn.inputs.timeout };
}

async function roll(plan: Plan, board: Board, turn: Turn & { diff: string }): Promise<void> {
  const { inputs, host, client, rollouts, context, signal } = turn;
  const { environment, name } = inputs;
  const { before, objects, kinds } = await look(plan, turn);
  const all = await rollouts.find(client.namespace, { repositoryId: context.repositoryId, environment, name });
  const current = currentOf(all);
  const previous = current && runningRevision(current.rollout);
  host.setOutput('previous-revision', previous ?? '');
  signal.throwIfAborted();
  const shares = previous === undefined ? undefined : sharesOf(turn.tools);
  const canary = shares && typeof plan.canary !== 'string' ? stagesOf(plan.canary, shares, before) : undefined;
  const extras = canary ? extrasOf(plan) : [];
  const savedBefore = canary ? new Before([...before.all, ...(await readBefore(extras, { client, kinds })).all]) : before;
  const stored = await rollouts.create(client.namespace, {
    version: 1,
    repository: { id: context.repositoryId, fullName: `${context.owner}/${context.repo}` },
    environment,
    name,
    ...plan.about,
    ...(previous === undefined ? {} : { previous }),
    createdAt: new Date(host.now()).toISOString(),
    state: 'started',
    deploymentId: board.id,
    saved: savedOf([...objects, ...extras], savedBefore),
    applied: objects,
    ...(canary ? { canary, extras } : {}),
    ...(inputs.takeOver ? { tookOver: true } : {}),
    inputs: keptInputs(host),
  });
  host.saveState('rollout', stored.name);
  await advance(stored, all, { ...turn, kinds, notes: plan.notes, ...(plan.candidate ? { candidate: plan.candidate } : {}) });
}

/** From what is kept to the end: applied, ready, tried, told; or taken back. @param all the deploys before it, newest first */
export async function advance(first: StoredRollout, all: readonly StoredRollout[], turn: Advance): Promise<void> {
  const { host, rollouts, github, context, signal } = turn;
  let stored = first;
  try {
    const { rollout } = stored;
    const board = boardOf(github, context, rollout.deploymentId);
    if (rollout.canary?.step === undefined) await board.say('in_progress', `${rollout.revision} is being rolled out`);
    const { url, serving, judgement, due } = await (rollout.canary ? walk(stored, turn) : replace(rollout, turn));
    if (due !== undefined) {
      stored = await change(rollouts, stored, (one) => ({
        ...one,
        state: 'canary',
        ...(one.canary ? { canary: { ...one.canary, due } } : {}),
      }));
      const share = `${rollout.revision} has its part, and is looked at until ${due}`;
      host.setOutput('state', 'in_progress');
      host.log.info(share);
      await tell(host, board.say('in_progress', share));
      return;
    }
    signal.throwIfAborted();
    const { candidate, registry } = turn;
    const planned = candidate && (await registry?.plan(candidate));
    if (planned && registry) {
      // Before it moves: whoever finds this rollout unfinished puts it back.
      const { previous } = planned;
      stored = await change(rollouts, stored, (one) => ({ ...one, registry: { name: registry.name, previous } }));
      await registry.promote(candidate, previous);
    }
    stored = await change(rollouts, stored, (one) => ({
      ...one,
      ...(url === undefined ? {} : { url }),
      state: 'deployed',
      endedAt: new Date(host.now()).toISOString(),
    }));
    await settle(stored, all, turn, judgement);
    await summarise(host, {
      title: `${rollout.name}: ${rollout.revision} is deployed to ${rollout.environment}`,
      rows: [...rowsOf(rollout), ['URL', url], ['Before', rollout.previous], ['Model version', planned?.version]],
      notes: turn.notes,
      ...(turn.diff === undefined ? {} : { diff: turn.diff }),
      ...(judgement ? { judgement } : {}),
    });
    if (serving) await showProfile(serving, turn);
  } catch (error) {
    if (stored.rollout.state === 'deployed' || stored.rollout.state === 'canary') throw error;
    throw new TakenBack(await giveUp(error, stored, turn), error);
  }
}

/** Tells that it is there, and that what was before it is not active any more. */
async function settle(
  stored: StoredRollout,
  before: readonly StoredRollout[],
  { host, github, context, rollouts }: Advance,
  judgement: Judgement | undefined,
): Promise<void> {
  const { rollout } = stored;
  host.setOutput('state', 'success');
  host.log.info(`${rollout.name}: ${rollout.revision} is deployed to ${rollout.environment}`);
  const tried = judgement ? `; ${judgementLine(judgement, 80)}` : '';
  const { deploymentId, url } = rollout;
  const isTold = await tell(host, boardOf(github, context, deploymentId).say('success', `${runningRevision(rollout)} runs${tried}`, url));
  if (!isTold) await leaveUntold(rollouts, stored);
  const old = currentOf(before);
  if (old) {
    const saying = boardOf(github, context, old.rollout.deploymentId).say('inactive', `${rollout.revision} took its place`);
    if (!(await tell(host, saying))) await leaveUntold(rollouts, old);
    // Of what was gone back from, nobody wants to go back to.
    const left = rollout.backTo === undefined ? undefined : before.find((one) => one.rollout.revision === runningRevision(old.rollout));
    if (left) await change(rollouts, left, (one) => ({ ...one, rolledBack: true }));
  }
  for (const one of prunable([stored, ...before])) await rollouts.delete(one);
}

/**
 * On a failure, takes it back; on a signal, leaves that to the post step, since 5 seconds are too few.
 * @returns how it stands now; undefined where others say it
 */
async function giveUp(error: unknown, stored: StoredRollout, turn: Advance): Promise<string | undefined> {
  const { host, rollouts, signal } = turn;
  const why = messageOf(error).split('\n', 1)[0] ?? '';
  if (host.signal.aborted) {
    await mark(rollouts, stored, 'the workflow was cancelled');
    host.log.warning('cancelled: what was there before is brought back by the post step');
    return undefined;
  }
  // Somebody else has the environment: they take it back, or have.
  if (signal.aborted) return undefined;
  const {
    message,
    now,
    restored,
    stored: ended,
  } = await takeBack(stored, why, backParts(turn)).catch((failed: unknown) => {
    if (!host.signal.aborted) throw failed;
    return { message: describe(failed), now: undefined, restored: false, stored };
  });
  const { rollout } = ended;
  host.setOutput('revision', restored ? (rollout.previous ?? '') : rollout.revision);
  const judged = error instanceof NotPassed ? error.judgement : undefined;
  await summarise(host, {
    title: `${rollout.name}: ${rollout.revision} was not deployed to ${rollout.environment}`,
    rows: [
      ['Why', why],
      ['Now', message],
      ['Commit', rollout.sha],
      ['Image', rollout.image],
      ['Model', rollout.modelUri],
    ],
    notes: [],
    ...(judged ? { judgement: judged } : {}),
  });
  return now;
}

/** It is deployed: what goes wrong with the profile costs the profile alone. */
async function showProfile(serving: Serving, { host, tools, signal }: Advance): Promise<void> {
  if (!tools.profile) return;
  try {
    await host.summarise(await tools.profile(serving, signal));
  } catch (error) {
    host.log.warning(`there is no profile: ${messageOf(error)}`);
  }
}
