import type { ExcludedRun, MetricRun } from '@slashtrain/core/metrics/metrics';
import { summariseAll } from '@slashtrain/core/metrics/summary';
import type { TrackedRun } from '@slashtrain/core/trackers/tracked';
import { samenessOf } from '../seeds.ts';

/** Which of a tracker's runs count. */
export interface Wanted {
  sha: string;
  pipeline: string;
  /** The run's name, as submit-pipeline gave it. Absent, the newest run of the commit. */
  run?: string | undefined;
  /** For a baseline: runs of this pull request do not count. */
  notPullRequest?: number | undefined;
}

/**
 * Tells a tracker's runs that count from those that do not: a run counts with this commit and this run's name, which
 * submit-pipeline gave its pods, once it has finished and measured something. Of runs whose parameters are all equal one counts:
 * ranks of one training and retries of it are no seeds.
 */
export function proven(source: string, found: readonly TrackedRun[], wanted: Wanted): { runs: TrackedRun[]; excluded: ExcludedRun[] } {
  const runs: TrackedRun[] = [];
  const excluded: ExcludedRun[] = [];
  const counted = new Map<string, TrackedRun>();
  const newest = found.toSorted((a, b) => b.startedAt - a.startedAt);
  const run = wanted.run ?? newest.find((one) => one.run !== undefined && one.commit === wanted.sha && one.state === 'finished')?.run;
  // Of ranks the first logs most.
  const order = found.toSorted((a, b) => b.series.length - a.series.length || a.startedAt - b.startedAt);
  for (const one of order) {
    const reason = reasonAgainst(one, { ...wanted, run }) ?? twin(one, counted);
    if (reason === undefined) runs.push(one);
    else excluded.push(excludedRun(source, one, reason));
  }
  return { runs, excluded };
}

function reasonAgainst(one: TrackedRun, { sha, pipeline, run, notPullRequest }: Wanted): string | undefined {
  if (one.commit === undefined || one.commit === '') return 'it names no commit';
  if (one.commit !== sha) return `it is of another commit, ${one.commit.slice(0, 7)}`;
  if (one.run === undefined || one.run === '') return 'no run of submit-pipeline made it: a laptop or a notebook may have';
  if (one.pipeline !== undefined && one.pipeline !== pipeline) return `it is of the pipeline ${one.pipeline.slice(0, 100)}`;
  if (one.run !== run) return `it is of another attempt, ${one.run.slice(0, 100)}`;
  if (notPullRequest !== undefined && one.pullRequest === String(notPullRequest)) return 'it is of this pull request';
  if (one.state !== 'finished') return one.state === 'running' ? 'it has not ended' : `it did not finish, it is ${one.state}`;
  if (one.series.length === 0) return 'it has no metrics';
  return undefined;
}

function twin(one: TrackedRun, counted: Map<string, TrackedRun>): string | undefined {
  const key = samenessOf(one.parameters, one.dataVersion);
  const other = counted.get(key);
  if (!other) counted.set(key, one);
  return (
    other &&
    `its parameters are all those of ${other.name ?? other.id}: a rank or a retry is no seed. Log the seed as a parameter to count both`
  );
}

function excludedRun(source: string, { id, name, url }: TrackedRun, reason: string): ExcludedRun {
  return { id, source, reason, ...(name === undefined ? {} : { name }), ...(url === undefined ? {} : { url }) };
}

/** Git's own word for no commit: what a baseline has that somebody chose and that names none. */
export const noCommit = '0'.repeat(40);

/** A tracker's run as a sample. */
export function asSample(source: string, one: TrackedRun): MetricRun {
  const pullRequest = /^[1-9][0-9]{0,14}$/u.test(one.pullRequest ?? '') ? Number(one.pullRequest) : undefined;
  return {
    id: one.id,
    ...(one.name === undefined ? {} : { name: one.name }),
    source,
    ...(one.url === undefined ? {} : { url: one.url }),
    sha: /^[0-9a-f]{40}$/u.test(one.commit ?? '') ? (one.commit ?? '') : noCommit,
    ...(pullRequest === undefined ? {} : { pullRequest }),
    parameters: one.parameters,
    ...(one.dataVersion === undefined ? {} : { dataVersion: one.dataVersion }),
    ...(one.gpu === undefined ? {} : { gpu: one.gpu }),
    metrics: summariseAll(one.series),
  };
}
