import { ActionError } from '../action/errors.ts';
import type { KindRule } from '../config/types.ts';
import type { RunRecord } from '../run/record.ts';
import { kinds as known } from './index.ts';
import type { Kind } from './kind.ts';

/** The kinds of run that one look-up knows. */
export interface Kinds {
  readonly all: readonly Kind[];
  /** The kind of an object, by its `apiVersion` and `kind`. */
  find(apiVersion: string, kind: string): Kind | undefined;
  /** All versions of a run reference's kind. */
  ofReference(plural: string, group: string): Kind[];
}

/** The kinds that Slashtrain knows by itself. */
export const knownKinds: Kinds = lookUp(known);

/**
 * The kinds that Slashtrain knows and those of rules; a rule for a known one counts instead of it.
 * Where there are no rules their reader is not loaded.
 */
export async function kindsWith(rules: readonly KindRule[]): Promise<Kinds> {
  if (rules.length === 0) return knownKinds;
  const { kindFromRule } = await import('./rules.ts');
  return lookUp([...rules.map(kindFromRule), ...known]);
}

/** The kinds for the runs of records: a run that was made by a rule carries it along. Of several rules for one kind the newest counts. */
export function kindsOfRecords(records: readonly Pick<RunRecord, 'kind' | 'createdAt'>[]): Promise<Kinds> {
  const newestFirst = records.filter(({ kind }) => kind.rule).toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  return kindsWith(newestFirst.flatMap(({ kind }) => kind.rule ?? []));
}

/** The rule that made `kind`, for its record. */
export function ruleOf(kind: Kind, rules: readonly KindRule[]): KindRule | undefined {
  const { group, version, kind: name } = kind.resource;
  return rules.find((rule) => rule.kind === `${name}.${group}` && rule.version === version);
}

/** What to say of a manifest without a kind that is known. @param at where it stands: file, line and column */
export function unknownKind(at: string, object: { apiVersion: string; kind: string }, kinds: Kinds): ActionError {
  const names = kinds.all.map(({ resource }) => `${resource.group}/${resource.version} ${resource.kind}`);
  return new ActionError('manifest', `${at}: ${object.apiVersion} ${object.kind} is not a kind of run that this action knows`, {
    remedy: `use one of ${names.join(', ')}; or describe it under "kinds:" in .github/slashtrain.yml on the default branch, as docs/kinds.md shows`,
  });
}

function lookUp(all: readonly Kind[]): Kinds {
  return {
    all,
    find: (apiVersion, kind) =>
      all.find(({ resource }) => resource.kind === kind && `${resource.group}/${resource.version}` === apiVersion),
    ofReference: (plural, group) => all.filter(({ resource }) => resource.plural === plural && resource.group === group),
  };
}
