import { lines, oneLine } from './text.ts';

export { clip, clipMiddle } from './text.ts';

// Everything that begins or ends inline structure in GFM or HTML. A numeric reference is never structure
// (https://spec.commonmark.org/0.31.2/#entity-and-numeric-character-references) and means the same within HTML,
// so that escaped text may stand in a paragraph, a cell, a heading, a <summary>. `$` begins GitHub's formulas.
const structure = /[&<>`|*_~[\]\\$]/gu;
const zeroWidthSpace = '\u200b';

function reference(character: string): string {
  return `&#${character.codePointAt(0)};`;
}

/**
 * Hostile text as text, on one line: no markdown, no HTML, no mention, no reference to an issue, no link, no image, no
 * formula, no emoji by name. What GitHub looks for after parsing (`@name`, `#1`, `GH-1`, `:+1:`,
 * https://github.github.com/gfm/#autolinks-extension-) is broken by a zero-width space, since an escape would not keep it out.
 */
export function escapeText(text: string): string {
  return (
    oneLine(text)
      .trim()
      .replace(/@/gu, `@${zeroWidthSpace}`)
      .replace(/#(?=\d)/gu, `#${zeroWidthSpace}`)
      .replace(/(gh)-(?=\d)/giu, `$1-${zeroWidthSpace}`)
      .replace(/:(?=\/\/|[a-z0-9_+-]+:)/giu, `:${zeroWidthSpace}`)
      .replace(/www(?=\.)/giu, `$&${zeroWidthSpace}`)
      .replace(structure, reference)
      // Structure at the start of a line alone: headings, lists, breaks.
      .replace(/^[#+=-]/u, reference)
      .replace(/^(\d+)([.)])(?=\s|$)/u, (_, digits: string, mark: string) => digits + reference(mark))
  );
}

/** Hostile text as inline code, on one line. Holds no pipe, so that it may stand in a table's cell as well. */
export function code(text: string): string {
  const plain = oneLine(text);
  if (plain.trim() === '') return `\`${JSON.stringify(plain)}\``;
  // Within a table `\|` is a pipe and `\\|` ends the cell, outside both are what they look like: one form for both is HTML.
  if (plain.includes('|')) return `<code>${escapeText(plain)}</code>`;
  const ticks = '`'.repeat(longestRun(plain) + 1);
  const pad = /^`|`$|^ .* $/u.test(plain) ? ' ' : '';
  return ticks + pad + plain + pad + ticks;
}

/**
 * Hostile lines as a block of code, in a fence that none of them can close.
 * @param info such as `json`, `diff`, `mermaid`
 */
export function fence(text: string, info = ''): string {
  const plain = lines(text).replace(/\n+$/u, '');
  const ticks = '`'.repeat(Math.max(3, longestRun(plain) + 1));
  return `${ticks}${/^[a-z0-9+-]*$/iu.test(info) ? info : ''}\n${plain}\n${ticks}`;
}

function longestRun(text: string): number {
  let longest = 0;
  for (const [run] of text.matchAll(/`+/gu)) longest = Math.max(longest, run.length);
  return longest;
}

export type Alignment = 'left' | 'right' | 'center';

const rule: Record<Alignment, string> = { left: '---', right: '--:', center: ':-:' };

/**
 * A table. Headers and cells are inline markdown made by {@link escapeText} and {@link code}; `<br>` breaks a line.
 * A row that is too short is filled up, so that no cell moves.
 */
export function table(headers: readonly string[], rows: readonly (readonly string[])[], alignments: readonly Alignment[] = []): string {
  const line = (cells: readonly string[]): string => `| ${headers.map((_, column) => cell(cells[column] ?? '')).join(' | ')} |`;
  const rules = headers.map((_, column) => rule[alignments[column] ?? 'left']);
  return [line(headers), `| ${rules.join(' | ')} |`, ...rows.map(line)].join('\n');
}

function cell(markdown: string): string {
  return markdown.replace(/\s*\n\s*/gu, ' ').replaceAll('|', '&#124;');
}

/**
 * Folded away until somebody clicks.
 * @param summary plain text, hostile or not
 * @param body markdown
 */
export function details(summary: string, body: string): string {
  return `<details><summary>${escapeText(summary)}</summary>\n\n${body}\n\n</details>`;
}

/** A link. `text` is hostile text; an address that is no http or https one is left out. */
export function link(text: string, url: string): string {
  const to = destination(url);
  return to === undefined ? escapeText(text) : `[${escapeText(text)}](<${to}>)`;
}

/** An image; without an address of the web its description alone. */
export function picture(description: string, url: string): string {
  const from = destination(url);
  return from === undefined ? escapeText(description) : `![${escapeText(description)}](<${from}>)`;
}

function destination(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, href } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return undefined;
  return href.replace(/[<>\\|`]/gu, encodeURIComponent).replaceAll('&', '&amp;');
}
