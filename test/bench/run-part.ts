import type { Options, PartName, Row } from './part.ts';
import { load } from './parts/index.ts';

/*
 * One part, in a process of its own: what it holds and what is warm in it is nobody else's.
 *   node test/bench/run-part.ts NAME OPTIONS      started by main.ts, which hears the rows
 */
export type Answer = { missing: string } | { rows: Row[] };

const [name = '', given = '{}'] = process.argv.slice(2);
const { rounds, ...options } = JSON.parse(given) as Omit<Options, 'rounds'> & { rounds?: number };
const { part } = await load[name as PartName]();
const chosen = { ...options, rounds: rounds ?? part.rounds[options.quick ? 'quick' : 'full'] };
const missing = part.missing?.(chosen);
const answer: Answer = missing === undefined ? { rows: await part.run(chosen) } : { missing };
process.send?.(answer, () => process.disconnect());
