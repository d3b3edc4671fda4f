import { drawSvg } from '../../actions/report-pr/src/charts/svg.ts';
import type { Limit, Row } from './part.ts';
import { ratios, spreadOf } from './samples.ts';

type Spec = Parameters<typeof drawSvg>[0];

// As in the reports' charts.
const [blue, orange] = ['#3b82f6', '#f97316'];
const look = {
  background: 'white',
  width: 520,
  padding: 8,
  config: { font: 'sans-serif', axis: { labelLimit: 900 }, legend: { orient: 'top' } },
} as const;

/** How much of each allowed ratio is used: medians and quartiles, 1 is the limit; from the left, whichever way is better. */
export function ratiosPlot(rows: readonly Row[]): Promise<string> {
  const values = rows.flatMap((row) => {
    const limit = (row.limits ?? []).find(({ of }) => of === 'ratio');
    if (!limit || !row.peer) return [];
    const { median, low, high } = spreadOf(ratios(row).map((ratio) => shareOf(ratio, limit)));
    return [{ what: `${row.what} ÷ ${row.peer.name}`, median, low, high, kept: median <= 1 ? 'kept' : 'missed' }];
  });
  const y = { field: 'what', type: 'nominal', sort: null, title: null } as const;
  const color = { field: 'kept', type: 'nominal', title: null, scale: { domain: ['kept', 'missed'], range: [blue, orange] } } as const;
  const spec: Spec = {
    ...look,
    data: { values },
    height: { step: 20 },
    encoding: { y },
    layer: [
      {
        mark: { type: 'rule', strokeDash: [4, 3], color: '#6b7280' },
        encoding: { x: { datum: 1 }, y: { value: 0 }, y2: { value: 'height' } },
      },
      { mark: { type: 'rule', strokeWidth: 2 }, encoding: { x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' }, color } },
      {
        mark: { type: 'point', filled: true, size: 60, opacity: 1 },
        encoding: { x: { field: 'median', type: 'quantitative', title: 'share of what is allowed (1 is the limit)' }, color },
      },
    ],
  };
  return drawSvg(spec);
}

function shareOf(ratio: number, { most, least }: Limit): number {
  return most === undefined ? (least ?? Number.NaN) / ratio : ratio / most;
}

/** Milliseconds before and after, medians; undefined where nothing was measured beside what it was. */
export async function beforePlot(rows: readonly Row[]): Promise<string | undefined> {
  const values = rows.flatMap(({ id, what, ours, peer }) => {
    if (!/^(?:start|steps)\/before\//u.test(id) || !peer) return [];
    const name = what.replace(', beside what it was', '');
    const [before, after] = [spreadOf(peer.samples).median, spreadOf(ours).median];
    return [
      { what: name, when: 'before', ms: before },
      { what: name, when: 'after', ms: after },
    ];
  });
  if (values.length === 0) return undefined;
  const spec: Spec = {
    ...look,
    data: { values },
    height: { step: 20 },
    encoding: {
      y: { field: 'what', type: 'nominal', sort: null, title: null },
      x: { field: 'ms', type: 'quantitative', title: 'ms, median' },
    },
    layer: [
      { mark: { type: 'line', color: '#9ca3af' }, encoding: { detail: { field: 'what' } } },
      {
        mark: { type: 'point', filled: true, size: 60, opacity: 1 },
        encoding: {
          color: { field: 'when', type: 'nominal', title: null, scale: { domain: ['before', 'after'], range: [orange, blue] } },
        },
      },
    ],
  };
  return drawSvg(spec);
}
