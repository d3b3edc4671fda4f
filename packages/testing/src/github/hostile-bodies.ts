/** The characters that GitHub lets a comment have: it refuses more as `Body is too long (maximum is 65536 characters)`. */
export const longest = 65_536;

const fill = (text: string, length: number): string => text.repeat(Math.ceil(length / text.length)).slice(0, length);

/** What a parser of comments could stumble over, by what it is made of: a body of a length. */
export const hostileBodies: readonly (readonly [string, (length: number) => string])[] = [
  ['quotes', (length) => fill('>', length)],
  ['quotes and lazy lines', (length) => fill(`${'>'.repeat(40)}a\n${'b\n'.repeat(500)}`, length)],
  ['lists in lists', (length) => fill('1. ', length)],
  ['lists', (length) => fill('- [ ] a\n', length)],
  ['headings', (length) => fill('a\n-\n', length)],
  ['brackets', (length) => fill('[', length)],
  ['definitions', (length) => fill('[a]: b\n', length)],
  ['a definition without an end', (length) => `[a]: b "${fill('a\n', length)}`],
  ['footnotes', (length) => fill('[^a]: b\n', length)],
  ['emphasis', (length) => fill('**a*b', length)],
  ['backticks of every length', (length) => fill(Array.from({ length: 360 }, (_, index) => '`'.repeat(index + 1)).join(' '), length)],
  ['comments without an end', (length) => `a ${fill('<!--a', length)}`],
  ['kinds of HTML without an end', (length) => `a ${fill('<!--<?<![CDATA[<!A', length)}`],
  ['tags', (length) => `a ${fill('<a b="', length)}`],
  ['tables', (length) => `|a|\n|-|\n${fill('|a|\n', length)}`],
  ['tables in tables', (length) => fill('|a|\n|-|\n\n', length)],
  ['commands', (length) => fill('/t\n', length)],
  ['no-break spaces', (length) => fill('\u00a0', length)],
  ['slashes', (length) => fill('/', length)],
  ['escapes', (length) => fill('\\', length)],
  ['fences', (length) => fill('```\n', length)],
  ['control characters', (length) => fill('\u0000', length)],
];
