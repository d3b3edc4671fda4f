import { parse } from 'yaml';
import type { EventsConfig } from '@actions/workflow-parser/model/workflow-template';
import { checkWorkflow } from './parser.ts';
import { unsupported } from './unsupported.ts';

/**
 * A workflow file that was checked. Values that may hold expressions are left as they are written.
 *
 * They come from plain YAML, not from GitHub's parser: that one is made for editors, drops `with:` and `timeout-minutes:`
 * and keeps the indentation of texts of several lines.
 */
export interface Workflow {
  file: string;
  name: string;
  runName: unknown;
  on: EventsConfig;
  env: unknown;
  defaults: RunDefaults;
  permissions: unknown;
  concurrency: unknown;
  /** `on.workflow_call`, where others may call it. */
  call?: { inputs?: unknown; secrets?: unknown; outputs?: unknown };
  jobs: Job[];
}

export interface RunDefaults {
  shell?: unknown;
  'working-directory'?: unknown;
}

export interface Job {
  id: string;
  name: unknown;
  needs: string[];
  if: unknown;
  env: unknown;
  defaults: RunDefaults;
  permissions: unknown;
  /** Its `name:`; absent where the job names no environment. */
  environment?: unknown;
  concurrency: unknown;
  outputs: unknown;
  timeoutMinutes: unknown;
  strategy: unknown;
  /** The reusable workflow that it calls; then it has no steps. */
  uses?: string;
  with: unknown;
  secrets: unknown;
  steps: Step[];
}

export interface Step {
  id?: string;
  name?: unknown;
  if?: unknown;
  env?: unknown;
  uses?: string;
  with?: Record<string, unknown>;
  run?: string;
  shell?: unknown;
  'working-directory'?: unknown;
  'continue-on-error'?: unknown;
  'timeout-minutes'?: unknown;
}

type Raw = Record<string, unknown>;

/**
 * Reads a workflow file and refuses what GitHub refuses, and what this runner does not do.
 * @param file its path in the repository
 * @throws Error that names every problem
 */
export function readWorkflow(file: string, content: string): Workflow {
  const on = checkWorkflow(file, content);
  const raw = parse(content) as Raw;
  const problems = unsupported(raw, on);
  if (problems.length > 0) throw new Error(`${file}: this runner does not support ${problems.join(', ')}`);
  return {
    file,
    name: typeof raw['name'] === 'string' ? raw['name'] : file,
    runName: raw['run-name'],
    on,
    env: raw['env'],
    defaults: runDefaults(raw),
    permissions: raw['permissions'],
    concurrency: raw['concurrency'],
    ...callOf(raw['on']),
    jobs: Object.entries(raw['jobs'] as Record<string, Raw>).map(([id, job]) => readJob(id, job)),
  };
}

function readJob(id: string, raw: Raw): Job {
  return {
    id,
    name: raw['name'] ?? id,
    needs: [raw['needs'] ?? []].flat() as string[],
    if: raw['if'],
    env: raw['env'],
    defaults: runDefaults(raw),
    permissions: raw['permissions'],
    ...(raw['environment'] === undefined ? {} : { environment: (raw['environment'] as Raw)['name'] }),
    concurrency: raw['concurrency'],
    outputs: raw['outputs'],
    timeoutMinutes: raw['timeout-minutes'] ?? 360,
    strategy: raw['strategy'],
    ...(typeof raw['uses'] === 'string' && { uses: raw['uses'] }),
    with: raw['with'],
    secrets: raw['secrets'],
    steps: (raw['steps'] ?? []) as Step[],
  };
}

function callOf(on: unknown): Pick<Workflow, 'call'> {
  if (on === 'workflow_call' || (Array.isArray(on) && on.includes('workflow_call'))) return { call: {} };
  if (typeof on !== 'object' || on === null || !('workflow_call' in on)) return {};
  return { call: on.workflow_call ?? {} };
}

function runDefaults(raw: Raw): RunDefaults {
  return (raw['defaults'] as { run?: RunDefaults } | undefined)?.run ?? {};
}
