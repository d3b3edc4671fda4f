import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { ActionError, describe as inWords } from '@slashtrain/core/action/errors';
import { CheckRuns } from '@slashtrain/core/github/checks';
import { keepComment, listComments, markerOf } from '@slashtrain/core/github/comments';
import { openGitHub } from '@slashtrain/core/github/client';
import { firstParents, pullRequestsOf } from '@slashtrain/core/github/commits';
import { readFileAt } from '@slashtrain/core/github/contents';
import { allows, readPermission } from '@slashtrain/core/github/permission';
import { Scrubber } from '@slashtrain/core/action/scrub';
import { readPullRequest } from '@slashtrain/core/github/pull-request';
import { addDeploymentStatus, createDeployment } from '@slashtrain/core/github/deployments';
import { addReaction, listReactions } from '@slashtrain/core/github/reactions';
import { hangUp, json, ScriptedServer, type Step } from '../support/scripted-server.ts';
import { collect, keptLog, openFake, type FakeScene } from './github-subjects.ts';

/* What core/github does when things go wrong, which GitHub itself does not do on demand. */

let scene: FakeScene;
beforeEach(async () => {
  scene = await openFake();
});
afterEach(() => scene.close());

const type = { 'content-type': 'application/json; charset=utf-8' };
const text = { title: 'a title', summary: 'a summary' };
const asked = (): string[] => scene.server.requests.map(({ method, path, status }) => `${method} ${path.replace(/\?.*$/u, '')} ${status}`);

describe('permissions', () => {
  it.each([
    [
      'checks: write',
      (s: FakeScene, g: FakeScene['github']) =>
        new CheckRuns(g).create({ sha: s.head, name: 'a', externalId: '' }, { status: 'queued' }, text),
    ],
    [
      'issues: write" or "pull-requests: write',
      (s: FakeScene, g: FakeScene['github']) => addReaction(g, s.repository.comment(s.number, 'bob', 'x').id, 'eyes'),
    ],
    ['pull-requests: read', (s: FakeScene, g: FakeScene['github']) => readPullRequest(g, s.number)],
    ['contents: read', (_: FakeScene, g: FakeScene['github']) => readFileAt(g, 'README.md')],
    ['deployments: write', (_: FakeScene, g: FakeScene['github']) => g.rest.repos.createDeployment({ ...g.at, ref: 'main' })],
  ])('names "%s" where it is missing', async (scope, act) => {
    const failure = await act(scene, scene.client({})).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'permission' });
    expect(inWords(failure)).toContain(`missing permission "${scope}"`);
    expect(inWords(failure)).toContain('add it under permissions: in the job');
    expect(inWords(failure)).toContain('GitHub answered 403');
  });

  it('says that a token is wrong or over', async () => {
    const failure = await readPullRequest(scene.client({}, { token: 'ghs_wrong' }), 1).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'permission' });
    expect(inWords(failure)).toContain('Bad credentials');
  });

  it('masks the token before the first request', () => {
    const masked: string[] = [];
    scene.client({}, { token: 'ghs_secret', log: { ...keptLog(), mask: (secret) => void masked.push(secret) } });
    expect(masked).toEqual(['ghs_secret']);
  });

  it.each([
    ['admin', 'maintain', true],
    ['maintain', 'write', true],
    ['triage', 'write', false],
    ['read', 'triage', false],
  ] as const)('reads the role %s, which gives "%s": %p', async (role, needed, enough) => {
    const account = scene.repository.setPermission('carol', role);
    const held = await readPermission(scene.github, account);
    expect(held).toBe(role);
    expect(allows(held, needed)).toBe(enough);
  });
});

describe('an answer that breaks off, or comes later', () => {
  const file = JSON.stringify({
    type: 'file',
    encoding: 'base64',
    content: Buffer.from('policy: {}').toString('base64'),
    sha: 'a'.repeat(40),
  });
  /** Half of it, in each of the ways in which a connection ends. */
  const halves: [string, Step][] = [
    [
      'by a reset',
      (response) =>
        void response.writeHead(200, { ...type, 'content-length': file.length }).write(file.slice(0, 50), () => response.destroy()),
    ],
    ['before its first byte', (response) => void response.writeHead(200, { ...type, 'content-length': file.length }).destroy()],
    [
      'within its compression',
      (response) => void response.writeHead(200, { ...type, 'content-encoding': 'gzip' }).end(gzipSync(file).subarray(0, 40)),
    ],
    ['at a length that is too short', (response) => void response.writeHead(200, { ...type, 'content-length': 50 }).end(file.slice(0, 50))],
  ];
  let server: ScriptedServer;
  const open = (): FakeScene['github'] =>
    openGitHub({
      token: 'ghs_x',
      context: { owner: 'ada', repo: 'digits', repositoryId: 1, apiUrl: server.url, serverUrl: server.url },
      log: keptLog(),
      second: 1,
    });
  beforeEach(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(() => server.stop());

  it.each(halves)('%s is asked for again, and is never an empty file', async (_, half) => {
    server.script(half, half, json(200, JSON.parse(file)));
    await expect(readFileAt(open(), '.github/slashtrain.yml')).resolves.toMatchObject({ text: 'policy: {}' });
    server.otherwise = half;
    await expect(readFileAt(open(), '.github/slashtrain.yml')).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('of a deployment’s status is sent again: nothing else would take it out of its queue', async () => {
    server.script(hangUp, hangUp, json(201, { id: 1 }));
    await addDeploymentStatus(open(), 7, { state: 'failure', description: 'it did not answer' });
    expect(server.seen.map(({ body }) => (JSON.parse(body) as { state: string }).state)).toEqual(['failure', 'failure', 'failure']);
    server.script(hangUp, hangUp, hangUp, json(201, { id: 1 }));
    await expect(addDeploymentStatus(open(), 7, { state: 'success', description: '' })).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('of a deployment that was made is looked for by its payload, and it is not made twice', async () => {
    const payload = { revision: 'b-2' };
    const asked = { sha: 'b', environment: 'staging', task: 'deploy:digits', description: '', payload };
    server.script(
      halves[2]![1],
      json(200, [
        { id: 6, payload: { revision: 'b-1' } },
        { id: 7, payload },
      ]),
    );
    await expect(createDeployment(open(), asked)).resolves.toBe(7);
    server.script(hangUp, json(200, [{ id: 6, payload: { revision: 'b-1' } }]), json(201, { id: 8 }));
    await expect(createDeployment(open(), asked)).resolves.toBe(8);
    expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'GET', 'POST', 'GET', 'POST']);
  });

  it('with 429 is waited for, whatever its words are', async () => {
    server.script(json(429, { message: 'slow down' }, { 'retry-after': '1' }), json(429, {}), json(200, JSON.parse(file)));
    await expect(readFileAt(open(), '.github/slashtrain.yml')).resolves.toMatchObject({ text: 'policy: {}' });
  });

  it('of a check that was made is looked for, and the check is not made twice', async () => {
    const made = { id: 7, name: 'a', head_sha: 'b', external_id: 'x', status: 'queued', conclusion: null, html_url: null, app: null };
    server.script(halves[2]![1], json(200, { total_count: 1, check_runs: [made] }));
    const check = await new CheckRuns(open()).create({ sha: 'b', name: 'a', externalId: 'x' }, { status: 'queued' }, text);
    expect(check).toMatchObject({ id: 7 });
    expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'GET']);
  });
});

describe('limits and lost answers', () => {
  it('waits for a secondary limit and says so', async () => {
    const log = keptLog();
    scene.server.disturb({ kind: 'secondary', status: 429, retryAfter: 7, method: 'POST' });
    await new CheckRuns(scene.client(undefined, { log })).create(
      { sha: scene.head, name: 'a', externalId: '' },
      { status: 'queued' },
      text,
    );
    expect(asked()).toEqual(['POST /repos/ada/digits/check-runs 429', 'POST /repos/ada/digits/check-runs 201']);
    expect(log.lines).toEqual([
      expect.stringContaining('secondary rate limit is reached at POST /repos/{owner}/{repo}/check-runs; it opens in 7 s, waiting'),
    ]);
  });

  it('waits for the hour where it is nearly over, and not where it is long', async () => {
    scene.server.disturb({ kind: 'primary', resetIn: 1 });
    await readPullRequest(scene.github, scene.number);
    scene.server.disturb({ kind: 'primary', resetIn: 3000 });
    const failure = await readPullRequest(scene.github, scene.number).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'unreachable', remedy: expect.stringContaining('its rate limit opens at 20') });
  });

  it('waits for nothing after a signal', async () => {
    const github = scene.client(undefined, { signal: AbortSignal.abort() });
    scene.server.disturb({ kind: 'secondary', retryAfter: 1 });
    await expect(readPullRequest(github, scene.number)).rejects.toMatchObject({ code: 'unreachable' });
    scene.server.disturb({ kind: 'status', status: 503 });
    await expect(readPullRequest(github, scene.number)).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('reads again after 5xx and a cut connection', async () => {
    scene.server.disturb({ kind: 'status', status: 502 });
    scene.server.disturb({ kind: 'cut', done: false });
    expect((await readPullRequest(scene.github, scene.number)).number).toBe(scene.number);
    expect(scene.server.requests.map(({ status }) => status)).toEqual([502, 0, 200]);
  });

  it('gives up after three more tries, and names the request', async () => {
    scene.server.disturb({ kind: 'status', status: 503, times: 10 });
    await expect(readPullRequest(scene.github, scene.number)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining(`GitHub answered 503 to GET ${scene.server.apiUrl}/repos/ada/digits/pulls/1`),
    });
    expect(asked()).toHaveLength(4);
  });

  it('says who did not answer', async () => {
    const github = scene.client();
    await scene.server.close();
    const failure = await readPullRequest(github, scene.number).catch((error: unknown) => error);
    scene = await openFake();
    expect(failure).toMatchObject({ code: 'unreachable', message: expect.stringMatching(/^GitHub did not answer GET http:/u) });
  });

  it('makes one check although the answer was lost', async () => {
    scene.server.disturb({ kind: 'cut', done: true, method: 'POST' });
    const made = await new CheckRuns(scene.github).create({ sha: scene.head, name: 'a', externalId: 'x' }, { status: 'queued' }, text);
    expect(scene.repository.checks(scene.head).map(({ id }) => id)).toEqual([made.id]);
  });

  it('makes one sticky comment although the answer was lost', async () => {
    scene.server.disturb({ kind: 'cut', done: true, method: 'POST', path: /comments$/u });
    const kept = await keepComment(scene.github, scene.number, markerOf('report', 'digits'), 'body');
    expect(scene.repository.comments(scene.number).map(({ id }) => id)).toEqual([kept.id]);
  });

  it('sends a plain comment once, whatever happens to its answer', async () => {
    scene.server.disturb({ kind: 'cut', done: true, method: 'POST' });
    const { at, rest } = scene.github;
    await expect(rest.issues.createComment({ ...at, issue_number: scene.number, body: 'x' })).rejects.toBeInstanceOf(ActionError);
    expect(scene.repository.comments(scene.number)).toHaveLength(1);
  });
});

describe('the sticky comment', () => {
  const marker = markerOf('report', 'digits');

  it('is found on the third page, and asks as little as it can', async () => {
    for (let index = 0; index < 250; index++) scene.repository.comment(scene.number, 'bob', `chat ${index}`);
    const ours = scene.repository.comment(scene.number, 'github-actions[bot]', `${marker}\nfirst`);
    const kept = await keepComment(scene.github, scene.number, marker, 'second');
    expect(kept.id).toBe(ours.id);
    expect(await listComments(scene.github, scene.number)).toHaveLength(251);
    expect(asked().slice(0, 5)).toEqual([
      'POST /graphql 200',
      ...Array.from({ length: 3 }, () => 'GET /repos/ada/digits/issues/1/comments 200'),
      `PATCH /repos/ada/digits/issues/comments/${ours.id} 200`,
    ]);
  });

  it('leaves alone what others wrote with our marker, and a quote of it', async () => {
    const spoof = scene.repository.comment(scene.number, 'mallory', `${marker}\nall gates passed`);
    const quote = scene.repository.comment(scene.number, 'github-actions[bot]', `> ${marker}\n> quoted`);
    const other = scene.repository.comment(scene.number, 'github-actions[bot]', `${markerOf('report', 'digits-2')}\nanother pipeline`);
    const kept = await keepComment(scene.github, scene.number, marker, 'the truth');
    expect(scene.repository.comments(scene.number).map(({ id, body }) => [id, body])).toEqual([
      [spoof.id, spoof.body],
      [quote.id, quote.body],
      [other.id, other.body],
      [kept.id, `${marker}\nthe truth`],
    ]);
  });

  it('keeps the oldest of several of ours', async () => {
    const [oldest] = [1, 2, 3].map((index) => scene.repository.comment(scene.number, 'github-actions[bot]', `${marker}\n${index}`));
    const kept = await keepComment(scene.github, scene.number, marker, 'new');
    expect(kept.id).toBe(oldest?.id);
    expect(scene.repository.comments(scene.number)).toHaveLength(1);
  });

  it('is made again where a person deletes it meanwhile', async () => {
    const { id } = await keepComment(scene.github, scene.number, marker, 'first');
    const { at, rest } = scene.github;
    const [again] = await Promise.all([
      keepComment(scene.github, scene.number, marker, 'second'),
      rest.issues.deleteComment({ ...at, comment_id: id }),
    ]);
    expect(scene.repository.comments(scene.number).map((one) => one.id)).toEqual(again.id === id ? [] : [again.id]);
  });

  it.each(['a--b', 'a b', '-->', '', '_'])('has no marker with "%s"', (part) => {
    expect(() => markerOf(part)).toThrow('marker');
  });
});

describe('check runs', () => {
  it("makes its own where another App's stands", async () => {
    const app = scene.server.createApp('train-bot');
    const theirs = scene.repository.addCheck({ name: 'train: digits', headSha: scene.head, app, externalId: 'x', status: 'queued' });
    const ours = await new CheckRuns(scene.github).put(
      { sha: scene.head, name: 'train: digits', externalId: 'x', id: theirs.id },
      { conclusion: 'success' },
      text,
    );
    expect(ours).toMatchObject({ appId: 15368, completed: true });
    expect(ours.id).not.toBe(theirs.id);
  });

  it('leaves a job alone that has our name', async () => {
    const job = scene.repository.addCheck({
      name: 'train: digits',
      headSha: scene.head,
      app: scene.server.actions,
      externalId: 'x',
      isJob: true,
    });
    const ours = await new CheckRuns(scene.github).put(
      { sha: scene.head, name: 'train: digits', externalId: 'x' },
      { status: 'in_progress' },
      text,
    );
    expect(ours.id).not.toBe(job.id);
    expect(job.status).toBe('queued');
  });

  it('does not take an id for a check of another commit', async () => {
    const checks = new CheckRuns(scene.github);
    const old = await checks.create({ sha: scene.base, name: 'train: digits', externalId: 'x' }, { status: 'queued' }, text);
    expect(await checks.find({ sha: scene.head, name: 'train: digits', externalId: 'x', id: old.id })).toBeUndefined();
  });

  it('asks once where the id is known, twice where not', async () => {
    const checks = new CheckRuns(scene.github);
    const key = { sha: scene.head, name: 'train: digits', externalId: 'x' };
    const { id } = await checks.put(key, { status: 'queued' }, text);
    await checks.put({ ...key, id }, { status: 'in_progress' }, text);
    await checks.put(key, { conclusion: 'success' }, text);
    expect(asked().map((line) => line.split(' ')[0])).toEqual(['GET', 'POST', 'PATCH', 'GET', 'PATCH']);
  });
});

describe('commits', () => {
  it('finds the pull request and its head behind every way to merge', async () => {
    for (const method of ['merge', 'squash', 'rebase'] as const) {
      const { repository } = scene;
      const head = repository.commit({ branch: method, files: { [`${method}.txt`]: method }, author: 'bob' });
      const number = repository.openPullRequest({ head: method, author: 'bob' });
      // Something else comes in between, so that a rebase makes new commits.
      repository.commit({ files: { [`before-${method}.txt`]: '' }, message: 'In between' });
      const merged = repository.merge(number, method);
      repository.push(method, undefined);
      const [top, below] = await collect(firstParents(scene.github, 'main', 2));
      expect(top?.sha).toBe(merged);
      expect(await pullRequestsOf(scene.github, merged)).toMatchObject([
        { number, headSha: head, mergeCommitSha: merged, baseRef: 'main' },
      ]);
      expect(await pullRequestsOf(scene.github, below?.sha ?? '')).toEqual([]);
    }
  });

  it('keeps to the first parent through merges', async () => {
    const { repository } = scene;
    const line = [repository.head()];
    for (let index = 0; index < 4; index++) {
      repository.commit({ branch: `side-${index}`, files: { [`${index}.txt`]: 'x' } });
      repository.commit({ branch: `side-${index}`, files: { [`${index}.txt`]: 'y' } });
      line.unshift(repository.merge(repository.openPullRequest({ head: `side-${index}` }), 'merge'));
    }
    const walked = await collect(firstParents(scene.github, repository.head(), 3));
    expect(walked.map(({ sha }) => sha)).toEqual(line.slice(0, 3));
    expect(await collect(firstParents(scene.github, repository.head(), 100))).toHaveLength(5);
  });
});

describe('pull requests', () => {
  it('takes a head whose fork is gone for a fork', async () => {
    const fork = scene.repository.fork('mallory');
    fork.commit({ branch: 'evil', files: { x: 'x' } });
    const number = scene.repository.openPullRequest({ head: 'evil', fork });
    expect(await readPullRequest(scene.github, number)).toMatchObject({ isFork: true, head: { repositoryId: fork.id } });
    fork.delete();
    const pull = await readPullRequest(scene.github, number);
    expect(pull.isFork).toBe(true);
    expect(pull.head).not.toHaveProperty('repositoryId');
  });

  it('reads all pages of reactions', async () => {
    const comment = scene.repository.comment(scene.number, 'bob', '/confirm');
    for (let index = 0; index < 130; index++) scene.repository.react(comment, `person-${index}`, '+1');
    scene.repository.react(comment, 'bob', 'eyes');
    expect(await listReactions(scene.github, comment.id, '+1')).toHaveLength(130);
  });
});

describe('contents', () => {
  it('refuses a folder and a file that the API does not give', async () => {
    scene.repository.commit({ files: { 'large.bin': Buffer.alloc(1024 * 1024 + 1, 'x') } });
    await expect(readFileAt(scene.github, 'src')).rejects.toMatchObject({ code: 'input', message: expect.stringContaining('is no file') });
    await expect(readFileAt(scene.github, 'large.bin')).rejects.toMatchObject({ message: expect.stringContaining('up to 1 MB') });
  });
});

it('takes secrets out of what is written, and sends the rest as it is', async () => {
  const server = await ScriptedServer.start();
  server.script(json(201, { id: 1, html_url: 'x', user: null, created_at: '', updated_at: '' }));
  const secrets = new Scrubber();
  secrets.add('ghs_a_token_of_somebody');
  const github = openGitHub({
    token: 'ghs_x',
    context: { owner: 'ada', repo: 'digits', repositoryId: 1, apiUrl: server.url, serverUrl: server.url },
    log: { ...keptLog(), scrub: (value) => secrets.cleanAll(value) },
  });
  await github.rest.checks.create({
    ...github.at,
    name: 'train',
    head_sha: 'a'.repeat(40),
    output: { title: 'no', summary: 'the server said: ghs_a_token_of_somebody is over' },
  });
  expect(server.seen.map(({ path, body }) => [path, JSON.parse(body) as unknown])).toEqual([
    [
      '/repos/ada/digits/check-runs',
      { name: 'train', head_sha: 'a'.repeat(40), output: { title: 'no', summary: 'the server said: *** is over' } },
    ],
  ]);
  await server.stop();
});
