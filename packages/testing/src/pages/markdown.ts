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

/** Anybody's markdown as HTML that is safe to put into a page. */
export function renderMarkdown(text: string): string {
  return String(processor.processSync(text));
}

/** Code fences of the language mermaid become frames of their own, as on GitHub: a diagram cannot touch the page. */
function diagrams(): (tree: Root) => void {
  const replace = (parent: Root | Element): void => {
    for (const [index, child] of parent.children.entries()) {
      if (child.type !== 'element') continue;
      const source = mermaidSource(child);
      if (source === undefined) replace(child);
      else parent.children[index] = frame(source);
    }
  };
  return replace;
}

function mermaidSource(element: Element): string | undefined {
  const [code] = element.children;
  if (element.tagName !== 'pre' || code?.type !== 'element' || code.tagName !== 'code') return undefined;
  const classes = code.properties['className'];
  return Array.isArray(classes) && classes.includes('language-mermaid') ? textOf(code) : undefined;
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
