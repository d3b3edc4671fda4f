import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LogResume, readStamp } from './resume.ts';

/** A log file as the kubelet serves it: all lines whose stamp is not before `sinceTime`. */
function serve(file: readonly string[], sinceTime: string | undefined): string[] {
  // `since` is a whole second, so the fraction of the stamp does not matter.
  const since = sinceTime === undefined ? -Infinity : Date.parse(sinceTime);
  return file.filter((line) => Date.parse(`${line.slice(0, 19)}Z`) >= since);
}

/** Reads `file` again and again; reading `i` is cut after `cuts[i]` lines, while the file grows. The last reading is whole. */
function readAll(file: readonly string[], cuts: readonly { lines: number; grown: number }[]): string[] {
  const resume = new LogResume();
  const read: string[] = [];
  for (const { lines, grown } of [...cuts, { lines: Infinity, grown: 1 }, { lines: Infinity, grown: 1 }]) {
    const present = file.slice(0, Math.ceil(file.length * grown));
    const sinceTime = resume.begin();
    for (const line of serve(present, sinceTime).slice(0, lines)) {
      const { time = '' } = readStamp(`${line}\n`) ?? {};
      if (resume.take(time)) read.push(line);
    }
  }
  return read;
}

const start = Date.parse('2026-11-21T12:00:00Z');
const stamp = (nanoseconds: number): string => {
  const second = Math.floor(nanoseconds / 1e9);
  return `${new Date(start + second * 1000).toISOString().slice(0, 19)}.${String(nanoseconds % 1e9).padStart(9, '0')}Z`;
};

describe('the reading of a log that is cut again and again', () => {
  it('gives each line once, in order', () => {
    // Gaps of 0 are equal stamps; 999_999_999 and 1e9 cross seconds; small steps back are two streams out of order.
    const gap = fc.oneof(fc.constantFrom(0, 0, 1, 500_000, 999_999_999, 1e9, 3e9), fc.integer({ min: -900_000, max: 2e8 }));
    const cut = fc.record({ lines: fc.nat({ max: 60 }), grown: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(gap, { maxLength: 200 }), fc.array(cut, { maxLength: 12 }), (gaps, cuts) => {
        let now = 1e9;
        const file = gaps.map((step, index) => `${stamp((now += step))} line ${index}`);
        expect(readAll(file, cuts)).toEqual(file);
      }),
      { numRuns: 500 },
    );
  });

  it('gives lines with the same stamp and the same words as often as they were written', () => {
    const line = '2026-11-21T12:00:00.000000001Z same';
    expect(
      readAll(
        [line, line, line, line],
        [
          { lines: 2, grown: 1 },
          { lines: 3, grown: 1 },
        ],
      ),
    ).toEqual([line, line, line, line]);
  });

  it('gives no line twice and no new one up after the kubelet has rotated the file', () => {
    const resume = new LogResume();
    resume.begin();
    for (let index = 0; index < 5; index += 1) resume.take(stamp(1e9 + index));
    resume.begin();
    // Of the five lines of that second the new file holds the last, and one more.
    expect([stamp(1e9 + 4), stamp(1e9 + 5)].map((time) => resume.take(time))).toEqual([false, true]);
  });

  it('knows earlier lines again although later seconds have begun meanwhile', () => {
    const resume = new LogResume();
    resume.begin();
    const earlier = [stamp(1e9), stamp(1e9 + 5)];
    for (const time of earlier) resume.take(time);
    resume.begin();
    expect([earlier[0], stamp(9e9), earlier[1], stamp(9e9)].map((time) => resume.take(time ?? ''))).toEqual([false, true, false, true]);
  });

  it.each([
    ['2026-11-21T12:00:01.5Z', '2026-11-21T12:00:01.500000000Z', false],
    ['2026-11-21T12:00:01Z', '2026-11-21T12:00:01.000000000Z', false],
    ['2026-11-21T12:00:01.000000001Z', '2026-11-21T13:00:01.000000001+01:00', false],
    ['2026-11-21T12:00:01.000000001Z', '2026-11-21T12:00:01.000000002Z', true],
    ['2026-11-21T12:00:01.000000001Z', '2026-11-21T12:00:01.000000001+01:00', true],
  ])('compares times, however they are written: %s, %s', (first, second, isNew) => {
    const resume = new LogResume();
    resume.begin();
    resume.take(first);
    resume.begin();
    expect(resume.take(second)).toBe(isNew);
  });

  it('asks for whole seconds, one earlier than the newest line', () => {
    const resume = new LogResume();
    expect(resume.begin()).toBeUndefined();
    resume.take('2026-11-21T13:00:05.900000000+01:00');
    expect(resume.begin()).toBe('2026-11-21T12:00:04Z');
  });

  it('knows when it has passed what was read before', () => {
    const resume = new LogResume();
    resume.begin();
    resume.take(stamp(1));
    resume.take(stamp(2));
    resume.begin();
    resume.take(stamp(1));
    expect(resume.hasCaughtUp).toBe(false);
    expect(resume.isRepeated(stamp(2))).toBe(true);
    resume.take(stamp(2));
    expect(resume.hasCaughtUp).toBe(true);
    expect(resume.isRepeated(stamp(2))).toBe(false);
  });
});

describe('a line with its stamp', () => {
  it.each([
    ['2026-11-21T12:00:00.5Z hello world\n', { time: '2026-11-21T12:00:00.5Z', text: 'hello world' }],
    ['2026-11-21T12:00:00.000000001+01:00 \n', { time: '2026-11-21T12:00:00.000000001+01:00', text: '' }],
    ['2026-11-21T12:00:00.5Z two\rwords', { time: '2026-11-21T12:00:00.5Z', text: 'two\rwords' }],
    ['2026-11-21T12:00:00Z\n', { time: '2026-11-21T12:00:00Z', text: '' }],
    ['no stamp\n', undefined],
    ['rpc error: code = NotFound\n', undefined],
    ['\n', undefined],
  ])('%j', (line, expected) => {
    expect(readStamp(line)).toEqual(expected);
  });
});
