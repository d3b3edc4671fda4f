import { ActionError } from '@slashtrain/core/action/errors';
import type { Timing } from '@slashtrain/core/kubernetes/timing';
import type { Prometheus } from '@slashtrain/core/trackers/prometheus';
import type { CanaryEnd, CanaryParts, CanaryView, Judgement, WalkCanary } from '../types.ts';
import { judgeQueries, type Revisions } from './queries.ts';
import type { Canary } from './read.ts';
import { afterJudgement, nextMove, type CanaryStep } from './steps.ts';

/** What a canary works with beside the deploy's parts. */
export interface WalkOptions {
  canary: Canary;
  revisions: Revisions;
  /** Needed where there are queries. */
  prometheus?: Pick<Prometheus, 'value'>;
  timing: Pick<Timing, 'pause'>;
  /** The longest pause, in seconds, that this runner waits for. */
  patience: number;
}

/**
 * Goes over the steps of a canary: at each it gives the new revision its share, tries it, writes down that it is there, lets the
 * pause pass, and tries it again, by the smoke test and by the queries. The first judgement that does not pass ends it.
 */
export function canaryWalk(options: WalkOptions): WalkCanary {
  const { canary, revisions, prometheus, timing, patience } = options;
  const { steps, queries } = canary;
  if (queries.length > 0 && !prometheus) {
    throw new ActionError('input', 'the canary has queries, and no Prometheus is named', {
      remedy: 'set PROMETHEUS_URL for the step, or "prometheus" in the canary',
    });
  }
  return async (parts): Promise<CanaryEnd> => {
    let { progress } = parts;
    let view: CanaryView | undefined;
    let judgement: Judgement = { passed: true, checks: [] };
    const arrive = async (step: number): Promise<void> => {
      view = await reach(parts, step, steps);
      judgement = await parts.judge(view.candidate, parts.signal);
      if (!judgement.passed) return;
      progress = { step, since: new Date(parts.now()).toISOString() };
      await parts.save(progress);
    };
    // The pause is over. Whoever goes on with another runner's canary gives the share again, which changes nothing.
    const judgeAgain = async (step: number): Promise<void> => {
      const hasJustArrived = view !== undefined && steps[step]?.pause === 0;
      view ??= await reach(parts, step, steps);
      const tried = hasJustArrived ? judgement : await parts.judge(view.candidate, parts.signal);
      const asked = prometheus ? await judgeQueries(queries, prometheus, revisions, parts.signal) : [];
      const passed = tried.passed && asked.every(({ outcome }) => outcome === 'pass');
      judgement = { ...tried, passed, checks: [...tried.checks, ...asked] };
    };
    for (;;) {
      parts.signal.throwIfAborted();
      const move = nextMove(steps, progress, parts.now(), patience);
      const { step } = move;
      const share = steps[step]?.share ?? 100;
      if (move.do === 'detach') {
        parts.say(`${share} % are looked at until ${move.due}, for which this runner does not wait`);
        return { end: 'detached', step, due: move.due, judgement };
      }
      if (move.do === 'wait') {
        parts.say(`${share} % are looked at for ${Math.ceil(move.seconds)} s`);
        await timing.pause(move.seconds * 1000, parts.signal);
        continue;
      }
      if (move.do === 'judge') await judgeAgain(step);
      else await arrive(step);
      if (!judgement.passed) return { end: 'refused', step, judgement };
      if (move.do === 'reach') continue;
      const next = afterJudgement(steps, step);
      if (next.do === 'promote') {
        parts.say('all steps passed: everything goes to the new revision');
        await parts.traffic.promote();
        return { end: 'promoted', judgement };
      }
      await arrive(next.step);
      if (!judgement.passed) return { end: 'refused', step: next.step, judgement };
    }
  };
}

async function reach({ traffic, say }: CanaryParts, step: number, steps: readonly CanaryStep[]): Promise<CanaryView> {
  const share = steps[step]?.share ?? 100;
  const view = await traffic.set(share);
  const what = traffic.how === 'traffic' ? 'of the requests' : 'of the pods, since this target splits no requests';
  const other = view.share === share ? '' : ` (${share} % were asked for)`;
  say(`step ${step + 1} of ${steps.length}: the new revision has ${view.share} % ${what}${other}`);
  return view;
}
