import { messageOf } from '@slashtrain/core/action/errors';
import { parsePythonJson } from '@slashtrain/core/metrics/lines';
import { addRow, flatten, noReadings, stepIn, stepKeys, valueIn, type Readings } from './readings.ts';
import { addKnownShape } from './shapes.ts';

/**
 * Reads JSON: nested keys are joined by dots, a list of numbers is a curve, a list of objects is a log of rows. Texts,
 * booleans and nulls are no metrics. Files of some programs are known by their shape (shapes.ts). Of a file that was cut, what is whole is read, and a note says so.
 * @throws SyntaxError where it is no JSON, and was not merely cut
 */
export function readJson(text: string): Readings {
  const readings = noReadings();
  const value = parse(text, readings.notes);
  if (!addKnownShape(readings, value)) addValue(readings, value);
  return readings;
}

/** Reads JSON lines: a row of a log each. A line that is no object is left out, and a note says so. */
export function readJsonLines(text: string): Readings {
  const readings = noReadings();
  const lines = text.split('\n');
  let row = 0;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    try {
      const value = parsePythonJson(line);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('it is no object');
      addRow(readings, value, row++);
    } catch (error) {
      const isCut = index === lines.length - 1;
      readings.notes.push(
        isCut
          ? `it ends in the middle of line ${index + 1}; the lines before were read`
          : `line ${index + 1} was left out: ${messageOf(error)}`,
      );
    }
  }
  return readings;
}

/** Adds every number of a JSON value. */
export function addValue(readings: Readings, value: unknown): void {
  const seen = new Set<string>();
  const top = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  // DVCLive's metrics.json: the step at which the others were measured.
  const step = stepIn((key) => (Object.hasOwn(top, key) ? top[key] : undefined)) ?? 0;
  for (const leaf of flatten(value)) {
    if (stepKeys.includes(leaf.name) && 'value' in leaf) continue;
    if (seen.has(leaf.name)) {
      readings.notes.push(`${JSON.stringify(leaf.name.slice(0, 100))} stands there twice; the first was taken`);
      continue;
    }
    seen.add(leaf.name);
    if ('value' in leaf) readings.collector.add({ name: leaf.name, value: leaf.value, step });
    else addList(readings, leaf.name, leaf.list);
  }
}

function addList(readings: Readings, name: string, list: readonly unknown[]): void {
  const prefix = name === '' ? [] : [name];
  for (const [index, item] of list.entries()) {
    const number = valueIn(item);
    if (number !== undefined) readings.collector.add({ name, value: number, step: index });
    else if (typeof item === 'object' && item !== null && !Array.isArray(item)) addRow(readings, item, index, prefix);
  }
}

function parse(text: string, notes: string[]): unknown {
  try {
    return parsePythonJson(text);
  } catch (error) {
    const whole = wholePart(text);
    if (whole === undefined) throw error;
    const value = parsePythonJson(whole);
    notes.push('it ends in the middle; what is whole was read');
    return value;
  }
}

/**
 * Of JSON that was cut, everything up to the last comma or bracket, closed: `{"a": 1, "b": 0.` gives `{"a": 1}`.
 * @returns undefined where it was not cut: everything is closed, or a bracket closes what was not opened
 */
function wholePart(text: string): string | undefined {
  const open: string[] = [];
  let whole: string | undefined;
  const keep = (end: number): void => {
    whole = text.slice(0, end) + open.toReversed().join('');
  };
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"?|[{}[\],]/gsu)) {
    if (token === '{') open.push('}');
    else if (token === '[') open.push(']');
    else if (token === ',') keep(index);
    else if (token === '}' || token === ']') {
      if (open.pop() !== token) return undefined;
      keep(index + 1);
    }
  }
  return open.length > 0 ? whole : undefined;
}
