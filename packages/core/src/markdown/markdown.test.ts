import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import rehypeRaw from 'rehype-raw';
import rehypeSanitize from 'rehype-sanitize';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';
import { clip, code, details, escapeText, fence, link, table } from './markdown.ts';

interface Tree {
  type: string;
  tagName?: string;
  value?: string;
  properties?: Record<string, unknown>;
  children?: Tree[];
}

const renderer = unified()
  .use(remarkParse)
  .use(remarkGfm)
  .use(remarkRehype, { allowDangerousHtml: true })
  .use(rehypeRaw)
  .use(rehypeSanitize);

/** What GitHub makes of it: GFM with HTML, sanitised. */
function render(markdown: string): Tree {
  return renderer.runSync(renderer.parse(markdown));
}

/** Elements alone, as `table(thead(…))`: what hostile text must not change. */
function shape({ tagName, children = [] }: Tree): string {
  const inner = children.map(shape).filter(Boolean).join(',');
  return tagName === undefined ? inner : `${tagName}(${inner})`;
}

function textOf({ value, children = [] }: Tree): string {
  return value ?? children.map(textOf).join('');
}

/** The text in which GitHub looks for mentions, references and emoji after rendering: not within code and links. */
function proseOf({ tagName, value, children = [] }: Tree): string {
  if (tagName === 'code' || tagName === 'pre' || tagName === 'a') return ' ';
  return value ?? children.map(proseOf).join('');
}

const found = /(?:^|\W)@[a-z0-9]|#\d|\bgh-\d|:[a-z0-9_+-]+:|https?:\/\/|\bwww\./iu;

const attacks = [
  'a | b',
  'a \\| b \\\\| c \\',
  '`code` ``more`` ```fence```',
  '```\n\n# out\n\n```',
  '<img src=x onerror=alert(1)><script>alert(1)</script></details></td></table>',
  '<!-- slashtrain:report:digits -->',
  '<!--',
  '-->',
  '@octocat and @acme/ml please',
  'me@example.com',
  'fixes #1, acme/digits#2, GH-3, gh-4',
  'https://evil.example/x www.evil.example ftp://evil.example',
  '[a](https://evil.example) [b]: https://evil.example',
  '![pixel](https://evil.example/pixel.png)',
  'one\n\n# two\n\n- three\n\n| a |\n|---|\n| b |',
  'one\r\n\r\ntwo\u2028three\u2029four\u0085five\u000bsix',
  '# heading',
  '#',
  '- item',
  '* item',
  '+ item',
  '1. item',
  '12) item',
  '> quote',
  '    indented',
  '\tindented',
  '---',
  '===',
  '***',
  '- [ ] task',
  '[^1] [^1]: note',
  '[!WARNING]',
  '$x^2$ $$y$$',
  ':+1: :shipit:',
  '&lt;b&gt; &amp; &#64;octocat &copy;',
  '**bold** __bold__ *i* _i_ ~~gone~~',
  '\u202egnp.exe\u2066x',
  '\u001b[31mred\u001b[0m \u0000\u0007',
  '\ud800 lone',
  '__proto__',
  ' ',
  '',
  '\\',
  '\\`',
  '`',
  '``',
  ' ` ',
  'x'.repeat(10_000),
];

const pieces = fc.constantFrom(
  ...'|`*_~[]()<>!@#$:&\\"\'-+=.\n\r\t 019aZ/'.split(''),
  '<!--',
  '-->',
  '```',
  '\n\n',
  'https://',
  'www.',
  '</td>',
  '<b>',
  '&#124;',
  '\u2028',
  '\u202e',
);
const hostile = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: pieces, maxLength: 40 }));

/** Each way in which hostile text gets into a report, and how it looks with harmless text. */
const places: [name: string, make: (text: string) => string][] = [
  ['a paragraph', (text) => `${escapeText(text) || 'x'}\n\nnext`],
  ['the middle of a paragraph', (text) => `before ${escapeText(text)} after **bold**\n\nnext`],
  ['a heading', (text) => `### ${escapeText(text)}\n\nnext`],
  ['a list', (text) => `- ${escapeText(text) || 'x'}\n- next`],
  ['bold text', (text) => `**a ${escapeText(text)} b**\n\nnext`],
  ['code', (text) => `a ${code(text)} b ${code('x')}\n\nnext`],
  ['code at the start of a line', (text) => `${code(text)} b\n\nnext`],
  ['a block', (text) => `${fence(text)}\n\nnext`],
  ['a block with a language', (text) => `${fence(text, 'json')}\n\nnext`],
  ['a cell', (text) => `${table(['a', 'b'], [[escapeText(text), 'x']])}\n\nnext`],
  ['a cell of code', (text) => `${table(['a', 'b'], [[code(text), code('x')]])}\n\nnext`],
  ['a header', (text) => `${table([escapeText(text), 'b'], [['x', code('x')]])}\n\nnext`],
  ['a summary', (text) => `${details(text, 'body **bold**')}\n\nnext`],
  ['a body', (text) => `${details('x', fence(text))}\n\nnext`],
  ['a link', (text) => `see ${link(`a${text}`, 'https://github.com/acme/digits')}\n\nnext`],
];

describe.each(places)('%s', (_, make) => {
  const expected = shape(render(make('harmless')));

  it.each(attacks.map((attack) => [attack]))('keeps its structure with %j', (attack) => {
    const tree = render(make(attack));
    expect(shape(tree)).toBe(expected);
    expect(proseOf(tree)).not.toMatch(found);
  });

  it('keeps its structure with any text', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const tree = render(make(text));
        expect(shape(tree)).toBe(expected);
        expect(proseOf(tree)).not.toMatch(found);
      }),
      { numRuns: 300 },
    );
  });
});

describe('escapeText', () => {
  it.each([
    ['accuracy', 'accuracy'],
    ['val/accuracy 0.93 (best)', 'val/accuracy 0.93 (best)'],
    ['a|b', 'a&#124;b'],
    ['-0.5', '&#45;0.5'],
    ['two\nlines', 'two lines'],
    ['$x$', '&#36;x&#36;'],
    ['@octocat', '@\u200boctocat'],
  ])('%j is %j', (text, markdown) => {
    expect(escapeText(text)).toBe(markdown);
  });

  it('shows the text that was given', () => {
    const visible = fc.string({ unit: fc.constantFrom(...'ab19 |`*_~[]()<>!$&\\"\'-+=./'.split('')) });
    fc.assert(
      fc.property(visible, (text) => {
        expect(textOf(render(`a ${escapeText(text)}b`)).replaceAll(/ +/gu, ' ')).toBe(`a ${text.trim()}b`.replaceAll(/ +/gu, ' '));
      }),
    );
  });
});

describe('code', () => {
  it.each([
    ['x', '`x`'],
    ['a`b', '``a`b``'],
    ['`', '`` ` ``'],
    [' a ', '`  a  `'],
    ['', '`""`'],
    ['a|b', '<code>a&#124;b</code>'],
    ['two\nlines', '`two lines`'],
  ])('%j is %j', (text, markdown) => {
    expect(code(text)).toBe(markdown);
  });

  it('shows the text that was given, in a table as elsewhere', () => {
    const visible = fc.string({ unit: fc.constantFrom(...'ab19`*_~[]()<>!$&\\"-+='.split('')), minLength: 1 });
    fc.assert(
      fc.property(visible, (text) => {
        const tree = render(table(['a'], [[code(text)]]));
        expect(textOf(tree)).toContain(text);
      }),
    );
  });
});

describe('fence', () => {
  it.each([
    ['a', '', '```\na\n```'],
    ['```', 'json', '````json\n```\n````'],
    ['a\r\nb\n\n', '', '```\na\nb\n```'],
    ['a', 'x y\n', '```\na\n```'],
    ['\u001b[31mred\u001b[0m', '', '```\nred\n```'],
  ])('of %j with %j', (text, info, markdown) => {
    expect(fence(text, info)).toBe(markdown);
  });

  it('shows the lines that were given', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom(...'ab `~#>-|<\\\t'.split('')), minLength: 1 }), { minLength: 1 }),
        (given) => {
          const text = given.join('\n');
          expect(textOf(render(fence(text)))).toBe(`${text}\n`);
        },
      ),
    );
  });
});

describe('table', () => {
  it('aligns, and fills short rows up', () => {
    expect(table(['a', 'b'], [['1'], ['2', '3', '4']], ['left', 'right'])).toBe('| a | b |\n| --- | --: |\n| 1 |  |\n| 2 | 3 |');
  });
});

describe('link', () => {
  it.each([
    ['javascript:alert(1)', 'x'],
    ['data:text/html,x', 'x'],
    ['nothing', 'x'],
    ['https://a.example/?a=1&copy;=2', '[x](<https://a.example/?a=1&amp;copy;=2>)'],
    ['https://a.example/a b|c>d\\e`f(g)', '[x](<https://a.example/a%20b%7Cc%3Ed/e%60f(g)>)'],
  ])('to %s', (url, markdown) => {
    expect(link('x', url)).toBe(markdown);
  });

  it('leads where it was told to', () => {
    fc.assert(
      fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), (url) => {
        const paragraph = render(`see ${link('x', url)}`).children?.[0];
        const anchor = paragraph?.children?.find(({ tagName }) => tagName === 'a');
        expect(new URL(String(anchor?.properties?.['href'])).href).toBe(new URL(url).href.replaceAll('`', '%60').replaceAll('|', '%7C'));
      }),
    );
  });
});

describe('clip', () => {
  it.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'ab…'],
    ['a😀b', 3, 'a…'],
  ])('%j to %d', (text, limit, clipped) => {
    expect(clip(text, limit)).toBe(clipped);
  });
});
