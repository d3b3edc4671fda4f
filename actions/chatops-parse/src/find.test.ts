import { describe, expect, it } from '@jest/globals';
import { hostileBodies, longest } from '@slashtrain/testing/github/hostile-bodies';
import { findCommandLines, linesOf, makeParser, mayHoldCommand } from './find.ts';

const found = async (body: string): Promise<string[]> => (await findCommandLines(body)).map(({ text }) => text);

describe('a command is a line of its own', () => {
  it.each<[string, string, string[]]>([
    ['alone', '/train', ['/train']],
    ['with arguments', '/train epochs=20 gpu=a100', ['/train epochs=20 gpu=a100']],
    ['between text', 'Looks good.\n/train epochs=20\nThank you', ['/train epochs=20']],
    ['after spaces', '   /train', ['/train']],
    ['after a no-break space', 'Hm\n\u00a0/train a=b', ['/train a=b']],
    ['with Windows line ends', 'Hello\r\n\r\n/train a=b\r\nbye', ['/train a=b']],
    ['with old Mac line ends', 'Hello\r/train\rbye', ['/train']],
    ['with what markdown would change', '/train name="*a* _b_ <c> `d`"', ['/train name="*a* _b_ <c> `d`"']],
    ['over a signature', '/train\n--\nAnn', ['/train']],
    ['two of them', '/train\n\n/deploy', ['/train', '/deploy']],
    ['after a quote', '> /deploy\n\n/train', ['/train']],
    ['after a list', '- a\n\n/train', ['/train']],
    ['after a footnote', '[^1]: a\n\n/train', ['/train']],
    ['after an empty footnote', '[^1]:\n/train', ['/train']],
    ['after code', '```\n/deploy\n```\n/train', ['/train']],
    ['after a comment', '<!-- /deploy -->\n\n/train', ['/train']],
    ['after a comment without an end in another paragraph', 'a <! b\n\n/train', ['/train']],
    ['within folded text', '<details>\n\n/train\n\n</details>', ['/train']],
  ])('%s', async (_, body, expected) => {
    expect(await found(body)).toEqual(expected);
  });
});

describe('and never', () => {
  it.each([
    ['in the middle of a line', 'please /train'],
    ['in a quote', '> /train'],
    ['in a quote’s second line, which GitHub takes into it', '> a\n/train'],
    ['in a fence', '```\n/train\n```'],
    ['in a fence that is not closed', '```\n/train'],
    ['in a fence of tildes', '~~~\n/train\n~~~'],
    ['in indented code', '    /train'],
    ['in code after a tab', '\t/train'],
    ['in a code span', '`/train`'],
    ['in a code span over lines', 'a `b\n/train\nc` d'],
    ['in a comment', '<!-- /train -->'],
    ['in a comment over lines', '<!--\n/train\n-->'],
    ['in a comment with empty lines', '<!--\n\n/train\n\n-->'],
    ['in a comment that is not closed', '<!--\n\n/train'],
    ['in a comment within a paragraph', 'a <!-- b\n/train\n--> c'],
    ['in a comment after another kind without an end', 'a <? <!--\n/train\n-->'],
    ['in a processing instruction', 'a <?b\n/train\n?>'],
    ['in CDATA', 'a <![CDATA[\n/train\n]]>'],
    ['in a tag', 'a <b c="\n/train\n">'],
    ['in an HTML block', '<div>\n/train\n</div>'],
    ['in a list', '- /train'],
    ['in a list’s second line', '- a\n/train'],
    ['in a numbered list', '1. /train'],
    ['in a heading', '# /train'],
    ['in a table', '/train | a\n--- | ---\n/train | b'],
    ['in a link’s definition', '[a]:\n/train'],
    ['in a footnote', '[^1]: a\n/train'],
    ['in a footnote that is that alone', '[^1]: /train'],
    ['in a footnote’s second paragraph', '[^1]: a\n\n    /train'],
    ['in many quotes', `${'>'.repeat(200)}/train`],
    ['after an escape', '\\/train'],
    ['as a path', '//train'],
    ['as a number', '/1'],
    ['in an empty body', ''],
  ])('%s', async (_, body) => {
    expect(await found(body)).toEqual([]);
  });
});

it.each([
  ['/train <!-- epochs=1000 -->', true],
  ['/train a <!--\nb --> c', true],
  ['a <!-- b --> c\n/train', false],
  ['/train a\nb <!-- c -->', false],
])('of %j it says whether a part is hidden: %p', async (body, hides) => {
  expect(await findCommandLines(body)).toMatchObject([{ word: 'train', hides }]);
});

it.each([
  ['', false],
  ['Nothing here', false],
  ['a /train', false],
  ['/', false],
  ['/ train', false],
  ['/1', false],
  ['\n \t\u00a0/train', true],
  ['> a\n/train', true],
])('whether %j may hold one is %p before markdown is parsed', (body, expected) => {
  expect(mayHoldCommand(body)).toBe(expected);
});

describe('65,536 hostile characters', () => {
  it.each(hostileBodies)('grows with its length and no faster: %s', async (_, make) => {
    const half = await countSteps(`${make(longest / 2)}\n/train`);
    const whole = await countSteps(`${make(longest)}\n/train`);
    expect(whole).toBeLessThan(2.2 * half + 1000);
    expect(whole).toBeLessThan(100 * longest);
  });
});

/** How often a rule of the parser was tried to find the commands of a body. */
async function countSteps(body: string): Promise<number> {
  const md = await makeParser();
  let steps = 0;
  for (const ruler of [md.block.ruler, md.inline.ruler]) {
    for (const rule of ruler.__rules__) {
      const original = rule.fn as (...args: unknown[]) => unknown;
      rule.fn = (...args: unknown[]) => {
        steps++;
        return original(...args) as never;
      };
    }
    // The ruler keeps a list of the rules' functions until a rule is switched.
    ruler.enable([]);
  }
  linesOf(md, body);
  return steps;
}
