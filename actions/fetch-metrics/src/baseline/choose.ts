import { describe } from '@slashtrain/core/action/errors';
import type { GitHub } from '@slashtrain/core/github/client';
import { readFileAt } from '@slashtrain/core/github/contents';
import type { MetricRun } from '@slashtrain/core/metrics/metrics';
import { summariseAll } from '@slashtrain/core/metrics/summary';
import type { BaselineChoice } from '../inputs.ts';
import type { Source } from '../sources/source.ts';
import type { OpenSubject } from '../subject.ts';
import { baseOf, findBaseline, findBaselineAt, type Baseline, type Subject } from './find.ts';

/** Where a baseline is looked for. */
export interface Place {
  /** The most commits to look at. */
  depth: number;
  opened: Pick<OpenSubject, 'subject' | 'cluster'>;
  sources: readonly Source[];
  github: GitHub;
}

/** Nothing to compare with, and why. */
interface Nothing {
  notes: string[];
  /** What could not be read. */
  problem?: string;
}

/**
 * The baseline that was chosen. Where it cannot be read, that is a problem of the verdict, and the candidate is shown all the same.
 */
export async function compareWith(choice: BaselineChoice, place: Place): Promise<Baseline | Nothing> {
  try {
    return await find(choice, place);
  } catch (error) {
    const trackers = place.sources.filter(({ at, chosen }) => at ?? chosen);
    // GitHub and the cluster are needed whatever is compared.
    if (trackers.length === 0) throw error;
    return { notes: [], problem: `the baseline could not be read: ${describe(error)}` };
  }
}

async function find(choice: BaselineChoice, { depth, opened, sources, github }: Place): Promise<Baseline | Nothing> {
  const { subject, cluster } = opened;
  if ('choice' in choice && choice.choice === 'none') return { notes: [] };
  if ('values' in choice) return valuesBaseline(choice.values, await baseOf(subject, github));
  if ('file' in choice) return fileBaseline(choice.file, subject, github);
  if ('chosen' in choice) return chosenBaseline(choice.chosen, subject, sources);
  const trackers = sources.filter(({ at }) => at);
  const fromRecords = sources.some(({ name }) => name === 'run' || name === 'files');
  if (!cluster && trackers.length === 0) return { notes: ['no baseline: no cluster is named whose records could hold one'] };
  const surroundings = { github, cluster, sources: trackers, fromRecords };
  return 'sha' in choice ? findBaselineAt(choice.sha, subject, surroundings) : findBaseline(subject, depth, surroundings);
}

function valuesBaseline(values: ReadonlyMap<string, number>, sha: string): Baseline {
  const series = [...values].map(([name, value]) => ({ name, points: [{ step: 0, value }] }));
  const description = 'values that are written down';
  return { runs: [{ id: description, source: 'values', sha, parameters: [], metrics: summariseAll(series) }], sha, description, notes: [] };
}

/** By API, at the base's commit: never from the pull request's checkout, in which its author could have written it. */
async function fileBaseline(path: string, subject: Subject, github: GitHub): Promise<Baseline | Nothing> {
  const sha = await baseOf(subject, github);
  const at = `${path} at ${sha.slice(0, 7)}`;
  const file = await readFileAt(github, path, sha);
  if (!file) return { notes: [`no baseline: there is no ${at}`] };
  const { readText } = await import('../sources/formats.ts');
  const { series, notes, parameters, tables } = await readText(file.text, path);
  const run: MetricRun = {
    id: path,
    source: 'files',
    sha,
    parameters,
    metrics: summariseAll(series),
    ...(tables.length > 0 ? { tables } : {}),
  };
  return { runs: [run], sha, description: at, notes: notes.map((note) => `${at}: ${note}`) };
}

/** A candidate is never its own baseline, whatever a registry's alias says. */
async function chosenBaseline(choice: string, { sha, pullRequest }: Subject, sources: readonly Source[]): Promise<Baseline | Nothing> {
  const source = sources.find(({ chosen }) => chosen);
  if (!source?.chosen) return { notes: [`no baseline: ${choice} is of a tracker, and input "source" names none that has it`] };
  const found = await source.chosen(choice);
  const runs = found.filter((run) => run.sha !== sha && (pullRequest === undefined || run.pullRequest !== pullRequest));
  const [first] = runs;
  if (first) return { runs, sha: first.sha, description: `${choice} (${first.name ?? first.id})`, notes: [] };
  return { notes: [`no baseline: ${found.length > 0 ? `${choice} is of this very commit or pull request` : `nothing is ${choice}`}`] };
}
