import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { BundleRun } from './bundle.ts';

const repositoryRoot = resolve(import.meta.dirname, '../../../..');

/** What of an `action.yml` is needed to run it. */
export interface ActionFile {
  folder: string;
  main: string;
  post: string | undefined;
  /** Name and default, in the file's order; undefined where the file has no inputs that we could check against. */
  inputs: Map<string, string> | undefined;
}

/** @param action a folder's name below `actions/`, or an absolute path */
export function readAction(action: string): ActionFile {
  const folder = resolve(repositoryRoot, 'actions', action);
  const file = join(folder, 'action.yml');
  const fallback = { folder, main: 'dist/index.js', post: 'dist/post/index.js', inputs: undefined };
  if (!existsSync(file)) return fallback;
  const content = parse(readFileSync(file, 'utf8')) as {
    inputs?: Record<string, { default?: string | number | boolean } | null>;
    runs?: { main?: string; post?: string };
  };
  return {
    folder,
    main: content.runs?.main ?? fallback.main,
    post: content.runs?.post,
    inputs: new Map(Object.entries(content.inputs ?? {}).map(([name, input]) => [name, String(input?.default ?? '')])),
  };
}

/** The files through which a step tells the runner something. */
export interface CommandFiles {
  output: string;
  state: string;
  env: string;
  path: string;
  summary: string;
}

/** Makes a step's empty command files in `temp`. */
export function makeCommandFiles(temp: string, step: string): CommandFiles {
  const folder = join(temp, '_runner_file_commands');
  mkdirSync(folder, { recursive: true });
  const make = (name: string): string => {
    const file = join(folder, `${name}_${step}`);
    writeFileSync(file, '');
    return file;
  };
  return {
    output: make('set_output'),
    state: make('save_state'),
    env: make('set_env'),
    path: make('add_path'),
    summary: make('step_summary'),
  };
}

/** Addresses of a GitHub: github.com has its API on another host, every other server below itself. */
export function addressesOf(url: string): { server: string; api: string; graphql: string } {
  if (url === 'https://github.com') return { server: url, api: 'https://api.github.com', graphql: 'https://api.github.com/graphql' };
  return { server: url, api: `${url}/api/v3`, graphql: `${url}/api/graphql` };
}

/**
 * The whole environment of the child, made from nothing but `PATH`: no kubeconfig, token or proxy of the one who runs
 * the tests reaches an action. Names and meanings:
 * https://docs.github.com/actions/reference/workflows-and-actions/variables#default-environment-variables
 */
export function makeEnvironment(
  run: BundleRun,
  action: ActionFile,
  place: { temp: string; home: string; workspace: string; files: CommandFiles },
): Record<string, string> {
  const { owner, name, id } = run.github.repository;
  const { server, api, graphql } = addressesOf(run.github.url);
  const event = run.event ?? { name: 'workflow_dispatch', payload: {} };
  const eventFile = join(place.temp, '_github_workflow', 'event.json');
  mkdirSync(join(place.temp, '_github_workflow'), { recursive: true });
  writeFileSync(eventFile, JSON.stringify(event.payload));
  const actor = run.actor ?? 'octocat';
  const ref = event.ref ?? 'refs/heads/main';
  const workflow = `${owner}/${name}/.github/workflows/slashtrain.yml@${ref}`;
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: place.home,
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTION: '__self',
    GITHUB_ACTOR: actor,
    GITHUB_ACTOR_ID: '1',
    GITHUB_API_URL: api,
    GITHUB_BASE_REF: event.baseRef ?? '',
    GITHUB_ENV: place.files.env,
    GITHUB_EVENT_NAME: event.name,
    GITHUB_EVENT_PATH: eventFile,
    GITHUB_GRAPHQL_URL: graphql,
    GITHUB_HEAD_REF: event.headRef ?? '',
    GITHUB_JOB: 'test',
    GITHUB_OUTPUT: place.files.output,
    GITHUB_PATH: place.files.path,
    GITHUB_REF: ref,
    GITHUB_REF_NAME: ref.replace(/^refs\/(heads|tags|pull)\//u, ''),
    GITHUB_REF_PROTECTED: 'false',
    GITHUB_REF_TYPE: ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    GITHUB_REPOSITORY: `${owner}/${name}`,
    GITHUB_REPOSITORY_ID: String(id),
    GITHUB_REPOSITORY_OWNER: owner,
    GITHUB_REPOSITORY_OWNER_ID: '1',
    GITHUB_RETENTION_DAYS: '90',
    GITHUB_RUN_ATTEMPT: String(run.runAttempt ?? 1),
    GITHUB_RUN_ID: String(run.runId ?? 1),
    GITHUB_RUN_NUMBER: '1',
    GITHUB_SERVER_URL: server,
    GITHUB_SHA: event.sha ?? '',
    GITHUB_STATE: place.files.state,
    GITHUB_STEP_SUMMARY: place.files.summary,
    GITHUB_TRIGGERING_ACTOR: run.triggeringActor ?? actor,
    GITHUB_WORKFLOW: 'slashtrain',
    GITHUB_WORKFLOW_REF: workflow,
    GITHUB_WORKFLOW_SHA: event.sha ?? '',
    GITHUB_WORKSPACE: place.workspace,
    RUNNER_ARCH: arch() === 'arm64' ? 'ARM64' : 'X64',
    RUNNER_ENVIRONMENT: 'self-hosted',
    RUNNER_NAME: 'slashtrain-testing',
    RUNNER_OS: 'Linux',
    RUNNER_TEMP: place.temp,
    RUNNER_TOOL_CACHE: join(place.temp, '_tool'),
    ...inputVariables(run, action),
    ...Object.fromEntries(Object.entries(run.state ?? {}).map(([key, value]) => [`STATE_${key}`, value])),
    ...run.env,
  };
}

function inputVariables(run: BundleRun, action: ActionFile): Record<string, string> {
  const given = new Map(Object.entries(run.inputs ?? {}));
  const values = action.inputs
    ? new Map([...action.inputs].map(([name, text]) => [name, expand(text, run)]))
    : new Map([['token', run.github.token]]);
  for (const [name, value] of given) {
    // The runner only warns; in a test an unknown input is a mistake of the test or of action.yml.
    if (action.inputs && !action.inputs.has(name))
      throw new Error(`${run.action} has no input "${name}"; it has: ${[...action.inputs.keys()].join(', ')}`);
    values.set(name, value);
  }
  return Object.fromEntries([...values].map(([name, value]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value]));
}

/** The expressions that our action.yml files have in their defaults, and no others. */
function expand(text: string, run: BundleRun): string {
  return text.replace(/\$\{\{\s*([^}]*?)\s*\}\}/gu, (_, expression: string) => {
    if (expression === 'github.token') return run.github.token;
    if (expression === 'github.repository') return `${run.github.repository.owner}/${run.github.repository.name}`;
    throw new Error(`the default "${text}" in action.yml of ${run.action} has an expression that this runner does not know`);
  });
}
