import { describe, expect, it } from '@jest/globals';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { WorkflowEvent } from '@slashtrain/testing/github/events';
import { fakeForRunner } from '@slashtrain/testing/runner/github';
import { openDigits, type DigitsWorld } from '../support/digits.ts';

/*
 * The workflow that users copy, run by act (https://github.com/nektos/act) and by our runner: both leave the same.
 * act runs workflow files with code that is not ours, so that a mistake of our runner shows.
 */
const actions = resolve(import.meta.dirname, '../../actions');
const hasAct = spawnSync('act', ['--version']).status === 0;
if (!hasAct) process.stdout.write('skipped: the workflow in act; put act on PATH (https://github.com/nektos/act)\n');

/** Opens a pull request on servers of its own, has it trained, and gives what is left on it. */
async function trained(
  run: (world: DigitsWorld, event: WorkflowEvent) => Promise<void>,
): Promise<{ checks: unknown; comments: string[]; reactions: string[] }> {
  const world = await openDigits();
  try {
    const { repository } = world;
    const { sha, number } = world.open({ 'NOTES.md': 'a' });
    const { comment, event } = world.comment(number, 'ada', '/train epochs=3');
    await run(world, event);
    return {
      checks: repository
        .checks(sha)
        .map(({ name, status, conclusion, output }) => ({ name, status, conclusion, title: same(output.title ?? '') })),
      comments: repository.comments(number).map(({ body, user }) => `${user.login}: ${same(body)}`),
      reactions: comment.reactions.map(({ content }) => content),
    };
  } finally {
    await world.close();
  }
}

/** What is another in every world: hashes, ports, times. */
function same(text: string): string {
  return text
    .replace(/[0-9a-f]{40,64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gu, '<id>')
    .replace(/\b[0-9a-f]{7}\b/gu, '<short>')
    .replace(/127\.0\.0\.1:\d+/gu, '<host>')
    .replace(/\b\d+(\.\d+)? (s|min)\b/gu, '<time>')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z| UTC)?/gu, '<date>')
    .replace(/actions\/runs\/\d+/gu, 'actions/runs/<run>');
}

async function inOurRunner({ workflows }: DigitsWorld, event: WorkflowEvent): Promise<void> {
  const [run] = await workflows.dispatch(event);
  expect(run?.conclusion).toBe('success');
}

async function inAct({ github, repository, settings }: DigitsWorld, event: WorkflowEvent): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-act-'));
  try {
    const checkout = join(folder, 'checkout');
    for (const [path, content] of fakeForRunner(github, repository).filesOf(event.sha)) {
      mkdirSync(dirname(join(checkout, path)), { recursive: true });
      writeFileSync(join(checkout, path), content);
    }
    // act asks git which repository it is in.
    const git = (...args: string[]): void =>
      void execFileSync('git', ['-C', checkout, '-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args]);
    git('init', '-q', '-b', 'main');
    git('remote', 'add', 'origin', 'https://github.com/acme/digits.git');
    git('add', '-A');
    git('commit', '-qm', 'a');
    writeFileSync(join(folder, 'event.json'), JSON.stringify(event.payload));
    const { secrets, vars } = settings;
    // act gives every job the same token: it has what all of them ask for together.
    const token = github.token({ contents: 'read', packages: 'write', checks: 'write', 'pull-requests': 'write' }, { repository });
    writeFileSync(join(folder, 'secrets.yaml'), JSON.stringify({ ...secrets, GITHUB_TOKEN: token }));
    const env = {
      GITHUB_API_URL: github.apiUrl,
      GITHUB_GRAPHQL_URL: github.graphqlUrl,
      GITHUB_SERVER_URL: github.url,
      GITHUB_REPOSITORY_ID: String(repository.id),
      GITHUB_TRIGGERING_ACTOR: event.actor,
    };
    const each = (name: string, values: Record<string, string>): string[] =>
      Object.entries(values).flatMap(([key, value]) => [name, `${key}=${value}`]);
    const { code, output } = await start('act', checkout, [
      event.name,
      ...['-e', join(folder, 'event.json'), '-a', event.actor, '-P', 'ubuntu-latest=-self-hosted', '--no-cache-server'],
      ...['--secret-file', join(folder, 'secrets.yaml'), '--action-cache-path', join(folder, 'cache')],
      ...each('--env', env),
      ...each('--var', vars),
      ...each('--local-repository', ownActions(folder)),
    ]);
    if (code !== 0) throw new Error(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each action as its tag has it: `action.yml` and the bundle, and nothing else. */
function ownActions(folder: string): Record<string, string> {
  const names = readdirSync(actions);
  for (const name of names) {
    for (const part of ['action.yml', 'dist'])
      cpSync(join(actions, name, part), join(folder, name, 'actions', name, part), { recursive: true });
  }
  return Object.fromEntries(names.map((name) => [`slashtrain/slashtrain@${name}/v1`, join(folder, name)]));
}

function start(program: string, folder: string, args: string[]): Promise<{ code: number | null; output: string }> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: dirname(folder), XDG_CACHE_HOME: join(dirname(folder), 'cache') };
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((done, fail) => child.once('error', fail).once('close', (code) => done({ code, output })));
}

const minutes = (count: number): number => count * 60_000;

describe('a comment on a pull request', () => {
  const ours = trained(inOurRunner);

  it(
    'gets a training, two checks and a report',
    async () => {
      expect(await ours).toMatchObject({
        checks: [
          { name: 'train: digits', conclusion: 'success' },
          { name: 'metrics: digits', conclusion: 'success' },
        ],
        comments: ['ada: /train epochs=3', expect.stringContaining('github-actions[bot]: ')],
        reactions: ['eyes', 'rocket'],
      });
    },
    minutes(3),
  );

  if (hasAct) {
    it(
      'gets the same in act',
      async () => {
        expect(await trained(inAct)).toEqual(await ours);
      },
      minutes(3),
    );
  }
});
