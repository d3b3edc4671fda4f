import { ActionError } from '@slashtrain/core/action/errors';
import type { RunRecord } from '@slashtrain/core/run/record';

/** What is known of what is to be deployed, from the cluster, from GitHub and from the registry. */
export interface Facts {
  /** The input: the commit that is to be deployed. */
  sha: string;
  /** Its pull request, where there is one: its head by the API, now. */
  pullRequest?: { number: number; head: string; merged: boolean };
  /** The git tree of `sha`, where it is not the head itself. */
  tree?: string;
  record: Pick<RunRecord, 'sha' | 'tree' | 'pullRequest' | 'state' | 'verdict' | 'pipeline'>;
  /** The labels of the image: absent where there is no image, `unread` says why they could not be read. */
  image?: { name: string; ofRun: boolean; revision?: string } | { name: string; ofRun: boolean; unread: string };
}

/** What the inputs allow. */
export interface Allowances {
  allowInconclusive: boolean;
  /** What the pipeline says of a run without a baseline. */
  noBaseline: 'pass' | 'fail';
  /** Why somebody wants it all the same. */
  force?: string;
}

/** What may be deployed, with what has to be said of it. */
export interface Proven {
  /** The trained commit. */
  sha: string;
  notes: string[];
  /** It had not passed, and somebody deployed it all the same. */
  forced: boolean;
}

/**
 * Whether these belong together and were proven. Identity is never forced: of two commits one is the wrong one.
 * @throws ActionError `mismatch` with both SHAs, `run-failed`, `gate-failed`
 */
export function judge(facts: Facts, allowances: Allowances): Proven {
  const { record } = facts;
  const notes = [...checkCommit(facts), ...checkImage(facts)];
  if (record.state !== 'succeeded') {
    throw new ActionError('run-failed', `the run of ${record.sha} is ${record.state}; only what has succeeded is deployed`, {
      remedy: record.state === 'queued' || record.state === 'running' ? 'wait for its end' : 'train again: /train',
    });
  }
  const { verdict } = record;
  const passed = verdict === 'pass' || (verdict === 'inconclusive' && allowances.allowInconclusive) || (verdict === 'no-baseline' && allowances.noBaseline === 'pass'); // prettier-ignore
  if (passed) {
    if (verdict === 'pass') return { sha: record.sha, notes, forced: false };
    return { sha: record.sha, notes: [...notes, `the verdict is ${verdict ?? ''}`], forced: false };
  }
  const is = verdict === undefined ? 'has no verdict yet' : `has the verdict "${verdict}"`;
  if (allowances.force !== undefined) {
    return { sha: record.sha, notes: [...notes, `the run ${is}, and it was forced: ${allowances.force}`], forced: true };
  }
  throw new ActionError('gate-failed', `the run of ${record.sha} ${is}`, {
    remedy: verdict === undefined ? 'run fetch-metrics first' : verdict === 'inconclusive' ? 'train with more seeds, or set "allow-inconclusive: true"' : 'make it better; "force: true" with a "reason" deploys it all the same', // prettier-ignore
  });
}

function checkCommit({ sha, pullRequest, tree, record }: Facts): string[] {
  const mismatch = (message: string, remedy: string): ActionError => new ActionError('mismatch', message, { remedy });
  if (!pullRequest) {
    if (record.sha === sha) return [];
    throw mismatch(`the run trained ${record.sha}, and ${sha} is to be deployed, which GitHub names no pull request for`, 'train this commit, or pass the one that was trained'); // prettier-ignore
  }
  const { number, head, merged } = pullRequest;
  if (record.sha !== head) {
    throw mismatch(`the head of #${number} is ${head}, and the run trained ${record.sha}`, 'train the head, look at its report, and give the command again'); // prettier-ignore
  }
  if (sha === head) return [];
  if (!merged) throw mismatch(`the head of #${number} is ${head} by now, and ${sha} was to be deployed`, 'look at the new commit and give the command again'); // prettier-ignore
  if (tree === record.tree)
    return [`${sha} is what the merge of #${number} made, with the same files as its head ${head}, which was trained`];
  return [
    `${sha} is what the merge of #${number} made, and its files are NOT those of its head ${head}, which was trained: the base had moved on`,
  ];
}

function checkImage({ image, record }: Facts): string[] {
  if (!image) return [];
  if ('unread' in image) {
    if (image.ofRun) return [`the labels of ${image.name}, which the run was made with, could not be read: ${image.unread}`];
    throw new ActionError(
      'mismatch',
      `the labels of ${image.name} cannot be read, so that nobody knows which commit it is of: ${image.unread}`,
      {
        remedy: 'log in to its registry in an earlier step, or pass the image that the run was made with',
      },
    );
  }
  if (image.revision === record.sha) return [];
  if (image.revision !== undefined) {
    throw new ActionError('mismatch', `${image.name} was built from ${image.revision}, and the run trained ${record.sha}`, {
      remedy: 'build the image from the trained commit: build-image with the same "sha"',
    });
  }
  return [`${image.name} does not say which commit it was built from`];
}
