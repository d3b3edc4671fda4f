import { formatDuration } from '@slashtrain/core/action/duration';
import type { Host } from '@slashtrain/core/action/host';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { code, details, escapeText, fence, table } from '@slashtrain/core/markdown/markdown';
import { deadlineOf } from '@slashtrain/core/policy/deadline';
import { demandOf } from '@slashtrain/core/policy/gpus';
import type { StoredRecord } from '@slashtrain/core/records/store';
import { costOf, formatCost, formatGpuHours, mostGpuHours } from '@slashtrain/core/run/cost';
import { pageRow } from '@slashtrain/core/run/result-text';
import type { RunRecord } from '@slashtrain/core/run/record';
import { budgetWords } from '@slashtrain/core/sweep/outcome';
import type { RunSweep } from '@slashtrain/core/sweep/sweep';
import type { Claimed } from './claim.ts';
import type { Plan } from './plan.ts';

/**
 * What was asked for, as a table: for the check and the step summary.
 * @param more rows of what only the object says
 */
export function recordMarkdown(
  { name, namespace, record }: Pick<StoredRecord, 'name' | 'namespace' | 'record'>,
  more: readonly [string, string][] = [],
): string {
  const rows: [string, string][] = [
    ['Run', code(`${namespace}/${name}`)],
    ...pageRow(record),
    ['Commit', code(record.sha)],
    ['Asked by', code(record.actor)],
    ['Attempt', String(record.attempt)],
    ...more,
    ...(record.sweep ? sweepRows(record.sweep) : []),
    ...record.images.map((image): [string, string] => ['Image', code(image)]),
    ...record.parameters.map((parameter): [string, string] => [`Parameter ${code(parameter.name)}`, code(parameter.value)]),
    ...(record.dataVersion === undefined ? [] : [['Data version', code(record.dataVersion)] as [string, string]]),
    ...(record.artifacts === undefined ? [] : [['Artifacts', code(record.artifacts)] as [string, string]]),
  ];
  return table(['', ''], rows);
}

function sweepRows({ method, maxTrials, parallel, parameters, metric, direction, maxFailed, budget }: RunSweep): [string, string][] {
  const goal = `${direction === 'higher' ? 'largest' : 'smallest'} ${code(metric)}`;
  return [
    ['Sweep', `${maxTrials} trials by ${method}, ${parallel} at a time, for the ${goal}; at most ${maxFailed} may fail`],
    ['Tried', parameters.map(code).join(', ')],
    ...(budget ? [['Budget', escapeText(budgetText(budget))] as [string, string]] : []),
  ];
}

function budgetText(budget: NonNullable<RunSweep['budget']>): string {
  const { seconds } = budget;
  return budgetWords(budget) + (seconds === undefined ? '' : `, so it is ended after ${formatDuration(seconds)}`);
}

/** GPU-hours until a run's deadline, and what they cost in the unit of the price. Undefined where one of them is not known. */
export function estimate(
  object: KubernetesObject,
  { price }: Pick<RunRecord, 'price'>,
  gpuResources: readonly string[],
): { hours: number; cost: number } | undefined {
  const { gpuRounds } = demandOf(object, gpuResources);
  const deadline = deadlineOf(object);
  if (!price || deadline === undefined || gpuRounds === 0 || !Number.isFinite(gpuRounds)) return undefined;
  const hours = mostGpuHours(gpuRounds, deadline);
  return { hours, cost: costOf(hours, price) ?? 0 };
}

/** What a person should know of a submission beside what was asked for. */
export interface Told {
  /** Why a generated object is of its kind. */
  why?: string | undefined;
  /** Of the choice of a sweep's trials. */
  notes: readonly string[];
  /** What a dry run could not check, and why. */
  unchecked: readonly string[];
  /** What the configuration counts as GPUs beside what everybody does. */
  gpuResources: readonly string[];
}

/** What a run takes, and until when. */
function demandRows(object: KubernetesObject, gpuResources: readonly string[]): [string, string][] {
  const { gpus } = demandOf(object, gpuResources);
  const deadline = deadlineOf(object);
  return [
    ['Kind', escapeText(`${object.kind} (${object.apiVersion})`)],
    ...(gpus > 0 && Number.isFinite(gpus) ? [['GPUs', String(gpus)] as [string, string]] : []),
    ['Deadline', deadline === undefined ? 'none' : formatDuration(deadline)],
  ];
}

/** The step's summary: what runs now, or what would. */
export async function writeSummary(
  host: Host,
  { plan, object, claimed, told }: { plan: Plan; object: KubernetesObject; claimed?: Claimed; told: Told },
): Promise<void> {
  const name = object.metadata.name ?? '';
  const what = claimed ? (claimed.adopted ? 'goes on with a run that was there' : 'submitted') : 'dry run: nothing was submitted';
  host.log.info(`${plan.pipeline}: ${what}: ${claimed?.run ?? `${plan.namespace}/${name}`}`);
  const stored = claimed?.stored ?? { name, namespace: plan.namespace, record: plan.recordFor(1) };
  const kind = `${object.kind} (${object.apiVersion})`;
  const most = claimed?.adopted ? undefined : estimate(object, stored.record, told.gpuResources);
  const notes = [
    ...(told.why === undefined ? [] : [`Made without a manifest: a ${kind}, ${told.why}.`]),
    ...(most
      ? [
          `Until its deadline it can take ${formatGpuHours(most.hours)} GPU-hours, which cost ${formatCost(most.cost, stored.record.price)}.`,
        ]
      : []),
    ...told.notes,
    ...told.unchecked.map((one) => `Not checked: ${one}`),
  ];
  for (const note of notes) host.log.info(note);
  await host.summarise(
    [
      `### ${plan.pipeline}: ${what}`,
      recordMarkdown(stored, demandRows(plan.asTheyRun(1)[0], told.gpuResources)),
      ...notes.map(escapeText),
      details('The object', fence(JSON.stringify(object, undefined, 2), 'json')),
    ].join('\n\n'),
  );
}

/** Warns of a run that holds GPUs until it ends by itself. */
export function warnOfNoDeadline({ log }: Host, object: KubernetesObject, { gpuResources }: Told): void {
  if (demandOf(object, gpuResources).gpus === 0 || deadlineOf(object) !== undefined) return;
  log.warning('this run can hold GPUs, and nobody ends it: set the input "deadline", or require one by policy.require-deadline');
}
