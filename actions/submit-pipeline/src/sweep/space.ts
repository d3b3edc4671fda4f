import { ActionError } from '@slashtrain/core/action/errors';

/** What a parameter may be. */
export type Space = { values: string[] } | Range;

/** Numbers from `min` to `max`, both included. */
export interface Range {
  min: number;
  max: number;
  /** Evenly by their logarithm. */
  log: boolean;
  /** Whole numbers alone. */
  int: boolean;
  /** For a grid: the distance of two. */
  step?: number;
  /** For a grid: how many, evenly. */
  count?: number;
}

/** @throws ActionError `input` for a space with nothing in it, and for what contradicts itself */
export function checkParameter(space: Space, place: string): Space {
  const wrong = (what: string, remedy: string): ActionError => new ActionError('input', `${place} ${what}`, { remedy });
  if ('values' in space) {
    if (space.values.length === 0) throw wrong('is empty: there is nothing to try', 'give at least one value, or take it out');
    const twin = space.values.find((value, index) => space.values.indexOf(value) !== index);
    if (twin !== undefined)
      throw wrong(`has ${JSON.stringify(twin)} twice`, 'name each value once; for several runs of one setting use "seeds"');
    return space;
  }
  const { min, max, log, int, step, count } = space;
  if (min > max) throw wrong(`is empty: min ${min} is above max ${max}`, 'exchange them');
  if (log && min <= 0) throw wrong(`has "log" and min ${min}`, 'a logarithm needs numbers above 0');
  if (int && !(Number.isSafeInteger(min) && Number.isSafeInteger(max)))
    throw wrong(`has "int", from ${min} to ${max}`, 'give whole numbers');
  if (step !== undefined && !(step > 0)) throw wrong(`has step ${step}`, 'give a number above 0');
  if (step !== undefined && (count !== undefined || log))
    throw wrong(`has "step" beside ${log ? '"log"' : '"count"'}`, 'take one of them out');
  return space;
}

/** How many values a grid has of it; undefined where a grid has no end: a range of any numbers. */
export function sizeOf(space: Space): number | undefined {
  if ('values' in space) return space.values.length;
  const { min, max, int, step, count } = space;
  if (min === max) return 1;
  if (count !== undefined) return int ? Math.min(count, max - min + 1) : count;
  if (step !== undefined) return Math.floor((max - min) / step + 1e-9) + 1;
  return int ? max - min + 1 : undefined;
}

/** The values of a grid, in their order. */
export function valuesOf(space: Space): string[] {
  if ('values' in space) return space.values;
  const size = sizeOf(space) ?? 1;
  if (space.step !== undefined) return Array.from({ length: size }, (_, index) => textOf(space.min + index * (space.step ?? 1), space));
  return [...new Set(Array.from({ length: size }, (_, index) => at(space, size === 1 ? 0 : index / (size - 1))))];
}

/** The value at a share of the way, from 0 to 1. */
export function at(space: Space, share: number): string {
  if ('values' in space) return space.values[Math.min(space.values.length - 1, Math.floor(share * space.values.length))] ?? '';
  const { min, max, log } = space;
  const value = log ? Math.exp(Math.log(min) + share * (Math.log(max) - Math.log(min))) : min + share * (max - min);
  return textOf(Math.min(max, Math.max(min, value)), space);
}

/** One by chance; of whole numbers each is as likely as the next. */
export function draw(space: Space, random: () => number): string {
  const share = random();
  if ('values' in space || !space.int || space.log) return at(space, share);
  return String(space.min + Math.min(space.max - space.min, Math.floor(share * (space.max - space.min + 1))));
}

// Six digits are more than a training can tell apart, and can be read. The ends are as they were given.
function textOf(value: number, { int, min, max }: Range): string {
  if (int) return String(Math.round(value));
  return String(value === min || value === max ? value : Number(value.toPrecision(6)));
}
