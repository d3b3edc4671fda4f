import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ActionError } from '@slashtrain/core/action/errors';
import { CheckRuns, checkTextLimit, type CheckKey } from '@slashtrain/core/github/checks';
import { commentLimit, createComment, deleteComment, keepComment, listComments, markerOf } from '@slashtrain/core/github/comments';
import { firstParents, pullRequestsOf, readCommit, resolveCommit } from '@slashtrain/core/github/commits';
import { readFileAt } from '@slashtrain/core/github/contents';
import { readPermission } from '@slashtrain/core/github/permission';
import { listTouchedPaths, readPullRequest } from '@slashtrain/core/github/pull-request';
import { addReaction, listReactions } from '@slashtrain/core/github/reactions';
import { readViewer } from '@slashtrain/core/github/viewer';
import { collect, subjects, type Scene } from './github-subjects.ts';

/* core/github, the same cases on the fake and, where one is given, on a pull request of GitHub itself. */
describe.each(subjects)('core/github on $name', ({ open, comments }) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await open();
  });
  afterAll(() => scene.close());

  /** A check of this run of the tests alone. */
  const key = (name = `test: ${randomUUID()}`): CheckKey => ({ sha: scene.head, name, externalId: randomUUID() });
  const text = { title: 'a title', summary: 'a summary' };

  describe('reading', () => {
    it('reads a pull request and what it touches', async () => {
      const pull = await readPullRequest(scene.github, scene.number);
      expect(pull).toMatchObject({ number: scene.number, state: 'open', merged: false, head: { sha: scene.head }, isFork: false });
      expect(pull.base.repositoryId).toBe(scene.github.repositoryId);
      expect((await listTouchedPaths(scene.github, scene.number)).length).toBeGreaterThan(0);
    });

    it('reads commits and their trees alike by both ways', async () => {
      const commit = await readCommit(scene.github, scene.head);
      expect(await resolveCommit(scene.github, scene.head)).toEqual(commit);
      expect(commit.tree).toMatch(/^[0-9a-f]{40}$/u);
    });

    it('walks first parents from the head to the base', async () => {
      const line = await collect(firstParents(scene.github, scene.head, 5));
      expect(line[0]?.sha).toBe(scene.head);
      for (const [index, { sha }] of line.slice(1).entries()) expect(line[index]?.parents[0]).toBe(sha);
    });

    it('names the open pull request of a head that is not merged', async () => {
      expect((await pullRequestsOf(scene.github, scene.head)).map(({ number }) => number)).toContain(scene.number);
    });

    it('reads a file at a commit, and tells a missing file from a missing commit', async () => {
      const file = await readFileAt(scene.github, scene.file.path, scene.head);
      expect(file?.text).toBe(scene.file.text ?? file?.text);
      expect(file?.text).not.toBe('');
      expect(await readFileAt(scene.github, `no/${randomUUID()}.txt`, scene.head)).toBeUndefined();
      await expect(readFileAt(scene.github, scene.file.path, 'no-such-branch')).rejects.toMatchObject({ code: 'not-found' });
    });

    it('knows who we are, as comments know us', async () => {
      const viewer = await readViewer(scene.github);
      const comment = await createComment(scene.github, scene.number, 'a test: this comment goes away');
      await deleteComment(scene.github, comment.id);
      expect(comment.author).toMatchObject({ id: viewer.id, login: viewer.login });
    });

    it('gives nobody a permission by a login that changed hands or does not exist', async () => {
      expect(await readPermission(scene.github, { login: `nobody-${randomUUID().slice(0, 8)}`, id: 1 })).toBe('none');
      expect(await readPermission(scene.github, { login: scene.github.at.owner, id: 999_999_999 })).toBe('none');
    });
  });

  describe('comments', () => {
    it('deletes what is gone without an error', async () => {
      const comment = await createComment(scene.github, scene.number, 'a test: this comment goes away');
      await deleteComment(scene.github, comment.id);
      await deleteComment(scene.github, comment.id);
    });

    it("refuses a body that is too long with GitHub's words, and takes one that just fits", async () => {
      const comment = await createComment(scene.github, scene.number, 'ü'.repeat(commentLimit));
      await deleteComment(scene.github, comment.id);
      await expect(createComment(scene.github, scene.number, 'x'.repeat(commentLimit + 1))).rejects.toMatchObject({
        code: 'input',
        message: expect.stringContaining('is too long (maximum is 65536 characters)'),
      });
    });

    it('leaves one sticky comment of many writers at once', async () => {
      const marker = markerOf('test', randomUUID());
      await Promise.all(
        Array.from({ length: comments }, (_, index) => keepComment(scene.another(), scene.number, marker, `writer ${index}`)),
      );
      const kept = await keepComment(scene.github, scene.number, marker, 'the last word');
      const left = (await listComments(scene.github, scene.number)).filter(({ body }) => body.startsWith(marker));
      expect(left.map(({ id, body }) => ({ id, body }))).toEqual([{ id: kept.id, body: `${marker}\nthe last word` }]);
      await deleteComment(scene.github, kept.id);
    });

    it('adds a reaction once', async () => {
      const comment = await createComment(scene.github, scene.number, 'a test: this comment goes away');
      await addReaction(scene.github, comment.id, 'rocket');
      await addReaction(scene.github, comment.id, 'rocket');
      const viewer = await readViewer(scene.github);
      const found = await listReactions(scene.github, comment.id, 'rocket');
      await deleteComment(scene.github, comment.id);
      expect(found.map(({ author }) => author?.id)).toEqual([viewer.id]);
    });
  });

  describe('check runs', () => {
    it('goes from queued over in progress to a conclusion as one check', async () => {
      const checks = new CheckRuns(scene.github);
      const wanted = key();
      const queued = await checks.put(wanted, { status: 'queued' }, text);
      const running = await checks.put(wanted, { status: 'in_progress' }, { ...text, title: 'epoch 2 of 20' });
      const ended = await checks.put({ ...wanted, id: queued.id }, { conclusion: 'success' }, text);
      expect([running.id, ended.id]).toEqual([queued.id, queued.id]);
      expect(await checks.find(wanted)).toMatchObject({
        id: queued.id,
        completed: true,
        conclusion: 'success',
        externalId: wanted.externalId,
      });
    });

    it('cannot reopen a completed check, and makes a new one', async () => {
      const checks = new CheckRuns(scene.github);
      const wanted = key();
      const first = await checks.create(wanted, { conclusion: 'failure' }, text);
      const again = await checks.put({ ...wanted, id: first.id }, { status: 'in_progress' }, text);
      expect(again).toMatchObject({ completed: false });
      expect(again.id).not.toBe(first.id);
      expect(await checks.find({ ...wanted, id: first.id })).toMatchObject({ id: first.id, completed: true, conclusion: 'failure' });
      expect(await checks.find(wanted)).toMatchObject({ id: again.id });
      await checks.put({ ...wanted, id: again.id }, { conclusion: 'neutral' }, text);
    });

    it('finds an unfinished check behind a newer one of the same name', async () => {
      const checks = new CheckRuns(scene.github);
      const wanted = key();
      const first = await checks.create(wanted, { status: 'in_progress' }, text);
      await checks.create({ ...key(), name: wanted.name }, { conclusion: 'neutral' }, text);
      expect(await checks.find(wanted)).toMatchObject({ id: first.id });
      await checks.put({ ...wanted, id: first.id }, { conclusion: 'neutral' }, text);
    });

    it.each([
      ['characters of one byte', 'x'],
      ['characters of four bytes', '🚀'],
    ])('fits a summary of too many %s', async (_, character) => {
      const checks = new CheckRuns(scene.github);
      const made = await checks.create(key(), { conclusion: 'neutral' }, { title: 'long', summary: character.repeat(checkTextLimit + 1) });
      expect(made.completed).toBe(true);
    });

    it('says which commit does not exist', async () => {
      const nowhere = { ...key(), sha: 'f'.repeat(40) };
      const failure = await new CheckRuns(scene.github).create(nowhere, { status: 'queued' }, text).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ActionError);
      expect(failure).toMatchObject({ code: 'input', message: expect.stringContaining('No commit found for SHA') });
    });
  });
});
