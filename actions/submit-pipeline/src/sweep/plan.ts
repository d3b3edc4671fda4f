import { ActionError } from '@slashtrain/core/action/errors';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { demandOf } from '@slashtrain/core/policy/gpus';
import type { RunSweep } from '@slashtrain/core/sweep/sweep';
import type { Source } from '../source.ts';
import { indexedJob } from './indexed-job.ts';
import { experiment } from './katib.ts';
import type { SweepRequest } from './read.ts';
import { settingsOf } from './settings.ts';
import { fannedWorkflow } from './workflow.ts';

/** A source as one object of many trials, and what its record remembers of them. */
export interface PlannedSweep {
  source: Source;
  sweep: RunSweep;
  /** What goes through the placeholders of the manifest unread: a trial's own value is put there when it runs. */
  parameters: ReadonlyMap<string, string>;
  /** For people. */
  notes: string[];
}

/**
 * Makes a sweep of a run: one object, which the cluster runs by itself.
 * @throws ActionError `input` or `manifest` where it cannot be one
 */
export function planSweep(source: Source, request: SweepRequest, given: ReadonlyMap<string, string>): PlannedSweep {
  const kind = `${source.kind.resource.kind}.${source.kind.resource.group}`;
  const isKatib = request.method === 'bayes' || request.method === 'hyperband';
  if (isKatib) {
    refuseGiven([...request.parameters.keys()], given);
    const maxFailed = request.maxFailed ?? quarter(request.maxTrials);
    const names = [...request.parameters.keys()];
    return {
      source: experiment(source, request, maxFailed),
      sweep: recorded(request, names, [], maxFailed),
      parameters: new Map(),
      notes: [],
    };
  }
  if (kind !== 'Job.batch' && kind !== 'Workflow.argoproj.io') {
    throw new ActionError('unsupported', `a sweep by method: ${request.method} of a ${source.object.kind}`, {
      remedy: 'it takes a Job (batch/v1) or a Workflow of Argo; with Katib on the cluster use method: bayes',
    });
  }
  const settings = settingsOf(request);
  refuseGiven(settings.names, given);
  const maxFailed = request.maxFailed ?? quarter(settings.trials.length);
  const sweep = recorded(request, settings.names, settings.trials, maxFailed);
  const { notes } = settings;
  if (kind === 'Workflow.argoproj.io') return { source: fannedWorkflow(source, request, settings), sweep, parameters: new Map(), notes };
  const places = request.launcher === 'none' ? [] : settings.names;
  const parameters = new Map(places.map((name) => [name, `$(params.${name})`]));
  return { source: indexedJob(source, request, settings, maxFailed), sweep, parameters, notes };
}

/** A quarter of the trials may fail where nobody said how many. */
function quarter(trials: number): number {
  return Math.floor(trials / 4);
}

function recorded(request: SweepRequest, parameters: string[], trials: string[][], maxFailed: number): RunSweep {
  const { method, seed, metric, direction, on, maxTrials, parallel, budget } = request;
  const log = [...request.parameters].flatMap(([name, space]) => ('log' in space && space.log ? [name] : []));
  return {
    method,
    ...(method === 'random' ? { seed } : {}),
    metric,
    direction,
    on,
    parameters,
    ...(log.length > 0 ? { log } : {}),
    trials,
    maxTrials: trials.length > 0 ? trials.length : maxTrials,
    parallel: Math.min(parallel, trials.length > 0 ? trials.length : maxTrials),
    maxFailed,
    ...(budget ? { budget } : {}),
  };
}

function refuseGiven(names: readonly string[], given: ReadonlyMap<string, string>): void {
  const both = names.find((name) => given.has(name));
  if (both === undefined) return;
  throw new ActionError('input', `input "parameters" gives ${JSON.stringify(both)}, which the sweep tries by itself`, {
    remedy: 'take it out of one of them',
  });
}

/** What is known when a budget is turned into what the cluster keeps. */
export interface BudgetFacts {
  /** The object as it will run, but for its deadline. */
  object: KubernetesObject;
  gpuResources: readonly string[];
  /** What an hour of one accelerator costs. */
  pricePerHour: number | undefined;
  /** The input `deadline`, in seconds. */
  deadline: number | undefined;
}

/**
 * Keeps a sweep within its budget whatever happens, with nobody watching: a Job or Workflow is ended after as many seconds as its
 * trials could need to use the budget up, all that may run at once running all the time. An Experiment has no such end: it starts
 * only as many trials as could use it up by their deadlines.
 * @throws ActionError `input` where what the budget is counted in is not known
 */
export function withinBudget(sweep: RunSweep, facts: BudgetFacts): RunSweep {
  const { budget } = sweep;
  if (!budget) return sweep;
  const seconds = (budget.amount * 3600) / rateOf(sweep, budget, facts);
  if (sweep.trials.length > 0) {
    const end = Math.floor(seconds);
    if (end < 1) throw tooSmall(`it would end after ${seconds.toPrecision(2)} seconds`);
    return facts.deadline !== undefined && facts.deadline < end ? sweep : { ...sweep, budget: { ...budget, seconds: end } };
  }
  if (facts.deadline === undefined) {
    throw new ActionError('input', `a budget with method: ${sweep.method} needs input "deadline": how long one trial may take`);
  }
  const most = Math.floor((seconds * sweep.parallel) / facts.deadline);
  if (most < 1) throw tooSmall(`one trial of ${facts.deadline} seconds is more`);
  return { ...sweep, maxTrials: Math.min(sweep.maxTrials, most), parallel: Math.min(sweep.parallel, most) };
}

/** How many hours of the budget an hour of the sweep takes at most. */
function rateOf(
  { parallel }: RunSweep,
  { unit }: NonNullable<RunSweep['budget']>,
  { object, gpuResources, pricePerHour }: BudgetFacts,
): number {
  if (unit === 'trial-hours') return parallel;
  const { gpus, unbounded } = demandOf(object, gpuResources);
  if (!Number.isFinite(gpus))
    throw new ActionError('input', `the sweep's budget needs a bound of its GPUs: ${unbounded ?? 'there is none'}`);
  if (gpus === 0) {
    throw new ActionError('input', `the sweep has a budget of ${unit}, and its trials ask for no GPU`, {
      remedy: 'give it as trial-hours',
    });
  }
  if (unit === 'gpu-hours') return gpus;
  if (pricePerHour !== undefined && pricePerHour > 0) return gpus * pricePerHour;
  throw new ActionError('input', 'the sweep has a budget of cost, and no price is known', {
    remedy: 'name an "accelerator" that has price-per-hour in .github/slashtrain.yml, or give the budget as gpu-hours',
  });
}

function tooSmall(why: string): ActionError {
  return new ActionError('input', `the sweep's budget is too small: ${why}`, { remedy: 'raise it, or lower "parallel"' });
}
