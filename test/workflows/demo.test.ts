import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { demo } from '@slashtrain/testing/demo/demo';
import { Screen } from '@slashtrain/testing/demo/screen';
import { metricsCheck, trainCheck, type Scene } from '@slashtrain/testing/demo/story';
import type { CheckRun, Comment } from '@slashtrain/testing/github/store';

const root = resolve(import.meta.dirname, '../..');
// A folder of its own: other tests run beside this one, and nothing may be left here.
const outside = process.env['TMPDIR'];
const folder = mkdtempSync(join(tmpdir(), 'demo-test-'));
beforeAll(() => {
  process.env['TMPDIR'] = folder;
});
afterAll(() => {
  if (outside === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = outside;
  rmSync(folder, { recursive: true, force: true });
});

/** Tells the story once, and hands over the world as it is at its end. */
async function tell(look: (scene: Scene, pull: number) => Promise<void>): Promise<string> {
  const stream = new PassThrough();
  const text: Buffer[] = [];
  stream.on('data', (data: Buffer) => text.push(data));
  await demo({
    options: { once: true },
    screen: new Screen(stream, {}),
    environment: { KUBECONFIG: '/home/somebody/.kube/config' },
    signal: new AbortController().signal,
    onTold: look,
  });
  return Buffer.concat(text).toString();
}

const minutes = (count: number): number => count * 60_000;

describe('the demo', () => {
  it(
    'trains, merges what is better, and blocks what is worse',
    async () => {
      const printed = await tell(async ({ github, repository, workflows }, number) => {
        const [betterSha = '', worseSha = ''] = repository.data.git
          .between(repository.pull(number).base.sha, repository.pull(number).head.sha)
          .map((commit) => commit.sha)
          .toReversed();
        const conclusions = (sha: string): Record<string, string | undefined> =>
          Object.fromEntries(repository.checks(sha).map((check: CheckRun) => [check.name, check.conclusion]));
        expect(repository.pull(1).merged).toBeDefined();
        expect(conclusions(betterSha)).toEqual({ [trainCheck]: 'success', [metricsCheck]: 'success' });
        expect(conclusions(worseSha)).toEqual({ [trainCheck]: 'success', [metricsCheck]: 'failure' });
        expect(repository.canMerge(number)).toMatchObject({ allowed: false, state: 'blocked' });

        const ours = repository.comments(number).filter(({ user }: Comment) => user.login === 'github-actions[bot]');
        const reports = ours.filter(({ body }) => body.startsWith('<!-- slashtrain:report:digits -->'));
        expect(reports).toHaveLength(1);
        expect(reports[0]?.body).toContain(worseSha.slice(0, 7));
        expect(reports[0]?.body).toContain('accuracy');

        expect(workflows.runs.map((run) => run.event)).toEqual([
          'pull_request_target',
          'issue_comment',
          'pull_request_target',
          'pull_request_target',
          'issue_comment',
          'issue_comment',
          'issue_comment',
          'pull_request_target',
          'issue_comment',
          'issue_comment',
        ]);
        // What is worse is not deployed, and the pull request says why.
        const [answer, ...others] = ours.filter((comment) => !reports.includes(comment));
        expect(answer?.body).toMatch(/^<!-- slashtrain:reply:comment:\d+ -->\n.*was not deployed.*has the verdict "fail"/u);
        expect(others).toEqual([]);
        expect(workflows.runs.map((run) => run.conclusion)).toEqual([...Array<string>(9).fill('success'), 'failure']);
        const deployments = [...repository.data.deployments.values()];
        expect(deployments.map(({ environment, sha, statuses }) => [environment, sha, statuses.map(({ state }) => state)])).toEqual([
          ['staging', betterSha, ['queued', 'in_progress', 'success']],
          ['production', betterSha, ['queued', 'in_progress', 'success']],
        ]);
        // What GitHub refuses for a missing permission, and what it does not know, is nowhere.
        expect(github.requests.filter(({ status }) => status === 401 || status === 403 || status >= 500)).toEqual([]);

        const page = await (await fetch(`${github.url}/acme/digits/pull/${number}`)).text();
        expect(page).toContain('Merging is blocked');
      });
      expect(printed).toMatch(/digits@sha256:[0-9a-f]{64}/u);
      expect(printed).toMatch(/jobs\.batch\/default\/digits-pr2-[0-9a-f]{7}-[0-9a-f]{7}@/u);
      expect(printed).toMatch(/accuracy +0\.98\d\d, baseline 0\.97\d\d +✓ gate passes/u);
      expect(printed).toContain(`✓ ${trainCheck}`);
      expect(printed).toContain(`✓ ${metricsCheck}`);
      expect(printed).toContain(`✗ ${metricsCheck}`);
      expect(printed).toMatch(/accuracy +0\.8\d\d\d, baseline 0\.97\d\d +✗ gate fails/u);
      expect(printed).toMatch(/ada approves production\n(.*\n)*? +deploy +✓ production: [0-9a-f]{7}-[0-9a-z]+\n/u);
      expect(printed).toMatch(/has the verdict "fail"; (.*\n)*? +deploy +✗ staging: refused\n +runs +[0-9a-f]{7}, success: /u);
      expect(printed).toContain('KUBECONFIG');
      expect(printed).not.toContain('\u001b');
      expect(readdirSync(folder)).toEqual([]);
    },
    minutes(3),
  );
});

describe('its command line', () => {
  const run = (...args: string[]): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [join(root, 'scripts/demo.ts'), ...args], { encoding: 'utf8' });

  it('explains itself', () => {
    expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--once') });
  });

  it('refuses what it does not know, and starts nothing', () => {
    expect(run('--onec')).toMatchObject({ status: 2, stderr: expect.stringContaining("Unknown option '--onec'"), stdout: '' });
  });
});
