import type { GitHub } from '@slashtrain/core/github/client';
import { firstParents, pullRequestsOf, type Commit } from '@slashtrain/core/github/commits';
import { readPullRequest } from '@slashtrain/core/github/pull-request';
import type { RunMetrics } from '@slashtrain/core/metrics/metrics';
import { newestFirst } from '@slashtrain/core/records/find';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { hasPoints } from '../sources/run.ts';

/** What is judged. */
export interface Subject {
  sha: string;
  pullRequest?: number;
  pipeline: string;
}

/** A run to compare with. */
export interface Baseline {
  stored: StoredRecord;
  metrics: RunMetrics;
  /** How it was found: `#41 at 1a2b3c4, merged as 9f8e7d6`. Hostile text. */
  description: string;
  /** What a reader must know about it. Hostile text. */
  notes: string[];
}

/** Where to look. */
export interface Surroundings {
  github: GitHub;
  records: RecordStore;
  namespace: string;
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
async function usable({ sha, pullRequest, pipeline }: Subject, { github, records, namespace }: Surroundings): Promise<StoredRecord[]> {
  const all = await records.find(namespace, { repositoryId: github.repositoryId, pipeline });
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
  const own = await withMetrics(records, ({ sha }) => sha === commit.sha, place.records);
  if (own) return { ...own, description: at, notes };

  const same = await withMetrics(records, ({ tree }) => tree === commit.tree, place.records);
  if (same) return { ...same, description: `${nameOf(same.stored)}, the same files as ${at}`, notes };

  for (const pull of await pullRequestsOf(place.github, commit.sha)) {
    const isIts = pull.mergedAt !== null && pull.baseRepositoryId === place.github.repositoryId && pull.number !== subject.pullRequest;
    if (!isIts) continue;
    const head = await withMetrics(records, ({ sha }) => sha === pull.headSha, place.records);
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

async function withMetrics(
  candidates: readonly StoredRecord[],
  matches: (record: StoredRecord['record']) => boolean,
  records: RecordStore,
): Promise<{ stored: StoredRecord; metrics: RunMetrics } | undefined> {
  for (const stored of candidates) {
    if (!matches(stored.record)) continue;
    const metrics = await records.readMetrics(stored);
    if (hasPoints(metrics)) return { stored, metrics };
  }
  return undefined;
}

function nameOf({ record: { pullRequest, sha } }: StoredRecord): string {
  return pullRequest === undefined ? short(sha) : `#${pullRequest} at ${short(sha)}`;
}

function short(sha: string): string {
  return sha.slice(0, 7);
}
