import { describe, expect, it } from '@jest/globals';
import { compare, comparisonText, warningsOf } from '../bench/compare.ts';
import type { Row } from '../bench/part.ts';
import { withLater, type Results } from '../bench/results.ts';
import { quantile, ratios, spreadOf } from '../bench/samples.ts';
import { keeps, number, shown, tableOf } from '../bench/table.ts';
import { seeded } from '@slashtrain/core/metrics/random';

/* What is said of measurements: how figures are shown, and which changes are told. Nothing is measured here. */

const machine = { cpu: 'a CPU', cores: 2, memory: 24, kernel: 'Linux 6', node: 'v24.0.0', load: 0 };
const results = (rows: Row[], at = '2026-11-22T00:00:00Z', quick = true): Results => ({
  ...{ version: 1, commit: 'a'.repeat(40), at, seconds: 60, quick, machine, rows, skipped: [] },
});

/** A figure whose peer takes 100 ms, give or take, and ours so many times that. */
function timed(times: number, { seed = 1, rounds = 7, noise = 0.05, id = 'start/a' } = {}): Row {
  const random = seeded(seed);
  const around = (value: number): number => value * (1 + noise * (2 * random() - 1));
  const samples = Array.from({ length: rounds }, () => around(100));
  const ours = samples.map((sample) => times * around(sample));
  return { id, what: 'a starts', issues: [6], unit: 'ms', better: 'lower', ours, peer: { name: 'minimal', version: '', samples } };
}
const counted = (count: number): Row => ({ id: 'steps/a', what: 'a asks', issues: [7], unit: 'count', better: 'lower', ours: [count] });
const faster = (times: number, seed: number): Row => ({ ...timed(times, { seed }), unit: 'MB/s', better: 'higher' });
const history = (row: (seed: number) => Row, runs = 7): Results[] => Array.from({ length: runs }, (_, run) => results([row(run + 10)]));

describe('a change', () => {
  it.each<[string, Row, Results[], string]>([
    ['of noise alone', timed(1), history((seed) => timed(1, { seed })), 'pass'],
    ['of much noise', timed(1, { noise: 0.4 }), history((seed) => timed(1, { seed, noise: 0.4 })), 'pass or inconclusive'],
    ['within the tolerance', timed(1.05), history((seed) => timed(1, { seed })), 'pass'],
    ['of a fifth', timed(1.2), history((seed) => timed(1, { seed })), 'fail'],
    ['of a fifth, beside one earlier run', timed(1.2), history((seed) => timed(1, { seed }), 1), 'fail'],
    ['of a fifth in noise of two fifths', timed(1.2, { noise: 0.4 }), history((seed) => timed(1, { seed, noise: 0.4 })), 'inconclusive'],
    ['for the better', timed(0.5), history((seed) => timed(1, { seed })), 'pass'],
    ['of a fifth, where more is better', faster(0.8, 1), history((seed) => faster(1, seed)), 'fail'],
    ['in three rounds', timed(3, { rounds: 3 }), history((seed) => timed(1, { seed })), 'inconclusive'],
    ['of a figure that is new', timed(1, { id: 'start/b' }), history((seed) => timed(1, { seed })), 'no-baseline'],
    ['without a history', timed(1), [], 'no-baseline'],
    ['beside a full run alone', timed(2), [results([timed(1)], undefined, false)], 'no-baseline'],
    ['of a count', counted(6), history(() => counted(5)), 'fail'],
    ['of no count', counted(5), history(() => counted(5)), 'pass'],
  ])('%s: %#', (_, row, before, outcome) => {
    expect(outcome.split(' or ')).toContain(compare(results([row]), before)[0]?.outcome);
  });

  it('of a time without a peer is not told: another machine is no change', () => {
    const { peer: _, ...alone } = timed(2);
    expect(
      compare(
        results([alone]),
        history((seed) => timed(1, { seed })),
      ),
    ).toEqual([]);
  });

  it('of noise is told in none of 200 runs', () => {
    const told = Array.from({ length: 200 }, (_, run) => {
      const before = Array.from({ length: 7 }, (__, at) => results([timed(1, { seed: 1000 * run + at, noise: 0.1 })]));
      return warningsOf(compare(results([timed(1, { seed: 1000 * run + 999, noise: 0.1 })]), before)).length;
    });
    expect(told.filter((count) => count > 0)).toEqual([]);
  });
});

describe('comparisonText', () => {
  it('says that there is no history', () => {
    expect(comparisonText(compare(results([timed(1)]), []), 0)).toBe(
      'There are no figures of earlier runs, so there is nothing to compare with.\n',
    );
  });

  it('has what got worse first, with the interval, and as a warning', () => {
    const before = history((seed) => timed(1, { seed })).map((one) => ({ ...one, rows: [counted(5), ...one.rows] }));
    const compared = compare(results([counted(5), timed(1.5)]), before);
    const text = comparisonText(compared, before.length);
    expect(text).toContain('1 of 2 figures got worse. Compared with 7 earlier runs.');
    expect(text.indexOf('| a starts | slower |')).toBeLessThan(text.indexOf('| a asks | as before |'));
    expect(warningsOf(compared)).toEqual([
      expect.stringMatching(/^a starts \(start\/a\): 1\.\d+ against .*\[0\.4\d* to 0\.\d+ at 95 %.*allowed: 10% worse/u),
    ]);
  });
});

describe('a table', () => {
  it.each([
    [[5], 'count', '5'],
    [[1234.5], 'ms', '1,235 ms'],
    [[0.0123], 's', '0.012 s'],
    [[12.34], 'MB/s', '12.3 MB/s'],
    [[1, 2, 3, 4, 100], 'ratio', '3.00 (2.00 – 4.00)'],
    [[], 'ratio', '–'],
  ] as const)('shows %j %s as %s', (values, unit, text) => {
    expect(shown(values, unit)).toBe(text);
  });

  it('holds each limit against what it is of', () => {
    const row: Row = { ...timed(1, { noise: 0 }), memory: { ours: 160 } };
    expect(keeps(row, { of: 'ratio', most: 1.1 })).toBe(true);
    expect(keeps(row, { of: 'ratio', least: 1.1 })).toBe(false);
    expect(keeps(row, { of: 'ours', most: 50 })).toBe(false);
    expect(keeps(row, { of: 'memory', most: 150 })).toBe(false);
    expect(keeps(counted(1), { of: 'ratio', most: 1 })).toBeUndefined();
    expect(
      tableOf([
        {
          ...row,
          limits: [
            { of: 'ratio', most: 1.1 },
            { of: 'memory', most: 150 },
          ],
        },
      ]),
    ).toContain('| ≤ 1.1×, ≤ 150 MB | yes, **no** | 160 MB | 7 | 6 |');
  });

  it('pairs ours with the peer of the same round', () => {
    expect(ratios({ ours: [1, 4, 9], peer: { name: '', version: '', samples: [1, 2, 3] } })).toEqual([1, 2, 3]);
    expect(spreadOf([1, 2, 3, 4])).toEqual({ median: 2, low: 1, high: 4 });
    expect([quantile([], 0.5), number(Number.NaN)]).toEqual([Number.NaN, '–']);
  });
});

it('keeps the other figures where some parts are measured again, and says which', () => {
  const kept = results([timed(1), counted(7)]);
  const later = { ...results([timed(2)], '2026-11-23T00:00:00Z'), commit: 'b'.repeat(40) };
  const { rows, again } = withLater(kept, later);
  expect(rows).toEqual([counted(7), timed(2)]);
  expect(again).toEqual([{ parts: ['start'], commit: later.commit, at: later.at, machine }]);
  expect(withLater({ ...kept, rows, again: again ?? [] }, later).again).toEqual(again);
});
