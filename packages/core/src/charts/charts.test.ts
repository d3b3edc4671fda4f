import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MetricPoint } from '../metrics/metrics.ts';
import { gridFor, onGrid } from './curve.ts';
import { mermaidLine } from './mermaid.ts';
import { sparkline } from './sparkline.ts';

const curve = (...values: number[]): MetricPoint[] => values.map((value, step) => ({ step, value }));
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

describe('sparkline', () => {
  it.each([
    [[0, 1, 2, 3, 4, 5, 6, 7], '▁▂▃▄▅▆▇█'],
    [[1, 0], '█▁'],
    [[3, 3, 3], '▅▅▅'],
    [[0, nan, 1], '▁·█'],
    [[-infinity, 0, 1, infinity], '·▁█·'],
    [[nan], '·'],
    [[], ''],
    [[-1.7e308, 1.7e308], '▁█'],
  ])('of %j is %s', (values, expected) => {
    expect(sparkline(values)).toBe(expected);
  });

  it('ends where the run ended, however long it was', () => {
    const values = [...Array.from({ length: 999 }, () => 1), 0];
    expect(sparkline(values, 10)).toBe('█████████▁');
  });
});

describe('onGrid', () => {
  const grid = { from: 0, to: 4, count: 5 };
  it.each([
    ['through its own points', curve(1, 2, 3, 4, 5), [1, 2, 3, 4, 5]],
    ['straight between them', [curve(1)[0]!, { step: 4, value: 5 }], [1, 2, 3, 4, 5]],
    ['level before the first and after the last', [{ step: 2, value: 7 }], [7, 7, 7, 7, 7]],
  ])('draws %s', (_, points, values) => {
    expect(onGrid(points, grid)).toEqual(values);
  });

  it('loses neither the first, the last, the smallest nor the largest value of a long curve', () => {
    // Without -0, which is 0 in a chart.
    const values = fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map((value) => value + 0);
    fc.assert(
      fc.property(fc.array(values, { minLength: 60, maxLength: 400 }), (all) => {
        const points = curve(...all);
        const drawn = onGrid(points, gridFor([points], 50)!);
        expect(drawn).toHaveLength(50);
        expect([drawn[0], drawn.at(-1)]).toEqual([all[0], all.at(-1)]);
        expect(drawn).toContain(Math.min(...all));
        expect(drawn).toContain(Math.max(...all));
      }),
    );
  });

  it('keeps a peak between two positions', () => {
    const points = curve(...Array.from({ length: 1000 }, (_, step) => (step === 503 ? 9 : 0)));
    expect(Math.max(...onGrid(points, gridFor([points], 50)!))).toBe(9);
  });
});

describe('gridFor', () => {
  it.each([
    [[curve(1, 2, 3)], { from: 0, to: 2, count: 3 }],
    [[curve(1, 2), [{ step: 10, value: 1 }]], { from: 0, to: 10, count: 11 }],
    [[curve(...Array.from({ length: 1000 }, () => 1))], { from: 0, to: 999, count: 50 }],
    [
      [
        [
          { step: 0, value: 1 },
          { step: 100, value: 2 },
        ],
      ],
      { from: 0, to: 100, count: 2 },
    ],
    [[curve(1)], undefined],
    [[[]], undefined],
  ])('of %j', (curves, grid) => {
    expect(gridFor(curves, 50)).toEqual(grid);
  });
});

/** The grammar of Mermaid's xychart as far as it is used here, which knows no exponent: one line, one statement. */
const number = String.raw`-?\d+(\.\d+)?`;
const label = String.raw`"[\p{L}\p{N} ._/()%+@:…^×-]*"`;
const statements = new RegExp(
  [
    String.raw`%%\{init: \{"xyChart":\{"width":800,"height":220\},"themeVariables":\{"xyChart":\{"backgroundColor":"transparent","plotColorPalette":"(#[0-9a-f]{6}(, )?)+"\}\}\}\}%%`,
    'xychart-beta',
    String.raw`  x-axis "step" (${number} --> ${number}|\[("\d+"(, )?){2,12}\])`,
    String.raw`  y-axis ${label} ${number} --> ${number}`,
    String.raw`(  line \[${number}(, ${number}){1,49}\]\n?){1,4}`,
  ].join(String.raw`\n`),
  'u',
);
const block = new RegExp(String.raw`^[^\n]+\n\n${'`'.repeat(3)}mermaid\n${statements.source}\n${'`'.repeat(3)}$`, 'u');

describe('mermaidLine', () => {
  it('draws the first line on top, with a legend in its colour', () => {
    expect(
      mermaidLine('accuracy', [
        { label: 'this commit', points: curve(0.5, 0.75, nan, 1) },
        { label: 'baseline', points: curve(0.5, 0.6) },
      ]),
    ).toBe(
      [
        '🟦 this commit (1 value that is no number is not drawn) &nbsp; 🟧 baseline (until step 1)',
        '',
        '```mermaid',
        '%%{init: {"xyChart":{"width":800,"height":220},"themeVariables":{"xyChart":{"backgroundColor":"transparent","plotColorPalette":"#f97316, #3b82f6"}}}}%%',
        'xychart-beta',
        '  x-axis "step" ["0", "1", "2", "3"]',
        '  y-axis "accuracy" 0.475 --> 1.025',
        '  line [0.5, 0.6, 0.6, 0.6]',
        '  line [0.5, 0.75, 0.875, 1]',
        '```',
      ].join('\n'),
    );
  });

  it.each([
    ['no line', []],
    ['no point', [{ label: 'a', points: [] }]],
    ['one step', [{ label: 'a', points: curve(1) }]],
    ['nothing finite', [{ label: 'a', points: curve(nan, infinity) }]],
  ])('draws nothing of %s', (_, lines) => {
    expect(mermaidLine('m', lines)).toBeUndefined();
  });

  it.each([
    '"',
    'a"] \n line [1]',
    '%%{init: {}}%%',
    '---\nconfig:\n---',
    '#quot;',
    '```\n',
    '`**x**`',
    '',
    '\u202eabc',
    'x'.repeat(10_000),
  ])('stays a chart with the name %j', (name) => {
    expect(mermaidLine(name, [{ label: name, points: curve(1, 2) }])).toMatch(block);
  });

  it('stays a chart with any name and any values', () => {
    const points = fc.array(fc.double(), { maxLength: 120 }).map((values) => curve(...values));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(points, { maxLength: 5 }), (name, curves) => {
        const chart = mermaidLine(
          name,
          curves.map((one) => ({ label: name, points: one })),
        );
        if (chart !== undefined) expect(chart).toMatch(block);
      }),
    );
  });
});
