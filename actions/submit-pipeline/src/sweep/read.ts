import { ActionError, messageOf } from '@slashtrain/core/action/errors';
import { nearest } from '@slashtrain/core/config/near';
import type { Direction, GateOn } from '@slashtrain/core/metrics/metrics';
import { budgetUnits, sweepMethods, type BudgetUnit, type SweepMethod } from '@slashtrain/core/sweep/sweep';
import { parseDocument } from 'yaml';
import { checkParameter, type Range, type Space } from './space.ts';

/** A sweep as it was asked for, checked by itself. */
export interface SweepRequest {
  method: SweepMethod;
  /** Of the random choice. */
  seed: number;
  metric: string;
  direction: Direction;
  on: GateOn;
  parameters: Map<string, Space>;
  /** Each setting is tried with each of them, as the parameter `seed`. */
  seeds: string[];
  maxTrials: number;
  parallel: number;
  /** Absent: a quarter of the trials. */
  maxFailed: number | undefined;
  budget: { unit: BudgetUnit; amount: number } | undefined;
  launcher: Launcher;
  /** For hyperband: the parameter that says how long a trial trains, and by what it grows. */
  resource: string | undefined;
  eta: number;
}

/** What picks a trial's settings within its container; `none` leaves it to the program. */
export const launchers = ['auto', 'sh', 'python', 'node', 'none'] as const;
export type Launcher = (typeof launchers)[number];

/** A record remembers every trial, and a report shows the best: beyond this it is another tool's work. */
const mostTrials = 1000;

const keys = ['method', 'seed', 'metric', 'goal', 'on', 'parameters', 'seeds', 'max-trials', 'parallel'];
const more = ['max-failed', 'budget', 'launcher', 'resource', 'eta'];
const name = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/u;

/**
 * Reads a sweep. Values keep the letters they were written with.
 * @param where for errors: a file's path, or `input "sweep"`
 * @throws ActionError `input` with the key, its value and what is allowed
 */
export function readSweep(text: string, where: string): SweepRequest {
  const fields = new Fields(parse(text, where), where);
  fields.know([...keys, ...more]);
  const method = fields.choice('method', sweepMethods);
  const parameters = readParameters(fields);
  const seeds = fields.texts('seeds') ?? [];
  if (seeds.length > 0 && parameters.has('seed')) throw fields.refused('seeds', 'seed', 'given once: here, or as a parameter');
  const maxTrials = fields.integer('max-trials', { min: 1, max: mostTrials });
  if (maxTrials === undefined)
    throw new ActionError('input', `${where} has no "max-trials"`, { remedy: 'say how many trials there may be' });
  const request: SweepRequest = {
    method,
    seed: fields.integer('seed', { max: 2 ** 32 - 1 }) ?? 0,
    metric: fields.required('metric'),
    direction: fields.choice('goal', ['maximize', 'minimize']) === 'maximize' ? 'higher' : 'lower',
    on: fields.choice('on', ['last', 'best', 'min', 'max', 'mean'], 'last'),
    parameters,
    seeds,
    maxTrials,
    parallel: fields.integer('parallel', { min: 1, max: mostTrials }) ?? 1,
    maxFailed: fields.integer('max-failed', { max: mostTrials }),
    budget: readBudget(fields),
    launcher: fields.choice('launcher', launchers, 'auto'),
    resource: fields.text('resource'),
    eta: fields.integer('eta', { min: 2, max: 10 }) ?? 3,
  };
  checkHyperband(request, fields);
  return request;
}

function parse(text: string, where: string): Map<unknown, unknown> {
  // The failsafe schema knows text alone: "1.10" stays "1.10". Maps, so that no key can reach a prototype.
  const document = parseDocument(text, { schema: 'failsafe', uniqueKeys: true });
  const problem = document.errors[0];
  if (problem) throw new ActionError('input', `${where} is not YAML: ${problem.message}`, { cause: problem });
  let value: unknown;
  try {
    value = document.toJS({ mapAsMap: true, maxAliasCount: 0 });
  } catch (error) {
    throw new ActionError('input', `${where} has an alias (*name), which is not taken: ${messageOf(error)}`, { cause: error });
  }
  if (value instanceof Map) return value;
  throw new ActionError('input', `${where} is no map`, { remedy: 'begin with "method: grid" or "method: random"' });
}

function readParameters(fields: Fields): Map<string, Space> {
  const given = fields.map('parameters');
  if (!given || given.size === 0) {
    throw new ActionError('input', `${fields.where} has no "parameters": there is nothing to try`, {
      remedy: 'name some, each with values or a range: "learning-rate: { min: 0.001, max: 0.1, log: true }"',
    });
  }
  return new Map(
    [...given].map(([key, value]): [string, Space] => {
      if (typeof key !== 'string' || !name.test(key)) throw fields.refused('parameters', String(key), 'a name as $(params.NAME) has it');
      return [key, readSpace(key, value, fields.where)];
    }),
  );
}

function readSpace(parameter: string, value: unknown, where: string): Space {
  const place = `${where}: parameters.${parameter}`;
  if (Array.isArray(value)) return checkParameter({ values: textsOf(value, place) }, place);
  if (!(value instanceof Map))
    throw new ActionError('input', `${place} is ${shown(value)}; allowed: a list of values, or a map with min and max`);
  const fields = new Fields(value, place);
  fields.know(['values', 'choice', 'min', 'max', 'log', 'int', 'step', 'count']);
  const values = fields.texts('values') ?? fields.texts('choice');
  if (values) {
    fields.know(['values', 'choice']);
    if (value.size > 1) throw fields.refused('choice', 'both', 'either values or choice, which are the same');
    return checkParameter({ values }, place);
  }
  const range: Range = {
    min: fields.number('min'),
    max: fields.number('max'),
    log: fields.boolean('log'),
    int: fields.boolean('int'),
    ...(fields.text('step') === undefined ? {} : { step: fields.number('step') }),
    ...(fields.text('count') === undefined ? {} : { count: fields.integer('count', { min: 2, max: 1_000_000_000 }) ?? 2 }),
  };
  return checkParameter(range, place);
}

function readBudget(fields: Fields): SweepRequest['budget'] {
  const given = fields.map('budget');
  if (!given) return undefined;
  const budget = new Fields(given, `${fields.where}: budget`);
  budget.know(budgetUnits);
  const [unit, second] = budgetUnits.filter((one) => given.has(one));
  if (unit === undefined || second !== undefined)
    throw fields.refused('budget', [...given.keys()].join(', '), `one of ${budgetUnits.join(', ')}`);
  const amount = budget.number(unit);
  if (!(amount > 0)) throw budget.refused(unit, String(amount), 'a number above 0');
  return { unit, amount };
}

function checkHyperband({ method, resource, parameters }: SweepRequest, fields: Fields): void {
  if (method !== 'hyperband') {
    if (resource !== undefined) throw fields.refused('resource', resource, 'given with method: hyperband alone');
    return;
  }
  const range = resource === undefined ? undefined : parameters.get(resource);
  if (range && 'min' in range && range.int && range.min >= 1) return;
  throw fields.refused(
    'resource',
    resource ?? '',
    'the name of a parameter with min, max and int: true, such as epochs, that says how long a trial trains',
  );
}

function shown(value: unknown): string {
  const text = value instanceof Map ? 'a map' : Array.isArray(value) ? 'a list' : JSON.stringify(value);
  return (text ?? 'nothing').slice(0, 200);
}

// What a line of the table, a shell and an environment variable can hold.
const unprintable = /\p{Cc}/u;

function textsOf(value: unknown, place: string): string[] {
  if (!Array.isArray(value)) throw new ActionError('input', `${place} is ${shown(value)}; allowed: a list`);
  for (const item of value) {
    if (typeof item === 'string' && item.length <= 1000 && !unprintable.test(item)) continue;
    throw new ActionError('input', `${place} has ${shown(item)}; allowed: texts and numbers of one line, of at most 1000 characters`);
  }
  return value as string[];
}

/** The fields of one map, each checked as it is read. */
class Fields {
  readonly where: string;
  readonly #map: Map<unknown, unknown>;

  constructor(map: Map<unknown, unknown>, where: string) {
    this.#map = map;
    this.where = where;
  }

  /** @throws ActionError for any other key */
  know(names: readonly string[]): void {
    const unknown = [...this.#map.keys()].find((key) => !names.includes(String(key)));
    if (unknown === undefined) return;
    const near = nearest(String(unknown), names);
    throw new ActionError('input', `${this.where} has ${JSON.stringify(String(unknown).slice(0, 100))}, which is not known`, {
      remedy: near === undefined ? `it may have ${names.join(', ')}` : `did you mean "${near}"?`,
    });
  }

  refused(key: string, value: string, allowed: string): ActionError {
    return new ActionError('input', `${this.where}: "${key}" is ${JSON.stringify(value.slice(0, 200))}; allowed: ${allowed}`);
  }

  text(key: string): string | undefined {
    const value = this.#map.get(key);
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value === 'string') return value;
    throw this.refused(key, shown(value), 'a text');
  }

  required(key: string): string {
    const value = this.text(key);
    if (value === undefined) throw new ActionError('input', `${this.where} has no "${key}"`);
    return value;
  }

  choice<T extends string>(key: string, allowed: readonly T[], fallback?: T): T {
    const value = fallback === undefined ? this.required(key) : (this.text(key) ?? fallback);
    if ((allowed as readonly string[]).includes(value)) return value as T;
    throw this.refused(key, value, `one of ${allowed.join(', ')}`);
  }

  boolean(key: string): boolean {
    return this.choice(key, ['true', 'false'], 'false') === 'true';
  }

  number(key: string): number {
    const value = this.required(key);
    const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/u.test(value) ? Number(value) : Number.NaN;
    if (Number.isFinite(number)) return number;
    throw this.refused(key, value, 'a number');
  }

  integer(key: string, { min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number }): number | undefined {
    const value = this.text(key);
    if (value === undefined) return undefined;
    const number = /^\d+$/u.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw this.refused(key, value, `a whole number from ${min} to ${max}`);
  }

  texts(key: string): string[] | undefined {
    const value = this.#map.get(key);
    return value === undefined ? undefined : textsOf(value, `${this.where}: ${key}`);
  }

  map(key: string): Map<unknown, unknown> | undefined {
    const value = this.#map.get(key);
    if (value === undefined || value instanceof Map) return value;
    throw this.refused(key, shown(value), 'a map');
  }
}
