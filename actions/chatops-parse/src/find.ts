import type { MarkdownIt, StateBlock, StateInline, Token } from 'markdown-it';

/** A line of a comment that begins with `/word`. */
export interface CommandLine {
  /** Without the slash. */
  word: string;
  /** From the slash to the end of the line. Hostile text. */
  text: string;
  /** Whether a part of it is an HTML comment or the like, which nobody sees. */
  hides: boolean;
}

// Linear: each line start is looked at once.
const slash = /(?:^|[\n\r])[ \t\u00a0]*\/[A-Za-z]/u;

/** A cheap look: false where there is certainly no command, so that no markdown parser has to be loaded. */
export function mayHoldCommand(body: string): boolean {
  return slash.test(body);
}

/**
 * The lines of a comment that begin with `/word` and that a reader sees as such: in no quote, list, table, code, HTML or
 * footnote. A markdown parser decides (CommonMark and tables, as GitHub has them: https://github.github.com/gfm/).
 */
export async function findCommandLines(body: string): Promise<CommandLine[]> {
  if (!mayHoldCommand(body)) return [];
  return linesOf(await makeParser(), body);
}

/** A markdown parser that looks for nothing but what can hide the start of a line. */
export async function makeParser(): Promise<MarkdownIt> {
  const { default: Parser } = await import('markdown-it');
  // A command in ten quotes or lists is in one, whatever comes after them; below that everything is taken as theirs.
  const md = new Parser('default', { html: true, maxNesting: 10 });
  md.core.ruler.enableOnly(['normalize', 'block']);
  md.block.ruler.before('reference', 'footnote', skipFootnote);
  // Inline, only what can swallow the start of a line is looked for: code and HTML.
  md.inline.ruler.enableOnly(['newline', 'escape', 'backticks', 'html_inline', 'text']);
  md.inline.ruler2.enableOnly([]);
  md.inline.ruler.before('html_inline', 'html_special', skipSpecial);
  md.inline.ruler.before('text', 'command', noteStart);
  return md;
}

/** What a parse notes, by line of a paragraph. */
interface Notes {
  starts: number[];
  /** From where on there is no `-->`, `?>` and the like, so that it is not looked for again. */
  none: Set<string>;
  hidden: [from: number, to: number][];
}

/** {@link findCommandLines} with a parser of one's own. */
export function linesOf(md: MarkdownIt, body: string): CommandLine[] {
  const found: CommandLine[] = [];
  const tokens = md.parse(body, {});
  for (const [index, token] of tokens.entries()) {
    const above = tokens[index - 1];
    if (token.type !== 'inline' || !above || !isPlain(above)) continue;
    const notes: Notes = { starts: [], none: new Set(), hidden: [] };
    md.inline.parse(token.content, md, { notes }, []);
    for (const start of notes.starts) {
      const end = endOfLine(token.content, start);
      const text = token.content.slice(start, end).trimEnd();
      const hides = notes.hidden.some(([from, to]) => from < end && to > start);
      found.push({ word: /^\/(\S*)/u.exec(text)?.[1] ?? '', text, hides });
    }
  }
  return found;
}

// "a\n---" is a heading, and so is "/train" over somebody's "--".
function isPlain(above: Token): boolean {
  if (above.level !== 0) return false;
  return above.type === 'paragraph_open' || (above.type === 'heading_open' && !above.markup.startsWith('#'));
}

/**
 * A footnote, which is shown below everything else, or not at all: a container like a list's item
 * (https://docs.github.com/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#footnotes).
 */
function skipFootnote(state: StateBlock, line: number, endLine: number, silent: boolean): boolean {
  const start = state.bMarks[line]! + state.tShift[line]!;
  const mark = /^\[\^[^\]\s]{1,200}\]:[ \t]*/u.exec(state.src.slice(start, state.eMarks[line]));
  if (!mark || state.sCount[line]! - state.blkIndent >= 4) return false;
  if (silent) return true;
  const [begin, shift, indent] = [state.bMarks[line]!, state.tShift[line]!, state.sCount[line]!];
  state.bMarks[line] = start + mark[0].length;
  state.tShift[line] = 0;
  state.blkIndent += 4;
  state.sCount[line] = state.blkIndent;
  state.push('footnote_open', '', 1);
  state.md.block.tokenize(state, line, endLine);
  state.push('footnote_close', '', -1);
  state.blkIndent -= 4;
  [state.bMarks[line], state.tShift[line], state.sCount[line]] = [begin, shift, indent];
  // Where nothing follows the mark, nothing was taken.
  state.line = Math.max(state.line, line + 1);
  return true;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

/** Notes the place of a slash that is the first on its line, where the parser takes it as plain text. */
function noteStart(state: StateInline, silent: boolean): boolean {
  const { src, pos } = state;
  let slash = pos;
  while (src[slash] === '\u00a0') slash++;
  if (src[slash] !== '/' || !/[A-Za-z]/u.test(src[slash + 1] ?? '')) return false;
  let before = pos - 1;
  while (before >= 0 && isBlank(src[before])) before--;
  if (before >= 0 && src[before] !== '\n') return false;
  if (!silent) {
    notesOf(state).starts.push(slash);
    state.pending += src.slice(pos, slash + 1);
  }
  state.pos = slash + 1;
  return true;
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\u00a0';
}

// https://spec.commonmark.org/0.31.2/#html-comment and the three after it.
const specials: readonly (readonly [opening: RegExp, closing: string])[] = [
  [/<!--/uy, '-->'],
  [/<!\[CDATA\[/uy, ']]>'],
  [/<\?/uy, '?>'],
  [/<![A-Za-z]/uy, '>'],
];

/** Skips what no reader sees, over as many lines as it has. The parser's own rule gives up on all kinds when one has no end. */
function skipSpecial(state: StateInline, silent: boolean): boolean {
  const { src, pos } = state;
  if (src[pos] !== '<') return false;
  for (const [opening, closing] of specials) {
    opening.lastIndex = pos;
    const start = opening.exec(src);
    if (!start) continue;
    const { none, hidden } = notesOf(state);
    if (none.has(closing)) return false;
    // "<!-->" and "<!--->" are whole comments.
    const end =
      closing === '-->' && /^-?>/u.test(src.slice(pos + 4, pos + 6))
        ? src.indexOf('>', pos) - 2
        : src.indexOf(closing, pos + start[0].length);
    if (end < 0) {
      none.add(closing);
      return false;
    }
    state.pos = end + closing.length;
    if (!silent) hidden.push([pos, state.pos]);
    return true;
  }
  return false;
}

function notesOf(state: StateInline): Notes {
  return (state.env as { notes: Notes }).notes;
}
