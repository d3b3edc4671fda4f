import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { WorkflowEvent } from '../github/events.ts';
import { text, texts, type Scope } from './expressions.ts';
import type { RunnerGitHub } from './github.ts';
import { readWorkflow, type Job, type Workflow } from './workflow.ts';

const repositoryRoot = resolve(import.meta.dirname, '../../../..');

/**
 * The reusable workflow that a job calls: `./.github/workflows/x.yml` of the event's commit, or one of ours as it stands in this
 * checkout. Nothing is downloaded.
 * @throws Error where this runner has none of that name
 */
export function calledWorkflow(job: Job, github: RunnerGitHub, event: WorkflowEvent): Workflow {
  const uses = String(job.uses);
  const own = /^slashtrain\/slashtrain\/(\.github\/workflows\/[a-z-]+\.yml)@.+$/u.exec(uses)?.[1];
  const local = /^\.\/(\.github\/workflows\/[^/]+\.ya?ml)$/u.exec(uses)?.[1];
  const content = own === undefined ? local && github.filesOf(event.sha).get(local) : readOwn(own);
  const file = own ?? local;
  if (content === undefined || file === undefined) throw new Error(`this runner does not support jobs.${job.id}.uses: ${uses}`);
  const called = readWorkflow(file, String(Buffer.from(content)));
  if (!called.call) throw new Error(`${file} has no on.workflow_call`);
  return called;
}

function readOwn(file: string): Buffer | undefined {
  const path = join(repositoryRoot, file);
  return existsSync(path) ? readFileSync(path) : undefined;
}

/** What a call hands on. */
export interface Handed {
  inputs: Record<string, unknown>;
  secrets: Record<string, string>;
}

/**
 * Inputs and secrets of a call, as the called workflow declares them
 * (https://docs.github.com/actions/how-tos/reuse-automations/reuse-workflows).
 * @throws Error for one that is required and not given, or given and not declared
 */
export function handOn(job: Job, { file, call }: Workflow, secrets: Record<string, string>, scope: Scope): Handed {
  const declared = (call?.inputs ?? {}) as Record<string, { type?: string; default?: unknown; required?: boolean }>;
  const given = texts(job.with, scope);
  const inputs = Object.create(null) as Record<string, unknown>;
  for (const [name, { type, default: fallback, required }] of Object.entries(declared)) {
    if (required === true && !(name in given)) throw new Error(`${file} requires the input "${name}"`);
    inputs[name] = name in given ? typed(given[name] ?? '', type) : (fallback ?? typed('', type));
  }
  refuseUndeclared(file, 'input', Object.keys(given), Object.keys(declared));
  if (job.secrets === 'inherit') return { inputs, secrets };
  const known = (call?.secrets ?? {}) as Record<string, { required?: boolean } | null>;
  const handed = texts(job.secrets, { ...scope, contexts: { ...scope.contexts, secrets } });
  refuseUndeclared(file, 'secret', Object.keys(handed), Object.keys(known));
  for (const [name, secret] of Object.entries(known)) {
    if (secret?.required === true && !handed[name]) throw new Error(`${file} requires the secret "${name}"`);
  }
  return { inputs, secrets: Object.fromEntries(Object.entries(handed).filter(([, secret]) => secret !== '')) };
}

function typed(given: string, type: string | undefined): unknown {
  if (type === 'boolean') return given === 'true';
  return type === 'number' ? Number(given) : given;
}

function refuseUndeclared(file: string, what: string, given: readonly string[], declared: readonly string[]): void {
  for (const name of given) if (!declared.includes(name)) throw new Error(`${file} has no ${what} "${name}"`);
}

/** The outputs of a called workflow, from those of its jobs. */
export function outputsOf({ call }: Workflow, scope: Scope): Record<string, string> {
  const declared = Object.entries((call?.outputs ?? {}) as Record<string, { value?: unknown }>);
  return Object.fromEntries(declared.map(([name, { value }]) => [name, text(value, scope)]));
}

const ranks = ['none', 'read', 'write'];

/** @throws Error where a job of a called workflow wants more than its caller may give: GitHub does not start such a run */
export function refuseMore(job: string, wanted: Readonly<Record<string, string>>, allowed: Readonly<Record<string, string>>): void {
  for (const [name, access] of Object.entries(wanted)) {
    const most = allowed[name] ?? 'none';
    if (ranks.indexOf(access) <= ranks.indexOf(most)) continue;
    throw new Error(`the nested job "${job}" is requesting "${name}: ${access}", but is only allowed "${name}: ${most}"`);
  }
}
