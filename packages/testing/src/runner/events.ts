import type { EventsConfig } from '@actions/workflow-parser/model/workflow-template';
import type { WorkflowEvent } from '../github/events.ts';

interface Payload {
  action?: string;
  schedule?: string;
}

/** Types that start a workflow where it names none; all do for the other events. */
const defaultTypes: Record<string, string[]> = {
  pull_request: ['opened', 'synchronize', 'reopened'],
  pull_request_target: ['opened', 'synchronize', 'reopened'],
};

/** Whether a workflow with this `on:` starts. */
export function startedBy(on: EventsConfig, event: WorkflowEvent): boolean {
  if (!Object.hasOwn(on, event.name)) return false;
  const config = (on[event.name] ?? {}) as { types?: string[]; branches?: string[]; 'branches-ignore'?: string[] };
  const { action, schedule } = event.payload as Payload;
  if (event.name === 'schedule') return (on.schedule ?? []).some(({ cron }) => cron === schedule);
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
