import { parseDuration } from '@slashtrain/core/action/duration';
import { Place } from '../smoke/place.ts';
import type { CanaryStep } from './steps.ts';

/** The input `canary`, read and checked. */
export interface Canary {
  steps: CanaryStep[];
  queries: CanaryQuery[];
  /** The server's address, where the input says it. */
  prometheus?: string;
}

/** A query whose value decides at each step. At least one limit. */
export interface CanaryQuery {
  name: string;
  /** PromQL, with `$(revision)` for the revision that is asked about. */
  query: string;
  /** The same of the stable revision, where it is another query. */
  stableQuery?: string;
  min?: number;
  max?: number;
  /** How far above, and below, the stable revision's value it may lie. */
  maxIncrease?: Allowance;
  maxDecrease?: Allowance;
}

/** So much, or such a share of the stable revision's value. */
export type Allowance = { amount: number } | { share: number };

const keys = ['steps', 'queries', 'prometheus'] as const;
const queryKeys = ['query', 'stable-query', 'min', 'max', 'max-increase', 'max-decrease'] as const;
const stepForm = 'a share with or without a pause, such as 10% or 10%:5m';
const mostSteps = 20;

/**
 * Reads the input `canary`: `10%:5m, 50%:10m, 100%`, or a YAML map with `steps`, `queries` and `prometheus`.
 * @throws ActionError `config` with line and column, and what is allowed
 */
export function readCanary(text: string, where: string): Canary {
  const whole = Place.read(text, where);
  if (typeof whole.value !== 'object' || whole.value === null || Array.isArray(whole.value)) return { steps: stepsOf(whole), queries: [] };
  const fields = whole.fields('the canary', keys);
  const steps = fields.get('steps') ?? whole.fail('steps are needed, such as "10%:5m, 50%:10m, 100%"');
  const prometheus = fields.get('prometheus')?.text("the server's address");
  return {
    steps: stepsOf(steps),
    queries: (fields.get('queries')?.entries('names and queries') ?? []).map(queryOf),
    ...(prometheus === undefined ? {} : { prometheus }),
  };
}

function stepsOf(place: Place): CanaryStep[] {
  const texts = Array.isArray(place.value)
    ? place.items('steps', mostSteps).map((item) => ({ item, text: item.text(stepForm) }))
    : place
        .text(stepForm)
        .split(',')
        .map((text) => ({ item: place, text: text.trim() }));
  if (texts.length > mostSteps) place.fail(`${texts.length} steps; allowed: ${mostSteps}`);
  const steps = texts.map(({ item, text }) => {
    const [, share = '', pause] =
      /^(\d{1,3})%(?::(\S+))?$/u.exec(text) ??
      item.fail(`the step ${JSON.stringify(text.slice(0, 100))} is not allowed; allowed: ${stepForm}`);
    if (Number(share) < 1 || Number(share) > 100)
      item.fail(`the step ${JSON.stringify(text)} has a share of ${share}%; allowed: 1% to 100%`);
    return { share: Number(share), pause: pause === undefined ? 0 : durationOf(pause, item) };
  });
  steps.forEach(({ share }, index) => {
    const before = steps[index - 1]?.share ?? 0;
    if (share <= before) place.fail(`the step of ${share}% comes after ${before}%; allowed: more at each step`);
  });
  return steps;
}

function durationOf(text: string, place: Place): number {
  try {
    return parseDuration(text, 'a pause');
  } catch (error) {
    return place.fail(`the pause ${JSON.stringify(text.slice(0, 100))} is no duration; allowed: such as 90s, 5m or 2h`, error);
  }
}

function queryOf(place: Place): CanaryQuery {
  const fields = place.fields(`the query ${JSON.stringify(place.name)}`, queryKeys);
  const query = fields.get('query')?.text('a PromQL query') ?? place.fail('query is needed: a PromQL query');
  const stableQuery = fields.get('stable-query')?.text('a PromQL query');
  const [min, max] = [fields.get('min')?.number(), fields.get('max')?.number()];
  const [maxIncrease, maxDecrease] = [fields.get('max-increase'), fields.get('max-decrease')];
  if ([min, max, maxIncrease, maxDecrease].every((limit) => limit === undefined)) {
    place.fail(`the query ${JSON.stringify(place.name)} has no limit; allowed: min, max, max-increase, max-decrease`);
  }
  const compares = maxIncrease ?? maxDecrease;
  if (compares && stableQuery === undefined && !query.includes('$(revision)')) {
    compares.fail('the query asks the same of both revisions; put $(revision) into it, or give stable-query');
  }
  return {
    name: place.name,
    query,
    ...(stableQuery === undefined ? {} : { stableQuery }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(maxIncrease ? { maxIncrease: allowanceOf(maxIncrease) } : {}),
    ...(maxDecrease ? { maxDecrease: allowanceOf(maxDecrease) } : {}),
  };
}

function allowanceOf(place: Place): Allowance {
  if (typeof place.value === 'number') return { amount: place.number('a number from 0', { min: 0 }) };
  const match = /^(\d{1,6}(?:\.\d{1,6})?)%$/u.exec(typeof place.value === 'string' ? place.value : '');
  return match ? { share: Number(match[1]) / 100 } : place.refuse('a number from 0, or a share such as 10%');
}
