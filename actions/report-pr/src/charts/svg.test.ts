import { describe, expect, it } from '@jest/globals';
import type { MetricPoint } from '@slashtrain/core/metrics/metrics';
import { lineSvg } from './svg.ts';

const curve = (...values: number[]): MetricPoint[] => values.map((value, step) => ({ step, value }));

describe('lineSvg', () => {
  it('draws each line with its name, and a gap where a value is no number', async () => {
    const svg = await lineSvg('accuracy', [
      { label: 'this commit', points: curve(0.5, 0.7, Number.NaN, 0.8, Number.POSITIVE_INFINITY, 0.9, 0.95) },
      { label: 'baseline', points: curve(0.5, 0.6) },
    ]);
    const lines = [...(svg ?? '').matchAll(/<path [^>]*role="graphics-symbol"[^>]*d="([^"]*)" stroke="(#[0-9a-f]{6})"/gu)];
    expect(lines.map(([, path = '', colour]) => [path.match(/M/gu)?.length, colour])).toEqual([
      [3, '#3b82f6'],
      [1, '#f97316'],
    ]);
    for (const text of ['this commit', 'baseline', 'accuracy', 'step']) expect(svg).toContain(`>${text}</text>`);
  });

  it.each([
    ['no line', []],
    ['one step', [{ label: 'a', points: curve(1) }]],
    ['nothing finite', [{ label: 'a', points: curve(Number.NaN, Number.NEGATIVE_INFINITY) }]],
  ])('draws nothing of %s', async (_, lines) => {
    expect(await lineSvg('m', lines)).toBeUndefined();
  });

  it.each(['</text><script>alert(1)</script>', '"onload="x', '&amp;', "datum['x']", 'a.b[0]', '\u202eabc\u0000', '', 'x'.repeat(10_000)])(
    'shows the name %j as text',
    async (name) => {
      const svg = (await lineSvg(name, [{ label: name, points: curve(1, 2) }])) ?? '';
      expect(svg).toMatch(/^<svg .*<\/svg>$/su);
      expect(svg).not.toMatch(/<script|\sonload|href=/u);
      for (const hidden of ['\u202e', '\u0000']) expect(svg).not.toContain(hidden);
      expect(svg.length).toBeLessThan(20_000);
    },
  );
});
