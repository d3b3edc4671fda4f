import { isSeed } from '@slashtrain/core/metrics/seed';

interface Parameter {
  name: string;
  value: string;
}

/** What two runs have in common that were trained with the very same parameters, the seed among them. */
export function samenessOf(parameters: readonly Parameter[], dataVersion: string | undefined): string {
  const sorted = parameters.map(({ name, value }) => [name, value]).sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
  return JSON.stringify([sorted, dataVersion]);
}

/** What runs have in common that differ by their seed alone. */
export function familyOf(parameters: readonly Parameter[], dataVersion: string | undefined): string {
  return samenessOf(
    parameters.filter(({ name }) => !isSeed(name)),
    dataVersion,
  );
}
