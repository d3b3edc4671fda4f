import { ActionError } from '../action/errors.ts';
import type { KubernetesObject } from '../kinds/kind.ts';
import type { Policy, PolicyRule } from './policy.ts';
import { textOf } from './walk.ts';

/** One place in a submitted object that a rule forbids. */
export interface Violation {
  rule: PolicyRule;
  /** `Job/digits` */
  object: string;
  /** Where in the object: `spec.template.spec.hostNetwork`. */
  path: string;
  /** What stands there, short. Hostile text. */
  value: string;
  /** What is allowed, in words. */
  allowed: string;
  /** Where the rule stands: `.github/slashtrain.yml: policy.max-gpus`, or `default`. */
  source: string;
}

/** Gathers the violations of one object. */
export class Findings {
  readonly list: Violation[] = [];
  readonly #policy: Policy;
  readonly #object: string;

  constructor(policy: Policy, object: KubernetesObject) {
    this.#policy = policy;
    this.#object = nameOf(object);
  }

  add(rule: PolicyRule, path: string, value: unknown, allowed: string): void {
    this.list.push({ rule, object: this.#object, path, value: show(value), allowed, source: sourceOf(this.#policy, rule) });
  }
}

/** Where a rule stands. */
export function sourceOf(policy: Policy, rule: PolicyRule): string {
  return policy.file !== undefined && policy.given?.has(rule) ? `${policy.file}: policy.${rule}` : 'default';
}

/** One line for a person: place, value, what is allowed, where the rule stands. */
export function describeViolation({ rule, object, path, value, allowed, source }: Violation): string {
  return `${object}: ${path} is ${value}; allowed: ${allowed} (rule "${rule}", ${source})`;
}

/** @throws ActionError `policy` that names every violation, where there are any */
export function refuseViolations(violations: readonly Violation[]): void {
  if (violations.length === 0) return;
  throw new ActionError('policy', violations.map(describeViolation).join('\n'), {
    remedy: 'change the manifest, or the rule: policy is read from the default branch alone, so a change counts once it is merged',
  });
}

function nameOf(object: KubernetesObject): string {
  const { name, generateName } = (object.metadata ?? {}) as { name?: unknown; generateName?: unknown };
  return `${object.kind}/${textOf(name ?? generateName ?? '(no name)')}`.slice(0, 200);
}

function show(value: unknown): string {
  if (value === undefined) return 'not set';
  if (value === Infinity) return 'without a bound';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
