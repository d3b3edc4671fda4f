import { describe, expect, it } from '@jest/globals';
import type { LogLine } from '@slashtrain/core/backend/backend';
import { Follower } from './follow.ts';

function follower(show = true): { follower: Follower; shown: string[]; warned: string[]; written: string[] } {
  const shown: string[] = [];
  const warned: string[] = [];
  const written: string[] = [];
  const nothing = (): void => {};
  const log = {
    info: (text: string) => shown.push(text),
    warning: (text: string) => warned.push(text),
    debug: nothing,
    notice: nothing,
    error: nothing,
    startGroup: nothing,
    endGroup: nothing,
    mask: nothing,
  };
  return { follower: new Follower({ log, show, write: (line) => written.push(line) }), shown, warned, written };
}

const line = (text: string, pod = 'a', restart = 0): LogLine => ({
  pod,
  container: 'trainer',
  restart,
  time: '2026-01-01T00:00:00.000000001Z',
  text,
});

describe('Follower', () => {
  it('shows lines bare while one container writes, and says whose they are from the second on', () => {
    const { follower: it, shown, written } = follower();
    it.add(line('one'));
    it.add(line('two', 'b', 1));
    it.add(line('three'));
    expect(shown).toEqual(['one', 'b/trainer | two', 'a/trainer | three']);
    expect(written).toEqual([
      '2026-01-01T00:00:00.000000001Z a/trainer one\n',
      '2026-01-01T00:00:00.000000001Z b/trainer#1 two\n',
      '2026-01-01T00:00:00.000000001Z a/trainer three\n',
    ]);
  });

  it('keeps what it does not show', () => {
    const { follower: it, shown, written } = follower(false);
    it.add(line('one'));
    expect([shown, written.length, it.gathered.tail()]).toEqual([[], 1, ['one']]);
  });

  it('gathers metrics, and warns of lines that are meant to be some, five times at most', () => {
    const { follower: it, warned } = follower();
    it.add(line('slashtrain-metric {"name":"accuracy","value":0.5,"step":1}'));
    it.add(line('slashtrain-metric {"name":"accuracy","value":NaN,"step":2}'));
    for (let index = 0; index < 8; index++) it.add(line('slashtrain-metric oops'));
    expect(it.gathered.series()).toEqual([
      {
        name: 'accuracy',
        points: [
          { step: 1, value: 0.5 },
          { step: 2, value: Number.NaN },
        ],
      },
    ]);
    expect(warned).toHaveLength(5);
  });

  it('keeps the last 30 lines of each pod', () => {
    const { follower: it } = follower();
    for (let index = 1; index <= 40; index++) it.add(line(`a${index}`));
    it.add(line('b1', 'b'));
    expect(it.gathered.tail('a')).toEqual(Array.from({ length: 30 }, (_, index) => `a${index + 11}`));
    expect(it.gathered.tail()).toEqual(['b1']);
    expect(it.gathered.tail('never seen')).toEqual(['b1']);
  });
});
