import type { GitHub } from '@slashtrain/core/github/client';
import { Refusal } from './refusal.ts';

/** One check run or commit status of a commit. */
export interface Check {
  name: string;
  state: 'pending' | 'passed' | 'failed';
  /** Where it runs. */
  url: string;
}

/** How to wait. */
export interface CiParts {
  github: GitHub;
  /** This workflow run, whose own jobs are left out. */
  runId: number;
  now: () => number;
  pause: (milliseconds: number) => Promise<void>;
}

const interval = 15_000;

/**
 * Waits until the other checks of a commit are green. Ours and those in `excludes` are left out. A commit without any
 * check is not green: its checks may not have begun.
 * @returns whether it had to wait
 * @throws Refusal `gate-failed`, `timeout`
 */
export async function waitForCi(sha: string, options: { excludes: readonly string[]; seconds: number }, parts: CiParts): Promise<boolean> {
  const end = parts.now() + options.seconds * 1000;
  for (let waited = false; ; waited = true) {
    const checks = (await readChecks(parts.github, sha)).filter((check) => counts(check, options.excludes, parts.runId));
    const failed = checks.filter(({ state }) => state === 'failed');
    if (failed.length > 0) {
      throw new Refusal('gate-failed', `checks of ${sha} failed: ${namesOf(failed)}`, {
        remedy: 'mend them, then write the command again',
      });
    }
    const pending = checks.filter(({ state }) => state === 'pending');
    if (checks.length > 0 && pending.length === 0) return waited;
    if (parts.now() + interval > end) {
      const what = checks.length === 0 ? `${sha} has no checks` : `checks of ${sha} have not ended: ${namesOf(pending)}`;
      throw new Refusal('timeout', `${what}, after ${options.seconds} seconds`, { remedy: 'write the command again when they have' });
    }
    await parts.pause(interval);
  }
}

function counts({ name, url }: Check, excludes: readonly string[], runId: number): boolean {
  return !/^(?:train|metrics): /u.test(name) && !excludes.includes(name) && !url.includes(`/actions/runs/${runId}/`);
}

function namesOf(checks: readonly Check[]): string {
  const names = checks.map(({ name }) => name).sort();
  return names.length > 10 ? `${names.slice(0, 10).join(', ')} and ${names.length - 10} more` : names.join(', ');
}

async function readChecks(github: GitHub, sha: string): Promise<Check[]> {
  const runs = await github.paginate(github.rest.checks.listForRef, { ...github.at, ref: sha, filter: 'latest', per_page: 100 });
  const statuses = await readStatuses(github, sha);
  const passed = new Set<string | null>(['success', 'neutral', 'skipped']);
  return [
    ...runs.map((run): Check => ({
      name: run.name,
      url: run.details_url ?? '',
      state: run.status !== 'completed' ? 'pending' : passed.has(run.conclusion) ? 'passed' : 'failed',
    })),
    ...statuses.map((status): Check => ({
      name: status.context,
      url: status.target_url ?? '',
      state: status.state === 'success' ? 'passed' : status.state === 'pending' ? 'pending' : 'failed',
    })),
  ];
}

// Octokit's paginate takes this answer for one item: it has an address of its own beside its list.
async function readStatuses(github: GitHub, sha: string): Promise<{ context: string; state: string; target_url: string | null }[]> {
  const all = [];
  for (let page = 1; ; page++) {
    const { data } = await github.rest.repos.getCombinedStatusForRef({ ...github.at, ref: sha, per_page: 100, page });
    all.push(...data.statuses);
    if (data.statuses.length < 100) return all;
  }
}
