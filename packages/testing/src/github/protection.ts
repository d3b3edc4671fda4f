import { mergeFiles } from './git/merge.ts';
import type { CheckRun, Issue, RepositoryData } from './store.ts';

export type MergeableState = 'clean' | 'dirty' | 'blocked' | 'behind' | 'unstable' | 'draft';

/** What stands in the merge box of a pull request. */
export interface Mergeability {
  /** It has no conflict. */
  mergeable: boolean;
  /** Everything that is required is there. */
  allowed: boolean;
  state: MergeableState;
  /** Why it is not allowed, one sentence each. */
  reasons: string[];
}

/**
 * Whether a pull request may be merged. A required check passes with success, skipped or neutral; one that is missing or not
 * finished blocks, and it counts on the latest commit alone
 * (https://docs.github.com/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/troubleshooting-required-status-checks).
 */
export function mergeability(repository: RepositoryData, issue: Issue): Mergeability {
  const { pull } = issue;
  if (!pull) throw new Error(`#${issue.number} is no pull request`);
  const { git } = repository;
  const base = repository.refs.get(`refs/heads/${pull.base.ref}`) ?? pull.base.sha;
  const merged = tryMerge(repository, base, pull.head.sha);
  const protection = repository.protection.get(pull.base.ref);
  const reasons: string[] = [];
  for (const { context, appId } of protection?.requiredChecks ?? []) {
    const outcome = outcomeOf(repository, pull.head.sha, context, appId);
    if (outcome === 'missing') reasons.push(`Expected — Waiting for status "${context}" to be reported`);
    else if (outcome === 'pending') reasons.push(`Required status check "${context}" is in progress`);
    else if (outcome === 'failed') reasons.push(`Required status check "${context}" is failing`);
  }
  const behind = protection?.upToDate === true && git.mergeBase(base, pull.head.sha) !== base;
  if (behind) reasons.push(`The head branch is not up to date with ${pull.base.ref}`);
  if (merged === undefined) reasons.push('This branch has conflicts that must be resolved');
  if (pull.draft) reasons.push('This pull request is still a work in progress');
  const state = ((): MergeableState => {
    if (merged === undefined) return 'dirty';
    if (pull.draft) return 'draft';
    if (behind) return 'behind';
    if (reasons.length > 0) return 'blocked';
    return latestRuns(repository, pull.head.sha).every((run) => passes(run)) ? 'clean' : 'unstable';
  })();
  return { mergeable: merged !== undefined, allowed: reasons.length === 0, state, reasons };
}

/** The tree of a merge of two commits; undefined where they conflict. */
export function tryMerge(repository: RepositoryData, base: string, head: string): string | undefined {
  const { git } = repository;
  const filesOf = (sha: string | undefined): ReturnType<typeof git.readFiles> =>
    git.readFiles((sha === undefined ? undefined : git.commits.get(sha)?.tree) ?? '');
  const { files, conflicts } = mergeFiles(filesOf(git.mergeBase(base, head)), filesOf(base), filesOf(head));
  return conflicts.length === 0 ? git.writeFiles(files) : undefined;
}

type Outcome = 'passed' | 'failed' | 'pending' | 'missing';

function outcomeOf(repository: RepositoryData, sha: string, context: string, appId: number | undefined): Outcome {
  const run = latestRuns(repository, sha).find((one) => one.name === context && (appId === undefined || one.app.id === appId));
  if (run) return run.status !== 'completed' ? 'pending' : passes(run) ? 'passed' : 'failed';
  // A status can stand for a check of the same name, unless an app is pinned.
  const status = appId === undefined ? repository.statuses.findLast((one) => one.sha === sha && one.context === context) : undefined;
  if (!status) return 'missing';
  return status.state === 'success' ? 'passed' : status.state === 'pending' ? 'pending' : 'failed';
}

/** Of each name and app the newest run on a commit, newest first. */
export function latestRuns(repository: RepositoryData, sha: string): CheckRun[] {
  const latest = new Map<string, CheckRun>();
  for (const run of repository.checkRuns.values()) if (run.headSha === sha) latest.set(`${run.app.id} ${run.name}`, run);
  return [...latest.values()].sort((a, b) => b.id - a.id);
}

function passes(run: CheckRun): boolean {
  return run.conclusion === 'success' || run.conclusion === 'neutral' || run.conclusion === 'skipped';
}
