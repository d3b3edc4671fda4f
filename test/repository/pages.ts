import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { parseDocument } from 'yaml';
import { files, readText } from './repository.ts';

/** A node of a page's tree, as far as it is read here. */
export interface Node {
  type: string;
  value?: string;
  url?: string;
  lang?: string;
  children?: Node[];
}

/** The documentation, by path: READMEs, docs/ and what else people read. */
export const trees = new Map<string, Node>(
  files()
    .filter((file) => file.endsWith('.md') && !file.startsWith('.changeset/') && !file.endsWith('CHANGELOG.md'))
    .map((page) => [page, unified().use(remarkParse).use(remarkGfm).parse(readText(page)) as unknown as Node]),
);

export function* nodesOf(node: Node, ...types: string[]): Generator<Node> {
  if (types.includes(node.type)) yield node;
  for (const child of node.children ?? []) yield* nodesOf(child, ...types);
}

/** A line that a reader would type into a shell. */
export interface Command {
  page: string;
  line: string;
  /** Why no test runs it: a comment `<!-- not run: … -->` before the block. */
  notRun?: string;
}

const programs = /^(?:\$ )?(?:npx|npm|pnpm|node|kubectl|git|gh|docker|helm|curl|pip|python3?|go|apt-get|jupyter-\w+|act|actionlint)\s/u;

/** Every command in a code block of the documentation. */
export function commands(): Command[] {
  return [...trees].flatMap(([page, tree]) => [...commandsIn(page, tree)]);
}

function* commandsIn(page: string, node: Node): Generator<Command> {
  const children = node.children ?? [];
  for (const [index, child] of children.entries()) {
    if (child.type !== 'code') {
      yield* commandsIn(page, child);
      continue;
    }
    const isShell = ['sh', 'bash', 'shell', 'console'].includes(child.lang ?? '');
    const lines = (child.value ?? '')
      .replaceAll(/\\\n\s*/gu, '')
      .split('\n')
      .map((line) => line.replace(/\s+#\s.*$/u, '').trim());
    const before = children[index - 1];
    const [, notRun] = (before?.type === 'html' && /^<!-- not run: (.+) -->$/u.exec(before.value ?? '')) || [];
    for (const line of lines) {
      const isCommand = isShell
        ? line !== '' && !line.startsWith('#')
        : child.lang === undefined || child.lang === null
          ? programs.test(`${line} `)
          : false;
      if (isCommand) yield { page, line, ...(notRun !== undefined && { notRun }) };
    }
  }
}

/** A block of YAML that is a workflow, or jobs or steps of one, as a workflow that can be checked. */
export interface WorkflowBlock {
  /** `docs/x.md block 3` */
  name: string;
  text: string;
}

export function workflowBlocks(): WorkflowBlock[] {
  return [...trees].flatMap(([page, tree]) =>
    [...nodesOf(tree, 'code')].flatMap(({ lang, value = '' }, index): WorkflowBlock[] => {
      const text = lang === 'yaml' || lang === 'yml' ? asWorkflow(value) : undefined;
      return text === undefined ? [] : [{ name: `${page} block ${index + 1}`, text }];
    }),
  );
}

/** The whole workflow as it stands; of a part, with the jobs and steps that it names and does not show. */
function asWorkflow(text: string): string | undefined {
  const content: unknown = parseDocument(text).toJS();
  if (typeof content !== 'object' || content === null) return undefined;
  if ('on' in content && 'jobs' in content) return text;
  const isStep = (one: unknown): boolean => typeof one === 'object' && one !== null && ('uses' in one || 'run' in one) && !('kind' in one);
  const isJob = (one: unknown): boolean => typeof one === 'object' && one !== null && ('steps' in one || 'uses' in one);
  const shown = Array.isArray(content)
    ? content.length > 0 && content.every(isStep)
      ? { shown: { 'runs-on': 'ubuntu-latest', permissions: {}, steps: content as object[] } }
      : undefined
    : Object.values(content).length > 0 && Object.values(content).every(isJob)
      ? (content as Record<string, { steps?: object[] }>)
      : undefined;
  if (!shown) return undefined;
  const jobs: Record<string, object> = {};
  const outputs = new Map<string, Set<string>>();
  for (const [, job = '', name] of text.matchAll(/\bneeds\.([\w-]+)\.(?:outputs\.([\w-]+)|result)/gu)) {
    if (job in shown) continue;
    const names = outputs.get(job) ?? new Set();
    if (name !== undefined) names.add(name);
    outputs.set(job, names);
  }
  for (const [job, names] of outputs) {
    const given = Object.fromEntries([...names].map((name) => [name, '${{ steps.a.outputs.b }}']));
    jobs[job] = { 'runs-on': 'ubuntu-latest', permissions: {}, outputs: given, steps: [{ id: 'a', run: 'true' }] };
  }
  for (const [name, job] of Object.entries(shown)) {
    const known = new Set((job.steps ?? []).map((step) => (step as { id?: string }).id));
    const missing = new Set(
      [...JSON.stringify(job).matchAll(/\bsteps\.([\w-]+)\./gu)].map(([, id = '']) => id).filter((id) => !known.has(id)),
    );
    const before = [...missing].map((id) => ({ id, run: 'true' }));
    jobs[name] = {
      ...(outputs.size > 0 && { needs: [...outputs.keys()] }),
      ...(text.includes('matrix.') && { strategy: { matrix: { include: "${{ fromJSON('[]') }}" } } }),
      ...job,
      ...(job.steps && { steps: [...before, ...job.steps] }),
    };
  }
  const inputs = Object.fromEntries([...text.matchAll(/\binputs\.([\w-]+)/gu)].map(([, name = '']) => [name, { required: true }]));
  return JSON.stringify({ on: { workflow_dispatch: { inputs } }, permissions: {}, jobs });
}
