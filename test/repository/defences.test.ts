import { describe, expect, it } from '@jest/globals';
import { faultNames } from '@slashtrain/testing/faults/fault';
import { attacks } from '../../scripts/defences/attacks.ts';
import { without } from '../../scripts/defences/defence.ts';
import { faults } from '../../scripts/defences/faults.ts';
import { rules } from '../../scripts/defences/rules.ts';
import { readText } from './repository.ts';

/* That `pnpm defences` can run: what it takes out is there, and no fault and no attack is without a defence. */
const all = [...faults, ...attacks, ...rules];

describe.each(all.map((defence) => [defence.name, defence] as const))('the defence %s', (_, defence) => {
  it('can be taken out', () => {
    const text = readText(defence.file);
    expect(without(defence, text)).not.toBe(text);
  });

  it('has a test', () => {
    // Its name is put together of those of describe, each and it, and of paths: what else it is made of has to stand in the file.
    const parts = defence.test.name.split(' ').filter((part) => !/[/.]/u.test(part));
    const words = parts.flatMap((part) => part.split(/[^\p{L}]+/u)).filter((word) => word.length > 3);
    const text = readText(defence.test.file);
    expect(words.filter((word) => !text.includes(word))).toEqual([]);
  });
});

it('each has a name of its own', () => {
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
});

it('there is one against each fault', () => {
  expect(faultNames.filter((fault) => !all.some((defence) => defence.faults?.includes(fault)))).toEqual([]);
});

it('there is one against each of the 23 attacks', () => {
  const known = new Set(all.flatMap((defence) => defence.attacks ?? []));
  expect([...known].sort((a, b) => a - b)).toEqual(Array.from({ length: 23 }, (_, index) => index + 1));
});
