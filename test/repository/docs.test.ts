import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { readConfig } from '@slashtrain/core/config/read';
import { commands, nodesOf, trees, workflowBlocks, type Node } from './pages.ts';
import { readText, root } from './repository.ts';

/*
 * The documentation: where its links lead, which inputs its examples give, and which commands it names.
 */
const pages = [...trees.keys()];
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

it('every YAML block that is a workflow, or jobs or steps of one, passes actionlint', () => {
  const blocks = workflowBlocks();
  expect(blocks.length).toBeGreaterThan(25);
  if (spawnSync('actionlint', ['-version']).status !== 0) {
    process.stdout.write('skipped: actionlint over the documentation; put actionlint on PATH (https://github.com/rhysd/actionlint)\n');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-docs-'));
  try {
    const paths = blocks.map(({ name, text }) => {
      const path = join(folder, `${name.replaceAll(/[/ ]/gu, '-')}.yml`);
      writeFileSync(path, text);
      return path;
    });
    expect(spawnSync('actionlint', ['-no-color', '-oneline', ...paths], { encoding: 'utf8', cwd: folder }).stdout).toBe('');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('every command in a code block', () => {
  /** Commands that are cheap to run as they stand, and where; test/real/docs.test.ts runs those of kubectl. */
  const here: [RegExp, folder: string][] = [[/^node train\.js /u, 'examples/digits']];
  const all = commands();

  it('is run by a test, or marked with why not', () => {
    expect(all.length).toBeGreaterThan(10);
    const unknown = all.filter(
      ({ line, notRun }) => notRun === undefined && !line.startsWith('kubectl ') && !here.some(([pattern]) => pattern.test(line)),
    );
    expect(unknown).toEqual([]);
  });

  const cheap = all.flatMap(({ line, notRun }): [string, string][] => {
    const [, folder] = (notRun === undefined && here.find(([pattern]) => pattern.test(line))) || [];
    return folder === undefined ? [] : [[line, folder]];
  });
  it.each(cheap)('%s', (line, folder) => {
    const [, ...args] = line.split(' ');
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: join(root, folder), encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, expect.any(String)]);
  });
});

function* objectsIn(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const item of Object.values(value)) yield* objectsIn(item);
}
