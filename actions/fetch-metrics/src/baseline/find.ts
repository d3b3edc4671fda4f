import type { GitHub } from '@slashtrain/core/github/client';
import { firstParents, pullRequestsOf, type Commit } from '@slashtrain/core/github/commits';
import { readPullRequest } from '@slashtrain/core/github/pull-request';
import type { MetricRun } from '@slashtrain/core/metrics/metrics';
import { newestFirst } from '@slashtrain/core/records/find';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { seedsWithMetrics } from '../sources/run.ts';
import type { Source } from '../sources/source.ts';

/** What is judged. */
export interface Subject {
  sha: string;
  pullRequest?: number;
  pipeline: string;
}

/** What to compare with. */
export interface Baseline {
  /** One sample a run, at least one. */
  runs: MetricRun[];
  sha: string;
  /** The name of its record, where it has one. */
  record?: string;
  /** How it was found: `#41 at 1a2b3c4, merged as 9f8e7d6`. Hostile text. */
  description: string;
  /** What a reader must know about it. Hostile text. */
  notes: string[];
}

/** Where to look. */
export interface Surroundings {
  github: GitHub;
  /** Absent where no cluster is named. */
  cluster?: { records: RecordStore; namespace: string } | undefined;
  /** Sources that know commits, other than the records. */
  sources: readonly Pick<Source, 'at'>[];
  /** Whether what the records' runs printed counts. */
  fromRecords: boolean;
}

/**
 * Finds what was trained for the commit that `subject` builds on: back along the first parents of the base branch, from the
 * pull request's base commit (without a pull request, from the commit's own parent), to the newest that has a succeeded run
 * with metrics. A commit of the base branch stands for
 * 1. a run of that very commit, where the base branch is trained on push;
 * 2. a run of a commit with the same git tree, hence the same files: what most squash merges and rebases leave;
 * 3. the last head of the pull request that GitHub names for it
 *    (https://docs.github.com/rest/commits/commits#list-pull-requests-associated-with-a-commit).
 * Never a run of the same pull request or commit: a candidate is not its own baseline.
 *
 * GitHub requests: 2 where 1 or 2 apply to the base commit, one more for each commit for which GitHub is asked.
 * @param depth the most commits to look at
 */
export async function findBaseline(subject: Subject, depth: number, place: Surroundings): Promise<Baseline | { notes: string[] }> {
  const start = await startOf(subject, place.github);
  return walk(subject, start, depth, place);
}

/** The baseline that is a commit by name, found in the same ways, without going further back. */
export async function findBaselineAt(sha: string, subject: Subject, place: Surroundings): Promise<Baseline | { notes: string[] }> {
  return walk(subject, { sha, branch: 'the chosen baseline' }, 1, place);
}

interface Start {
  sha: string;
  /** How people call it. */
  branch: string;
  /** The commit itself is the candidate's, and is not looked at. */
  exclusive?: boolean;
}

/** The commit that a subject builds on. */
export async function baseOf(subject: Subject, github: GitHub): Promise<string> {
  const start = await startOf(subject, github);
  if (!start.exclusive) return start.sha;
  for await (const commit of firstParents(github, start.sha, 2)) if (commit.sha !== start.sha) return commit.sha;
  return start.sha;
}

async function startOf({ sha, pullRequest }: Subject, github: GitHub): Promise<Start> {
  if (pullRequest === undefined) return { sha, branch: 'the commit before', exclusive: true };
  const { base } = await readPullRequest(github, pullRequest);
  return { sha: base.sha, branch: base.ref };
}

async function walk(subject: Subject, start: Start, depth: number, place: Surroundings): Promise<Baseline | { notes: string[] }> {
  const records = await usable(subject, place);
  const notes: string[] = [];
  let looked = -1;
  for await (const commit of firstParents(place.github, start.sha, start.exclusive ? depth + 1 : depth)) {
    looked++;
    if (start.exclusive && looked === 0) continue;
    const found = await runFor(commit, { subject, start, records, notes }, place);
    if (!found) continue;
    const behind = start.exclusive ? looked - 1 : looked;
    if (behind > 0)
      found.notes.unshift(
        `the baseline is ${behind} ${behind === 1 ? 'commit' : 'commits'} older than ${short(start.sha)}: what came after it has no run with metrics`,
      );
    return found;
  }
  const count = start.exclusive ? looked : looked + 1;
  return {
    notes: [
      ...notes,
      `no baseline: of ${count} ${count === 1 ? 'commit' : 'commits'} back from ${start.branch} at ${short(start.sha)} none has a succeeded run with metrics`,
    ],
  };
}

/** Runs that may be a baseline, newest first: of this pipeline, succeeded, and not the candidate's. */
async function usable({ sha, pullRequest, pipeline }: Subject, { github, cluster }: Surroundings): Promise<StoredRecord[]> {
  if (!cluster) return [];
  const all = await cluster.records.find(cluster.namespace, { repositoryId: github.repositoryId, pipeline });
  return newestFirst(all).filter(
    ({ record }) => record.state === 'succeeded' && record.sha !== sha && (pullRequest === undefined || record.pullRequest !== pullRequest),
  );
}

interface Walk {
  subject: Subject;
  start: Start;
  records: readonly StoredRecord[];
  /** Gathers what was passed by, and why. */
  notes: string[];
}

async function runFor(commit: Commit, { subject, start, records, notes }: Walk, place: Surroundings): Promise<Baseline | undefined> {
  const at = `${start.branch} at ${short(commit.sha)}`;
  const own = await measured(commit.sha, (record) => record.sha === commit.sha, records, place);
  if (own) return { ...own, description: at, notes };

  for (const twin of new Set(records.filter(({ record }) => record.tree === commit.tree).map(({ record }) => record.sha))) {
    const same = await measured(twin, (record) => record.sha === twin, records, place);
    if (same) return { ...same, description: `${nameOf(same.runs[0])}, the same files as ${at}`, notes };
  }

  for (const pull of await pullRequestsOf(place.github, commit.sha)) {
    const isIts = pull.mergedAt !== null && pull.baseRepositoryId === place.github.repositoryId && pull.number !== subject.pullRequest;
    if (!isIts) continue;
    const head = await measured(pull.headSha, (record) => record.sha === pull.headSha, records, place);
    if (!head) {
      if (records.some(({ record }) => record.pullRequest === pull.number)) {
        notes.push(
          `#${pull.number}, merged as ${short(commit.sha)}, was trained, but not its last commit ${short(pull.headSha)}, so it was passed by`,
        );
      }
      continue;
    }
    return {
      ...head,
      description: `#${pull.number} at ${short(pull.headSha)}, merged as ${short(commit.sha)}`,
      notes: [
        ...notes,
        `the baseline's files are those of #${pull.number} before its merge; ${at} has others too (its git tree is another)`,
      ],
    };
  }
  return undefined;
}

type Found = Pick<Baseline, 'runs' | 'sha' | 'record'>;

/** What was measured of a commit: by the newest of its records' runs and those that differ by their seed alone, and by the trackers. */
async function measured(
  sha: string,
  matches: (record: StoredRecord['record']) => boolean,
  records: readonly StoredRecord[],
  { cluster, sources, fromRecords }: Surroundings,
): Promise<Found | undefined> {
  const runs: MetricRun[] = [];
  const of = records.filter(({ record }) => matches(record));
  const seeds = fromRecords && cluster ? await seedsWithMetrics(of, cluster.records) : [];
  runs.push(...seeds.map(({ run }) => run));
  for (const source of sources) runs.push(...((await source.at?.(sha)) ?? []));
  const record = seeds[0]?.stored.name;
  return runs.length === 0 ? undefined : { runs, sha, ...(record === undefined ? {} : { record }) };
}

function nameOf(run: MetricRun | undefined): string {
  const at = short(run?.sha ?? '');
  return run?.pullRequest === undefined ? at : `#${run.pullRequest} at ${at}`;
}

function short(sha: string): string {
  return sha.slice(0, 7);
}
