import { afterAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { open } from 'node:fs/promises';
import type { CommitFile } from '../archive.ts';
import { withScript } from './notebook.ts';
import { readNotebook } from './read.ts';
import { plainParameters, stepsOf } from './steps.ts';
import { workflowOf } from './workflow.ts';

const folder = mkdtempSync(join(tmpdir(), 'slashtrain-steps-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fixture = readFileSync(new URL('fixtures/steps.ipynb', import.meta.url));
const ofTags = (...tags: string[][]): ReturnType<typeof readNotebook> =>
  readNotebook(
    JSON.stringify({
      nbformat: 4,
      metadata: { kernelspec: { name: 'python3' } },
      cells: tags.map((own, at) => ({ cell_type: 'code', metadata: { tags: own }, source: `x = ${at + 1}`, outputs: [] })),
    }),
    'a.ipynb',
  );
const shape = (...tags: string[][]): unknown =>
  stepsOf(ofTags(...tags)).map(({ name, after, cells }) => [name, after, cells.map(({ number }) => number)]);

describe('steps', () => {
  it.each<[string[][], unknown]>([
    [[[], ['skip', 'step:a']], []],
    [
      [[], ['step:a'], [], ['step:b']],
      [
        ['a', [], [1, 2, 3]],
        ['b', ['a'], [1, 4]],
      ],
    ],
    [
      [['step:a'], ['step:b', 'after:none'], ['step:a'], ['skip']],
      [
        ['a', [], [1, 3]],
        ['b', [], [2]],
      ],
    ],
    [
      [['step:a'], ['parameters'], ['step:b'], ['step:c', 'after:a'], ['step:c', 'after:b']],
      [
        ['a', [], [1, 2]],
        ['b', ['a'], [2, 3]],
        ['c', ['a', 'b'], [2, 4, 5]],
      ],
    ],
  ])('%j', (tags, expected) => expect(shape(...tags)).toEqual(expected));

  it.each<[string[][], string]>([
    [[['step:a', 'step:b']], 'a.ipynb, cell 1 is tagged "step:a" and "step:b"'],
    [[['after:a']], 'cell 1 is tagged "after:a" and has no tag "step:NAME"'],
    [[['step:A b']], 'cell 1 is tagged "step:A b"; names have up to 40'],
    [[['step:all']], 'are not "all" or "none"'],
    [[['step:a', 'after:b'], ['step:b']], 'cell 1 is tagged "after:b", and no step of that name begins before "a"'],
    [[['step:a'], ['step:b'], ['step:a', 'after:b']], 'cell 3 is tagged "after:b", and no step'],
    [[['step:a', 'after:a']], 'no step of that name'],
  ])('%j are refused', (tags, message) => expect(() => shape(...tags)).toThrow(message));

  it('have the parameters that are plain', () => {
    const lines = [
      'a = 1',
      'b: float = -2.5e-3 # x',
      "c = 'x # y'",
      'd = None',
      'e = [1]',
      'f = 1 + 1',
      'g = (',
      'h = 2)',
      'i = "{{x}}"',
      '  j = 1',
      '_k = 1',
      'a = "2"',
    ];
    const notebook = ofTags(['parameters']);
    const own = { ...notebook, cells: notebook.cells.map((cell) => ({ ...cell, lines })) };
    expect([...plainParameters(own)]).toEqual([
      ['a', '2'],
      ['b', '-2.5e-3'],
      ['c', 'x # y'],
      ['d', 'None'],
    ]);
  });
});

describe('a notebook with steps', () => {
  const image = `ghcr.io/acme/x@sha256:${'0'.repeat(64)}`;

  it('has a script for each, which say together what the notebook said, and a Workflow', async () => {
    const file: CommitFile = {
      path: 'books/Sum up.ipynb',
      kind: 'file',
      isExecutable: false,
      size: fixture.length,
      offset: 0,
      link: '',
      isPointer: false,
      bytes: fixture,
    };
    const nowhere = await open('/dev/null');
    const { files, workflow, told } = await withScript(file.path, [file], nowhere);
    await nowhere.close();
    expect(told).toBe('notebook books/Sum up.ipynb: books/Sum up.py of 8 cells in 4 steps');
    expect(files.map(({ path }) => path)).toEqual(['', '_prepare', '_sum', '_find_max', '_tell'].map((step) => `books/Sum up${step}.py`));
    expect(workflow && workflowOf(workflow, image, '/app')).toMatchObject({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Workflow',
      metadata: { name: 'sum-up' },
      spec: {
        entrypoint: 'all',
        arguments: {
          parameters: [
            { name: 'count', value: '5' },
            { name: 'name', value: 'line' },
            { name: 'scale', value: '0.5' },
          ],
        },
        templates: [
          {
            name: 'all',
            dag: {
              tasks: [
                { name: 'prepare', template: 'prepare' },
                { name: 'sum', template: 'sum', dependencies: ['prepare'] },
                { name: 'find-max', template: 'find-max', dependencies: ['prepare'] },
                { name: 'tell', template: 'tell', dependencies: ['sum', 'find-max'] },
              ],
            },
          },
          {
            name: 'prepare',
            container: {
              image,
              command: ['python3', '/app/books/Sum up_prepare.py'],
              workingDir: '/app/books',
              env: expect.arrayContaining([{ name: 'PARAMETER_count', value: '{{workflow.parameters.count}}' }]),
              volumeMounts: [{ name: 'shared', mountPath: '/app/books/shared' }],
            },
          },
          { name: 'sum' },
          { name: 'find-max' },
          { name: 'tell' },
        ],
      },
    });

    if (spawnSync('python3', ['--version']).status !== 0) {
      process.stdout.write('skipped: running the steps of a notebook; there is no python3\n');
      return;
    }
    for (const { path, bytes } of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes ?? '');
    }
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, PARAMETER_count: '7', PARAMETER_name: 'sums' };
    const said = ['prepare', 'find_max', 'sum', 'tell'].map((step) => {
      const { stdout, stderr } = spawnSync('python3', [`Sum up_${step}.py`], { cwd: join(folder, 'books'), env, encoding: 'utf8' });
      return stdout + stderr;
    });
    expect(said).toEqual(['prepared 7\n', '', '', 'sums 10.5 3.0\n']);
  });
});
