import { describe, expect, it } from '@jest/globals';
import type { WorkflowEvent } from '../github/events.ts';
import { startedBy } from './events.ts';

describe('startedBy', () => {
  const event = (name: string, payload: Record<string, unknown>, more: Partial<WorkflowEvent> = {}): WorkflowEvent => ({
    name,
    payload,
    ref: 'refs/heads/main',
    sha: '',
    actor: 'mona',
    ...more,
  });
  it.each([
    [{ issue_comment: {} }, event('issue_comment', { action: 'deleted' }), true],
    [{ issue_comment: { types: ['created'] } }, event('issue_comment', { action: 'deleted' }), false],
    [{ push: {} }, event('issue_comment', {}), false],
    [{ pull_request_target: {} }, event('pull_request_target', { action: 'closed' }), false],
    [{ pull_request_target: {} }, event('pull_request_target', { action: 'synchronize' }), true],
    [{ push: { branches: ['main'] } }, event('push', {}), true],
    [{ push: { branches: ['releases/**', '!releases/old'] } }, event('push', {}, { ref: 'refs/heads/releases/old' }), false],
    [{ push: { branches: ['releases/*'] } }, event('push', {}, { ref: 'refs/heads/releases/a/b' }), false],
    [{ push: { branches: ['main'] } }, event('push', {}, { ref: 'refs/tags/main' }), false],
    [{ push: { 'branches-ignore': ['main'] } }, event('push', {}), false],
    [{ pull_request_target: { branches: ['stable'] } }, event('pull_request_target', { action: 'opened' }, { baseRef: 'main' }), false],
  ])('%j', (on, happened, starts) => {
    expect(startedBy(on, happened)).toBe(starts);
  });
});
