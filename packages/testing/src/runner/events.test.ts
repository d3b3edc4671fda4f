import { describe, expect, it } from '@jest/globals';
import { resolveEvent, startedBy, type ResolvedEvent } from './events.ts';

const pull = { number: 7, head: { ref: 'topic' }, base: { ref: 'main' }, merge_commit_sha: 'c'.repeat(40) };
const heads = (branch: string): string => `head of ${branch}`;

describe('resolveEvent', () => {
  it.each([
    ['issue_comment', { action: 'created' }, { ref: 'refs/heads/main', sha: 'head of main' }],
    ['schedule', undefined, { ref: 'refs/heads/main', sha: 'head of main' }],
    ['push', { ref: 'refs/heads/x', after: 'a'.repeat(40) }, { ref: 'refs/heads/x', sha: 'a'.repeat(40) }],
    ['pull_request_target', { pull_request: pull }, { ref: 'refs/heads/main', sha: 'head of main', headRef: 'topic', baseRef: 'main' }],
    ['pull_request', { pull_request: pull }, { ref: 'refs/pull/7/merge', sha: 'c'.repeat(40), headRef: 'topic', baseRef: 'main' }],
    [
      'merge_group',
      { merge_group: { head_sha: 'd'.repeat(40), head_ref: 'refs/heads/q', base_ref: 'main' } },
      { ref: 'refs/heads/q', sha: 'd'.repeat(40) },
    ],
  ])('%s', (name, payload, expected) => {
    expect(resolveEvent({ name, payload }, 'main', heads)).toMatchObject(expected);
  });

  it('fires no pull_request for a conflict', () => {
    const payload = { pull_request: { ...pull, merge_commit_sha: null } };
    expect(() => resolveEvent({ name: 'pull_request', payload }, 'main', heads)).toThrow('a conflicted pull request fires no pull_request');
  });
});

describe('startedBy', () => {
  const event = (name: string, payload: unknown, more: Partial<ResolvedEvent> = {}): ResolvedEvent => ({
    name,
    payload,
    ref: 'refs/heads/main',
    sha: '',
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
