import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join, posix } from 'node:path';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { parse, parseAllDocuments } from 'yaml';
import { readConfig } from '@slashtrain/core/config/read';
import { files, readText, root } from './repository.ts';

/*
 * The documentation: where its links lead, which inputs its examples give, and which commands it names.
 */
interface Node {
  type: string;
  value?: string;
  url?: string;
  lang?: string;
  children?: Node[];
}

const pages = files().filter((file) => file.endsWith('.md') && !file.startsWith('.changeset/') && !file.endsWith('CHANGELOG.md'));
const trees = new Map<string, Node>(
  pages.map((page) => [page, unified().use(remarkParse).use(remarkGfm).parse(readText(page)) as unknown as Node]),
);

function* nodesOf(node: Node, ...types: string[]): Generator<Node> {
  if (types.includes(node.type)) yield node;
  for (const child of node.children ?? []) yield* nodesOf(child, ...types);
}
const textOf = (node: Node): string => node.value ?? (node.children ?? []).map(textOf).join('');

/** As GitHub makes them: lower case, without punctuation, a dash for a space, a number behind the second of a name. */
function anchorsOf(page: string): Set<string> {
  const seen = new Map<string, number>();
  const anchors = [...nodesOf(trees.get(page)!, 'heading')].map((heading) => {
    const anchor = textOf(heading)
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
  return new Set(anchors);
}

describe.each(pages)('%s', (page) => {
  const tree = trees.get(page)!;

  it('has links that lead somewhere', () => {
    const broken = [...nodesOf(tree, 'link', 'image', 'definition')].flatMap(({ url = '' }) => {
      if (/^[a-z]+:/u.test(url)) return [];
      const [path = '', anchor] = decodeURI(url).split('#');
      const target = path === '' ? page : posix.join(posix.dirname(page), path);
      if (target.startsWith('..') || statSync(join(root, target), { throwIfNoEntry: false }) === undefined) return [url];
      return anchor === undefined || (trees.has(target) && anchorsOf(target).has(anchor)) ? [] : [url];
    });
    expect(broken).toEqual([]);
  });

  it('gives our actions inputs that they have, and our configuration keys that it has', () => {
    const problems: string[] = [];
    for (const { lang, value = '' } of nodesOf(tree, 'code')) {
      if (lang !== 'yaml' && lang !== 'yml') continue;
      if (value.startsWith('# .github/slashtrain.yml')) readConfig(value, page);
      for (const document of parseAllDocuments(value)) {
        for (const step of objectsIn(document.toJS())) {
          const action = /^(?:\.\/|slashtrain\/slashtrain\/)actions\/([a-z-]+)/u.exec(String(step['uses'] ?? ''))?.[1];
          if (action === undefined) continue;
          const { inputs } = parse(readText(`actions/${action}/action.yml`)) as { inputs: object };
          for (const name of Object.keys(step['with'] ?? {})) if (!Object.hasOwn(inputs, name)) problems.push(`${action}: ${name}`);
        }
      }
    }
    expect(problems).toEqual([]);
  });

  it('names scripts that there are', () => {
    const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
    const named = [...readText(page).matchAll(/npx --yes pnpm@10\.34\.9 (?!exec\b|--)([a-z-]+)/gu)].map(([, script = '']) => script);
    expect(named.filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
  });
});

it('every page of docs is reached from another', () => {
  const reached = new Set(
    pages.flatMap((page) =>
      [...nodesOf(trees.get(page)!, 'link')].map(({ url = '' }) => posix.join(posix.dirname(page), url.split('#')[0] ?? '')),
    ),
  );
  expect(pages.filter((page) => page.startsWith('docs/') && !reached.has(page))).toEqual([]);
});

it('every YAML block that is a workflow passes actionlint', () => {
  const blocks = pages.flatMap((page) =>
    [...nodesOf(trees.get(page)!, 'code')]
      .filter(({ lang, value = '' }) => lang === 'yaml' && /^on:/mu.test(value) && /^jobs:/mu.test(value))
      .map(({ value = '' }) => ({ page, value })),
  );
  expect(blocks.length).toBeGreaterThan(3);
  if (spawnSync('actionlint', ['-version']).status !== 0) {
    process.stdout.write('skipped: actionlint over the documentation; put actionlint on PATH (https://github.com/rhysd/actionlint)\n');
    return;
  }
  const problems = blocks.flatMap(({ page, value }) => {
    const { stdout } = spawnSync('actionlint', ['-no-color', '-oneline', '-'], { input: value, encoding: 'utf8' });
    return stdout === '' ? [] : [`${page}: ${stdout}`];
  });
  expect(problems).toEqual([]);
});

function* objectsIn(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const item of Object.values(value)) yield* objectsIn(item);
}
