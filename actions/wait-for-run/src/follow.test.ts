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
  return {
    follower: new Follower({ log, run: 'digits-1a2b3c4', show, write: (lines) => void written.push(lines) }),
    shown,
    warned,
    written,
  };
}

const line = (text: string, pod = 'a', restart = 0): LogLine => ({
  pod,
  container: 'trainer',
  restart,
  time: '2026-01-01T00:00:00.000000001Z',
  text,
});

describe('Follower', () => {
  it('shows lines bare while one container writes, then says shortly whose they are', () => {
    const { follower: it, shown, written } = follower();
    const [a, b] = ['digits-1a2b3c4-worker-0', 'digits-1a2b3c4-worker-1'];
    it.add([line('one', a), line('two', b, 1), line('three', a)]);
    it.add([{ ...line('four', a), container: 'sidecar' }, line('five', 'another')]);
    expect(shown).toEqual(['one\nworker-1 (restart 1) | two\nworker-0 | three', 'worker-0/sidecar | four\nanother | five']);
    expect(written.join('').split('\n').slice(0, 2)).toEqual([
      '2026-01-01T00:00:00.000000001Z digits-1a2b3c4-worker-0/trainer one',
      '2026-01-01T00:00:00.000000001Z digits-1a2b3c4-worker-1/trainer#1 two',
    ]);
  });

  it('keeps what it does not show', () => {
    const { follower: it, shown, written } = follower(false);
    it.add([line('one')]);
    expect([shown, written.length, it.gathered.tail()]).toEqual([[], 1, ['one']]);
  });

  it('gathers metrics, and warns of lines that are meant to be some, five times at most', () => {
    const { follower: it, warned } = follower();
    it.add([line('slashtrain-metric {"name":"accuracy","value":0.5,"step":1}')]);
    it.add([line('slashtrain-metric {"name":"accuracy","value":NaN,"step":2}')]);
    for (let index = 0; index < 8; index++) it.add([line('slashtrain-metric oops')]);
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

  it('keeps the last 300 lines of each pod', () => {
    const { follower: it } = follower();
    for (let index = 1; index <= 1000; index++) it.add([line(`a${index}`)]);
    it.add([line('b1', 'b')]);
    expect(it.gathered.tail('a')).toEqual(Array.from({ length: 300 }, (_, index) => `a${index + 701}`));
    expect(it.gathered.tail()).toEqual(['b1']);
    expect(it.gathered.tail('never seen')).toEqual(['b1']);
  });
});
