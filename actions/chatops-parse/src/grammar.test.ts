import { describe, expect, it } from '@jest/globals';
import { ActionError } from '@slashtrain/core/action/errors';
import { checkValue } from '@slashtrain/core/config/arguments';
import { commandDefaults } from '@slashtrain/core/config/defaults';
import type { Argument, ArgumentValue, Command } from '@slashtrain/core/config/types';
import fc from 'fast-check';
import { parseCommand } from './bind.ts';
import { findCommandLines } from './find.ts';
import { Refusal } from './refusal.ts';
import { readTokens } from './tokens.ts';
import { printCommand } from './usage.ts';

const sha = 'a'.repeat(40);
const argument = (name: string, type: Argument['type'], more: Partial<Argument> = {}): Argument => ({
  name,
  type,
  required: false,
  ...more,
});
const train: Command = {
  ...commandDefaults,
  name: 'train',
  description: '',
  arguments: [
    argument('epochs', 'integer', { min: 1, max: 100 }),
    argument('gpu', 'choice', { options: ['a100', 'h100'] }),
    argument('lr', 'number'),
    argument('name', 'string'),
    argument('resume', 'boolean'),
    argument('time', 'duration'),
    argument('layers', 'list'),
    argument('seed', 'integer', { default: 7 }),
  ],
};

const given = (line: string, command = train): Record<string, unknown> => {
  const { values, given: names } = parseCommand(line, command);
  return Object.fromEntries([...values].filter(([name]) => names.includes(name)));
};

/** Message, remedy and what is shown of the refusal of a line. */
function refused(line: string, command = train): Refusal {
  try {
    parseCommand(line, command);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error(`${line} was not refused`);
}

describe('what is understood', () => {
  it.each<[string, Record<string, unknown>]>([
    ['/train', {}],
    ['/train epochs=20', { epochs: 20 }],
    ['/train --epochs 20', { epochs: 20 }],
    ['/train --epochs=20', { epochs: 20 }],
    ['/train 20 a100', { epochs: 20, gpu: 'a100' }],
    ['/train 20 lr=0.1', { epochs: 20, lr: 0.1 }],
    ['/train --lr -1e-3', { lr: -0.001 }],
    ['/train name="a b"', { name: 'a b' }],
    ["/train name='a b'", { name: 'a b' }],
    ['/train name="it\'s \\"so\\" \\\\ \\n\\t"', { name: 'it\'s "so" \\ \n\t' }],
    ['/train name=""', { name: '' }],
    ['/train --name "--resume"', { name: '--resume' }],
    ['/train name=a=b', { name: 'a=b' }],
    ['/train name=1.10', { name: '1.10' }],
    ['/train name=1234567', { name: '1234567' }],
    ['/train name=a|b', { name: 'a|b' }],
    ['/train --resume', { resume: true }],
    ['/train --no-resume', { resume: false }],
    ['/train resume=false', { resume: false }],
    ['/train --resume epochs=3', { resume: true, epochs: 3 }],
    ['/train time=90m', { time: '90m' }],
    ['/train layers=64,32', { layers: ['64', '32'] }],
    ['/train\tepochs=3\u00a0gpu=a100\r', { epochs: 3, gpu: 'a100' }],
    ['/train epochs=3 | because of "this', { epochs: 3 }],
    ['/train |', {}],
    ['/train name=größer', { name: 'größer' }],
    ['/train name=👍🏽', { name: '👍🏽' }],
  ])('%s', (line, expected) => {
    expect(given(line)).toEqual(expected);
  });

  it('defaults of what was not given', () => {
    expect(parseCommand('/train', train).values).toEqual(new Map([['seed', 7]]));
    expect(parseCommand('/train seed=8', train).values).toEqual(new Map([['seed', 8]]));
  });

  it('the commit that is meant', () => {
    expect(parseCommand(`/train 3 sha=${sha}`, train)).toMatchObject({ sha, given: ['epochs'] });
  });

  it('the note', () => {
    expect(parseCommand('/train |  for the paper ', train).note).toBe('for the paper');
  });
});

describe('what is refused', () => {
  it.each<[string, string, string]>([
    ['/train epochs=abc', '"epochs" must be a whole number from 1 to 100', '              ^^^'],
    ['/train epochs=101', '"epochs" must be a whole number from 1 to 100', '              ^^^'],
    ['/train epochs=0x10', '"epochs" must be a whole number from 1 to 100', '              ^^^^'],
    ['/train epochs=1e1', '"epochs" must be a whole number from 1 to 100', '              ^^^'],
    ['/train epochs=03', '"epochs" must be a whole number from 1 to 100', '              ^^'],
    ['/train lr=NaN', '"lr" must be a number', '          ^^^'],
    ['/train lr=1e999', '"lr" must be a number', '          ^^^^^'],
    ['/train lr=.5', '"lr" must be a number', '          ^^'],
    ['/train gpu=t4', '"gpu" must be one of a100, h100', '           ^^'],
    ['/train resume=yes', '"resume" must be true or false', '              ^^^'],
    ['/train time=5', '"time" must be a whole number with a unit, such as 90s, 15m, 2h or 3d', '            ^'],
    ['/train layers=a,,b', '"layers" must be a list with commas between its items', '              ^^^^'],
    ['/train sha=abc', '"sha" must be a full commit SHA of 40 hexadecimal digits in lower case', '           ^^^'],
    ['/train epoch=3', '/train has no argument "epoch"; did you mean "epochs"?', '       ^^^^^'],
    ['/train --epoch 3', '/train has no argument "epoch"; did you mean "epochs"?', '         ^^^^^'],
    ['/train __proto__=x', '"epochs" must be a whole number from 1 to 100', '       ^^^^^^^^^^^'],
    ['/train constructor=x', '/train has no argument "constructor"', '       ^^^^^^^^^^^'],
    ['/train --no-gpu', '/train has no argument "no-gpu"', '         ^^^^^^'],
    ['/train epochs=3 epochs=4', 'the argument "epochs" is given twice', '                ^^^^^^^^'],
    ['/train 3 epochs=4', 'the argument "epochs" is given twice', '         ^^^^^^^^'],
    ['/train name="a b', 'this quote is never closed', '            ^'],
    ['/train name="a"b', 'a space was expected after the quote', '               ^'],
    ['/train name=a"b"', '" cannot stand in a value without quotes', '             ^'],
    ['/train name=“a', '“ cannot stand in a value without quotes', '            ^'],
    ['/train name=a\\b', '\\ cannot stand in a value without quotes', '             ^'],
    ['/train name="\\d"', '\\d means nothing', '             ^^'],
    ['/train name=', 'name= has no value', '       ^^^^^'],
    ['/train --name', '--name has no value', '       ^^^^^^'],
    ['/train --name --resume', '--name has no value', '       ^^^^^^'],
    ['/train --name gpu=a100', '--name has no value', '       ^^^^^^'],
    ['/train --', 'an argument’s name was expected here', '       ^^'],
    ['/train --1=2', 'an argument’s name was expected here', '       ^^^^^'],
    ['/train name=a\u200bb', 'the character U+200B cannot be seen', '             ^'],
    ['/train name="\u202eb"', 'the character U+202E cannot be seen', '             ^'],
    ['/train 👍 x', '"epochs" must be a whole number from 1 to 100', '       ^'],
    ['/train 1 a100 0.1 a true 1s b 7 9', '/train takes at most 8 without a name', '                                ^'],
  ])('%s', (line, message, caret) => {
    const { message: said, shown } = refused(line);
    expect(said).toContain(message);
    expect(shown?.split('\n')[1]).toBe(caret);
    expect(shown).toContain('Usage: /train [epochs=<whole number>] [gpu=<a100|h100>] [lr=<number>] [name=<text>] [--resume]');
  });

  it('what is missing, at the end of the line', () => {
    const deploy: Command = {
      ...train,
      name: 'deploy',
      arguments: [argument('environment', 'choice', { required: true, options: ['staging'] })],
    };
    expect(refused('/deploy', deploy)).toMatchObject({ message: 'the argument "environment" is missing; allowed: one of staging' });
    expect(refused('/deploy', deploy).shown).toBe('/deploy  \n        ^\n\nUsage: /deploy environment=<staging>');
  });

  it('a long line by a window around the place', () => {
    const [line, caret] = refused(`/train name="${'a'.repeat(500)}" epochs=x ${'b'.repeat(500)}`).shown!.split('\n');
    expect(line).toHaveLength(102);
    expect(line!.slice(caret!.indexOf('^'), caret!.length)).toBe('x');
  });
});

/** Arguments of every type with values that they allow. */
const values: fc.Arbitrary<[string, ArgumentValue][]> = fc
  .record(
    {
      epochs: fc.integer({ min: 1, max: 100 }),
      gpu: fc.constantFrom('a100', 'h100'),
      lr: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      name: fc
        .string({ unit: 'binary', maxLength: 60 })
        .map((text) => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ''))
        .chain((text) => fc.constantFrom(text, `${text}\n"\\'\t`)),
      resume: fc.boolean(),
      time: fc.tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom('s', 'm', 'h', 'd')).map(([count, unit]) => `${count}${unit}`),
      layers: fc.array(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 8 }).map((text) => text.replaceAll(',', ';'))),
    },
    { requiredKeys: [] },
  )
  .map((record) => Object.entries(record));

describe('properties', () => {
  it('what is printed is parsed as it was, in a comment too', async () => {
    await fc.assert(
      fc.asyncProperty(values, async (pairs) => {
        const line = printCommand('train', pairs, sha);
        const parsed = parseCommand(line, train);
        expect(new Map([...parsed.values].filter(([name]) => parsed.given.includes(name)))).toEqual(new Map(pairs));
        expect(parsed.sha).toBe(sha);
        // Markdown hides HTML comments and no other text of such a line.
        if (!/<[!?]/u.test(line))
          expect(await findCommandLines(`Please\n\n${line}\n\nthanks`)).toMatchObject([{ word: 'train', text: line }]);
      }),
    );
  });

  it('no line throws anything but our own errors, nor touches a prototype', async () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        ' ',
        '=',
        '"',
        "'",
        '\\',
        '--',
        '|',
        'epochs',
        '__proto__',
        'constructor.prototype.x=1',
        'name="',
        '--no-',
        'sha=',
        '<!--',
        '\n/train ',
        '> ',
        '```\n',
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece), async (pieces) => {
        const body = `/train ${pieces.join('')}`;
        try {
          for (const { text } of await findCommandLines(body)) parseCommand(text, train);
        } catch (error) {
          expect(error).toBeInstanceOf(ActionError);
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
        expect(({} as Record<string, unknown>)['x']).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it('every value that comes out is what its type says', () => {
    const types = new Map(train.arguments.map((one) => [one.name, one]));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...types.keys()), fc.string())), (pairs) => {
        const line = `/train ${pairs.map(([name, text]) => `${name}=${text}`).join(' ')}`;
        try {
          for (const [name, value] of parseCommand(line, train).values) expect(checkValue(types.get(name)!, value)).toBeUndefined();
        } catch (error) {
          expect(error).toBeInstanceOf(ActionError);
        }
      }),
    );
  });
});

it('takes a line apart in one pass: 65,536 characters, none of them cut', () => {
  const line = `/train ${'a '.repeat(32_764)}|`;
  expect(readTokens(line)).toMatchObject({ word: 'train', note: '' });
  expect(readTokens(line).given).toHaveLength(32_764);
  expect(readTokens(`/train name="${'x'.repeat(65_000)}"`).given[0]?.value).toHaveLength(65_000);
});
