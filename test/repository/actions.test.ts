import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parse } from 'yaml';
import { files, readText, root } from './repository.ts';

interface ActionFile {
  name: string;
  description: string;
  inputs?: Record<string, { description?: string; required?: boolean; default?: string }>;
  outputs?: Record<string, { description?: string }>;
  runs: { using: string; main: string; post?: string };
}

const all = files();
const actions = all.flatMap((file) => /^actions\/([^/]+)\/action\.yml$/u.exec(file)?.[1] ?? []);
const readAction = (action: string): ActionFile => parse(readText(`actions/${action}/action.yml`)) as ActionFile;
const sourcesIn = (folder: string): string =>
  all
    .filter((file) => file.startsWith(`${folder}/src/`) && file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map(readText)
    .join('\n');
const coreSources = sourcesIn('packages/core');

/** Names that mean one thing everywhere, and what people write instead of them. */
const synonyms: Record<string, string> = {
  'github-token': 'token',
  'gh-token': 'token',
  'repo-token': 'token',
  'kube-config': 'kubeconfig',
  kubecontext: 'kube-context',
  'commit-sha': 'sha',
  'head-sha': 'sha',
  commit: 'sha',
  pr: 'pr-number',
  'pull-request': 'pr-number',
  'pull-number': 'pr-number',
  'run-id': 'run',
  'run-reference': 'run',
  'wait-timeout': 'timeout',
};

describe.each(actions)('the action %s', (action) => {
  const { name, description, inputs = {}, outputs = {}, runs } = readAction(action);
  const own = sourcesIn(`actions/${action}`);

  it('runs on node24, from dist', () => {
    expect(runs.using).toBe('node24');
    expect(runs.main).toBe('dist/index.js');
    expect(runs.post).toBe(all.includes(`actions/${action}/src/post.ts`) ? 'dist/post/index.js' : undefined);
  });

  it('says what it is, and what each input and output is', () => {
    expect(name).toMatch(/^Slashtrain /u);
    expect(description).toBeTruthy();
    for (const [input, { description: words }] of Object.entries(inputs))
      expect([input, words]).toEqual([input, expect.stringMatching(/\S/u)]);
    for (const [output, { description: words }] of Object.entries(outputs))
      expect([output, words]).toEqual([output, expect.stringMatching(/\S/u)]);
  });

  it('uses the names that the others use', () => {
    for (const input of [...Object.keys(inputs), ...Object.keys(outputs)]) {
      expect(input).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/u);
      expect([input, synonyms[input]]).toEqual([input, undefined]);
    }
  });

  it('declares every input that it reads, and reads every input that it declares', () => {
    const declared = Object.keys(inputs).sort();
    expect(namesIn(own, reading).filter((input) => !declared.includes(input))).toEqual([]);
    const read = new Set([...namesIn(own, reading), ...namesIn(coreSources, reading), ...quoted(own)]);
    expect(declared.filter((input) => !read.has(input))).toEqual([]);
  });

  it('declares every output that it sets, and sets every output that it declares', () => {
    const declared = Object.keys(outputs).sort();
    expect(namesIn(own, setting).filter((output) => !declared.includes(output))).toEqual([]);
    const named = quoted(own);
    expect(declared.filter((output) => !named.has(output))).toEqual([]);
  });

  it('has a README with its tables, its permissions and a package.json of its name', () => {
    const readme = readText(`actions/${action}/README.md`);
    expect(readme).toMatch(new RegExp(`^# ${action}$`, 'mu'));
    expect(readme).toMatch(/^permissions:$/mu);
    expect((JSON.parse(readText(`actions/${action}/package.json`)) as { name: string }).name).toBe(`@slashtrain/${action}`);
  });
});

describe('the actions together', () => {
  it('are there', () => expect(actions.length).toBeGreaterThan(0));

  it('give an input of the same name the same default', () => {
    const defaults = new Map<string, Map<string, string[]>>();
    for (const action of actions) {
      for (const [input, { default: value = '' }] of Object.entries(readAction(action).inputs ?? {})) {
        const values = defaults.get(input) ?? new Map<string, string[]>();
        defaults.set(input, values.set(value, [...(values.get(value) ?? []), action]));
      }
    }
    const shared = ['token', 'kubeconfig', 'kube-context', 'namespace', 'sha', 'pr-number', 'run', 'dry-run'];
    for (const input of shared) expect([input, [...(defaults.get(input) ?? new Map<string, string[]>())].length]).not.toEqual([input, 2]);
  });

  it('have READMEs whose tables are up to date', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts/generate.ts'), '--check'], { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toBe('');
    expect(status).toBe(0);
  });
});

const reading = /\binputs\s*\.\s*(?:text|required|boolean|choice|integer|duration|sha|textOrFile|list|map)(?:<[^>]*>)?\(\s*'([^']+)'/gu;
const setting = /\bsetOutput\(\s*'([^']+)'/gu;

function namesIn(source: string, pattern: RegExp): string[] {
  return [...new Set([...source.matchAll(pattern)].map(([, name = '']) => name))].sort();
}

/** Names may stand in a table that a loop goes through. */
function quoted(source: string): Set<string> {
  const strings = [...source.matchAll(/['"`]([a-z][a-z0-9-]*)['"`]/gu)].map(([, name = '']) => name);
  const keys = [...source.matchAll(/(?:^|[{,\s])['"]?([a-z][a-z0-9-]*)['"]?\s*[:,}]/gmu)].map(([, name = '']) => name);
  return new Set([...strings, ...keys]);
}
