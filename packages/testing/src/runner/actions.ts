import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readAction, type ActionFile } from '../bundle/environment.ts';
import { checkout } from './checkout.ts';
import type { RunnerGitHub } from './github.ts';

/** What an action that this runner does itself is given. */
export interface BuiltIn {
  inputs: Record<string, string>;
  github: RunnerGitHub;
  /** `github.sha` */
  sha: string;
  workspace: string;
  log: (line: string) => void;
}

/** What stands behind a `uses:`. */
export type ResolvedAction =
  { kind: 'bundle'; action: ActionFile } | { kind: 'built-in'; inputs: readonly string[]; run: (context: BuiltIn) => Promise<void> };

/** Finds what a `uses:` names, or nothing where this runner has no such action. */
export type ActionResolver = (uses: string) => ResolvedAction | undefined;

const repositoryRoot = resolve(import.meta.dirname, '../../../..');

/**
 * Our own actions as they are built in this checkout, by both ways to write them (`./actions/x` and
 * `slashtrain/slashtrain/actions/x@x/v1`), and `actions/checkout`. Nothing is downloaded.
 */
export function ownActions(uses: string): ResolvedAction | undefined {
  if (/^actions\/checkout@/u.test(uses)) return { kind: 'built-in', inputs: checkout.inputs, run: checkout.run };
  const name = /^(?:\.\/actions\/([a-z-]+)|slashtrain\/slashtrain\/actions\/([a-z-]+)@.+)$/u.exec(uses);
  const folder = join(repositoryRoot, 'actions', name?.[1] ?? name?.[2] ?? '');
  return name && existsSync(join(folder, 'action.yml')) ? { kind: 'bundle', action: readAction(folder) } : undefined;
}

/**
 * Finds every action of the steps.
 * @throws Error that names each `uses:` and each input that is not known, before anything runs
 */
export function resolveActions(
  steps: readonly { uses?: string; with?: Record<string, unknown> }[],
  resolver: ActionResolver,
): Map<string, ResolvedAction> {
  const found = new Map<string, ResolvedAction>();
  const problems: string[] = [];
  for (const step of steps) {
    if (step.uses === undefined) continue;
    const action = found.get(step.uses) ?? resolver(step.uses);
    if (!action) {
      problems.push(`uses: ${step.uses}`);
      continue;
    }
    found.set(step.uses, action);
    const known = action.kind === 'built-in' ? action.inputs : action.action.inputs && [...action.action.inputs.keys()];
    for (const name of known ? Object.keys(step.with ?? {}) : []) {
      if (!known?.includes(name)) problems.push(`the input "${name}" of ${step.uses} (it has: ${known?.join(', ')})`);
    }
  }
  if (problems.length > 0) throw new Error(`this runner does not have ${problems.join(', ')}`);
  return found;
}
