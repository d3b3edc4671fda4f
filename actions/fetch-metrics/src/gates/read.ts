import { ActionError } from '@slashtrain/core/action/errors';
import { readDocument, type PositionedData } from '@slashtrain/core/config/document';
import { gateProblem } from '@slashtrain/core/metrics/gate';
import type { Gate } from '@slashtrain/core/metrics/metrics';

const keys = [
  'metric',
  'direction',
  'min',
  'max',
  'max-regression',
  'min-improvement',
  'on',
  'require-seeds',
  'confidence',
  'level',
] as const satisfies readonly (keyof Gate)[];
const mostGates = 500;

/**
 * Reads the input `gates`: the same list as under `pipelines.<name>.gates` in `.github/slashtrain.yml`.
 * @param where the input, or its file
 * @throws ActionError `config` with line and column, and what is allowed
 */
export function readGates(text: string, where: string): Gate[] {
  const document = readDocument(text, where);
  const { data } = document;
  if (data === null) return [];
  if (!Array.isArray(data)) throw refused(document, where, '', 'not a list; allowed: a list of gates, such as "- metric: accuracy"');
  if (data.length > mostGates) throw refused(document, where, '', `${data.length} gates; allowed: ${mostGates}`);
  return data.map((value, index) => readGate(value, `/${index}`, document, where));
}

function readGate(value: unknown, pointer: string, document: PositionedData, where: string): Gate {
  const fail = (key: string, words: string): never => {
    throw refused(document, where, key === '' ? pointer : `${pointer}/${key}`, words);
  };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fail('', `a gate is a map; allowed: ${keys.join(', ')}`);
  }
  const given = value as Record<string, unknown>;
  for (const key of Object.keys(given)) {
    if (!(keys as readonly string[]).includes(key)) fail(key, `unknown key ${JSON.stringify(key)}; allowed: ${keys.join(', ')}`);
  }
  const { metric, direction } = given;
  if (typeof metric !== 'string' || metric === '' || metric.length > 10_000)
    return fail('metric', "metric is needed: the metric's name as a text");
  if (direction !== 'higher' && direction !== 'lower')
    return fail('direction', 'direction is needed: higher or lower, whichever is better');
  for (const [key, rule] of Object.entries(rules)) {
    const value = given[key];
    if (value !== undefined && !rule.holds(value)) fail(key, `${key} is ${shown(value)}; allowed: ${rule.allowed}`);
  }
  // Each key was checked above.
  const gate = { ...given } as unknown as Gate;
  const wrong = gateProblem(gate);
  return wrong ? fail(wrong.key, wrong.words) : gate;
}

const number = { holds: (value: unknown) => Number.isFinite(value), allowed: 'a number' };
const amount = {
  holds: (value: unknown) => typeof value === 'string' && /^(0|[1-9][0-9]*)(\.[0-9]+)?%?$/u.test(value),
  allowed: 'a text in quotes such as "0.01" or "2%"',
};
const between = (min: number, max: number, allowed: string, isWhole = false) => ({
  holds: (value: unknown) => typeof value === 'number' && value >= min && value <= max && (!isWhole || Number.isInteger(value)),
  allowed,
});
const oneOf = (...values: string[]) => ({ holds: (value: unknown) => values.includes(value as string), allowed: values.join(', ') });

const rules: Record<Exclude<(typeof keys)[number], 'metric' | 'direction'>, { holds(value: unknown): boolean; allowed: string }> = {
  min: number,
  max: number,
  'max-regression': amount,
  'min-improvement': amount,
  on: oneOf('last', 'best', 'min', 'max', 'mean'),
  'require-seeds': between(1, 1000, 'a whole number from 1 to 1000', true),
  confidence: between(0.5, 0.9999, 'a number from 0.5 to 0.9999'),
  level: oneOf('fail', 'warn'),
};

// JSON has no NaN.
function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? '').slice(0, 100);
}

function refused(document: PositionedData, where: string, pointer: string, words: string): ActionError {
  const { line, column } = document.keyAt(pointer);
  return new ActionError('config', `${where}:${line}:${column}: ${words}`);
}
