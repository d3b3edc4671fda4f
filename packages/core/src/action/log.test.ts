import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { neutralise } from './log.ts';

/*
 * Finds a command where actions/runner does, after the rules of its ActionCommand.cs: "::" at the start of a line
 * once white space is trimmed, or "##[" anywhere.
 */
const isCommand = (line: string): boolean => line.trimStart().startsWith('::') || line.includes('##[');

describe('neutralise', () => {
  it.each([
    ['::error::x', ':\u200b:error::x'],
    ['  ::add-mask::x', '  :\u200b:add-mask::x'],
    ['step ##[error]x', 'step ##\u200b[error]x'],
    ['std::vector', 'std::vector'],
    ['loss: 0.3', 'loss: 0.3'],
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u202egnp.exe', 'gnp.exe'],
  ])('%j becomes %j', (line, expected) => {
    expect(neutralise(line)).toEqual([expected]);
  });

  it.each(['\n', '\r', '\r\n', '\v', '\f', '\u0085', '\u2028', '\u2029'])('splits at %j', (end) => {
    expect(neutralise(`a${end}::error::b`)).toEqual(['a', ':\u200b:error::b']);
  });

  it('leaves no command in any text', () => {
    const pieces = fc.constantFrom(
      '::',
      ':',
      '##[',
      '##',
      '[',
      'error',
      ' ',
      '\t',
      '\n',
      '\r',
      '\u2028',
      '\u00a0',
      '\ufeff',
      '\u001b[0m',
      '\u0000',
      '\u200e',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 12 }), (parts) => {
        expect(neutralise(parts.join('')).filter(isCommand)).toEqual([]);
      }),
    );
  });
});
