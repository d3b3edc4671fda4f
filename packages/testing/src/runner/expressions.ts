import { Evaluator, Lexer, Parser, data } from '@actions/expressions';
import type { FunctionDefinition } from '@actions/expressions/funcs/info';
import { falsy } from '@actions/expressions/result';

/** Where an expression stands: what it can read, and what the status functions say there. */
export interface Scope {
  contexts: Readonly<Record<string, unknown>>;
  status: { success: boolean; failure: boolean; cancelled: boolean };
}

/** Every context there is; which of them may be used where, GitHub's parser has checked. */
const contextNames = ['github', 'env', 'vars', 'secrets', 'needs', 'steps', 'job', 'jobs', 'runner', 'inputs', 'matrix', 'strategy'];
const statusNames = ['success', 'failure', 'always', 'cancelled'] as const;
const functions = [...statusNames.map((name) => ({ name, minArgs: 0, maxArgs: 0 })), { name: 'hashFiles', minArgs: 1, maxArgs: 255 }];

/** The value of an expression without its `${{ }}`, as GitHub's own evaluator gives it. */
function evaluate(expression: string, scope: Scope): data.ExpressionData {
  const tree = new Parser(new Lexer(expression).lex().tokens, contextNames, functions).parse();
  const contexts = new data.Dictionary(...contextNames.map((key) => ({ key, value: toData(scope.contexts[key] ?? null) })));
  const call = (name: string, value: boolean): [string, FunctionDefinition] => [
    name,
    { name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(value) },
  ];
  const { success, failure, cancelled } = scope.status;
  return new Evaluator(
    tree,
    contexts,
    new Map([call('success', success), call('failure', failure), call('cancelled', cancelled), call('always', true)]),
  ).evaluate();
}

function toData(value: unknown): data.ExpressionData {
  return JSON.parse(JSON.stringify(value), data.reviver) as data.ExpressionData;
}

/** The parts of a text: expressions without their `${{ }}`, and what stands between them. */
export function partsOf(text: string): { expression: boolean; text: string }[] {
  const parts: { expression: boolean; text: string }[] = [];
  let rest = text;
  for (;;) {
    // Within an expression a string may hold "}}"; quotes in it are doubled, so that they open and close it again.
    const match = /\$\{\{((?:'[^']*'|[^'])*?)\}\}/u.exec(rest);
    if (!match) break;
    if (match.index > 0) parts.push({ expression: false, text: rest.slice(0, match.index) });
    parts.push({ expression: true, text: match[1]?.trim() ?? '' });
    rest = rest.slice(match.index + match[0].length);
  }
  if (rest !== '' || parts.length === 0) parts.push({ expression: false, text: rest });
  return parts;
}

/** A value of the file as text, with its expressions filled in. */
export function text(value: unknown, scope: Scope): string {
  return partsOf(written(value))
    .map((part) => (part.expression ? evaluate(part.text, scope).coerceString() : part.text))
    .join('');
}

/** A value of the file, of any shape, with its expressions filled in: one that stands alone keeps its type. */
export function value(node: unknown, scope: Scope): unknown {
  if (Array.isArray(node)) return node.map((item) => value(item, scope));
  if (typeof node === 'object' && node !== null) {
    return Object.fromEntries(Object.entries(node).map(([name, item]) => [name, value(item, scope)]));
  }
  if (typeof node !== 'string') return node;
  const parts = partsOf(node);
  const [only] = parts;
  if (parts.length !== 1 || !only?.expression) return text(node, scope);
  return JSON.parse(JSON.stringify(evaluate(only.text, scope), data.replacer)) as unknown;
}

/** A scalar of the file as it stands there; nothing where it is absent. */
export function written(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A map of the file with each value as text. A null prototype, since names come from users. */
export function texts(map: unknown, scope: Scope): Record<string, string> {
  const filled = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries((map ?? {}) as Record<string, unknown>)) filled[name] = text(value, scope);
  return filled;
}

/** @throws Error where it is no number */
export function number(value: unknown, scope: Scope): number {
  const filled = text(value, scope);
  if (filled.trim() === '' || !Number.isFinite(Number(filled))) throw new Error(`"${filled}" is no number`);
  return Number(filled);
}

/** @throws Error where it is neither true nor false */
export function boolean(value: unknown, scope: Scope): boolean {
  const filled = text(value, scope);
  if (filled !== 'true' && filled !== 'false') throw new Error(`"${filled}" is neither true nor false`);
  return filled === 'true';
}

/**
 * Whether an `if:` holds. Without a status function it means `success() && (…)`
 * (https://docs.github.com/actions/reference/workflows-and-actions/expressions#status-check-functions).
 */
export function holds(condition: unknown, scope: Scope): boolean {
  const whole = written(condition).trim();
  if (whole === '') return scope.status.success;
  const parts = partsOf(whole);
  const [only] = parts;
  const bare = parts.length === 1 && only ? only.text : undefined;
  // Text around an expression makes it a text, which is true: GitHub does so too, and warns in its editor.
  if (bare === undefined) return scope.status.success && text(whole, scope) !== '';
  if (usesFunction(bare, statusNames)) return !falsy(evaluate(bare, scope));
  return scope.status.success && !falsy(evaluate(bare, scope));
}

/** Whether an expression calls one of these functions, in any case of letters. */
export function usesFunction(expression: string, names: readonly string[]): boolean {
  return new Lexer(expression)
    .lex()
    .tokens.some(
      (token, index, all) => all[index + 1]?.lexeme === '(' && names.some((name) => name.toLowerCase() === token.lexeme.toLowerCase()),
    );
}
