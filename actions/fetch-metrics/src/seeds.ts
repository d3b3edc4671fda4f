interface Parameter {
  name: string;
  value: string;
}

/** Whether a parameter is a seed, by its last part: `seed`, `random_state`, `trainer.seed`, `args/random-seed`. */
export function isSeed(name: string): boolean {
  const last = name.split(/[./]/u).at(-1) ?? '';
  return ['seed', 'randomseed', 'randomstate'].includes(last.toLowerCase().replace(/[-_\s]/gu, ''));
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
