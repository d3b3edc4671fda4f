import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MetricCollector, jsonNumber, numberOf, parseMetricLine, parsePythonJson } from './lines.ts';

describe('parseMetricLine', () => {
  it.each([
    ['slashtrain-metric {"name":"accuracy","value":0.93,"step":5}', { name: 'accuracy', value: 0.93, step: 5 }],
    ['slashtrain-metric {"name":"accuracy","value":0.93}', { name: 'accuracy', value: 0.93 }],
    ['slashtrain-metric {"name":"a","value":1,"step":null}', { name: 'a', value: 1 }],
    ['  slashtrain-metric\t{"value":1e-7,"name":"a/b","step":0}  ', { name: 'a/b', value: 1e-7, step: 0 }],
    ['slashtrain-metric{"name":"","value":-0.5}', { name: '', value: -0.5 }],
    ['slashtrain-metric {"name": "loss", "value": NaN, "step": 3}', { name: 'loss', value: Number.NaN, step: 3 }],
    ['slashtrain-metric {"name": "loss", "value": -Infinity}', { name: 'loss', value: Number.NEGATIVE_INFINITY }],
    ['slashtrain-metric {"name": "loss", "value": "NaN"}', { name: 'loss', value: Number.NaN }],
    ['slashtrain-metric {"name": "loss", "value": "Infinity"}', { name: 'loss', value: Number.POSITIVE_INFINITY }],
    ['slashtrain-metric {"name": "loss", "value": 1e999}', { name: 'loss', value: Number.POSITIVE_INFINITY }],
    ['slashtrain-metric {"name":"NaN, -Infinity \\" NaN","value":NaN}', { name: 'NaN, -Infinity " NaN', value: Number.NaN }],
    ['slashtrain-metric {"name":"__proto__","value":1}', { name: '__proto__', value: 1 }],
    ['slashtrain-metric {"__proto__":{"name":"x"},"name":"y","value":1}', { name: 'y', value: 1 }],
    ['slashtrain-metric {"name":"a","value":1,"epoch":2,"unit":"%"}', { name: 'a', value: 1 }],
  ])('reads %s', (line, expected) => {
    expect(parseMetricLine(line)).toEqual(expected);
  });

  it.each([
    [''],
    ['epoch 1'],
    ['slashtrain-metric'],
    ['slashtrain-metrics {"name":"a","value":1}'],
    ['slashtrain-metric-x {"name":"a","value":1}'],
    ['xslashtrain-metric {"name":"a","value":1}'],
    ['2026-11-21 slashtrain-metric {"name":"a","value":1}'],
  ])('leaves %j alone', (line) => {
    expect(parseMetricLine(line)).toBeUndefined();
  });

  it.each([
    ['slashtrain-metric ', 'does not hold a JSON object'],
    ['slashtrain-metric accuracy=1', 'does not hold a JSON object'],
    ['slashtrain-metric [1]', 'does not hold a JSON object'],
    ['slashtrain-metric null', 'does not hold a JSON object'],
    ['slashtrain-metric 1', 'does not hold a JSON object'],
    ['slashtrain-metric {"name":"accuracy","val', 'does not hold a JSON object'],
    ['slashtrain-metric {"name":"accuracy","value":0.93', 'does not hold a JSON object'],
    ['slashtrain-metric {"name":"a","value":1} {"name":"b","value":1}', 'does not hold a JSON object'],
    ['slashtrain-metric {"value":1}', 'no text "name"'],
    ['slashtrain-metric {"name":5,"value":1}', 'no text "name"'],
    ['slashtrain-metric {"__proto__":{"name":"x","value":1}}', 'no text "name"'],
    ['slashtrain-metric {"name":"a"}', 'no number "value"'],
    ['slashtrain-metric {"name":"a","value":"0.93"}', 'no number "value"'],
    ['slashtrain-metric {"name":"a","value":null}', 'no number "value"'],
    ['slashtrain-metric {"name":"a","value":true}', 'no number "value"'],
    ['slashtrain-metric {"name":"a","value":"-NaN"}', 'no number "value"'],
    ['slashtrain-metric {"name":"a","value":1,"step":-1}', '"step" that is no whole number'],
    ['slashtrain-metric {"name":"a","value":1,"step":1.5}', '"step" that is no whole number'],
    ['slashtrain-metric {"name":"a","value":1,"step":"1"}', '"step" that is no whole number'],
    ['slashtrain-metric {"name":"a","value":1,"step":NaN}', '"step" that is no whole number'],
    ['slashtrain-metric {"name":"a","value":1,"step":1e300}', '"step" that is no whole number'],
    [`slashtrain-metric {"name":"${'x'.repeat(70_000)}","value":1}`, 'longer than 65536'],
  ])('says what is wrong with %s', (line, why) => {
    expect(parseMetricLine(line)).toContain(why);
  });

  it('reads what a program wrote, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.double(), fc.maxSafeNat(), (name, value, step) => {
        const line = `slashtrain-metric ${JSON.stringify({ name, value: jsonNumber(value), step })}`;
        // JSON has no -0, and neither has a curve a use for it.
        expect(parseMetricLine(line)).toEqual({ name, value: Object.is(value, -0) ? 0 : value, step });
      }),
    );
  });

  it('never throws, and shows no more than a piece of a line', () => {
    const pieces = fc.constantFrom('{', '}', '"', '\\', 'NaN', '-', 'Infinity', ':', ',', '"name"', '"value"', '1', ' ', '\u2028');
    fc.assert(
      fc.property(fc.string({ unit: pieces, maxLength: 60 }), (rest) => {
        const read = parseMetricLine(`slashtrain-metric ${rest}`);
        if (typeof read === 'string') expect(read.length).toBeLessThan(400);
      }),
    );
  });

  it('looks at each character once: a text that is never closed is no trap', () => {
    const line = `slashtrain-metric {"name":"${'\\"'.repeat(32_000)}`;
    const quotes = `slashtrain-metric ${'"\\'.repeat(32_000)}`;
    // Quadratic reading takes minutes here, and jest's time-out ends it.
    for (let round = 0; round < 100; round++) for (const text of [line, quotes]) expect(typeof parseMetricLine(text)).toBe('string');
  });
});

describe('parsePythonJson', () => {
  it('is JSON.parse for JSON', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (text) => {
        expect(parsePythonJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['[NaN, Infinity, -Infinity]', ['NaN', 'Infinity', '-Infinity']],
    ['{"NaN": "a NaN \\\\", "b": NaN}', { NaN: 'a NaN \\', b: 'NaN' }],
  ])('reads %s, which Python wrote', (text, expected) => {
    expect(parsePythonJson(text)).toEqual(expected);
  });

  it.each(['nan', '[NaNs]', '1NaN', '[Infinity', '--Infinity', 'NaN NaN'])('refuses %s', (text) => {
    expect(() => parsePythonJson(text)).toThrow(SyntaxError);
  });
});

describe('jsonNumber', () => {
  it('is read back by numberOf', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(numberOf(JSON.parse(JSON.stringify(jsonNumber(value))))).toBe(Object.is(value, -0) ? 0 : value);
      }),
    );
  });
});

describe('MetricCollector', () => {
  it('makes curves by ascending step; of two readings of one step the later counts', () => {
    const collector = new MetricCollector();
    for (const [step, value] of [
      [2, 0.5],
      [0, 0.1],
      [2, 0.7],
      [1, Number.NaN],
    ] as const)
      collector.add({ name: 'accuracy', value, step });
    collector.add({ name: '__proto__', value: 1 });
    collector.add({ name: '__proto__', value: 2 });
    expect(collector.series()).toEqual([
      {
        name: 'accuracy',
        points: [
          { step: 0, value: 0.1 },
          { step: 1, value: Number.NaN },
          { step: 2, value: 0.7 },
        ],
      },
      {
        name: '__proto__',
        points: [
          { step: 0, value: 1 },
          { step: 1, value: 2 },
        ],
      },
    ]);
  });
});
