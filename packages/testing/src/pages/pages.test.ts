import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGitHub, type FakeGitHub, type Repository } from '../github/github.ts';
import type { WorkflowRun } from '../runner/result.ts';
import { withPages } from './pages.ts';

const hostile = '<script>alert(1)</script><img src=x onerror=alert(1)>"\'&';
const run: WorkflowRun = {
  id: 77,
  number: 3,
  attempt: 1,
  workflow: 'slashtrain',
  file: '.github/workflows/slashtrain.yml',
  title: hostile,
  event: 'issue_comment',
  sha: 'a'.repeat(40),
  ref: 'refs/heads/main',
  actor: 'mona',
  status: 'completed',
  conclusion: 'failure',
  startedAt: 0,
  jobs: [
    {
      id: 'a',
      name: 'a',
      status: 'completed',
      conclusion: 'failure',
      permissions: { checks: 'write' },
      outputs: {},
      annotations: [],
      steps: [
        {
          number: 1,
          name: hostile,
          post: false,
          status: 'completed',
          conclusion: 'failure',
          lines: ['::group::Folded', '  two spaces', '::endgroup::', `::error::${hostile}`, '\u001b[31mred\u001b[0m', '::add-mask::x'],
          summary: `# Said\n\n${hostile}`,
          outputs: {},
          annotations: [],
        },
      ],
    },
  ],
};

let github: FakeGitHub;
let repository: Repository;
let number: number;

beforeAll(async () => {
  github = await startGitHub({ pages: withPages([run]) });
  repository = github.createRepository({ owner: 'acme', name: 'digits', files: { a: '1' } });
  repository.commit({ branch: 'topic', files: { a: '2' }, message: hostile });
  number = repository.openPullRequest({ head: 'topic', title: hostile, author: 'mona', body: 'two\nlines' });
  repository.protect('main', { requiredChecks: [{ context: 'train: digits' }, { context: 'metrics: digits' }] });
});
afterAll(() => github.close());

async function page(path: string): Promise<string> {
  const response = await fetch(github.url + path);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  return response.text();
}

describe('a page', () => {
  it.each(['/', '/acme/digits', '/acme/digits/pull/1', '/acme/digits/actions/runs/77', '/acme/digits/deployments'])(
    '%s lets no text become markup, and loads nothing from elsewhere',
    async (path) => {
      const html = await page(path);
      expect(html).not.toMatch(/<script>|onerror=alert\(1\)>|<script(?! type="module" src="\/-\/page\.js">)/u);
      expect(
        [...html.matchAll(/ (?:src|href)="([^"]*)"/gu)].map((match) => match[1]).filter((link) => !/^[/#x]/u.test(link ?? '')),
      ).toEqual([]);
    },
  );

  it.each([
    '/acme/other',
    '/acme/digits/pull/9',
    '/acme/digits/runs/1',
    '/-/vendor/mermaid/../package.json',
    '/-/vendor/mermaid/%2e%2e%2fpackage.json',
  ])('%s is not there', async (path) => {
    expect((await fetch(github.url + path)).status).toBe(404);
  });
});

describe('a pull request', () => {
  it('shows comments as GitHub renders them', async () => {
    const comment = repository.comment(
      number,
      'mona',
      `<!-- a marker -->\none\ntwo\n\n| a | b |\n|--|--:|\n| 1 | ${hostile} |\n\n\`\`\`mermaid\ngraph LR; a-->b\n\`\`\`\n\n<details><summary>More</summary>\n\n**bold**\n\n</details>\n\n[x](javascript:alert(1)) <a href="javascript:alert(1)" onclick="a()" style="color:red">y</a> <iframe src="https://example.com"></iframe>`,
    );
    repository.react(comment, 'hubot', 'rocket');
    const html = await page('/acme/digits/pull/1');
    const start = html.indexOf(`id="issuecomment-${comment.id}"`);
    const shown = html.slice(start, html.indexOf('</article>', start));
    expect(shown).toContain('<p>one<br>\ntwo</p>');
    expect(shown).toContain('<td align="right">');
    expect(shown).toContain('<details><summary>More</summary>');
    expect(shown).toContain('sandbox="allow-scripts" title="Diagram" src="/-/diagram#graph%20LR%3B%20a--%3Eb%0A"');
    expect(shown).toContain('🚀');
    expect(shown).not.toMatch(/javascript:|onclick|style=|a marker|example\.com|<iframe(?! class="diagram")/u);
  });

  it('shows a suggestion as what it changes, on its lines', async () => {
    const lines = (rate: string): string => `epochs: 3\n# ${hostile}\nrate: ${rate}\nwidth: 8\n`;
    repository.commit({ branch: 'main', files: { 'params.yaml': lines('1') } });
    const sha = repository.commit({ branch: 'settings', files: { 'params.yaml': lines('2') }, message: 'Change' });
    const pull = repository.openPullRequest({ head: 'settings', title: 'Change', author: 'mona' });
    const headers = { authorization: `Bearer ${github.token({ contents: 'read', 'pull-requests': 'write' }, { repository })}` };
    const body = {
      commit_id: sha,
      path: 'params.yaml',
      start_line: 2,
      line: 3,
      body: `Take it\n\n\`\`\`suggestion\n${hostile}\nrate: 0.3\n\`\`\``,
    };
    const made = await fetch(`${github.apiUrl}/repos/acme/digits/pulls/${pull}/comments`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    expect(made.status).toBe(201);
    const html = await page(`/acme/digits/pull/${pull}`);
    expect(html).toMatch(/<code>params\.yaml<\/code> lines 2 to 3/u);
    expect(html).toMatch(
      /<div class="suggestion"><p>Suggested change<\/p><pre><del>- # [^<]*<\/del><del>- rate: 2<\/del><ins>[^<]*<\/ins><ins>\+ rate: 0\.3<\/ins>/u,
    );
    expect(html).not.toMatch(/<script>|<img src=x|Outdated/u);
    repository.commit({ branch: 'settings', files: { 'params.yaml': lines('4') }, message: 'Again' });
    expect(await page(`/acme/digits/pull/${pull}`)).toContain('Outdated');
  });

  it('shows what was deployed of it, and how that stands', async () => {
    const sha = repository.head('topic');
    const headers = { authorization: `Bearer ${github.token({ contents: 'read', deployments: 'write' }, { repository })}` };
    const post = async (path: string, body: object): Promise<{ id: number }> =>
      (
        await fetch(`${github.apiUrl}/repos/acme/digits/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      ).json() as Promise<{
        id: number;
      }>;
    const asked = { ref: sha, environment: 'staging', auto_merge: false, required_contexts: [], description: hostile };
    const { id } = await post('deployments', asked);
    await post(`deployments/${id}/statuses`, { state: 'in_progress' });
    expect(await page('/acme/digits/pull/1')).toMatch(/class="event deployed">[^]*in progress[^]*deployed to [^]*staging/u);
    await post(`deployments/${id}/statuses`, { state: 'failure', description: `${hostile} runs` });
    const html = await page('/acme/digits/pull/1');
    expect(html).toMatch(/class="event deployed">[^]*failure[^]*deployed to [^]*staging[^]*&lt;script&gt;[^]* runs/u);
    expect(html).not.toContain('<script>alert');
  });

  it('says what a merge waits for, and that it may go on', async () => {
    expect(await page('/acme/digits/pull/1')).toMatch(/Merging is blocked.*Waiting for status &quot;train: digits&quot;/su);
    const headSha = repository.head('topic');
    const check = repository.addCheck({
      name: 'train: digits',
      headSha,
      app: github.actions,
      conclusion: 'success',
      output: { title: 'It ran', summary: '# Whole' },
    });
    repository.addCheck({ name: 'metrics: digits', headSha, app: github.actions, conclusion: 'failure', output: { title: 'Too low' } });
    expect(await page('/acme/digits/pull/1')).toMatch(/Too low.*Merging is blocked.*&quot;metrics: digits&quot; is failing/su);
    repository.addCheck({ name: 'metrics: digits', headSha, app: github.actions, conclusion: 'success' });
    expect(await page('/acme/digits/pull/1')).toContain('can be merged');
    expect(await page(`/acme/digits/runs/${check.id}`)).toMatch(/It ran.*<h1>Whole<\/h1>/su);
    expect(await page(`/acme/digits/commit/${headSha}`)).toContain('<code>a</code>');
  });
});

it('a run shows its steps, log and summary', async () => {
  const html = await page('/acme/digits/actions/runs/77');
  expect(html).toContain('<details><summary>Folded</summary><div>  two spaces</div></details>');
  expect(html).toContain('<div class="error">Error: &lt;script&gt;');
  expect(html).toContain('<div>red</div>');
  expect(html).toContain('<h1>Said</h1>');
  expect(html).not.toContain('add-mask');
});

it('leaves the API what is its own', async () => {
  expect((await fetch(`${github.apiUrl}/repos/acme/digits`)).status).toBe(401);
  expect((await fetch(`${github.url}/-/vendor/mermaid/mermaid.esm.min.mjs`)).headers.get('access-control-allow-origin')).toBe('*');
});
