import { ActionError } from '@slashtrain/core/action/errors';

const pip = /^(?:(?:"?\{sys\.executable\}"?|python3?)\s+-m\s+pip3?|uv\s+pip|pip3?)\s+(?<verb>[a-z-]+)(?:\s+(?<rest>.*))?$/u;
/** What only shows something. */
const showing = ['list', 'freeze', 'show', 'check', 'debug', 'config', 'cache', 'help', '--version'];
/** Options about how pip installs, which here is uv's or pip's own affair. */
const flags =
  /^(?:-q+|-v+|-U|-y|--quiet|--verbose|--upgrade|--user|--system|--no-cache-dir|--no-cache|--no-input|--force-reinstall|--ignore-installed|--disable-pip-version-check|--break-system-packages|--no-warn-script-location|--no-warn-conflicts|--(?:progress-bar|cache-dir|timeout|retries|root-user-action|upgrade-strategy)=.*)$/u;
const flagsWithValue = ['--progress-bar', '--cache-dir', '--timeout', '--retries', '--root-user-action', '--upgrade-strategy'];
const withValue = [
  '-r',
  '--requirement',
  '-c',
  '--constraint',
  '-i',
  '--index-url',
  '--extra-index-url',
  '-f',
  '--find-links',
  '--only-binary',
];

/**
 * What `pip install …` in a notebook asks for, as lines of a requirements file (none where pip only shows something).
 * Whether they can be had without running code is {@link readRequirements}'s affair.
 * @param command what follows `!` or `%`
 * @returns undefined where it is not pip's
 * @throws ActionError `unsupported`
 */
export function readInstall(command: string, place: string): string[] | undefined {
  const { verb, rest = '' } = pip.exec(command.trim())?.groups ?? {};
  if (verb === undefined) return undefined;
  if (showing.includes(verb)) return [];
  const words = verb === 'install' ? wordsOf(rest.replace(/\s(?:[12]|&)?>{1,2}\s*(?:\/dev\/null|&[12])(?=\s|$)/gu, ' ')) : undefined;
  if (!words)
    throw new ActionError(
      'unsupported',
      `${place} has ${JSON.stringify(command.slice(0, 200))}, which is more than a list of packages to install`,
      {
        remedy: `write "%pip install" with packages alone, those with "<", ">" or ";" in quotes, or tag the cell "skip" and name them in requirements.txt`,
      },
    );
  const lines: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (flags.test(word) || word === 'pip') continue;
    if (flagsWithValue.includes(word)) at += 1;
    else if (withValue.includes(word)) lines.push(`${word} ${words[++at] ?? ''}`);
    else lines.push(word);
  }
  return lines;
}

/** Words as a shell has them; undefined where there is more than words: variables, other commands, redirections. */
function wordsOf(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if ('$`\\{}'.includes(char)) return undefined;
    if (quote !== '' && char === quote) quote = '';
    else if (quote === '' && (char === '"' || char === "'")) {
      quote = char;
      word ??= '';
    } else if (quote === '' && /\s/u.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (quote === '' && char === '#' && word === undefined) break;
    // `numpy>=2` without quotes is a redirection for a shell, and nobody means it.
    else if (quote === '' && ('()&|;'.includes(char) || ('<>'.includes(char) && (word === undefined || text[at + 1] !== '='))))
      return undefined;
    else word = (word ?? '') + char;
  }
  if (quote !== '') return undefined;
  return word === undefined ? words : [...words, word];
}
