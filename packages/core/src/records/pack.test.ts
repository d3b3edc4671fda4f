import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Validator, type Schema } from '@cfworker/json-schema';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MetricSeries, RunMetrics } from '../metrics/metrics.ts';
import { packMetrics, unpackMetrics } from './pack.ts';
import { fewestPoints, thin } from './thin.ts';

const value = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, -0));
const curve = fc
  .array(value, { minLength: 1, maxLength: 300 })
  .map((values) => ({ name: 'm', points: values.map((one, step) => ({ step, value: one })) }));

function curveOf(name: string, length: number): MetricSeries {
  let seed = name.length + 1;
  // Noise compresses badly, as measurements do.
  const noise = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  return { name, points: Array.from({ length }, (_, step) => ({ step, value: noise() })) };
}
const metricsOf = (...series: MetricSeries[]): RunMetrics => ({ version: 1, series, dropped: [] });
const lengths = (metrics: RunMetrics | undefined): Record<string, number> =>
  Object.fromEntries((metrics?.series ?? []).map(({ name, points }) => [name, points.length]));

describe('a thinned curve', () => {
  it('keeps first, last, smallest, largest and the first that is no number, in order', () => {
    fc.assert(
      fc.property(curve, fc.integer({ min: fewestPoints, max: 100 }), (series, most) => {
        const { points } = thin(series, most);
        const all = series.points.map((point) => point.value);
        const finite = all.filter(Number.isFinite);
        const kept = points.map((point) => point.value);
        expect(points.length).toBeLessThanOrEqual(Math.max(most, 0));
        expect(points).toEqual(series.points.filter(({ step }) => points.some((point) => point.step === step)));
        expect([kept[0], kept.at(-1)]).toEqual([all[0], all.at(-1)]);
        if (finite.length > 0)
          expect(kept).toEqual(expect.arrayContaining([finite.toSorted((a, b) => a - b)[0], finite.toSorted((a, b) => b - a)[0]]));
        expect(kept.find((one) => !Number.isFinite(one))).toEqual(all.find((one) => !Number.isFinite(one)));
      }),
    );
  });

  it('is itself where it is short enough', () => {
    const series = curveOf('m', 20);
    expect(thin(series, 20)).toBe(series);
  });
});

describe('packed metrics', () => {
  it('come back as they were, whatever the names and values', () => {
    const series = fc.record({ name: fc.string({ unit: 'binary' }), points: curve.map(({ points }) => points) });
    fc.assert(
      fc.property(fc.uniqueArray(series, { maxLength: 5, selector: ({ name }) => name }), (list) => {
        const metrics = metricsOf(...list);
        // JSON has no -0.
        const expected = metricsOf(
          ...list.map(({ name, points }) => ({
            name,
            points: points.map((point) => ({ ...point, value: point.value === 0 ? 0 : point.value })),
          })),
        );
        expect(unpackMetrics(packMetrics(metrics))).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it('are what the published schema says', () => {
    const schema = JSON.parse(readFileSync(new URL('../../schemas/run-metrics.schema.json', import.meta.url), 'utf8')) as Schema;
    const packed = packMetrics(metricsOf(curveOf('a', 3), { name: '', points: [{ step: 0, value: Number.NaN }] }));
    expect(new Validator(schema, '2020-12').validate(JSON.parse(gunzipSync(packed).toString())).errors).toEqual([]);
  });

  it('lose points of ungated curves first, and say so', () => {
    const metrics = metricsOf(curveOf('loss', 2_000), curveOf('accuracy', 2_000));
    const packed = packMetrics(metrics, new Set(['accuracy']), 27_000);
    expect(packed.length).toBeLessThanOrEqual(27_000);
    const kept = unpackMetrics(packed);
    expect(lengths(kept)).toEqual({ loss: 200, accuracy: 2_000 });
    expect(kept?.dropped).toEqual(['the curve of "loss" has 200 of 2000 points']);
  });

  it('lose points of gated curves before whole series', () => {
    const packed = packMetrics(metricsOf(curveOf('loss', 2_000), curveOf('accuracy', 2_000)), new Set(['accuracy']), 2_000);
    expect(lengths(unpackMetrics(packed))).toEqual({ loss: fewestPoints, accuracy: 100 });
  });

  it('lose whole series last, never a gated one while there is another', () => {
    const many = Array.from({ length: 500 }, (_, index) => curveOf(`metric ${index}`, 1));
    const packed = packMetrics(
      metricsOf(...many, curveOf('a gated one with a rather long name', 1)),
      new Set(['a gated one with a rather long name']),
      1_000,
    );
    expect(packed.length).toBeLessThanOrEqual(1_000);
    const kept = unpackMetrics(packed);
    expect(kept?.series[0]?.name).toBe('a gated one with a rather long name');
    expect(kept?.series.length).toBeGreaterThan(3);
    expect(kept?.dropped.at(-1)).toBe(`${501 - (kept?.series.length ?? 0) - 10} more were thinned or left out`);
  });

  it.each([
    ['no gzip', Buffer.from('x')],
    ['no JSON', gzipSync('{')],
    ['another version', gzipSync('{"version":2,"series":[],"dropped":[]}')],
    ['a value that is none', gzipSync('{"version":1,"series":[{"name":"a","points":[{"step":0,"value":"1"}]}],"dropped":[]}')],
    ['a step that is none', gzipSync('{"version":1,"series":[{"name":"a","points":[{"step":-1,"value":1}]}],"dropped":[]}')],
    ['a series that is none', gzipSync('{"version":1,"series":[null],"dropped":[]}')],
    ['a bomb', gzipSync(Buffer.alloc(300 * 1024 * 1024))],
  ])('are none with %s', (_, bytes) => {
    expect(unpackMetrics(bytes)).toBeUndefined();
  });
});
