import { invalidRequest } from './refusal.ts';

/** A request's JSON body, read with GitHub's words for what is wrong. */
export type Body = Readonly<Record<string, unknown>>;

export function text(body: Body, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw invalidRequest(`For 'properties/${name}', ${JSON.stringify(value)} is not a string.`);
  return value;
}

export function requiredText(body: Body, name: string): string {
  const value = text(body, name);
  if (value === undefined) throw invalidRequest(`"${name}" wasn't supplied.`);
  return value;
}

export function flag(body: Body, name: string, fallback: boolean): boolean {
  const value = body[name] ?? fallback;
  if (typeof value !== 'boolean') throw invalidRequest(`For 'properties/${name}', ${JSON.stringify(value)} is not a boolean.`);
  return value;
}

export function oneOf<T extends string>(body: Body, name: string, allowed: readonly T[]): T | undefined {
  const value = text(body, name);
  if (value === undefined) return undefined;
  const known = allowed.find((one) => one === value);
  if (known === undefined) throw invalidRequest(`${value} is not a member of ${JSON.stringify(allowed)}.`);
  return known;
}

export function texts(body: Body, name: string): string[] | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
    throw invalidRequest(`For 'properties/${name}', ${JSON.stringify(value)} is not an array of strings.`);
  return value;
}

export function requiredCount(body: Body, name: string): number {
  const value = body[name];
  if (value === undefined || value === null) throw invalidRequest(`"${name}" wasn't supplied.`);
  if (!Number.isInteger(value)) throw invalidRequest(`For 'properties/${name}', ${JSON.stringify(value)} is not an integer.`);
  return value as number;
}

export function objects(body: Body, name: string): Body[] | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'object' && item !== null && !Array.isArray(item)))
    throw invalidRequest(`For 'properties/${name}', it is not an array of objects.`);
  return value as Body[];
}

export function object(body: Body, name: string): Body | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw invalidRequest(`For 'properties/${name}', it is not an object.`);
  return value as Body;
}
