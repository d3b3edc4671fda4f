import { ActionError } from '@slashtrain/core/action/errors';
import type { GitHubContext } from '@slashtrain/core/github/context';
import type { SlashtrainConfig } from '@slashtrain/core/config/types';
import { mayHoldCommand } from './find.ts';

/** Somebody who asks. */
export interface Person {
  login: string;
  /** Absent where the runner tells the login alone. */
  id?: number;
  isBot: boolean;
}

/** What an event asks for, before anything is checked. All text in it is hostile. */
export interface Ask {
  via: 'comment' | 'review-comment' | 'review' | 'label' | 'push' | 'merge' | 'workflow';
  /** A comment, or the command itself; absent where the configuration's trigger says it. */
  text?: string;
  trigger?: (triggers: SlashtrainConfig['triggers']) => string | undefined;
  /** Absent where nobody but the workflow file asks. */
  person?: Person;
  pullRequest?: number;
  /** Of a comment, a review comment or a review. */
  id?: number;
  edited?: boolean;
  /** When the comment was written, ISO 8601. */
  at?: string;
  /** The head that the event itself names. */
  head?: string;
  /** The commit, where it is no pull request's. */
  commit?: { sha: string; ref: string; baseRef: string; baseSha: string };
}

/**
 * Reads what an event asks for (https://docs.github.com/webhooks/webhook-events-and-payloads). Costs no request.
 * @param command the input of that name: it is the command whatever the event says
 * @param number the input `pr-number`, for events without a pull request
 * @returns undefined where the event asks for nothing
 */
export function readAsk(context: GitHubContext, environment: NodeJS.ProcessEnv, command?: string, number?: number): Ask | undefined {
  const event = new Payload(context.event);
  const ask = readEvent(context.eventName, event, environment, command, number);
  if (!ask || command === undefined) return ask;
  const { trigger: _, ...rest } = ask;
  return { ...rest, text: command };
}

function readEvent(name: string, event: Payload, environment: NodeJS.ProcessEnv, command?: string, number?: number): Ask | undefined {
  const action = event.text('action');
  switch (name) {
    case 'issue_comment':
      if ((action !== 'created' && action !== 'edited') || !event.has('issue', 'pull_request')) return undefined;
      return { ...commentOf(event, 'comment', action), via: 'comment', pullRequest: event.number('issue', 'number') };
    case 'pull_request_review_comment':
      if (action !== 'created' && action !== 'edited') return undefined;
      return { ...commentOf(event, 'comment', action), ...pullOf(event), via: 'review-comment' };
    case 'pull_request_review':
      if (action !== 'submitted' && action !== 'edited') return undefined;
      return reviewOf(event, action);
    case 'pull_request_target':
    case 'pull_request':
      return changeOf(event, action, command);
    default:
      return workflowOf(name, event, environment, command, number);
  }
}

function commentOf(event: Payload, key: string, action: string): Omit<Ask, 'via'> {
  return {
    text: event.text(key, 'body'),
    // Of an edit the sender is the editor, who may be another than the author.
    person: event.person('sender'),
    id: event.number(key, 'id'),
    at: event.text(key, 'created_at'),
    edited: action === 'edited',
  };
}

function pullOf(event: Payload): Pick<Ask, 'pullRequest' | 'head'> {
  return { pullRequest: event.number('pull_request', 'number'), head: event.text('pull_request', 'head', 'sha') };
}

function reviewOf(event: Payload, action: string): Ask | undefined {
  const text = event.text('review', 'body');
  const base: Ask = {
    ...pullOf(event),
    via: 'review',
    person: event.person('sender'),
    id: event.number('review', 'id'),
    edited: action === 'edited',
    // The commit that was approved, which need not be the head any more.
    head: event.text('review', 'commit_id'),
  };
  if (mayHoldCommand(text)) return { ...base, text };
  if (event.text('review', 'state').toLowerCase() !== 'approved' || action === 'edited') return undefined;
  return { ...base, trigger: (triggers) => triggers.review };
}

function changeOf(event: Payload, action: string, command: string | undefined): Ask | undefined {
  const base = { ...pullOf(event), person: event.person('sender') };
  switch (action) {
    case 'labeled': {
      const label = event.text('label', 'name');
      return { ...base, via: 'label', trigger: (triggers) => triggers.labels.get(label) };
    }
    case 'opened':
    case 'reopened':
    case 'synchronize':
      return { ...base, via: 'push', trigger: (triggers) => triggers.push };
    case 'closed':
      if (event.at('pull_request', 'merged') === true) return { ...base, via: 'merge', trigger: (triggers) => triggers.merge };
      break;
  }
  return command === undefined ? undefined : { ...base, via: 'workflow' };
}

function workflowOf(name: string, event: Payload, environment: NodeJS.ProcessEnv, command?: string, number?: number): Ask {
  if (command === undefined) {
    throw new ActionError('input', `the event "${name}" brings no command of its own`, {
      remedy: 'give one by the input "command", such as command: /train epochs=5',
    });
  }
  // Who may dispatch is a person; what is scheduled or pushed was written into the workflow file.
  const dispatched = name === 'workflow_dispatch' || name === 'repository_dispatch';
  const base = { via: 'workflow' as const, ...(dispatched ? { person: event.person('sender') } : {}) };
  if (number !== undefined) return { ...base, pullRequest: number };
  if (name === 'merge_group') {
    return {
      ...base,
      commit: {
        sha: event.text('merge_group', 'head_sha'),
        ref: branchOf(event.text('merge_group', 'head_ref')),
        baseRef: branchOf(event.text('merge_group', 'base_ref')),
        baseSha: event.text('merge_group', 'base_sha'),
      },
    };
  }
  return {
    ...base,
    commit: { sha: environment['GITHUB_SHA'] ?? '', ref: branchOf(environment['GITHUB_REF'] ?? ''), baseRef: '', baseSha: '' },
  };
}

function branchOf(ref: string): string {
  return ref.replace(/^refs\/heads\//u, '');
}

/** A webhook's payload, read field by field: what is not there or is something else is an error that names it. */
class Payload {
  readonly #data: Record<string, unknown>;

  constructor(data: Record<string, unknown>) {
    this.#data = data;
  }

  at(...keys: string[]): unknown {
    let value: unknown = this.#data;
    for (const key of keys) {
      value =
        typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
    }
    return value;
  }

  has(...keys: string[]): boolean {
    return typeof this.at(...keys) === 'object' && this.at(...keys) !== null;
  }

  /** A text; empty where there is none. */
  text(...keys: string[]): string {
    const value = this.at(...keys);
    return typeof value === 'string' ? value : '';
  }

  number(...keys: string[]): number {
    const value = this.at(...keys);
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
    throw new ActionError('input', `the event has no number ${keys.join('.')}`, { remedy: 'run this action on an event that GitHub made' });
  }

  person(...keys: string[]): Person {
    const login = this.text(...keys, 'login');
    return { login, id: this.number(...keys, 'id'), isBot: this.text(...keys, 'type') !== 'User' || login.endsWith('[bot]') };
  }
}
