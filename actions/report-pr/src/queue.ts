import { fetchFromDefaultBranch, loadConfig } from '@slashtrain/core/config/load';
import { CheckRuns, type CheckRun } from '@slashtrain/core/github/checks';
import type { GitHub } from '@slashtrain/core/github/client';
import { listTouchedPaths } from '@slashtrain/core/github/pull-request';
import { code } from '@slashtrain/core/markdown/markdown';
import { metricsCheckName } from '@slashtrain/core/run/check';
import { untrained } from './check.ts';
import { touches } from './paths.ts';

// GitHub names no more of a pull request's files.
const mostFiles = 3000;

/** A commit that somebody pushed. */
export interface Pushed {
  sha: string;
  pipeline: string;
  pullRequest: number | undefined;
  /** Starts a training: `/train`. */
  command: string;
}

/**
 * Puts a check on a commit that nobody has trained yet, so that it cannot be merged unseen. One that is there stays. Where the
 * pull request touches nothing that the pipeline is about, the check is skipped, which GitHub counts as passed.
 */
export async function queueCheck(github: GitHub, { sha, pipeline, pullRequest, command }: Pushed): Promise<CheckRun> {
  const checks = new CheckRuns(github);
  const name = metricsCheckName(pipeline);
  const [existing] = await checks.list(sha, name);
  if (existing) return existing;
  const key = { sha, name, externalId: untrained };
  const paths = pullRequest === undefined ? [] : await pathsOf(github, pipeline);
  if (pullRequest !== undefined && !(await concerns(github, pullRequest, paths))) {
    const summary = `This pull request touches none of ${paths.map(code).join(', ')}.`;
    return checks.create(key, { conclusion: 'skipped' }, { title: 'Nothing to train', summary });
  }
  const summary = `This commit has not been trained. Comment \`${command.replaceAll('`', '')}\` on the pull request to start it.`;
  return checks.create(key, { status: 'queued' }, { title: `Comment ${command} to run`, summary });
}

/** What the pipeline is about, as the default branch says. */
export async function pathsOf(github: GitHub, pipeline: string): Promise<readonly string[]> {
  const { config } = await loadConfig(fetchFromDefaultBranch(github));
  return config.pipelines.get(pipeline)?.paths ?? [];
}

/** Whether a pull request is one that has to be trained. */
export async function concerns(github: GitHub, pullRequest: number, paths: readonly string[]): Promise<boolean> {
  if (paths.length === 0) return true;
  const files = await listTouchedPaths(github, pullRequest);
  return files.length >= mostFiles || touches(paths, files);
}
