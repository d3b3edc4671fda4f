import { ActionError } from '@slashtrain/core/action/errors';
import { CheckRuns, type CheckRun, type Conclusion } from '@slashtrain/core/github/checks';
import type { GitHub } from '@slashtrain/core/github/client';
import { firstParents, pullRequestsOf } from '@slashtrain/core/github/commits';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { readPullRequest, type PullRequest } from '@slashtrain/core/github/pull-request';
import { escapeText, link, table } from '@slashtrain/core/markdown/markdown';
import { outcomeWords } from '@slashtrain/core/metrics/table';
import { newestFirst } from '@slashtrain/core/records/find';
import type { RecordStore } from '@slashtrain/core/records/store';
import { metricsCheckName } from '@slashtrain/core/run/check';
import { stateOf } from './check.ts';
import { concerns, pathsOf } from './queue.ts';
import type { Links } from './story.ts';

const mostCommits = 50;

/** What a merge queue wants to put onto a branch (https://docs.github.com/webhooks/webhook-events-and-payloads#merge_group). */
export interface MergeGroup {
  sha: string;
  baseSha: string;
  /** `gh-readonly-queue/main/pr-42-<sha>`: GitHub names it after the last pull request. */
  ref: string;
}

/** A pull request of a group, and what was said of its head. */
interface Member {
  pull: PullRequest;
  conclusion: Conclusion;
  words: string;
}

/** @throws ActionError `input` where the event is another */
export function readMergeGroup({ event, eventName }: GitHubContext): MergeGroup {
  const group = (event['merge_group'] ?? {}) as Record<string, unknown>;
  const [sha, baseSha, ref] = ['head_sha', 'base_sha', 'head_ref'].map((name) => group[name]);
  if (eventName !== 'merge_group' || typeof sha !== 'string' || typeof baseSha !== 'string' || typeof ref !== 'string') {
    throw new ActionError('input', `input "check" is "merge-group", and the event is ${JSON.stringify(eventName)}; allowed: merge_group`, {
      remedy: 'start the workflow on: merge_group',
    });
  }
  return { sha, baseSha, ref };
}

/**
 * Copies what was said of each pull request in a merge group to the group's own commit, which nobody trains: the check is a
 * success where each of them passed, or is none of the pipeline's business.
 */
export async function checkMergeGroup(
  group: MergeGroup,
  pipeline: string,
  { github, records, namespace, links }: { github: GitHub; records: RecordStore; namespace: string; links: Links },
): Promise<CheckRun> {
  const paths = await pathsOf(github, pipeline);
  const members: Member[] = [];
  for (const number of await membersOf(github, group)) {
    const pull = await readPullRequest(github, number);
    members.push({
      pull,
      ...((await concerns(github, number, paths)) ? await verdictOf(pull) : { conclusion: 'skipped', words: 'nothing to train' }),
    });
  }
  const passes = members.length > 0 && members.every(({ conclusion }) => conclusion === 'success' || conclusion === 'skipped');
  const rows = members.map(({ pull, words }) => [
    link(`#${pull.number}`, pull.htmlUrl),
    link(pull.head.sha.slice(0, 7), `${links.repository}/commit/${pull.head.sha}`),
    words,
  ]);
  const open = members.filter(({ conclusion }) => conclusion !== 'success' && conclusion !== 'skipped');
  return new CheckRuns(github).put(
    { sha: group.sha, name: metricsCheckName(pipeline), externalId: 'merge-group' },
    { conclusion: passes ? 'success' : 'failure' },
    {
      title: passes
        ? members.length === 1
          ? 'The pull request passes'
          : `All ${members.length} pull requests pass`
        : members.length === 0
          ? 'No pull request was found in the group'
          : `${open.map(({ pull }) => `#${pull.number}`).join(', ')} ${open.length === 1 ? 'does' : 'do'} not pass`,
      summary:
        rows.length > 0
          ? table(['Pull request', 'Trained commit', 'Verdict'], rows)
          : `Between ${group.baseSha} and ${group.sha} GitHub names none.`,
    },
  );

  async function verdictOf({ number, head }: PullRequest): Promise<Pick<Member, 'conclusion' | 'words'>> {
    const found = await records.find(namespace, { repositoryId: github.repositoryId, pullRequest: number, pipeline, sha: head.sha });
    const newest = newestFirst(found)[0]?.record;
    if (!newest) return { conclusion: 'failure', words: 'not trained' };
    const { state, verdict, comparison } = newest;
    const result = stateOf({ state, noBaseline: comparison?.noBaseline ?? 'pass', ...(verdict && { verdict }) });
    return {
      conclusion: 'conclusion' in result ? result.conclusion : 'failure',
      words: state === 'succeeded' && verdict ? outcomeWords[verdict] : escapeText(state),
    };
  }
}

/** The pull requests in a group: that which its ref is named after, and those that GitHub names for what the queue put together. */
async function membersOf(github: GitHub, { sha, baseSha, ref }: MergeGroup): Promise<number[]> {
  const named = /\/pr-(\d+)-[0-9a-f]{40}$/u.exec(ref)?.[1];
  const numbers = new Set(named === undefined ? [] : [Number(named)]);
  let isWhole = false;
  for await (const commit of firstParents(github, sha, mostCommits + 1)) {
    isWhole = commit.sha === baseSha;
    if (isWhole) break;
    // The second parent of a merge is the pull request's head; what was squashed or rebased stands for itself.
    for (const { number, state, baseRepositoryId } of await pullRequestsOf(github, commit.parents[1] ?? commit.sha))
      if (state === 'open' && baseRepositoryId === github.repositoryId) numbers.add(number);
  }
  // What is not looked at is not passed.
  if (!isWhole) {
    throw new ActionError('input', `the base ${baseSha} of the merge group ${sha} is not among its last ${mostCommits} commits`, {
      remedy: 'make the merge queue put fewer commits together',
    });
  }
  return [...numbers].sort((a, b) => a - b);
}
