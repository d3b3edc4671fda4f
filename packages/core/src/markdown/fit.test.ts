import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fit, type Section } from './fit.ts';
import { fence } from './markdown.ts';

const big = (name: string, priority: Section['priority'], size: number, short?: string): Section => ({
  name,
  text: fence(name.repeat(Math.ceil(size / name.length))),
  priority,
  ...(short === undefined ? {} : { short }),
});

describe('fit', () => {
  it('leaves alone what fits', () => {
    const { text, omitted } = fit(
      [
        { name: 'a', text: 'one', priority: 'required' },
        { name: 'b', text: '', priority: 1 },
        { name: 'c', text: 'two', priority: 1 },
      ],
      100,
      'characters',
    );
    expect(text).toBe('one\n\ntwo');
    expect(omitted).toEqual([]);
  });

  it('drops whole sections, the least important first, of equals the last, and says so', () => {
    const empty: Section = { name: 'empty', text: '', priority: 0 };
    const sections = [empty, big('head', 'required', 50), big('log', 1, 300), big('chart', 5, 300), big('facts', 1, 300)];
    const one = fit(sections, 900, 'characters');
    expect(one.omitted).toEqual(['facts']);
    const two = fit(sections, 600, 'characters');
    expect(two.omitted).toEqual(['log', 'facts']);
    expect(two.text).toContain('GitHub takes 600 characters; left out: log, facts.');
    expect(two.text).toContain('chart');
  });

  it('takes the short form before it drops a section', () => {
    const { text, shortened, omitted } = fit([big('head', 'required', 50), big('table', 3, 900, 'the first rows')], 300, 'characters');
    expect(text).toContain('the first rows');
    expect([shortened, omitted]).toEqual([['table'], []]);
  });

  it('shortens what is required when nothing else is left', () => {
    const { text, omitted, shortened } = fit([big('head', 'required', 900, 'verdict'), big('log', 9, 100)], 200, 'characters');
    expect(text).toMatch(/^verdict\n\n/u);
    expect([omitted, shortened]).toEqual([['log'], ['head']]);
  });

  it('counts bytes where GitHub does', () => {
    const sections: Section[] = [
      { name: 'a', text: 'x', priority: 'required' },
      { name: 'b', text: '▁'.repeat(100), priority: 1 },
    ];
    expect(fit(sections, 250, 'characters').omitted).toEqual([]);
    expect(fit(sections, 250, 'bytes').omitted).toEqual(['b']);
  });

  it('refuses what is required and does not fit', () => {
    expect(() => fit([big('head', 'required', 900)], 100, 'characters')).toThrow('GitHub takes 100');
  });

  it('never cuts, never exceeds the limit, never loses what is required', () => {
    const section = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      text: fc.string({ maxLength: 200 }).map((text) => fence(text)),
      priority: fc.integer({ min: 0, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(section, { maxLength: 8 }), fc.integer({ min: 160, max: 1500 }), (sections, limit) => {
        const { text } = fit([{ name: 'marker', text: '<!-- m -->', priority: 'required' }, ...sections], limit, 'characters');
        expect(text.length).toBeLessThanOrEqual(limit);
        expect(text.startsWith('<!-- m -->')).toBe(true);
        expect((text.match(/^`{3,}$/gmu) ?? []).length % 2).toBe(0);
      }),
    );
  });
});
