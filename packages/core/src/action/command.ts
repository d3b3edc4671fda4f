import { ActionError } from './errors.ts';
import { isSeq, parseDocument } from 'yaml';

// White space, '…', "…", \x, a reference to a parameter or variable, plain characters; anything else only a shell understands.
const token =
  /(?<space>\s+|\\\n)|'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\[^])*)"|\\(?<escaped>[^])|(?<plain>\$\([\w.-]+\)|[^\s'"\\|&;<>`$()]+)|[^]/gu;

/**
 * A program and its arguments, as an input gives them: a YAML list, or a line that is parted at white space, with quotes as a shell has them.
 * No shell reads it, so that no parameter can become a command.
 * @param name the input's
 * @throws ActionError `input` for a list of anything but texts, and for what only a shell understands
 */
export function parseCommand(text: string, name = 'command'): string[] {
  if (/^\s*(?:\[|-\s)/u.test(text)) return fromList(text, name);
  const words: string[] = [];
  let word: string | undefined;
  for (const { 0: part, groups } of text.matchAll(token)) {
    const { space, single, double, escaped, plain } = groups ?? {};
    if (space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    const next = single ?? double?.replace(/\\(["\\$`])/gu, '$1') ?? escaped ?? plain;
    if (next === undefined) {
      throw new ActionError('input', `input "${name}" has ${JSON.stringify(part)}, which only a shell understands`, {
        remedy: `put it in quotes, or ask for a shell by a list: ["sh", "-c", "…"]`,
      });
    }
    word = (word ?? '') + next;
  }
  return word === undefined ? words : [...words, word];
}

function fromList(text: string, name: string): string[] {
  // The failsafe schema knows text alone: "1.10" stays "1.10".
  const document = parseDocument(text, { schema: 'failsafe', uniqueKeys: true });
  const list: unknown = document.errors.length === 0 && isSeq(document.contents) ? document.toJS({ maxAliasCount: 0 }) : undefined;
  if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list;
  throw new ActionError('input', `input "${name}" is ${JSON.stringify(text.slice(0, 200))}; allowed: a line, or a YAML list of texts`, {
    remedy: 'write python train.py --epochs 20, or [python, train.py, "--epochs", "20"]',
  });
}
