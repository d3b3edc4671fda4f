import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { WorkflowEvent } from '@slashtrain/testing/github/events';
import type { FakeGitHub, Repository } from '@slashtrain/testing/github/github';
import { fakeForRunner } from '@slashtrain/testing/runner/github';
import { parseDocument } from 'yaml';

const actions = resolve(import.meta.dirname, '../../actions');

/** Whether act (https://github.com/nektos/act) is on PATH. */
export const hasAct = spawnSync('act', ['--version']).status === 0;

/** What a workflow runs with. */
export interface ActWorld {
  github: FakeGitHub;
  repository: Repository;
  settings: { secrets: Record<string, string>; vars: Record<string, string> };
  /** The folder that stands for the repository at an action's tag, by the action's name, for those that are not to be taken from this checkout. */
  tags?: Record<string, string>;
}

/**
 * Runs the workflows of the event's commit by act, with the built bundles in place of our tags.
 * @throws an error with act's output where a job fails
 */
export async function runInAct({ github, repository, settings, tags }: ActWorld, event: WorkflowEvent): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-act-'));
  try {
    const checkout = join(folder, 'checkout');
    for (const [path, content] of fakeForRunner(github, repository).filesOf(event.sha)) {
      mkdirSync(dirname(join(checkout, path)), { recursive: true });
      writeFileSync(join(checkout, path), path.startsWith('.github/workflows/') ? knownToAct(content) : content);
    }
    // act asks git which repository it is in.
    const git = (...args: string[]): void =>
      void execFileSync('git', ['-C', checkout, '-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args]);
    git('init', '-q', '-b', 'main');
    git('remote', 'add', 'origin', `https://github.com/${repository.owner}/${repository.name}.git`);
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
      ...each('--local-repository', ownActions(folder, tags)),
    ]);
    if (code !== 0) throw new Error(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** act 0.2.89 refuses a workflow whose environment says `deployment: false`, which GitHub knows; it makes no deployments itself. */
function knownToAct(workflow: string | Uint8Array): string {
  const document = parseDocument(typeof workflow === 'string' ? workflow : Buffer.from(workflow).toString());
  const { jobs = {} } = document.toJS() as { jobs?: object };
  for (const job of Object.keys(jobs))
    if (document.hasIn(['jobs', job, 'environment', 'deployment'])) document.deleteIn(['jobs', job, 'environment', 'deployment']);
  return String(document);
}

/** Each action as its tag has it, `action.yml` and the bundle and nothing else; and the reusable workflows. */
function ownActions(folder: string, tags: Record<string, string> = {}): Record<string, string> {
  const names = readdirSync(actions);
  for (const name of names.filter((name) => tags[name] === undefined)) {
    for (const part of ['action.yml', 'dist'])
      cpSync(join(actions, name, part), join(folder, name, 'actions', name, part), { recursive: true });
  }
  // The reusable workflows have a tag of their own, on main.
  cpSync(join(actions, '../.github/workflows'), join(folder, 'workflows/.github/workflows'), { recursive: true });
  const own = names.map((name): [string, string] => [`slashtrain/slashtrain@${name}/v1`, tags[name] ?? join(folder, name)]);
  return Object.fromEntries([...own, ['slashtrain/slashtrain@v1', join(folder, 'workflows')]]);
}

function start(program: string, folder: string, args: string[]): Promise<{ code: number | null; output: string }> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: dirname(folder), XDG_CACHE_HOME: join(dirname(folder), 'cache') };
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((done, fail) => child.once('error', fail).once('close', (code) => done({ code, output })));
}
