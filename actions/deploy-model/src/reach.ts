import { ActionError } from '@slashtrain/core/action/errors';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { systemTiming } from '@slashtrain/core/kubernetes/timing';
import type { Rollout, StoredRollout } from '@slashtrain/core/rollouts/rollout';
import { change } from '@slashtrain/core/rollouts/store';
import { canaryWalk } from './canary/walk.ts';
import { runningRevision } from './history.ts';
import type { CommonInputs } from './inputs.ts';
import type { Advance } from './parts.ts';
import { applyAll, readBefore } from './rollout/apply.ts';
import { trafficOf } from './rollout/traffic.ts';
import { waitUntilReady } from './rollout/wait.ts';
import { judgementLine } from './smoke/show.ts';
import { runCommand } from './targets/command.ts';
import type { KindsFor } from './targets/kinds/index.ts';
import type { Judgement, Serving } from './types.ts';

/** What a rollout came to. */
export interface Reached {
  url?: string;
  /** Where it answers. */
  serving?: Serving;
  judgement?: Judgement;
  /** The canary is to be gone on with then. */
  due?: string;
}

/** All at once: the target's own way of replacing the old by the new. */
export async function replace(rollout: Rollout, turn: Advance): Promise<Reached> {
  const { inputs, host, client, kinds, signal, tools } = turn;
  if (rollout.target === 'command')
    await runCommand('command', inputs.command ?? '', { ...rollout, revision: runningRevision(rollout) }, { ...host, signal });
  const applied = await applyAll(rollout.applied, { client, kinds, takeOver: rollout.tookOver ?? false });
  const live = await waitUntilReady(applied, { client, kinds, signal, timeout: inputs.timeout, say: (line) => host.log.info(line) });
  const serving = servingOf(live, kinds, inputs);
  const url = serving?.url;
  host.setOutput('url', url ?? '');
  const where = { ...(url === undefined ? {} : { url }), ...(serving ? { serving } : {}) };
  if (!tools.judge) return where;
  if (!serving) {
    throw new ActionError('input', 'input "smoke-test" was given, and nothing says where the model answers', {
      remedy: 'set the input "url"',
    });
  }
  const judgement = await tools.judge(serving, signal);
  host.log.info(`smoke test: ${judgementLine(judgement, 1000)}`);
  if (!judgement.passed) throw new NotPassed(judgement);
  return { ...where, judgement };
}

/** Step by step, beside what was there before. */
export async function walk(stored: StoredRollout, turn: Advance): Promise<Reached> {
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
  const serving = places(live.all);
  const url = serving?.url;
  host.setOutput('url', url ?? '');
  return { judgement: end.judgement, ...(serving ? { serving } : {}), ...(url === undefined ? {} : { url }) };
}

/** A judgement that did not pass. */
export class NotPassed extends ActionError {
  readonly judgement: Judgement;

  constructor(judgement: Judgement) {
    super('run-failed', `the smoke test did not pass: ${judgementLine(judgement, 1000)}`, {
      remedy: 'mend the model or its server, or the test',
    });
    this.judgement = judgement;
  }
}

/** Where the first object that answers does. */
function servingOf(live: readonly KubernetesObject[], kinds: KindsFor, { url }: CommonInputs): Serving | undefined {
  if (url !== undefined) return { how: 'url', url };
  for (const object of live) {
    const serving = kinds(object).serving?.(object, live);
    if (serving) return serving;
  }
  return undefined;
}
