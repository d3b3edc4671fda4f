import { ActionError } from '@slashtrain/core/action/errors';
import { seeded } from '@slashtrain/core/metrics/random';
import type { SweepRequest } from './read.ts';
import { draw, sizeOf, valuesOf, type Space } from './space.ts';

/** What the trials are: names of parameters, and a row of values for each trial. */
export interface Settings {
  names: string[];
  trials: string[][];
  /** What a reader should know of how they were chosen. */
  notes: string[];
}

/** The name of the parameter that `seeds` fills. */
const seedParameter = 'seed';

/** A container's environment holds the table: Linux takes 128 KiB for one variable (MAX_ARG_STRLEN, execve(2)). */
const longestTable = 100_000;

/**
 * The settings of all trials of a grid or of a random choice. The same request gives the same trials, in the same order.
 * @throws ActionError `input` for a grid with more points than `max-trials`, with their number, and for one without end
 */
export function settingsOf(request: SweepRequest): Settings {
  const { parameters, seeds, maxTrials, method } = request;
  const names = [...parameters.keys()];
  const spaces = [...parameters.values()];
  const each = Math.max(1, seeds.length);
  const room = Math.floor(maxTrials / each);
  if (room === 0)
    throw new ActionError('input', `"seeds" has ${each}, and max-trials is ${maxTrials}`, {
      remedy: 'raise max-trials, or give fewer seeds',
    });
  const notes: string[] = [];
  const settings = method === 'grid' ? grid(parameters, room, request) : random(spaces, room, request.seed, notes);
  if (seeds.length === 0) return checked({ names, trials: settings, notes });
  const trials = settings.flatMap((setting) => seeds.map((seed) => [...setting, seed]));
  return checked({ names: [...names, seedParameter], trials, notes });
}

function grid(parameters: SweepRequest['parameters'], room: number, { maxTrials, seeds }: SweepRequest): string[][] {
  let count = 1n;
  for (const [name, space] of parameters) {
    const size = sizeOf(space);
    if (size === undefined) {
      throw new ActionError('input', `parameters.${name} is a range of any numbers, and a grid of it has no end`, {
        remedy: 'add "count: 5" or "step: 0.1" to it, or use method: random',
      });
    }
    count *= BigInt(size);
  }
  if (count > BigInt(room)) {
    const [points, all] = [count.toLocaleString('en'), (count * BigInt(Math.max(1, seeds.length))).toLocaleString('en')];
    throw new ActionError('input', `the grid has ${points} points, which are ${all} trials, and max-trials is ${maxTrials}`, {
      remedy: 'give fewer values, raise max-trials, or use method: random, which tries as many of them',
    });
  }
  return [...parameters.values()].reduce<string[][]>(
    (rows, space) => rows.flatMap((row) => valuesOf(space).map((value) => [...row, value])),
    [[]],
  );
}

/** As many different settings as there is room for, or all where there are fewer. */
function random(spaces: readonly Space[], room: number, seed: number, notes: string[]): string[][] {
  const sizes = spaces.map(sizeOf);
  const isSmall = sizes.every((size) => size !== undefined && size <= room);
  const all = isSmall ? sizes.reduce<number>((product, size) => product * (size ?? 1), 1) : Infinity;
  const next = seeded(seed);
  if (all <= room) {
    const rows = spaces.reduce<string[][]>((done, space) => done.flatMap((row) => valuesOf(space).map((value) => [...row, value])), [[]]);
    if (rows.length < room) notes.push(`there are ${rows.length} settings in all, and each is tried`);
    return shuffled(rows, next);
  }
  const found = new Map<string, string[]>();
  // A log range of few whole numbers gives the same again and again.
  for (let tries = 0; found.size < room && tries < room * 200; tries++) {
    const row = spaces.map((space) => draw(space, next));
    found.set(JSON.stringify(row), row);
  }
  if (found.size < room) notes.push(`only ${found.size} different settings were found`);
  return [...found.values()];
}

function shuffled(rows: string[][], next: () => number): string[][] {
  return rows
    .map((row) => ({ row, order: next() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ row }) => row);
}

function checked(settings: Settings): Settings {
  const size = Buffer.byteLength(tableOf(settings));
  if (size <= longestTable) return settings;
  throw new ActionError('input', `the settings of ${settings.trials.length} trials take ${size} bytes; allowed: ${longestTable}`, {
    remedy: 'lower max-trials, or write shorter values',
  });
}

/** The table that the pods get: a line of names, and a line of values for each trial, by tabs. */
export function tableOf({ names, trials }: Pick<Settings, 'names' | 'trials'>): string {
  return [names, ...trials].map((row) => row.join('\t')).join('\n');
}
