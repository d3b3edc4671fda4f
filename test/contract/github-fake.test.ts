import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import type { Access, CheckConclusion } from '@slashtrain/testing/github/store';

/* What the fake GitHub refuses and how, request by request. Each rule's source stands beside the rule. */

let github: FakeGitHub;
let repository: Repository;
let head: string;
let number: number;

beforeEach(async () => {
  github = await startGitHub();
  repository = github.createRepository({
    owner: 'ada',
    name: 'digits',
    files: { 'README.md': '# Digits\n', 'src/train.js': 'train();\n' },
  });
  head = repository.commit({ branch: 'feature/better', files: { 'src/train.js': 'train(20);\n' }, author: 'bob' });
  number = repository.openPullRequest({ head: 'feature/better', author: 'bob' });
});
afterEach(() => github.close());

interface Answer {
  status: number;
  // What a test looks into is its own matter.
  json: Record<string, unknown> & { message?: string };
  text: string;
  headers: Headers;
}

const everything: Record<string, Access> = {
  contents: 'write',
  'pull-requests': 'write',
  issues: 'write',
  checks: 'write',
  statuses: 'write',
  deployments: 'write',
};

async function ask(
  method: string,
  path: string,
  body?: unknown,
  token = github.token(everything),
  accept = 'application/vnd.github+json',
): Promise<Answer> {
  const response = await fetch(path.startsWith('/graphql') ? github.graphqlUrl : `${github.apiUrl}${path}`, {
    method,
    redirect: 'manual',
    headers: { accept, ...(token === '' ? {} : { authorization: `Bearer ${token}` }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') && !accept.includes('raw');
  return { status: response.status, json: isJson ? (JSON.parse(text) as Answer['json']) : {}, text, headers: response.headers };
}

const here = '/repos/ada/digits';

describe('who asks', () => {
  it('answers as GitHub does without a token, with a wrong one, and for what is not there', async () => {
    expect(await ask('GET', here, undefined, '')).toMatchObject({ status: 401, json: { message: 'Requires authentication' } });
    expect(await ask('GET', here, undefined, 'ghs_wrong')).toMatchObject({ status: 401, json: { message: 'Bad credentials' } });
    expect((await ask('GET', '/repos/ada/nothing')).json).toEqual({
      message: 'Not Found',
      documentation_url: 'https://docs.github.com/rest/repos/repos#get-a-repository',
      status: '404',
    });
    expect(await ask('POST', `${here}/check-runs`, '{')).toMatchObject({ status: 400, json: { message: 'Problems parsing JSON' } });
  });

  it('names what it does not know', async () => {
    expect(await ask('GET', `${here}/pages`)).toMatchObject({
      status: 501,
      json: { message: 'This GitHub does not know GET /repos/ada/digits/pages' },
    });
    expect((await ask('POST', '/graphql', { query: '{ viewer { email } }' })).json.message).toContain('viewer { email }');
  });

  it('knows a GITHUB_TOKEN by GraphQL and not by GET /user', async () => {
    expect((await ask('POST', '/graphql', { query: 'query { viewer { login databaseId } }' })).json).toEqual({
      data: { viewer: { login: 'github-actions[bot]', databaseId: 41898282 } },
    });
    expect(await ask('GET', '/user')).toMatchObject({ status: 403, json: { message: 'Resource not accessible by integration' } });
  });

  it.each([
    ['GET', '/contents/README.md', 'contents=read'],
    ['GET', '/tarball/main', 'contents=read'],
    ['GET', '/commits', 'contents=read'],
    ['GET', '/activity', 'contents=read'],
    ['GET', '/git/ref/heads/main', 'contents=read'],
    ['POST', '/git/trees', 'contents=write'],
    ['POST', '/git/commits', 'contents=write'],
    ['POST', '/git/refs', 'contents=write'],
    ['GET', '/pulls/1', 'pull_requests=read'],
    ['GET', '/issues/1/comments', 'issues=read; pull_requests=read'],
    ['POST', '/issues/1/comments', 'issues=write; pull_requests=write'],
    ['POST', '/pulls/1/comments', 'pull_requests=write'],
    ['GET', '/commits/main/check-runs', 'checks=read'],
    ['POST', '/check-runs', 'checks=write'],
    ['GET', '/commits/main/status', 'statuses=read'],
    ['POST', '/deployments', 'deployments=write'],
  ])('%s %s needs %s', async (method, path, needs) => {
    const body = method === 'POST' ? {} : undefined;
    const refused = await ask(method, here + path, body, github.token({}));
    expect(refused).toMatchObject({ status: 403, json: { message: 'Resource not accessible by integration', status: '403' } });
    expect(refused.headers.get('x-accepted-github-permissions')).toBe(needs);
    for (const need of needs.split('; ')) {
      const [name = '', access] = need.split('=');
      expect((await ask(method, here + path, body, github.token({ [name.replace('_', '-')]: access as Access }))).status).not.toBe(403);
      if (access === 'write') expect((await ask(method, here + path, body, github.token({ [name]: 'read' }))).status).toBe(403);
    }
  });

  it('lets every token read what is public, and write nothing of another repository', async () => {
    const open = github.createRepository({ owner: 'ada', name: 'open', private: false });
    const issue = open.openIssue({ title: 'x' });
    const token = github.token(everything, { repository });
    expect((await ask('GET', '/repos/ada/open/contents/README.md', undefined, token)).status).toBe(200);
    expect((await ask('POST', `/repos/ada/open/issues/${issue}/comments`, { body: 'x' }, token)).status).toBe(403);
    expect((await ask('GET', '/repos/ada/digits', undefined, github.token(everything, { repository: open }))).status).toBe(404);
  });

  it("counts requests by token and refuses those above the hour's", async () => {
    const small = await startGitHub({ hourlyLimit: 2 });
    const token = small.token({});
    const get = (): Promise<Response> => fetch(`${small.apiUrl}/rate_limit`, { headers: { authorization: `token ${token}` } });
    expect((await get()).headers.get('x-ratelimit-remaining')).toBe('1');
    await get();
    const refused = await get();
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ message: expect.stringContaining('API rate limit exceeded') });
    expect(refused.headers.get('x-ratelimit-remaining')).toBe('0');
    await small.close();
  });

  it('tells a role from the level that old clients know', async () => {
    repository.setPermission('carol', 'triage');
    expect((await ask('GET', `${here}/collaborators/carol/permission`)).json).toMatchObject({ permission: 'read', role_name: 'triage' });
    github.user('mallory');
    expect((await ask('GET', `${here}/collaborators/mallory/permission`)).json).toMatchObject({ permission: 'none' });
    expect((await ask('GET', `${here}/collaborators/nobody/permission`)).status).toBe(404);
  });
});

describe('pages', () => {
  it('links them as GitHub does', async () => {
    for (let index = 0; index < 25; index++) repository.comment(number, 'bob', String(index));
    const path = `${here}/issues/${number}/comments`;
    const first = await ask('GET', `${path}?per_page=10`);
    expect(first.headers.get('link')).toBe(
      `<${github.apiUrl}${path}?per_page=10&page=2>; rel="next", <${github.apiUrl}${path}?per_page=10&page=3>; rel="last"`,
    );
    const last = await ask('GET', `${path}?per_page=10&page=3`);
    expect(last.headers.get('link')).toBe(
      `<${github.apiUrl}${path}?per_page=10&page=2>; rel="prev", <${github.apiUrl}${path}?per_page=10&page=1>; rel="first"`,
    );
    expect(JSON.parse(last.text)).toHaveLength(5);
    expect((await ask('GET', path)).headers.get('link')).toBeNull();
  });
});

describe('files', () => {
  it('gives a file, its bytes, a folder and a link', async () => {
    repository.commit({
      files: { 'docs/link': { mode: '120000', content: '../README.md' }, 'docs/dead': { mode: '120000', content: '/etc/passwd' } },
    });
    expect((await ask('GET', `${here}/contents/src/train.js?ref=feature%2Fbetter`)).json).toMatchObject({
      type: 'file',
      encoding: 'base64',
      content: `${Buffer.from('train(20);\n').toString('base64')}\n`,
    });
    expect((await ask('GET', `${here}/contents/README.md`, undefined, undefined, 'application/vnd.github.raw+json')).text).toBe(
      '# Digits\n',
    );
    expect(JSON.parse((await ask('GET', `${here}/contents/`)).text)).toMatchObject([
      { path: 'README.md' },
      { path: 'docs', type: 'dir' },
      { path: 'src' },
    ]);
    expect((await ask('GET', `${here}/contents/docs/link`)).json).toMatchObject({ type: 'file', content: expect.any(String) });
    expect((await ask('GET', `${here}/contents/docs/dead`)).json).toMatchObject({ type: 'symlink', target: '/etc/passwd' });
    expect((await ask('GET', `${here}/git/trees/${head}?recursive=1`)).json['tree']).toMatchObject([
      { path: 'README.md', mode: '100644', type: 'blob', size: 9 },
      { path: 'src', mode: '040000', type: 'tree' },
      { path: 'src/train.js' },
    ]);
  });

  it('compares two commits from where they parted', async () => {
    repository.commit({ files: { other: '' } });
    const { json } = await ask('GET', `${here}/compare/main...feature%2Fbetter`);
    expect(json).toMatchObject({
      status: 'diverged',
      ahead_by: 1,
      behind_by: 1,
      files: [{ filename: 'src/train.js', status: 'modified' }],
    });
  });

  it('keeps what the server saw of pushes', async () => {
    const before = repository.head();
    const after = repository.commit({ files: { x: 'x' }, author: 'bob', date: 0 });
    repository.push('main', before);
    expect(JSON.parse((await ask('GET', `${here}/activity?ref=main`)).text)).toMatchObject([
      { activity_type: 'force_push', before: after, after: before },
      { activity_type: 'push', before, after, actor: { login: 'bob' } },
      { activity_type: 'branch_creation' },
    ]);
  });
});

describe('the git data API', () => {
  const create = async (what: string, body: Record<string, unknown>): Promise<Record<string, unknown>> => {
    const { status, json } = await ask('POST', `${here}/git/${what}`, body);
    expect(status).toBe(201);
    return json;
  };

  it('makes a branch without a parent, and moves it forward alone', async () => {
    const { sha: tree } = await create('trees', { tree: [{ path: 'a/b.svg', mode: '100644', type: 'blob', content: '<svg/>' }] });
    const { sha: first } = await create('commits', { message: 'one', tree, parents: [] });
    expect(await create('refs', { ref: 'refs/heads/charts', sha: first })).toMatchObject({ object: { type: 'commit', sha: first } });
    const { sha: more } = await create('trees', { base_tree: tree, tree: [{ path: 'c.svg', mode: '100644', type: 'blob', content: 'c' }] });
    const { sha: second } = await create('commits', { message: 'two', tree: more, parents: [first] });
    const { sha: other } = await create('commits', { message: 'other', tree: more, parents: [first] });
    const moved = (sha: unknown): Promise<Answer> => ask('PATCH', `${here}/git/refs/heads/charts`, { sha });
    expect(await moved(second)).toMatchObject({ status: 200, json: { object: { sha: second } } });
    expect(await moved(other)).toMatchObject({ status: 422, json: { message: 'Update is not a fast forward' } });
    expect((await ask('GET', `${here}/git/ref/heads/charts`)).json).toMatchObject({ ref: 'refs/heads/charts', object: { sha: second } });
    expect((await ask('GET', `${here}/contents/a/b.svg?ref=charts`)).json).toMatchObject({ size: 6 });
    expect((await ask('GET', `${here}/git/ref/heads/none`)).status).toBe(404);
  });

  it.each([
    ['refs', { ref: 'refs/heads/main', sha: 'a'.repeat(40) }, 'Object does not exist'],
    ['refs', { ref: 'main', sha: 'a'.repeat(40) }, 'at least two slashes'],
    ['trees', { tree: [{ path: 'a', mode: '100644' }] }, 'Must supply either tree.sha or tree.content'],
    ['trees', {}, '"tree" wasn\'t supplied.'],
    ['commits', { message: 'x', tree: 'a'.repeat(40) }, 'Tree SHA does not exist'],
  ])('refuses %s %j', async (what, body, words) => {
    expect(await ask('POST', `${here}/git/${what}`, body)).toMatchObject({
      status: 422,
      json: { message: expect.stringContaining(words) },
    });
  });

  it('refuses a branch that is there', async () => {
    const refused = await ask('POST', `${here}/git/refs`, { ref: 'refs/heads/main', sha: head });
    expect(refused).toMatchObject({ status: 422, json: { message: 'Reference already exists' } });
  });
});

describe('check runs', () => {
  const create = (more: Record<string, unknown>, token?: string): Promise<Answer> =>
    ask('POST', `${here}/check-runs`, { name: 'metrics: digits', head_sha: head, ...more }, token);

  it.each([
    ['no name', { name: undefined }, '"name" wasn\'t supplied.'],
    ['completed without a conclusion', { status: 'completed' }, '"conclusion" wasn\'t supplied.'],
    ['a conclusion that GitHub alone gives', { conclusion: 'stale' }, 'stale is not a member of'],
    ['output without a summary', { output: { title: 'x' } }, '"summary" wasn\'t supplied.'],
    [
      'too many characters',
      { output: { title: 'x', summary: 'x'.repeat(65_536) } },
      'Only 65535 characters are allowed; 65536 were supplied.',
    ],
    ['a commit that is not there', { head_sha: 'f'.repeat(40) }, 'No commit found for SHA'],
  ])('refuses %s', async (_, more, words) => {
    expect(await create(more)).toMatchObject({ status: 422, json: { message: expect.stringContaining(words) } });
  });

  it('counts bytes after characters', async () => {
    const { status, json } = await create({ output: { title: 'x', summary: 'ü'.repeat(40_000) } });
    expect({ status, errors: json['errors'] }).toEqual({
      status: 422,
      errors: [{ resource: 'CheckRun', code: 'custom', field: 'summary', message: 'summary exceeds a maximum bytesize of 65535' }],
    });
  });

  const annotation = { path: 'a.yml', start_line: 2, end_line: 2, annotation_level: 'failure', message: 'x' };
  const annotated = (annotations: unknown): Record<string, unknown> => ({ output: { title: 'x', summary: 'x', annotations } });

  it.each([
    ['51', Array.from({ length: 51 }, () => annotation), 'No more than 50 items are allowed; 51 were supplied.'],
    ['no list', annotation, "For 'properties/annotations'"],
    ['one without a line', [{ ...annotation, start_line: undefined }], '"start_line" wasn\'t supplied.'],
    ['one without a level', [{ ...annotation, annotation_level: undefined }], '"annotation_level" wasn\'t supplied.'],
    ['a level of workflow commands', [{ ...annotation, annotation_level: 'error' }], 'error is not a member of'],
    ['a line that is a text', [{ ...annotation, end_line: '2' }], 'is not an integer.'],
    ['line 0', [{ ...annotation, start_line: 0 }], 'Validation Failed'],
    ['an end before the start', [{ ...annotation, end_line: 1 }], 'Validation Failed'],
    ['columns over lines', [{ ...annotation, end_line: 3, start_column: 1 }], 'Validation Failed'],
    ['a long title', [{ ...annotation, title: 'x'.repeat(256) }], 'Validation Failed'],
    ['a long message', [{ ...annotation, message: 'x'.repeat(65_537) }], 'Validation Failed'],
  ])('refuses annotations: %s', async (_, annotations, words) => {
    expect(await create(annotated(annotations))).toMatchObject({ status: 422, json: { message: expect.stringContaining(words) } });
  });

  it('adds annotations to those that are there, and lists them', async () => {
    const { json } = await create(annotated([annotation]));
    const one = `${here}/check-runs/${String(json['id'])}`;
    const { json: changed } = await ask('PATCH', one, annotated([{ ...annotation, start_line: 3, end_line: 3, title: 'y' }]));
    expect(changed['output']).toMatchObject({ annotations_count: 2 });
    expect((await ask('GET', `${one}/annotations`)).json).toMatchObject([
      { path: 'a.yml', start_line: 2, end_line: 2, annotation_level: 'failure', message: 'x', title: null },
      { start_line: 3, title: 'y', blob_href: expect.stringContaining(`/blob/${head}/a.yml`) },
    ]);
  });

  it('completes with a conclusion, and does not go back', async () => {
    const { json } = await create({ conclusion: 'failure' });
    expect(json).toMatchObject({ status: 'completed', conclusion: 'failure', completed_at: expect.any(String), app: { id: 15368 } });
    const back = await ask('PATCH', `${here}/check-runs/${String(json['id'])}`, { status: 'in_progress' });
    expect(back).toMatchObject({ status: 200, json: { status: 'completed', conclusion: 'failure' } });
    const changed = await ask('PATCH', `${here}/check-runs/${String(json['id'])}`, { conclusion: 'success' });
    expect(changed.json).toMatchObject({ conclusion: 'success' });
  });

  it('is changed by the App that made it alone', async () => {
    const token = github.token(everything, { app: github.createApp('train-bot') });
    const { json } = await create({ details_url: 'https://example.com/theirs' }, token);
    expect(json['details_url']).toBe('https://example.com/theirs');
    expect(await ask('PATCH', `${here}/check-runs/${String(json['id'])}`, { conclusion: 'success' })).toMatchObject({
      status: 403,
      json: {
        message: expect.stringMatching(/^Invalid app_id `\d+` - check run can only be modified by the GitHub App that created it\.$/u),
      },
    });
    expect((await create({ details_url: 'https://example.com/ours' })).json['details_url']).not.toContain('example.com');
  });

  it('lists the newest of a name, or all', async () => {
    await create({ status: 'in_progress' });
    await create({ conclusion: 'success' });
    await create({ name: 'other' });
    const list = async (query: string): Promise<unknown> =>
      (await ask('GET', `${here}/commits/${head}/check-runs?${query}`)).json['total_count'];
    expect([
      await list(''),
      await list('filter=all'),
      await list('check_name=metrics:%20digits&filter=all'),
      await list('status=completed'),
    ]).toEqual([2, 3, 2, 1]);
  });
});

describe('merging', () => {
  const conclude = (conclusion: CheckConclusion | undefined, name = 'metrics: digits'): unknown =>
    repository.addCheck({ name, headSha: head, app: github.actions, conclusion });

  it.each([
    [undefined, false],
    ['success', true],
    ['neutral', true],
    ['skipped', true],
    ['failure', false],
    ['cancelled', false],
    ['timed_out', false],
    ['action_required', false],
    ['stale', false],
  ] as const)('a required check that is %s allows it: %p', (conclusion, allowed) => {
    repository.protect('main', { requiredChecks: [{ context: 'metrics: digits' }] });
    expect(repository.canMerge(number)).toMatchObject({
      allowed: false,
      reasons: ['Expected — Waiting for status "metrics: digits" to be reported'],
    });
    conclude(conclusion);
    expect(repository.canMerge(number)).toMatchObject({ allowed, state: allowed ? 'clean' : 'blocked' });
  });

  it('takes the newest of a name, and of a pinned app alone', () => {
    const app = github.createApp('train-bot');
    repository.protect('main', { requiredChecks: [{ context: 'metrics: digits', appId: app.id }] });
    conclude('success');
    expect(repository.canMerge(number).allowed).toBe(false);
    repository.addCheck({ name: 'metrics: digits', headSha: head, app, conclusion: 'success' });
    expect(repository.canMerge(number).allowed).toBe(true);
    repository.addCheck({ name: 'metrics: digits', headSha: head, app, status: 'in_progress' });
    expect(repository.canMerge(number)).toMatchObject({
      allowed: false,
      reasons: ['Required status check "metrics: digits" is in progress'],
    });
  });

  it('blocks again after a push', () => {
    repository.protect('main', { requiredChecks: [{ context: 'metrics: digits' }] });
    conclude('success');
    repository.commit({ branch: 'feature/better', files: { x: 'x' } });
    expect(repository.canMerge(number).allowed).toBe(false);
  });

  it('says dirty, behind, draft and unstable', async () => {
    conclude('failure', 'lint');
    expect(repository.canMerge(number)).toMatchObject({ allowed: true, state: 'unstable' });
    expect((await ask('GET', `${here}/pulls/${number}`)).json).toMatchObject({ mergeable: true, mergeable_state: 'unstable' });
    repository.pull(number).draft = true;
    expect(repository.canMerge(number)).toMatchObject({ allowed: false, state: 'draft' });
    repository.pull(number).draft = false;
    repository.commit({ files: { 'src/train.js': 'train(5);\n' } });
    expect(repository.canMerge(number)).toMatchObject({ allowed: false, mergeable: false, state: 'dirty' });
    expect(() => repository.events.pullRequest(number, { action: 'synchronize' })).toThrow('conflicts');
    expect(repository.events.pullRequestTarget(number, { action: 'synchronize' }).sha).toBe(repository.head());
  });

  it('makes a group for a merge queue', async () => {
    const group = repository.mergeGroup(number);
    const event = repository.events.mergeGroup(group);
    expect(event).toMatchObject({
      name: 'merge_group',
      sha: group.sha,
      payload: { merge_group: { head_sha: group.sha, base_sha: repository.head() } },
    });
    expect((await ask('GET', `${here}/contents/src/train.js?ref=${group.sha}`)).status).toBe(200);
  });
});

describe('deployments', () => {
  const deploy = (more: Record<string, unknown> = {}): Promise<Answer> =>
    ask('POST', `${here}/deployments`, { ref: head, environment: 'staging', ...more });

  it('refuses by default while a check of ours is not a success', async () => {
    repository.addCheck({ name: 'train: digits', headSha: head, app: github.actions, status: 'in_progress' });
    expect(await deploy()).toMatchObject({ status: 409, json: { message: `Conflict: Commit status checks failed for ${head}.` } });
    expect((await deploy({ required_contexts: ['nothing'] })).status).toBe(409);
    expect(await deploy({ required_contexts: [] })).toMatchObject({ status: 201, json: { sha: head, environment: 'staging' } });
  });

  it('merges the default branch by default', async () => {
    repository.commit({ files: { other: '' } });
    expect(await deploy()).toMatchObject({ status: 409, json: { message: `Conflict merging main into ${head}.` } });
    expect(await deploy({ ref: 'feature/better' })).toMatchObject({
      status: 202,
      json: { message: 'Auto-merged main into feature/better on deployment.' },
    });
    expect((await deploy({ auto_merge: false })).status).toBe(201);
  });

  it('puts earlier ones of the environment aside after a success', async () => {
    const make = async (more: Record<string, unknown>): Promise<number> => {
      const { json } = await deploy(more);
      await ask('POST', `${here}/deployments/${String(json['id'])}/statuses`, { state: 'success' });
      return Number(json['id']);
    };
    const [first, production] = [await make({}), await make({ environment: 'production' })];
    const second = await make({});
    await make({ environment: 'production' });
    const states = [first, production, second].map((id) => repository.data.deployments.get(id)?.statuses.at(-1)?.state);
    expect(states).toEqual(['inactive', 'success', 'success']);
    expect((await ask('DELETE', `${here}/deployments/${second}`)).status).toBe(422);
    expect((await ask('DELETE', `${here}/deployments/${first}`)).status).toBe(204);
  });
});

describe('events', () => {
  it('gives a comment the default branch, and an edit its editor', () => {
    const comment = repository.comment(number, 'bob', '/train epochs=20');
    const made = repository.events.issueComment(comment);
    expect(made).toMatchObject({ name: 'issue_comment', sha: repository.head(), ref: 'refs/heads/main', actor: 'bob' });
    expect(made.payload).toMatchObject({
      action: 'created',
      comment: { id: comment.id, body: '/train epochs=20', user: { login: 'bob', type: 'User' } },
      issue: { number, pull_request: expect.anything() },
      repository: { id: repository.id, full_name: 'ada/digits' },
      sender: { login: 'bob' },
    });
    repository.editComment(comment, '/deploy');
    const edited = repository.events.issueComment(comment, { action: 'edited', by: 'mallory', before: '/train epochs=20' });
    expect(edited).toMatchObject({
      actor: 'mallory',
      payload: { changes: { body: { from: '/train epochs=20' } }, sender: { login: 'mallory' } },
    });
  });

  it('gives a pull request its test merge, a push its commits', () => {
    const opened = repository.events.pullRequest(number, { action: 'opened' });
    expect(opened).toMatchObject({ ref: `refs/pull/${number}/merge`, headRef: 'feature/better', baseRef: 'main' });
    expect(repository.data.git.commits.get(opened.sha)?.parents).toEqual([repository.head(), head]);
    const before = repository.head();
    const after = repository.commit({ files: { x: 'x' }, message: 'Push' });
    expect(repository.events.push('main', before)).toMatchObject({
      sha: after,
      payload: { before, after, forced: false, commits: [{ id: after, message: 'Push' }] },
    });
  });
});

describe('reviews and teams', () => {
  it('gives a review comment its reactions', async () => {
    const comment = repository.reviewComment(number, 'bob', '/train');
    const path = `${here}/pulls/comments/${comment.id}`;
    expect((await ask('GET', path)).json).toMatchObject({ id: comment.id, body: '/train', user: { login: 'bob' } });
    expect((await ask('POST', `${path}/reactions`, { content: 'eyes' })).status).toBe(201);
    expect((await ask('POST', `${path}/reactions`, { content: 'eyes' })).status).toBe(200);
    expect((await ask('POST', `${path}/reactions`, { content: 'shrug' })).status).toBe(422);
    expect(repository.events.pullRequestReviewComment(comment).payload).toMatchObject({ action: 'created', comment: { id: comment.id } });
  });

  it('takes a comment on lines that the diff shows, and on no others', async () => {
    const lines = Array.from({ length: 40 }, (_, index) => `line ${index + 1}\n`);
    repository.commit({ files: { 'params.yaml': lines.join('') } });
    const [third, thirtieth] = ['line 3\n', 'line 30\n'];
    const changed = lines.join('').replace(third, 'three\n').replace(thirtieth, 'thirty\n');
    const sha = repository.commit({ branch: 'tune', files: { 'params.yaml': changed } });
    const pull = repository.openPullRequest({ head: 'tune' });
    const path = `${here}/pulls/${pull}/comments`;
    const comment = { body: 'x', path: 'params.yaml', commit_id: sha, side: 'RIGHT' };
    const refused = async (change: object): Promise<unknown> => {
      const { status, json } = await ask('POST', path, { ...comment, ...change });
      return [status, (json['errors'] as { field: string; message?: string }[])[0]];
    };
    const thread = 'pull_request_review_thread';
    const wrong = (field: string, message: string): unknown => [422, expect.objectContaining({ field, message: `${field} ${message}` })];
    expect(await refused({ line: 12 })).toEqual(wrong(`${thread}.line`, 'must be part of the diff'));
    expect(await refused({ line: 30, start_line: 3 })).toEqual(wrong(`${thread}.start_line`, 'must be part of the same hunk as the line.'));
    expect(await refused({ line: 3, start_line: 3 })).toEqual(wrong(`${thread}.start_line`, 'must precede the end line.'));
    expect(await refused({ line: 3, commit_id: repository.head() })).toEqual(wrong('end_commit_oid', 'is not part of the pull request'));
    expect(await refused({ line: 1, path: 'README.md' })).toEqual([
      422,
      expect.objectContaining({ code: 'invalid', field: `${thread}.path` }),
    ]);
    expect((await ask('POST', path, { ...comment, line: 3 }, github.token({ issues: 'write' }))).status).toBe(403);
    expect(JSON.parse((await ask('GET', `${here}/pulls/${pull}/files`)).text)).toMatchObject([
      { filename: 'params.yaml', additions: 2, deletions: 2, patch: expect.stringMatching(/^@@ -1,6 \+1,6 @@\n line 1\n/u) },
    ]);

    const made = await ask('POST', path, { ...comment, line: 4, start_line: 2 });
    expect(made).toMatchObject({ status: 201, json: { path: 'params.yaml', line: 4, start_line: 2, commit_id: sha } });
    const one = `${here}/pulls/comments/${String(made.json['id'])}`;
    expect((await ask('PATCH', one, { body: 'y' })).json).toMatchObject({ body: 'y' });
    const next = repository.commit({ branch: 'tune', files: { 'params.yaml': `first\n${changed}` } });
    const [moved] = JSON.parse((await ask('GET', path)).text) as unknown[];
    expect(moved).toMatchObject({ line: 5, start_line: 3, original_line: 4, commit_id: next, original_commit_id: sha });
    repository.commit({ branch: 'tune', files: { 'params.yaml': lines.join('') } });
    expect((await ask('GET', one)).json).toMatchObject({ line: null, start_line: null, commit_id: sha });
    expect((await ask('DELETE', one)).status).toBe(204);
    expect((await ask('GET', path)).text).toBe('[]');
  });

  it('keeps the head that was reviewed', async () => {
    const review = repository.review(number, 'carol', 'APPROVED');
    repository.commit({ branch: 'feature/better', files: { x: 'x' } });
    expect(JSON.parse((await ask('GET', `${here}/pulls/${number}/reviews`)).text)).toMatchObject([{ state: 'APPROVED', commit_id: head }]);
    expect(repository.events.pullRequestReview(review).payload).toMatchObject({ review: { state: 'approved' }, action: 'submitted' });
  });

  it('shows teams to a token that may read members', async () => {
    github.createTeam('ada', 'ml', ['carol']);
    const membership = (login: string, token?: string): Promise<Answer> =>
      ask('GET', `/orgs/ada/teams/ml/memberships/${login}`, undefined, token);
    const token = github.token({ members: 'read' });
    expect((await membership('carol')).status).toBe(403);
    expect((await membership('Carol', token)).json).toMatchObject({ state: 'active' });
    expect((await membership('bob', token)).status).toBe(404);
  });
});
