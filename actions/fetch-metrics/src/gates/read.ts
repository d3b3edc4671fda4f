import { ActionError } from '@slashtrain/core/action/errors';
import { readDocument, type PositionedData } from '@slashtrain/core/config/document';
import type { Gate } from '@slashtrain/core/metrics/metrics';

const keys = ['metric', 'direction', 'min', 'max', 'max-regression'] as const;
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
  const { metric, direction, 'max-regression': regression } = given;
  if (typeof metric !== 'string' || metric === '' || metric.length > 1000)
    return fail('metric', "metric is needed: the metric's name as a text");
  if (direction !== 'higher' && direction !== 'lower')
    return fail('direction', 'direction is needed: higher or lower, whichever is better');
  const bound = (key: 'min' | 'max'): number | undefined => {
    const number = given[key];
    if (number === undefined || (typeof number === 'number' && Number.isFinite(number))) return number;
    return fail(key, `${key} is ${JSON.stringify(number)}; allowed: a number`);
  };
  const [min, max] = [bound('min'), bound('max')];
  if (regression !== undefined && (typeof regression !== 'string' || !/^(0|[1-9][0-9]*)(\.[0-9]+)?%?$/u.test(regression))) {
    return fail('max-regression', 'max-regression is not allowed as it stands; allowed: a text in quotes such as "0.01" or "2%"');
  }
  if (min === undefined && max === undefined && regression === undefined) {
    return fail('', `the gate of ${JSON.stringify(metric)} asks for nothing; allowed: min, max or max-regression`);
  }
  if (min !== undefined && max !== undefined && min > max) {
    return fail('min', `the gate of ${JSON.stringify(metric)} has a min of ${min} above its max of ${max}, which nothing can pass`);
  }
  return {
    metric,
    direction,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(regression === undefined ? {} : { 'max-regression': regression }),
  };
}

function refused(document: PositionedData, where: string, pointer: string, words: string): ActionError {
  const { line, column } = document.keyAt(pointer);
  return new ActionError('config', `${where}:${line}:${column}: ${words}`);
}
