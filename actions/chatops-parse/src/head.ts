import type { GitHub } from '@slashtrain/core/github/client';
import { answerOf } from '@slashtrain/core/github/failures';
import { readPullRequest, type PullRequest } from '@slashtrain/core/github/pull-request';
import type { Ask } from './ask.ts';
import type { ParsedCommand } from './bind.ts';
import { Refusal } from './refusal.ts';
import { printCommand } from './usage.ts';

/** The commit that a command is about. */
export interface Commit {
  /** The full head SHA. */
  sha: string;
  headRef: string;
  baseRef: string;
  baseSha: string;
  isFork: boolean;
}

/** What the decision needs besides the command. */
export interface HeadParts {
  github: GitHub;
  forks: 'never' | 'by-sha';
  /** Waits so many milliseconds. */
  pause: (milliseconds: number) => Promise<void>;
}

/** How often GitHub is asked again while its record of pushes and the pull request do not agree, and how long apart. */
const patience = [1000, 2000, 4000];

/**
 * The pull request's head, if it is still the one that the person saw: the SHA in the command, else the one that the event
 * names, else the one at the comment's time by the server's own record of pushes. Commit dates are the client's, hence forged.
 * @throws Refusal `mismatch` with both SHAs and the command to repeat; `permission` for forks
 */
export async function decideCommit(ask: Ask, parsed: ParsedCommand, parts: HeadParts): Promise<Commit> {
  if (ask.pullRequest === undefined) return commitOf(ask, parsed);
  const { github } = parts;
  let pull = await readPullRequest(github, ask.pullRequest);
  // Stopping starts nothing: whoever may, may at any commit.
  if (parsed.command.name === 'cancel') return toCommit(pull);
  refuseForks(pull, parsed, parts.forks);
  if (parsed.sha !== undefined) {
    if (parsed.sha !== pull.head.sha) throw moved(parsed, parsed.sha, pull, 'the command names');
    return toCommit(pull);
  }
  if (ask.head !== undefined) {
    if (ask.head !== pull.head.sha) throw moved(parsed, ask.head, pull, ask.via === 'review' ? 'the review is of' : 'the head then was');
    return toCommit(pull);
  }
  if (ask.at === undefined) return toCommit(pull);
  for (const wait of [...patience, undefined]) {
    const record = await readRecord(github, pull.head.ref);
    const seen = record && headAt(record, ask.at);
    if (!record || seen === undefined) throw needsSha(parsed, pull, 'GitHub has no record of the pushes to its branch');
    // A push shows in one of the two a moment before the other.
    if (record[0]?.after === pull.head.sha) {
      if (seen !== pull.head.sha) throw moved(parsed, seen, pull, 'the head then was');
      return toCommit(pull);
    }
    if (wait === undefined) break;
    await parts.pause(wait);
    pull = await readPullRequest(github, ask.pullRequest);
  }
  throw needsSha(parsed, pull, 'GitHub’s record of pushes does not agree with the pull request');
}

function commitOf(ask: Ask, parsed: ParsedCommand): Commit {
  const { sha = '', ref = '', baseRef = '', baseSha = '' } = ask.commit ?? {};
  if (!/^[0-9a-f]{40}$/u.test(sha)) throw new Refusal('input', 'the event names no commit', { remedy: 'give the input pr-number' });
  if (parsed.sha !== undefined && parsed.sha !== sha) {
    throw new Refusal('mismatch', `the command names ${parsed.sha}, and the event is about ${sha}`, {
      remedy: 'leave sha out, or name that one',
    });
  }
  return { sha, headRef: ref, baseRef, baseSha, isFork: false };
}

function toCommit({ head, base, isFork }: PullRequest): Commit {
  return { sha: head.sha, headRef: head.ref, baseRef: base.ref, baseSha: base.sha, isFork };
}

function refuseForks(pull: PullRequest, parsed: ParsedCommand, forks: 'never' | 'by-sha'): void {
  if (!pull.isFork) return;
  if (pull.head.repositoryId === undefined) {
    throw new Refusal('permission', `the repository that #${pull.number} comes from is gone`, {
      remedy: 'push the commits to a branch of this repository and open a pull request from there',
    });
  }
  if (forks === 'never') {
    throw new Refusal('permission', `#${pull.number} comes from a fork, and commands do not work on forks here`, {
      remedy: 'push the reviewed commits to a branch of this repository, or allow "forks: by-sha" in .github/slashtrain.yml',
    });
  }
  if (parsed.sha === undefined) throw needsSha(parsed, pull, `#${pull.number} comes from a fork`);
}

function needsSha(parsed: ParsedCommand, pull: PullRequest, why: string): Refusal {
  return new Refusal('mismatch', `${why}, so the command has to name the commit in full`, {
    remedy: `its head is ${pull.head.sha} now; if that is the commit you reviewed, write`,
    shown: repeat(parsed, pull.head.sha),
  });
}

function moved(parsed: ParsedCommand, seen: string, pull: PullRequest, what: string): Refusal {
  return new Refusal('mismatch', `the pull request has moved: ${what} ${seen}, and its head is ${pull.head.sha} now`, {
    remedy: 'look at what changed, then write',
    shown: repeat(parsed, pull.head.sha),
  });
}

function repeat({ command, values, given }: ParsedCommand, sha: string): string {
  return printCommand(
    command.name,
    given.map((name) => [name, values.get(name)!] as const),
    sha,
  );
}

/** One push as the server saw it. */
export interface Push {
  after: string;
  /** ISO 8601, whole seconds. */
  at: string;
}

/** The pushes to a branch, newest first, at most 100; undefined where GitHub keeps none. */
async function readRecord(github: GitHub, branch: string): Promise<Push[] | undefined> {
  const response = await github.rest.repos
    .listActivities({ ...github.at, ref: `refs/heads/${branch}`, per_page: 100 })
    .catch((error: unknown) => {
      // Older servers have no such thing: https://docs.github.com/rest/repos/repos#list-repository-activities
      const status = answerOf(error)?.status;
      if (status === 404 || status === 422) return undefined;
      throw error;
    });
  // A branch that is deleted after its merge leaves the pull request's head as it was.
  const pushes = response?.data.filter(({ after }) => !/^0+$/u.test(after)).map(({ after, timestamp }) => ({ after, at: timestamp }));
  return pushes && pushes.length > 0 ? pushes : undefined;
}

/**
 * The branch's head before the second in which something was written. A push within that second counts as later, since
 * nobody can tell.
 * @param record newest first
 * @returns undefined where the record does not reach back so far
 */
export function headAt(record: readonly Push[], time: string): string | undefined {
  const moment = Math.floor(Date.parse(time) / 1000);
  return record.find((push) => Math.floor(Date.parse(push.at) / 1000) < moment)?.after;
}
