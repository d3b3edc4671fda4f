import { ActionError, describe, messageOf } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { systemTiming } from '@slashtrain/core/kubernetes/timing';
import { takeLease, type TakenLease } from '@slashtrain/core/rollouts/lease';
import { leaseName, type Rollout, type StoredRollout } from '@slashtrain/core/rollouts/rollout';
import { change, type RolloutStore } from '@slashtrain/core/rollouts/store';
import { boardOf, openBoard, tell, type Board } from './board.ts';
import { mark, takeBack, type BackParts } from './finish.ts';
import { currentOf, prunable, runningRevision } from './history.ts';
import type { CommonInputs, NewInputs, RollbackInputs } from './inputs.ts';
import { applyAll, checkEnvironment, readBefore, savedOf } from './rollout/apply.ts';
import { stagesOf, trafficOf } from './rollout/traffic.ts';
import { waitUntilReady } from './rollout/wait.ts';
import { canaryWalk } from './canary/walk.ts';
import type { CanaryRules } from './targets/target.ts';
import { diffOf, summarise } from './show.ts';
import { judgementLine } from './smoke/show.ts';
import { Before } from './targets/before.ts';
import { runCommand } from './targets/command.ts';
import { kindsFor, type KindsFor } from './targets/kinds/index.ts';
import { keptInputs, type Tools } from './tools.ts';
import type { Candidate, Judgement, Registry, Serving } from './types.ts';

/** What a deploy works with. */
export interface DeployParts {
  inputs: CommonInputs & (NewInputs | RollbackInputs);
  host: Host;
  context: GitHubContext;
  github: GitHub;
  client: KubernetesClient;
  rollouts: RolloutStore;
  tools: Tools;
  registry?: Registry;
}

/** What is to be deployed, once nobody has anything against it. */
export interface Plan {
  /** Everything that a rollout's record says of it. */
  about: Pick<Rollout, 'target' | 'revision' | 'sha' | 'run' | 'pipeline' | 'actor'> &
    Partial<Pick<Rollout, 'pullRequest' | 'image' | 'modelUri' | 'verdict' | 'forced' | 'backTo'>>;
  /** Complete objects for what stands there now. */
  objects(before: Before): KubernetesObject[];
  /** How it can get a part of the traffic at first; a text says why it cannot. */
  canary: CanaryRules | string;
  /** For the registry; absent where the run's record is gone. */
  candidate?: Candidate;
  /** What people should know. */
  notes: readonly string[];
  /** Looks again whether the commit is still the one. @throws ActionError `mismatch` */
  recheck?(): Promise<void>;
}

/** So many milliseconds after GitHub was asked, the head of a pull request is asked for again. */
const freshMilliseconds = 30_000;

/** Deploys a plan: one at a time in its environment, with a way back before anything is changed. */
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
    await finishOthers(turn);
    if (host.now() - proved > freshMilliseconds) await plan.recheck?.();
    await roll(plan, board, { ...turn, diff });
  } catch (error) {
    isCancelled = host.signal.aborted && error instanceof TakenBack;
    host.setOutput('state', host.signal.aborted ? 'error' : 'failure');
    // What came so far as to be taken back has told it itself, or its post step does.
    if (!(error instanceof TakenBack)) await tell(host, board.say('error', messageOf(error)));
    throw error instanceof TakenBack ? error.cause : error;
  } finally {
    // The post step takes it on.
    await lease?.release({ keep: isCancelled });
  }
}

/** It failed, and was taken back. */
export class TakenBack extends Error {}

/** @throws ActionError `unsupported` where steps were asked for and the target has none */
function checkCanary({ canary, about }: Plan, before: Before, { tools, host }: DeployParts): void {
  if (!tools.canary) return;
  if (typeof canary === 'string') {
    throw new ActionError('unsupported', `target "${about.target}" has no canary: ${canary}`, { remedy: 'leave the input "canary" out' });
  }
  if (canary.how === 'replicas') host.log.notice('this target splits no requests: the steps of the canary are shares of its pods');
  if (before.all.length === 0) host.log.notice('nothing is deployed there yet: the first goes without a canary');
}

export type Turn = DeployParts & { signal: AbortSignal };

interface Look {
  before: Before;
  objects: KubernetesObject[];
  kinds: KindsFor;
}

/** What stands there, and what is to. What is to can depend on what stands there. */
async function look(plan: Plan, { client, inputs }: DeployParts): Promise<Look> {
  const draft = plan.objects(new Before());
  const kinds = await kindsFor([...draft, ...extrasOf(plan)], inputs.readiness, client);
  const before = await readBefore(draft, { client, kinds });
  checkEnvironment(before, inputs.environment);
  return { before, objects: plan.objects(before), kinds };
}

function extrasOf({ canary }: Plan): KubernetesObject[] {
  return typeof canary === 'string' ? [] : canary.extras();
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
async function finishOthers(turn: Turn): Promise<void> {
  const { inputs, host, context, client, rollouts } = turn;
  const { environment, name } = inputs;
  for (const stored of await rollouts.find(client.namespace, { repositoryId: context.repositoryId, environment, name, active: true })) {
    host.log.warning(`the deploy ${stored.rollout.revision} was not finished (${stored.rollout.state}): it is taken back first`);
    await takeBack(stored, 'it was not finished', backParts(turn));
  }
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
  const steps = previous === undefined || typeof plan.canary === 'string' ? undefined : turn.tools.canary?.canary.steps;
  const canary =
    steps && typeof plan.canary !== 'string'
      ? stagesOf(
          plan.canary,
          steps.map(({ share }) => share),
          before,
        )
      : undefined;
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

/** What the rest of a rollout works with, of a new one and of one that is gone on with. */
export type Advance = Omit<Turn, 'inputs'> & {
  inputs: CommonInputs;
  takeOver?: boolean;
  kinds: KindsFor;
  notes: readonly string[];
  diff?: string;
  candidate?: Candidate;
};

/** From what is kept to the end: applied, ready, tried, told; or taken back. @param all the deploys before it, newest first */
export async function advance(first: StoredRollout, all: readonly StoredRollout[], turn: Advance): Promise<void> {
  const { host, rollouts, github, context, signal } = turn;
  let stored = first;
  try {
    const { rollout } = stored;
    const board = boardOf(github, context, rollout.deploymentId);
    if (rollout.canary?.step === undefined) await board.say('in_progress', `${rollout.revision} is being rolled out`);
    const { url, judgement, due } = await (rollout.canary ? walk(stored, turn) : replace(rollout, turn));
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
    const promoted = turn.candidate && turn.registry ? await turn.registry.promote(turn.candidate) : undefined;
    stored = await change(rollouts, stored, (one) => ({
      ...one,
      ...(promoted && turn.registry ? { registry: { name: turn.registry.name, previous: promoted.previous } } : {}),
      ...(url === undefined ? {} : { url }),
      state: 'deployed',
      endedAt: new Date(host.now()).toISOString(),
    }));
    await settle(stored, all, turn, judgement);
    await summarise(host, {
      title: `${rollout.name}: ${rollout.revision} is deployed to ${rollout.environment}`,
      rows: [...rowsOf(rollout), ['URL', url], ['Before', rollout.previous], ['Model version', promoted?.version]],
      notes: turn.notes,
      ...(turn.diff === undefined ? {} : { diff: turn.diff }),
      ...(judgement ? { judgement } : {}),
    });
  } catch (error) {
    if (stored.rollout.state === 'deployed' || stored.rollout.state === 'canary') throw error;
    await giveUp(error, stored, turn);
    throw new TakenBack('taken back', { cause: error });
  }
}

interface Reached {
  url?: string;
  judgement?: Judgement;
  /** The canary is to be gone on with then. */
  due?: string;
}

/** All at once: the target's own way of replacing the old by the new. */
async function replace(rollout: Rollout, turn: Advance): Promise<Reached> {
  const { inputs, host, client, kinds, signal, tools } = turn;
  if (rollout.target === 'command')
    await runCommand('command', inputs.command ?? '', { ...rollout, revision: runningRevision(rollout) }, { ...host, signal });
  const applied = await applyAll(rollout.applied, { client, kinds, takeOver: rollout.tookOver ?? false });
  const live = await waitUntilReady(applied, { client, kinds, signal, timeout: inputs.timeout, say: (line) => host.log.info(line) });
  const serving = servingOf(live, kinds, inputs);
  const url = serving?.url;
  host.setOutput('url', url ?? '');
  if (!tools.judge) return { ...(url === undefined ? {} : { url }) };
  if (!serving) {
    throw new ActionError('input', 'input "smoke-test" was given, and nothing says where the model answers', {
      remedy: 'set the input "url"',
    });
  }
  const judgement = await tools.judge(serving, signal);
  host.log.info(`smoke test: ${judgementLine(judgement, 1000)}`);
  if (!judgement.passed) throw new NotPassed(judgement);
  return { ...(url === undefined ? {} : { url }), judgement };
}

/** Step by step, beside what was there before. */
async function walk(stored: StoredRollout, turn: Advance): Promise<Reached> {
  const { inputs, host, client, kinds, signal, tools, rollouts } = turn;
  const { rollout } = stored;
  const { canary } = rollout;
  if (!tools.canary || !canary)
    throw new ActionError('input', 'the canary that is gone on with has no steps here', { remedy: 'pass the input "canary" as at first' });
  const say = (line: string): void => host.log.info(line);
  const places = (live: readonly KubernetesObject[]): Serving | undefined => servingOf(live, kinds, inputs);
  const traffic = trafficOf(rollout, {
    client,
    kinds,
    signal,
    say,
    timeout: inputs.timeout,
    takeOver: rollout.tookOver ?? false,
    servingOf: places,
  });
  const walkSteps = canaryWalk({
    ...tools.canary,
    revisions: { candidate: runningRevision(rollout), ...(rollout.previous === undefined ? {} : { stable: rollout.previous }) },
    timing: systemTiming,
    patience: inputs.detachAfter,
  });
  const { step, since } = canary;
  const end = await walkSteps({
    traffic,
    judge: tools.judge ?? (() => Promise.resolve({ passed: true, checks: [] })),
    save: async (progress) => {
      await change(rollouts, stored, (one) => ({ ...one, ...(one.canary ? { canary: { ...one.canary, ...progress } } : {}) }));
    },
    ...(step === undefined || since === undefined ? {} : { progress: { step, since } }),
    signal,
    now: host.now,
    say,
  });
  if (end.end === 'refused') throw new NotPassed(end.judgement);
  if (end.end === 'detached') return { due: end.due, judgement: end.judgement };
  const live = await readBefore(rollout.applied, { client, kinds });
  const url = places(live.all)?.url;
  host.setOutput('url', url ?? '');
  return { judgement: end.judgement, ...(url === undefined ? {} : { url }) };
}

/** A judgement that did not pass. */
class NotPassed extends ActionError {
  readonly judgement: Judgement;

  constructor(judgement: Judgement) {
    super('run-failed', `the smoke test did not pass: ${judgementLine(judgement, 1000)}`, {
      remedy: 'mend the model or its server, or the test',
    });
    this.judgement = judgement;
  }
}

/** Where the first object that answers does. */
export function servingOf(live: readonly KubernetesObject[], kinds: KindsFor, { url }: CommonInputs): Serving | undefined {
  if (url !== undefined) return { how: 'url', url };
  for (const object of live) {
    const serving = kinds(object).serving?.(object, live);
    if (serving) return serving;
  }
  return undefined;
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
  await tell(host, boardOf(github, context, rollout.deploymentId).say('success', `${runningRevision(rollout)} runs${tried}`, rollout.url));
  const old = currentOf(before);
  if (old) {
    await tell(host, boardOf(github, context, old.rollout.deploymentId).say('inactive', `${rollout.revision} took its place`));
    // Of what was gone back from, nobody wants to go back to.
    const left = rollout.backTo === undefined ? undefined : before.find((one) => one.rollout.revision === runningRevision(old.rollout));
    if (left) await change(rollouts, left, (one) => ({ ...one, rolledBack: true }));
  }
  for (const one of prunable([stored, ...before])) await rollouts.delete(one);
}

/** On a failure, takes it back; on a signal, leaves that to the post step, since 5 seconds are too few. */
async function giveUp(error: unknown, stored: StoredRollout, turn: Advance): Promise<void> {
  const { host, rollouts, signal } = turn;
  const why = messageOf(error).split('\n', 1)[0] ?? '';
  if (host.signal.aborted) {
    await mark(rollouts, stored, 'the workflow was cancelled');
    host.log.warning('cancelled: what was there before is brought back by the post step');
    return;
  }
  // Somebody else has the environment: they take it back, or have.
  if (signal.aborted) return;
  const {
    message,
    restored,
    stored: ended,
  } = await takeBack(stored, why, backParts(turn)).catch((failed: unknown) => {
    if (!host.signal.aborted) throw failed;
    return { message: describe(failed), restored: false, stored };
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
}

function descriptionOf({ sha, verdict, forced, backTo, actor }: Plan['about'], name: string): string {
  if (backTo !== undefined) return `${name} back to ${backTo}, by ${actor}`;
  const proof = forced === undefined ? `verdict ${verdict ?? 'none'}` : `FORCED by ${actor}: ${forced}`;
  return `${name} of ${sha.slice(0, 7)}, ${proof}`;
}

function payloadOf({ about }: Plan, { inputs, context }: DeployParts): Record<string, unknown> {
  const { environment, name } = inputs;
  return { name, environment, ...about, requestedBy: context.triggeringActor };
}

function rowsOf(about: Plan['about'] & Pick<Rollout, 'environment' | 'name'>): [string, string | undefined][] {
  return [
    ['Environment', about.environment],
    ['Name', about.name],
    ['Target', about.target],
    ['Commit', about.sha],
    ['Pull request', about.pullRequest === undefined ? undefined : `#${about.pullRequest}`],
    ['Run', about.run],
    ['Image', about.image],
    ['Model', about.modelUri],
    ['Verdict', about.verdict],
    ['Forced', about.forced === undefined ? undefined : `${about.actor}: ${about.forced}`],
    ['Asked by', about.actor],
  ];
}
