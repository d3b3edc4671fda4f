import { ActionError } from '@slashtrain/core/action/errors';
import { after, isStatement, start, type Place } from './place.ts';
import { placeOf, type Cell, type Notebook } from './read.ts';

/** Cells of a notebook that are run as a pod of their own. */
export interface Step {
  name: string;
  /** Steps that must have succeeded before. */
  after: string[];
  /** Its cells, and those that every step has. */
  cells: Cell[];
}

/** The name of the template that has all steps. */
export const allSteps = 'all';

/**
 * The steps of a notebook by its tags. `step:NAME` begins one, and it goes on up to the next; what stands before the
 * first, and the cell tagged `parameters`, is part of all. `after:NAME` says what a step waits for, `after:none` that it
 * waits for nothing; without one it waits for the step before it.
 * @returns nothing where no cell is tagged
 * @throws ActionError `input` with the cell
 */
export function stepsOf({ path, cells }: Notebook): Step[] {
  const steps = new Map<string, { after: Set<string>; cells: Set<Cell>; first: number }>();
  const common = new Set<Cell>();
  let current: Set<Cell> = common;
  const kept = cells.filter(({ tags }) => !tags.includes('skip'));
  for (const cell of kept) {
    const named = (prefix: string): string[] =>
      cell.tags.filter((tag) => tag.startsWith(prefix)).map((tag) => tag.slice(prefix.length).trim());
    const [name, other] = named('step:');
    const waits = named('after:');
    const refuse = (why: string): ActionError => new ActionError('input', `${placeOf(path, cell.number)} ${why}`);
    if (other !== undefined) throw refuse(`is tagged "step:${name ?? ''}" and "step:${other}"; a cell belongs to one step`);
    if (name === undefined && waits.length > 0) throw refuse(`is tagged "after:${waits[0] ?? ''}" and has no tag "step:NAME"`);
    if (name !== undefined) {
      if (!/^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/u.test(name) || name === allSteps || name === 'none')
        throw refuse(
          `is tagged ${JSON.stringify(`step:${name}`)}; names have up to 40 of a-z, 0-9 and "-", and are not "${allSteps}" or "none"`,
        );
      const step = steps.get(name) ?? { after: new Set(), cells: new Set(), first: cell.number };
      for (const wait of waits) {
        const before = steps.get(wait);
        if (wait !== 'none' && (wait === name || !before || before.first >= step.first))
          throw refuse(`is tagged ${JSON.stringify(`after:${wait}`)}, and no step of that name begins before "${name}"`);
        step.after.add(wait);
      }
      steps.set(name, step);
      current = step.cells;
    }
    (cell.tags.includes('parameters') ? common : current).add(cell);
  }
  const names = [...steps.keys()];
  return [...steps].map(([name, step], index) => ({
    name,
    after: step.after.size > 0 ? [...step.after].filter((wait) => wait !== 'none') : names.slice(Math.max(0, index - 1), index),
    cells: kept.filter((cell) => common.has(cell) || step.cells.has(cell)),
  }));
}

const plain =
  /^([A-Za-z]\w*)\s*(?::[^=]+)?=\s*(?:([-+]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|True|False|None)|"([^"\\]*)"|'([^'\\]*)')\s*(?:#.*)?$/u;

/** What the cell tagged `parameters` sets to a number, a text, a truth value or None, by name: the text of each. */
export function plainParameters({ cells }: Notebook): Map<string, string> {
  const found = new Map<string, string>();
  let place: Place = start;
  for (const line of cells.find(({ tags, type }) => type === 'code' && tags.includes('parameters') && !tags.includes('skip'))?.lines ??
    []) {
    const [, name, value, double, single] = (isStatement(place) ? plain.exec(line) : null) ?? [];
    const text = value ?? double ?? single;
    // Argo would evaluate it.
    if (name !== undefined && text !== undefined && !text.includes('{{')) found.set(name, text);
    place = after(line, place);
  }
  return found;
}
