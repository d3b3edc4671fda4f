import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import type { PhrasingContent, RootContent, Table } from 'mdast';

/** Markdown as text for a terminal: tables are aligned; diagrams and what is folded are left to the page. */
export function markdownText(markdown: string): string {
  const tree = unified().use(remarkParse).use(remarkGfm).parse(markdown);
  return blocks(tree.children.filter(unfolded())).join('\n\n');
}

/** Leaves out what stands between `<details>` and `</details>`, and a diagram with the line above it, its legend. */
function unfolded(): (node: RootContent, index: number, all: readonly RootContent[]) => boolean {
  let depth = 0;
  return (node, index, all) => {
    const isOutside = depth === 0;
    if (node.type === 'html') {
      depth += (node.value.match(/<details\b/gu)?.length ?? 0) - (node.value.match(/<\/details>/gu)?.length ?? 0);
      return isOutside && depth === 0;
    }
    const next = all[index + 1];
    return isOutside && !(node.type === 'paragraph' && next?.type === 'code' && next.lang === 'mermaid');
  };
}

function blocks(nodes: readonly RootContent[]): string[] {
  return nodes.map(block).filter((text) => text !== '');
}

function block(node: RootContent): string {
  switch (node.type) {
    case 'heading':
    case 'paragraph':
      return phrases(node.children).trim();
    case 'table':
      return table(node);
    case 'list':
      return node.children
        .map((item, index) => bullet(node.ordered ? `${index + 1}. ` : '- ', blocks(item.children).join('\n')))
        .join('\n');
    case 'blockquote':
      return blocks(node.children).join('\n').replace(/^/gmu, '│ ');
    case 'code':
      return node.lang === 'mermaid' ? '' : node.value.replace(/^/gmu, '    ');
    case 'html':
      return plain(node.value);
    default:
      return '';
  }
}

function bullet(mark: string, text: string): string {
  return mark + text.replaceAll('\n', `\n${' '.repeat(mark.length)}`);
}

function phrases(nodes: readonly PhrasingContent[]): string {
  return nodes
    .map((node): string => {
      if (node.type === 'text' || node.type === 'inlineCode') return node.value;
      if (node.type === 'break') return '\n';
      if (node.type === 'html') return /^<br/iu.test(node.value) ? '\n' : '';
      return 'children' in node ? phrases(node.children) : '';
    })
    .join('');
}

/** The text between tags, such as a summary's; comments go. */
function plain(html: string): string {
  return html
    .replace(/<!--.*?-->/gsu, '')
    .replace(/<[^>]*>/gu, '')
    .trim();
}

function table({ children, align }: Table): string {
  const rows = children.map((row) => row.children.map((cell) => phrases(cell.children).replaceAll('\n', ' ')));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => length(row[column] ?? ''))));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const space = ' '.repeat(Math.max(0, (widths[column] ?? 0) - length(cell)));
        return align?.[column] === 'right' ? space + cell : cell + space;
      })
      .join('   ')
      .trimEnd(),
  );
  const [head = '', ...body] = lines;
  // A table without a heading is a list of facts.
  return head.trim() === '' ? body.join('\n') : [head, '─'.repeat(widths.reduce((sum, width) => sum + width + 3, -3)), ...body].join('\n');
}

/** Characters as people count them; of wide ones a terminal's opinion differs. */
function length(text: string): number {
  return [...new Intl.Segmenter().segment(text)].length;
}
