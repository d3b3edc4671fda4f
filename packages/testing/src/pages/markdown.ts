import type { Element, ElementContent, Root } from 'hast';
import rehypeRaw from 'rehype-raw';
import rehypeSanitize from 'rehype-sanitize';
import rehypeStringify from 'rehype-stringify';
import remarkBreaks from 'remark-breaks';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';

/*
 * GitHub's rendering of a comment: GitHub-flavoured markdown with line breaks kept, raw HTML allowed and then sanitised
 * by the rules that GitHub publishes, which are rehype-sanitize's defaults
 * (https://github.github.com/gfm/, https://docs.github.com/get-started/writing-on-github).
 */
const processor = unified()
  .use(remarkParse)
  .use(remarkGfm)
  .use(remarkBreaks)
  .use(remarkRehype, { allowDangerousHtml: true })
  .use(rehypeRaw)
  .use(rehypeSanitize)
  .use(diagrams)
  .use(rehypeStringify);

/**
 * Anybody's markdown as HTML that is safe to put into a page.
 * @param commented the lines that it is about: what it suggests instead is shown as a change of them
 */
export function renderMarkdown(text: string, commented?: readonly string[]): string {
  const own = commented ? processor().use(suggestions, commented) : processor;
  return String(own.processSync(text));
}

/** Code fences of the language suggestion become what they change. */
function suggestions(commented: readonly string[]): (tree: Root) => void {
  return replaceFences('suggestion', (suggested) => {
    const line = (sign: '-' | '+', words: string): Element => ({
      type: 'element',
      tagName: sign === '-' ? 'del' : 'ins',
      properties: {},
      children: [{ type: 'text', value: `${sign} ${words}` }],
    });
    const lines = [
      ...commented.map((words) => line('-', words)),
      ...(suggested === '' ? [] : suggested.replace(/\n$/u, '').split('\n')).map((words) => line('+', words)),
    ];
    const title: Element = { type: 'element', tagName: 'p', properties: {}, children: [{ type: 'text', value: 'Suggested change' }] };
    const change: Element = { type: 'element', tagName: 'pre', properties: {}, children: lines };
    return { type: 'element', tagName: 'div', properties: { className: ['suggestion'] }, children: [title, change] };
  });
}

/** Code fences of the language mermaid become frames of their own, as on GitHub: a diagram cannot touch the page. */
function diagrams(): (tree: Root) => void {
  return replaceFences('mermaid', frame);
}

function replaceFences(language: string, by: (source: string) => Element): (tree: Root) => void {
  const replace = (parent: Root | Element): void => {
    for (const [index, child] of parent.children.entries()) {
      if (child.type !== 'element') continue;
      const source = sourceIn(child, language);
      if (source === undefined) replace(child);
      else parent.children[index] = by(source);
    }
  };
  return replace;
}

function sourceIn(element: Element, language: string): string | undefined {
  const [code] = element.children;
  if (element.tagName !== 'pre' || code?.type !== 'element' || code.tagName !== 'code') return undefined;
  const classes = code.properties['className'];
  return Array.isArray(classes) && classes.includes(`language-${language}`) ? textOf(code) : undefined;
}

function textOf(node: ElementContent): string {
  if (node.type === 'text') return node.value;
  return node.type === 'element' ? node.children.map(textOf).join('') : '';
}

function frame(source: string): Element {
  const properties = {
    className: ['diagram'],
    sandbox: ['allow-scripts'],
    title: 'Diagram',
    src: `/-/diagram#${encodeURIComponent(source)}`,
  };
  return { type: 'element', tagName: 'iframe', properties, children: [] };
}
