import type { EventsConfig } from '@actions/workflow-parser/model/workflow-template';

/** What happened in the repository: the name and payload of a webhook. */
export interface RepositoryEvent {
  name: string;
  payload: unknown;
  /** Who did it; `payload.sender` where not given. */
  actor?: string;
}

/** An event with the commit that `github.sha` and `github.ref` mean for it. */
export interface ResolvedEvent {
  name: string;
  payload: unknown;
  sha: string;
  ref: string;
  headRef?: string;
  baseRef?: string;
}

interface Payload {
  action?: string;
  ref?: string;
  after?: string;
  pull_request?: { number: number; head: { ref: string }; base: { ref: string }; merge_commit_sha?: string | null };
  merge_group?: { head_sha: string; head_ref: string; base_ref: string };
}

/** Types that start a workflow where it names none; all do for the other events. */
const defaultTypes: Record<string, string[]> = {
  pull_request: ['opened', 'synchronize', 'reopened'],
  pull_request_target: ['opened', 'synchronize', 'reopened'],
};

/**
 * The commit that an event means: the default branch's for most, the base's for `pull_request_target`
 * (https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows).
 * @param headOf the SHA of a branch
 */
export function resolveEvent(event: RepositoryEvent, defaultBranch: string, headOf: (branch: string) => string): ResolvedEvent {
  const payload = (event.payload ?? {}) as Payload;
  const same = { name: event.name, payload: event.payload };
  const onBranch = (branch: string): ResolvedEvent => ({ ...same, ref: `refs/heads/${branch}`, sha: headOf(branch) });
  const pull = payload.pull_request;
  if (event.name === 'push') return { ...same, ref: payload.ref ?? '', sha: payload.after ?? '' };
  if (event.name === 'merge_group' && payload.merge_group) {
    const { head_ref: ref, head_sha: sha, base_ref: baseRef } = payload.merge_group;
    return { ...same, ref, sha, headRef: ref, baseRef };
  }
  if (event.name === 'pull_request_target' && pull) {
    return { ...onBranch(pull.base.ref), headRef: pull.head.ref, baseRef: pull.base.ref };
  }
  if (event.name.startsWith('pull_request') && pull) {
    if (!pull.merge_commit_sha) throw new Error(`a conflicted pull request fires no ${event.name}`);
    const ref = `refs/pull/${pull.number}/merge`;
    return { ...same, ref, sha: pull.merge_commit_sha, headRef: pull.head.ref, baseRef: pull.base.ref };
  }
  return onBranch(defaultBranch);
}

/** Whether a workflow with this `on:` starts. */
export function startedBy(on: EventsConfig, event: ResolvedEvent): boolean {
  if (!Object.hasOwn(on, event.name)) return false;
  const config = (on[event.name] ?? {}) as { types?: string[]; branches?: string[]; 'branches-ignore'?: string[] };
  const { action } = (event.payload ?? {}) as Payload;
  const types = config.types ?? defaultTypes[event.name];
  if (types && action !== undefined && !types.includes(action)) return false;
  const branch = event.baseRef ?? (event.ref.startsWith('refs/heads/') ? event.ref.slice('refs/heads/'.length) : undefined);
  if (config.branches && (branch === undefined || !matchesFilter(config.branches, branch))) return false;
  if (config['branches-ignore'] && branch !== undefined && matchesFilter(config['branches-ignore'], branch)) return false;
  return true;
}

/** The last pattern that matches decides. https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet */
function matchesFilter(patterns: string[], name: string): boolean {
  let matches = false;
  for (const pattern of patterns) {
    const negative = pattern.startsWith('!');
    if (toRegExp(negative ? pattern.slice(1) : pattern).test(name)) matches = !negative;
  }
  return matches;
}

function toRegExp(pattern: string): RegExp {
  if (/[?+[\]\\]/u.test(pattern)) throw new Error(`this runner does not support ?, + and [] in filter patterns, as in "${pattern}"`);
  const source = pattern.replace(/[.^$(){}|/-]/gu, '\\$&').replace(/\*\*|\*/gu, (stars) => (stars === '**' ? '.*' : '[^/]*'));
  return new RegExp(`^${source}$`, 'u');
}
