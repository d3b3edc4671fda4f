/** Whether a parameter is a seed, by its last part: `seed`, `random_state`, `trainer.seed`, `args/random-seed`. */
export function isSeed(name: string): boolean {
  const last = name.split(/[./]/u).at(-1) ?? '';
  return ['seed', 'randomseed', 'randomstate'].includes(last.toLowerCase().replace(/[-_\s]/gu, ''));
}
