import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFiles } from './files.ts';
import { readJson } from './json.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slashtrain-files-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const of = { sha: 'a'.repeat(40) };
const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: less } = Number;

/** Reads files by name and content: curves by metric, and what was said. */
async function read(files: Record<string, string>): Promise<{ curves: Record<string, number[][]>; notes: string[]; problems: string[] }> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const { runs, notes, problems } = await readFiles(Object.keys(files), folder, of);
  const metrics = runs[0]?.metrics ?? [];
  return {
    curves: Object.fromEntries(metrics.map(({ name, history }) => [name, history.map(({ step, value }) => [step, value])])),
    notes,
    problems,
  };
}

describe('a file', () => {
  it.each<[string, string, string, Record<string, number[][]>]>([
    [
      'nested keys',
      'm.json',
      '{"val": {"accuracy": 0.9, "per class": {"3": 1}}, "loss": 0.1}',
      { 'val.accuracy': [[0, 0.9]], 'val.per class.3': [[0, 1]], loss: [[0, 0.1]] },
    ],
    [
      'a list of numbers',
      'm.json',
      '{"loss": [3, 2, NaN, 1]}',
      {
        loss: [
          [0, 3],
          [1, 2],
          [2, nan],
          [3, 1],
        ],
      },
    ],
    ['texts, booleans and nulls', 'm.json', '{"name": "x", "ok": true, "none": null, "version": "1.10", "a": 1}', { a: [[0, 1]] }],
    [
      'values that are no numbers',
      'm.json',
      '{"a": NaN, "b": "nan", "c": "inf", "d": -Infinity, "e": "-inf"}',
      { a: [[0, nan]], b: [[0, nan]], c: [[0, infinity]], d: [[0, less]], e: [[0, less]] },
    ],
    [
      'a log of rows',
      'm.json',
      '{"log_history": [{"loss": 2, "step": 10, "epoch": 1}, {"loss": 1, "step": 20}]}',
      {
        'log_history.loss': [
          [10, 2],
          [20, 1],
        ],
      },
    ],
    ['a key of a prototype', 'm.json', '{"__proto__": {"a": 1}}', { '__proto__.a': [[0, 1]] }],
    ['a byte order mark', 'm.json', '\ufeff{"a": 1}', { a: [[0, 1]] }],
    [
      'lines',
      'm.jsonl',
      '{"step": 1, "accuracy": 0.5}\n\n{"step": 2, "accuracy": 0.6, "val": {"loss": 1}}\n',
      {
        accuracy: [
          [1, 0.5],
          [2, 0.6],
        ],
        'val.loss': [[2, 1]],
      },
    ],
    [
      'lines without a step',
      'm.ndjson',
      '{"a": 1}\n{"a": 2}',
      {
        a: [
          [0, 1],
          [1, 2],
        ],
      },
    ],
    [
      'metric lines',
      'm.jsonl',
      '{"name": "accuracy", "value": 0.5, "step": 3}\n{"name": "accuracy", "value": NaN, "step": 4}\n',
      {
        accuracy: [
          [3, 0.5],
          [4, nan],
        ],
      },
    ],
    [
      'a table',
      'm.csv',
      'step,accuracy,val/loss\n1,0.5,2\n2,0.6,1e-3\n',
      {
        accuracy: [
          [1, 0.5],
          [2, 0.6],
        ],
        'val/loss': [
          [1, 2],
          [2, 0.001],
        ],
      },
    ],
    [
      'a sparse table',
      'm.csv',
      'epoch,step,train_loss,val_acc\n0,49,0.3,\n0,49,,0.8\n1,99,nan,\n1,99,,0.9\n',
      {
        train_loss: [
          [49, 0.3],
          [99, nan],
        ],
        val_acc: [
          [49, 0.8],
          [99, 0.9],
        ],
      },
    ],
    ['quoted cells', 'm.csv', '"a ""b""","c,d"\n"1","2"\n', { 'a "b"': [[0, 1]], 'c,d': [[0, 2]] }],
    ['tabs', 'm.tsv', 'step\tacc\n5\t0.5\n', { acc: [[5, 0.5]] }],
    [
      'carriage returns',
      'm.csv',
      'a\r\n1\r\n2\r\n',
      {
        a: [
          [0, 1],
          [1, 2],
        ],
      },
    ],
  ])('with %s', async (_, name, text, curves) => {
    expect(await read({ [name]: text })).toEqual({ curves, notes: [], problems: [] });
  });

  it.each<[string, string, string, Record<string, number[][]>, string]>([
    ['an object', 'cut.json', '{"accuracy": 0.93, "loss": 0.', { accuracy: [[0, 0.93]] }, 'it ends in the middle; what is whole was read'],
    [
      'a nested object',
      'cut.json',
      '{"val": {"a": 1, "b": {"c": 2}, "d": "x,',
      { 'val.a': [[0, 1]], 'val.b.c': [[0, 2]] },
      'it ends in the middle',
    ],
    [
      'a list',
      'cut.json',
      '{"loss": [3, 2, 1',
      {
        loss: [
          [0, 3],
          [1, 2],
        ],
      },
      'it ends in the middle',
    ],
    [
      'lines',
      'cut.jsonl',
      '{"step": 1, "a": 0.5}\n{"step": 2, "a": 0.',
      { a: [[1, 0.5]] },
      'it ends in the middle of line 2; the lines before were read',
    ],
    ['a table', 'cut.csv', 'step,a,b\n1,0.5,2\n2,0.6', { a: [[1, 0.5]], b: [[1, 2]] }, 'left out, since they do not have 3 cells: line 3'],
    [
      'a table, within its last value',
      'cut.csv',
      'step,a\n1,0.5\n2,0.',
      {
        a: [
          [1, 0.5],
          [2, 0],
        ],
      },
      'does not end with a line feed: if it was cut, its last value is too short',
    ],
    ['a table, within quotes', 'cut.csv', 'step,a\n1,0.5\n2,"0.', { a: [[1, 0.5]] }, 'left out'],
    [
      'a line that is broken',
      'cut.jsonl',
      '{"a": 1}\nTraceback:\n{"a": 2}\n',
      {
        a: [
          [0, 1],
          [1, 2],
        ],
      },
      'line 2 was left out',
    ],
    ['a column without numbers', 'cut.csv', 'a,host\n1,gpu-7\n', { a: [[0, 1]] }, 'without numbers, hence left out: "host"'],
  ])('that has %s cut is read as far as it is whole, and it says so', async (_, name, text, curves, note) => {
    const result = await read({ [name]: text });
    expect(result).toMatchObject({ curves, problems: [] });
    expect(result.notes.join('\n')).toContain(note);
    expect(result.notes[0]).toContain(name);
  });

  it.each<[string, string, string]>([
    ['empty.json', '', 'empty.json cannot be read: it is empty'],
    ['empty.csv', '\n\n', 'empty.csv cannot be read: it is empty'],
    ['broken.json', '{"a": 1}}', 'broken.json cannot be read'],
    ['words.json', 'accuracy: 0.9', 'words.json cannot be read'],
    ['page.json', '<!doctype html>', 'page.json cannot be read'],
    ['m.toml', 'a = 1', 'm.toml cannot be read: allowed: .json, .jsonl, .ndjson, .csv, .tsv, .yaml, .yml, and event files'],
    ['broken.yaml', 'a: [1', 'broken.yaml cannot be read'],
  ])('%s is a problem', async (name, text, problem) => {
    const { curves, problems } = await read({ [name]: text });
    expect(curves).toEqual({});
    expect(problems[0]).toContain(problem);
  });

  it('that is not there is a problem, and the others are read', async () => {
    writeFileSync(join(folder, 'there.json'), '{"a": 1}');
    const { runs, problems } = await readFiles(['nowhere.json', 'there.json'], folder, of);
    expect(problems[0]).toContain('nowhere.json cannot be read');
    expect(runs[0]?.metrics.map(({ name }) => name)).toEqual(['a']);
  });

  it('that says again what another said is a problem: nobody knows which counts', async () => {
    const { curves, problems } = await read({ 'one.json': '{"a": 1}', 'two.json': '{"a": 2, "b": 3}' });
    expect(curves).toEqual({ a: [[0, 1]], b: [[0, 3]] });
    expect(problems[0]).toContain('"a" stands in one.json and in two.json; the first was taken');
  });
});

describe('readJson', () => {
  it('of any cut file reads nothing that the whole file does not have', () => {
    const numbers = fc.dictionary(
      fc.constantFrom('a', 'b', 'c,', '"d{'),
      fc.oneof(fc.integer(), fc.array(fc.integer()), fc.dictionary(fc.constantFrom('x', 'y]'), fc.integer())),
    );
    fc.assert(
      fc.property(numbers, fc.nat(), (value, length) => {
        const text = JSON.stringify(value);
        const whole = new Map(
          readJson(text)
            .collector.series()
            .map(({ name, points }) => [name, points]),
        );
        const cut = text.slice(0, length % text.length);
        let readings;
        try {
          readings = readJson(cut);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
          return;
        }
        for (const { name, points } of readings.collector.series()) expect(whole.get(name)?.slice(0, points.length)).toEqual(points);
      }),
    );
  });
});
