import { digitsFiles } from '@slashtrain/testing/demo/example';
import { openPlace, type Place } from '@slashtrain/testing/demo/place';
import type { WorkflowEvent } from '@slashtrain/testing/github/events';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import type { Comment } from '@slashtrain/testing/github/store';
import { fakeForRunner } from '@slashtrain/testing/runner/github';
import type { Progress } from '@slashtrain/testing/runner/result';
import { WorkflowRuns } from '@slashtrain/testing/runner/workflow-runs';

/** examples/digits on a small GitHub, beside a small cluster and registry: everything that its workflow needs. */
export interface DigitsWorld {
  github: FakeGitHub;
  repository: Repository;
  place: Place;
  workflows: WorkflowRuns;
  /** Secrets and variables as the workflow wants them. */
  settings: { secrets: Record<string, string>; vars: Record<string, string> };
  /** Opens ada's pull request that changes these files. */
  open(files: Record<string, string>): { sha: string; number: number };
  /** Writes a comment, a minute after everything before it: in the second of a push nobody can have looked at the commit. */
  comment(number: number, author: string, body: string): { comment: Comment; event: WorkflowEvent };
  close(): Promise<void>;
}

export async function openDigits(onProgress?: (progress: Progress) => void): Promise<DigitsWorld> {
  const place = await openPlace({ once: true });
  const minute = 60_000;
  let past = 60 * minute;
  const github = await startGitHub({ now: () => Date.now() - past });
  const repository = github.createRepository({ owner: 'acme', name: 'digits', files: digitsFiles() });
  repository.setPermission('ada', 'write');
  const settings = {
    secrets: { KUBECONFIG: place.kubeconfig },
    vars: { SLASHTRAIN_IMAGE: `${place.registry}/acme/digits`, SLASHTRAIN_BASE: place.base },
  };
  return {
    github,
    repository,
    place,
    settings,
    workflows: new WorkflowRuns({ github: fakeForRunner(github, repository), ...settings, ...(onProgress && { onProgress }) }),
    open: (files) => {
      const sha = repository.commit({ branch: 'topic', files, author: 'ada' });
      return { sha, number: repository.openPullRequest({ head: 'topic', author: 'ada' }) };
    },
    comment: (number, author, body) => {
      past -= minute;
      const comment = repository.comment(number, author, body);
      return { comment, event: repository.events.issueComment(comment) };
    },
    close: async () => {
      await github.close();
      await place.close();
    },
  };
}
