import { describe, expect, it } from '@jest/globals';
import type { ActionError } from '@slashtrain/core/action/errors';
import { judge, type Allowances, type Facts } from './guard.ts';

const head = 'a'.repeat(40);
const other = 'b'.repeat(40);
const merge = 'c'.repeat(40);
const tree = 'd'.repeat(40);
const record: Facts['record'] = { sha: head, tree, pullRequest: 7, state: 'succeeded', verdict: 'pass', pipeline: 'digits' };
const facts: Facts = { sha: head, pullRequest: { number: 7, head, merged: false }, record };
const allowances: Allowances = { allowInconclusive: false, noBaseline: 'fail' };
const image = { name: 'ghcr.io/acme/digits@sha256:1', ofRun: false };

describe('what may be deployed', () => {
  it.each<[string, Partial<Facts>, Partial<Allowances>, string[]]>([
    ['the trained head', {}, {}, []],
    ['a commit of no pull request', { pullRequest: undefined as never }, {}, []],
    ['the merge, with the same files', { sha: merge, tree, pullRequest: { number: 7, head, merged: true } }, {}, ['with the same files']],
    ['the merge, with others', { sha: merge, tree: other, pullRequest: { number: 7, head, merged: true } }, {}, ['are NOT those of']],
    ['an inconclusive one, allowed', { record: { ...record, verdict: 'inconclusive' } }, { allowInconclusive: true }, ['inconclusive']],
    ['the first of all, allowed', { record: { ...record, verdict: 'no-baseline' } }, { noBaseline: 'pass' }, ['no-baseline']],
    ['a bad one, forced', { record: { ...record, verdict: 'fail' } }, { force: 'the old one is worse' }, ['the old one is worse']],
    ['an image of the commit', { image: { ...image, revision: head } }, {}, []],
    ['an image that says nothing', { image }, {}, ['does not say']],
    ['an image of the run that cannot be read', { image: { ...image, ofRun: true, unread: '401' } }, {}, ['could not be read: 401']],
  ])('%s', (_, changed, allowed, notes) => {
    const proven = judge({ ...facts, ...changed }, { ...allowances, ...allowed });
    expect(proven.sha).toBe(head);
    expect(proven.notes).toEqual(notes.map((note) => expect.stringContaining(note)));
    expect(proven.forced).toBe(allowed.force !== undefined);
  });

  it.each<[string, Partial<Facts>, Partial<Allowances>, ActionError['code'], RegExp]>([
    [
      'a head that moved on',
      { pullRequest: { number: 7, head: other, merged: false } },
      {},
      'mismatch',
      /#7 is b+, and the run trained a+/u,
    ],
    ['another commit than the head', { sha: other }, {}, 'mismatch', /head of #7 is a+ by now, and b+/u],
    ['a commit that nobody trained', { sha: other, pullRequest: undefined as never }, {}, 'mismatch', /trained a+, and b+/u],
    ['a run that failed', { record: { ...record, state: 'failed' } }, { force: 'please' }, 'run-failed', /is failed/u],
    ['a run that goes on', { record: { ...record, state: 'running' } }, {}, 'run-failed', /is running/u],
    ['no verdict', { record: { ...record, verdict: undefined as never } }, {}, 'gate-failed', /no verdict yet/u],
    ['fail', { record: { ...record, verdict: 'fail' } }, { allowInconclusive: true }, 'gate-failed', /verdict "fail"/u],
    ['inconclusive', { record: { ...record, verdict: 'inconclusive' } }, {}, 'gate-failed', /inconclusive/u],
    ['no baseline where one is asked for', { record: { ...record, verdict: 'no-baseline' } }, {}, 'gate-failed', /no-baseline/u],
    ["another commit's image, forced", { image: { ...image, revision: other } }, { force: 'please' }, 'mismatch', /built from b+/u],
    ['an image that cannot be read', { image: { ...image, unread: '401' } }, {}, 'mismatch', /401/u],
  ])('not %s', (_, changed, allowed, code, words) => {
    const refused = (): unknown => judge({ ...facts, ...changed }, { ...allowances, ...allowed });
    expect(refused).toThrow(words);
    expect(refused).toThrow(expect.objectContaining({ code }));
  });
});
