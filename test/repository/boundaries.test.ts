import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** A small repository that breaks each rule once, and keeps to them beside that. */
const files: Record<string, string> = {
  'tsconfig.json':
    '{ "compilerOptions": { "module": "esnext", "moduleResolution": "bundler", "allowImportingTsExtensions": true, "noEmit": true } }',
  'package.json': '{ "dependencies": { "@kubernetes/client-node": "2.0.1" } }',
  'node_modules/@kubernetes/client-node/package.json': '{ "name": "@kubernetes/client-node", "version": "2.0.1", "main": "index.js" }',
  'node_modules/@kubernetes/client-node/index.js': 'exports.a = 1;',
  'packages/core/package.json': '{ "dependencies": { "@kubernetes/client-node": "2.0.1" } }',
  'packages/core/src/run/record.ts': 'export const record = 1;',
  'packages/core/src/kubernetes/access.ts': "import '@kubernetes/client-node'; import '../run/record.ts';",
  'packages/core/src/action/log.ts': 'export interface Log { a: 1 }',
  'packages/testing/src/github/server.ts': "import '../../../core/src/run/record.ts';",
  'actions/one/src/index.ts': "import './main.ts';",
  'actions/one/src/main.ts': "import '../../../packages/core/src/run/record.ts';",
  'actions/one/src/main.test.ts': "import '../../../packages/testing/src/github/server.ts'; import './main.ts';",
  'packages/core/src/kinds/typed.ts': "import type { Log } from '../action/log.ts'; export type Own = Log;",

  'packages/core/src/kinds/reads.ts': "import 'node:fs';",
  'packages/core/src/diagnosis/asks.ts': "import '../kubernetes/access.ts';",
  'packages/core/src/records/direct.ts': "import '@kubernetes/client-node';",
  'packages/core/src/records/circular.ts': "import './circle.ts'; export const a = 1;",
  'packages/core/src/records/circle.ts': "import { a } from './circular.ts'; export const b = a;",
  'packages/core/src/records/upward.ts': "import '../../../../actions/one/src/main.ts';",
  'packages/core/src/records/fake.ts': "import '../../../testing/src/github/server.ts';",
  'actions/two/src/main.ts': "import '../../one/src/main.ts';",
  'actions/two/src/fake.ts': "import '../../../packages/testing/src/github/server.ts';",
  'actions/two/src/runs.ts': "import './index.ts';",
  'actions/two/src/index.ts': 'export {};',
  'actions/two/src/lost.ts': "import './nowhere.ts';",
};

interface Violation {
  rule: { name: string };
  from: string;
}

describe('the rules about imports', () => {
  let folder: string;
  let violations: Violation[];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'boundaries-'));
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    const command = ['--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json', 'actions', 'packages'];
    const { stdout } = spawnSync(join(root, 'node_modules/.bin/depcruise'), command, { cwd: folder, encoding: 'utf8' });
    violations = (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['rules-do-no-io', 'packages/core/src/kinds/reads.ts'],
    ['rules-do-no-io', 'packages/core/src/diagnosis/asks.ts'],
    ['one-way-to-the-cluster', 'packages/core/src/records/direct.ts'],
    ['no-circular', 'packages/core/src/records/circle.ts'],
    ['core-imports-nothing-of-ours', 'packages/core/src/records/upward.ts'],
    ['nothing-imports-an-action', 'packages/core/src/records/upward.ts'],
    ['testing-stays-outside', 'packages/core/src/records/fake.ts'],
    ['testing-stays-outside', 'actions/two/src/fake.ts'],
    ['nothing-imports-an-action', 'actions/two/src/main.ts'],
    ['entries-are-not-imported', 'actions/two/src/runs.ts'],
    ['not-resolvable', 'actions/two/src/lost.ts'],
  ])('%s: %s', (rule, from) => {
    expect(violations).toContainEqual(expect.objectContaining({ from, rule: expect.objectContaining({ name: rule }) }));
  });

  it('leave alone what keeps to them', () => {
    const kept = ['access.ts', 'server.ts', 'actions/one/', 'typed.ts', 'log.ts'];
    expect(violations.filter(({ from }) => kept.some((part) => from.includes(part)))).toEqual([]);
  });
});
