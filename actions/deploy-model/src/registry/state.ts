import { ActionError } from '@slashtrain/core/action/errors';
import type { RegistryState } from '../types.ts';

/** Where an alias was, null where it was not, and which version it is put on. */
export interface AliasState {
  model: string;
  alias: string;
  version: string | null;
  set: string;
}

/** What a rollout's record keeps of the registry. @throws ActionError where it is not that */
export function readState({ model, alias, version, set }: RegistryState): AliasState {
  const isVersion = version === null || typeof version === 'string';
  if (typeof model === 'string' && typeof alias === 'string' && isVersion && typeof set === 'string') return { model, alias, version, set };
  throw new ActionError('internal', 'the rollout does not say where the alias was');
}
