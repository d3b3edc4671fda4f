import { ActionError } from '@slashtrain/core/action/errors';
import { parseDocument } from 'yaml';

/** The input `env-from-secret`. Secrets are named, never read: the kubelet gives them to the containers. */
export interface SecretInputs {
  /** Secrets whose every key becomes a variable. */
  all: readonly string[];
  /** Single keys, by the variable's name. */
  variables: ReadonlyMap<string, { secret: string; key: string }>;
}

const name = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/u;
const key = /^[-._A-Za-z0-9]+$/u;

/** @throws ActionError `input` for anything but names, or variables with a Secret's name and key */
export function readSecrets(text: string | undefined): SecretInputs {
  if (text === undefined) return { all: [], variables: new Map() };
  const document = parseDocument(text, { schema: 'failsafe', uniqueKeys: true });
  const value: unknown = document.errors.length === 0 ? document.toJS({ mapAsMap: true, maxAliasCount: 0 }) : undefined;
  if (value instanceof Map) {
    return { all: [], variables: new Map([...value].map(([variable, place]) => [String(variable), placeOf(text, variable, place)])) };
  }
  const all: unknown[] = Array.isArray(value) ? value : [value];
  if (all.every((item): item is string => typeof item === 'string' && name.test(item))) return { all, variables: new Map() };
  throw refused(text);
}

function placeOf(text: string, variable: unknown, place: unknown): { secret: string; key: string } {
  const [secret = '', within = '', ...more] = typeof place === 'string' ? place.split('/') : [];
  const fits = typeof variable === 'string' && !variable.startsWith('SLASHTRAIN_') && name.test(secret) && key.test(within);
  if (!fits || more.length > 0) throw refused(text);
  return { secret, key: within };
}

function refused(text: string): ActionError {
  return new ActionError(
    'input',
    `input "env-from-secret" is ${JSON.stringify(text.slice(0, 200))}; allowed: names of Secrets, or a map of variables`,
    {
      remedy: 'write "- wandb" for every key of a Secret, or "WANDB_API_KEY: wandb/api-key" for one key by the variable it becomes',
    },
  );
}
