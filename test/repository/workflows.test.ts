import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { files, readText } from './repository.ts';

/** YAML that people copy: workflow files, composite actions, and the fenced blocks of the documentation. */
const sources: [name: string, text: string][] = files().flatMap((file): [string, string][] => {
  if (/(^|\/)\.github\/workflows\/[^/]+\.ya?ml$/u.test(file) || /(^|\/)action\.ya?ml$/u.test(file)) return [[file, readText(file)]];
  if (!file.endsWith('.md')) return [];
  const blocks = [...readText(file).matchAll(/^( *)```ya?ml\n([^]*?)^ *```/gmu)];
  return blocks.map(([, indent = '', block = ''], index): [string, string] => [
    `${file} block ${index + 1}`,
    block.replaceAll(new RegExp(`^${indent}`, 'gmu'), ''),
  ]);
});
const workflows = sources.filter(([name]) => name.includes('.github/workflows/') && !name.endsWith('.md'));

type Yaml = Record<string, unknown>;

describe.each(sources)('%s', (_, text) => {
  const documents = parseAllDocuments(text, { merge: true });
  const steps = documents.flatMap((document) => [...objectsIn(document.toJS() as unknown)]);

  it('is YAML', () => {
    expect(documents.flatMap((document) => document.errors)).toEqual([]);
  });

  // An expression in a script is replaced before the shell sees it: a comment or a branch's name becomes code
  // (https://docs.github.com/actions/concepts/security/script-injections). Environment variables are the way in.
  it('puts no expression into a script', () => {
    // `with.run` is an input of ours, `outputs.run` what a job puts out; `with.script` is what actions/github-script executes.
    const names = new Set(steps.flatMap((step) => [step['with'], step['outputs']]));
    const scripts = steps
      .flatMap((step) => [names.has(step) ? undefined : step['run'], step['script']])
      .filter((script) => typeof script === 'string');
    for (const script of scripts) expect(script).not.toContain('${{');
  });
});

describe.each(workflows)('the workflow %s', (name, text) => {
  const workflow = parseAllDocuments(text)[0]?.toJS() as {
    on: Yaml | string | string[];
    permissions?: unknown;
    jobs: Record<string, Yaml>;
  };

  it('gives each job the permissions that it needs and no more', () => {
    for (const [job, { permissions = workflow.permissions }] of Object.entries(workflow.jobs)) {
      expect([job, permissions]).toEqual([job, expect.anything()]);
      expect([job, permissions]).not.toEqual([job, 'write-all']);
    }
  });

  it("checks no stranger's commit out beside secrets", () => {
    const events = typeof workflow.on === 'string' ? [workflow.on] : Array.isArray(workflow.on) ? workflow.on : Object.keys(workflow.on);
    if (!events.includes('pull_request_target')) return;
    const uses = [...objectsIn(workflow)].map((step) => String(step['uses'] ?? ''));
    expect(uses.filter((action) => action.startsWith('actions/checkout'))).toEqual([]);
  });

  it('names what others made by a version or a commit', () => {
    for (const step of objectsIn(workflow)) {
      const uses = step['uses'];
      if (typeof uses !== 'string' || uses.startsWith('./')) continue;
      expect([name, uses]).toEqual([name, expect.stringMatching(/@([0-9a-f]{40}|v\d+(\.\d+)*|[a-z-]+\/v\d+(\.\d+)*)$/u)]);
    }
  });
});

describe.each(['train', 'deploy', 'sync', 'cleanup'])('the reusable workflow %s.yml', (name) => {
  const workflow = parseAllDocuments(readText(`.github/workflows/${name}.yml`))[0]?.toJS() as {
    on: { workflow_call: { inputs: Record<string, Yaml>; secrets: Yaml } };
    permissions: unknown;
    jobs: Record<string, { permissions: Record<string, string>; steps: Yaml[] }>;
  };

  it('asks for the permissions and secrets that its page names, and for no others', () => {
    const wanted = new Map<string, string>();
    for (const { permissions } of Object.values(workflow.jobs)) {
      for (const [right, level] of Object.entries(permissions)) if (wanted.get(right) !== 'write') wanted.set(right, level);
    }
    const row = readText('docs/reusable-workflows.md')
      .split('\n')
      .find((line) => line.startsWith(`| [${name}.yml]`));
    const [, , , permissions = '', secrets = ''] = (row ?? '').split('|');
    const named = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/gu)].map(([, text = '']) => text).sort();
    expect(named(permissions)).toEqual([...wanted].map(([right, level]) => `${right}: ${level}`).sort());
    expect(named(secrets)).toEqual(Object.keys(workflow.on.workflow_call.secrets).sort());
    expect(workflow.permissions).toEqual({});
  });

  it('names our actions in full, by their own tags, and says what each input is', () => {
    for (const { steps } of Object.values(workflow.jobs)) {
      for (const { uses } of steps) expect(uses).toMatch(/^slashtrain\/slashtrain\/actions\/([a-z-]+)@\1\/v\d+$/u);
    }
    const inputs = Object.entries(workflow.on.workflow_call.inputs);
    expect(inputs.filter(([, input]) => typeof input['description'] !== 'string' || typeof input['type'] !== 'string')).toEqual([]);
    const text = readText(`.github/workflows/${name}.yml`);
    expect(
      inputs
        .map(([input]) => input)
        .filter((input) => !text.includes(`inputs.${input} `) && !text.includes(`inputs.${input})`) && !text.includes(`inputs.${input},`)),
    ).toEqual([]);
  });
});

function* objectsIn(value: unknown): Generator<Yaml> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Yaml;
  for (const item of Object.values(value)) yield* objectsIn(item);
}
