import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ownActions } from '@slashtrain/testing/runner/actions';
import { readAction } from '@slashtrain/testing/bundle/environment';
import { WorkflowRuns } from '@slashtrain/testing/runner/workflow-runs';
import { fakeForRunner } from '@slashtrain/testing/runner/github';
import { billOf } from '../../scripts/release/bill.ts';
import { contentsOf, withAbsoluteLinks, type Release } from '../../scripts/release/contents.ts';
import { commitOrphan, git } from '../../scripts/release/git.ts';
import { notesOf } from '../../scripts/release/notes.ts';
import { bundledPackages } from '../../scripts/release/packages.ts';
import { planOf, tag, tagsFor } from '../../scripts/release/plan.ts';
import { hasAct, runInAct } from '../support/act.ts';
import { openDigits } from '../support/digits.ts';
import { root } from './repository.ts';

/*
 * A release from a changeset to tags, trees and notes, in a clone that goes again; and what is released, as it is built here.
 */
const action = 'chatops-parse';
const built = readdirSync(join(root, 'actions')).filter((name) => existsSync(join(root, 'actions', name, 'dist/index.js')));

let folder: string;
let clone: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slashtrain-release-'));
  clone = join(folder, 'clone');
  execFileSync('git', ['clone', '--quiet', '--shared', '--no-tags', root, clone]);
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  // As before a first release, whatever has been released since, and beside the changesets that are there.
  for (const name of built) {
    const file = join(clone, 'actions', name, 'package.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"version": "[^"]*"/u, '"version": "0.0.0"'));
  }
  const names = built.map((name) => `'@slashtrain/${name}': major`).join('\n');
  writeFileSync(join(clone, '.changeset/all-of-them.md'), `---\n${names}\n---\n\nSomething is new.\n`);
  cpSync(join(root, 'actions', action, 'dist'), join(clone, 'actions', action, 'dist'), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a release', () => {
  let release: Release;
  let commit: string;
  const make = (): string =>
    commitOrphan(clone, contentsOf(clone, release), { message: `${action} v${release.version}\n`, date: '1700000000 +0000' });

  it('begins with changesets, which give each action its version', () => {
    expect(planOf(clone).actions).toEqual([]);
    const bin = createRequire(import.meta.url).resolve('@changesets/cli/bin.js');
    const { status, stderr } = spawnSync(process.execPath, [bin, 'version'], { cwd: clone, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('error')]);
    const { actions } = planOf(clone);
    expect(actions.map((due) => due.action)).toContain(action);
    for (const { version } of actions) expect(version).toBe('1.0.0');
    const version = '1.0.0';
    release = { action, version, source: git(clone, ['rev-parse', 'HEAD']) };
    expect(notesOf(readFileSync(join(clone, 'actions', action, 'CHANGELOG.md'), 'utf8'), version)).toMatch(
      /^### Major Changes\n[^]*Something is new\./u,
    );
  });

  it('makes a commit without parents whose tree is the action and nothing else, the same one every time', () => {
    commit = make();
    expect(make()).toBe(commit);
    expect(git(clone, ['show', '-s', '--format=%P', commit])).toBe('');
    const files = git(clone, ['ls-tree', '-r', '--name-only', commit]).split('\n');
    const dist = readdirSync(join(root, 'actions', action, 'dist')).filter((file) => file.endsWith('.js'));
    const others = ['CHANGELOG.md', 'LICENSE', 'README.md', 'THIRD-PARTY-LICENSES.txt', 'action.yml', 'dist/package.json', 'package.json'];
    expect(files).toEqual([...others, ...dist.map((file) => `dist/${file}`)].map((file) => `actions/${action}/${file}`).sort());
    expect(git(clone, ['show', `${commit}:actions/${action}/package.json`])).not.toContain('workspace:');
    expect(git(clone, ['status', '--porcelain', '--', 'actions/*/dist', '.github'])).toBe('');
  });

  it('tags the version once, and moves the tag of the major version', () => {
    expect(tag(clone, `${action}/`, release.version, commit)).toEqual({ version: `${action}/v${release.version}`, major: `${action}/v1` });
    tag(clone, `${action}/`, release.version, commit);
    expect(() => tag(clone, `${action}/`, release.version, release.source)).toThrow('a version is never moved');
    tag(clone, `${action}/`, '1.99.0', release.source);
    expect(git(clone, ['rev-parse', `${action}/v1`, `${action}/v${release.version}`]).split('\n')).toEqual([release.source, commit]);
    expect(planOf(clone).actions.map((due) => due.action)).not.toContain(action);
  });

  it('is what `uses:` gets', async () => {
    const place = join(folder, 'tag');
    mkdirSync(place);
    execFileSync('tar', ['-x', '-C', place], { input: execFileSync('git', ['-C', clone, 'archive', commit], { maxBuffer: 1 << 28 }) });
    const world = await openDigits();
    try {
      const { number } = world.open({ 'NOTES.md': 'a' });
      const tagged: string[] = [];
      const workflows = new WorkflowRuns({
        github: fakeForRunner(world.github, world.repository),
        ...world.settings,
        actions: (uses) => {
          if (uses !== `slashtrain/slashtrain/actions/${action}@${action}/v1`) return ownActions(uses);
          tagged.push(uses);
          return { kind: 'bundle', action: readAction(join(place, 'actions', action)) };
        },
      });
      const help = (): string[] =>
        world.repository
          .comments(number)
          .filter(({ app }) => app)
          .map(({ body }) => body);
      const [run] = await workflows.dispatch(world.comment(number, 'ada', '/help').event);
      expect([run?.conclusion, tagged.length]).toEqual(['success', 1]);
      expect(help()).toEqual([expect.stringContaining('/train')]);
      if (!hasAct) return;
      await runInAct({ ...world, tags: { [action]: place } }, world.comment(number, 'ada', '/help').event);
      expect(help()).toEqual([expect.stringContaining('/train'), expect.stringContaining('/train')]);
    } finally {
      await world.close();
    }
  });
});

it('is equal byte by byte when it is built in another folder', () => {
  const elsewhere = join(folder, 'elsewhere');
  // Hard links: every package at its own path below another root, as a second checkout has it.
  mkdirSync(elsewhere);
  for (const part of ['node_modules', 'packages/core/node_modules', `actions/${action}/node_modules`]) {
    mkdirSync(join(elsewhere, part, '..'), { recursive: true });
    execFileSync('cp', ['-al', join(root, part), join(elsewhere, part)]);
  }
  for (const part of [...['package.json', 'pnpm-lock.yaml', 'tsconfig.json', 'scripts/build.ts'], 'packages/core', `actions/${action}`])
    cpSync(join(root, part), join(elsewhere, part), {
      recursive: true,
      filter: (file) => !/\/(node_modules|dist)(\/|$)/u.test(file.slice(root.length)),
    });
  for (const place of [root, elsewhere]) execFileSync(process.execPath, [join(place, 'scripts/build.ts'), action], { stdio: 'pipe' });
  const bytes = (place: string): [string, string][] =>
    globSync('{,.}*', { cwd: join(place, 'actions', action, 'dist') })
      .sort()
      .map((file) => [file, readFileSync(join(place, 'actions', action, 'dist', file), 'latin1')]);
  expect(bytes(elsewhere).map(([file]) => file)).toContain('index.js');
  // Their names first: a difference of bundles is a megabyte.
  expect(bytes(elsewhere).map(([file]) => file)).toEqual(bytes(root).map(([file]) => file));
  const other = new Map(bytes(elsewhere));
  expect(bytes(root).flatMap(([file, text]) => (other.get(file) === text ? [] : [file]))).toEqual([]);
});

describe.each(built)('what is released of %s', (name) => {
  const files = contentsOf(root, { action: name, version: '1.0.0', source: '0'.repeat(40) });

  it('is at most 1.5 MB to download, and names no folder of the machine that built it', () => {
    expect(gzipSync(Buffer.concat([...files.values()]), { level: 6 }).length).toBeLessThan(1_500_000);
    expect(
      [...files].filter(([, content]) => content.includes(root) || content.includes('node_modules/.pnpm')).map(([path]) => path),
    ).toEqual([]);
  });

  it('has the licences of everything that is bundled', () => {
    const packages = bundledPackages(root, name);
    const text = String(files.get(`actions/${name}/THIRD-PARTY-LICENSES.txt`));
    for (const { name: bundled, version } of packages) expect(text).toContain(`${bundled} ${version}\n`);
    expect(packages.map(({ name: bundled }) => bundled)).toContain('@actions/core');
    expect(text).toMatch(/^@actions\/core \S+\nMIT\nChanged by Slashtrain/mu);
    // Each says under which licence it is, and none of these asks for the source of ours.
    const free =
      /^\(?(MIT|ISC|BSD-[23]-Clause|0BSD|Apache-2\.0|Python-2\.0|BlueOak-1\.0\.0|Unlicense|CC0-1\.0)( (AND|OR) [A-Z0-9.a-z-]+)*\)?$/u;
    for (const { name: bundled, license } of packages) expect([bundled, license]).toEqual([bundled, expect.stringMatching(free)]);
  });
});

it('lists what is bundled in a bill of materials, the same every time', () => {
  const release = { action, version: '1.0.0', source: '0'.repeat(40) };
  const packages = bundledPackages(root, action);
  const bill = billOf(release, packages);
  expect(billOf(release, packages)).toBe(bill);
  const { bomFormat, metadata, components } = JSON.parse(bill);
  expect([bomFormat, metadata.component.name, metadata.component.version]).toEqual(['CycloneDX', action, '1.0.0']);
  expect((components as { purl: string }[]).map(({ purl }) => purl)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^pkg:npm\/%40octokit\/core@\d/u), expect.stringMatching(/^pkg:npm\/yaml@\d/u)]),
  );
  expect(components).toHaveLength(packages.length);
});

it.each([
  ['1.2.3', [], 'a/v1'],
  ['1.2.3', ['a/v1.2.2', 'a/v1', 'a/v2.0.0', 'b/v1.9.9'], 'a/v1'],
  ['1.2.3', ['a/v1.3.0'], undefined],
  ['1.10.0', ['a/v1.9.0'], 'a/v1'],
  ['1.2.3', ['a/v1.3.0-rc.1'], 'a/v1'],
  ['2.0.0-rc.1', [], undefined],
])('%s beside %j moves the tag %s', (version, existing, major) => {
  expect(tagsFor('a/', version, existing)).toEqual({ version: `a/v${version}`, major });
});

it.each([
  ['[a](../../docs/gates.md#tests)', '[a](https://github.com/slashtrain/slashtrain/blob/SHA/docs/gates.md#tests)'],
  ['[a](../build-image)', '[a](https://github.com/slashtrain/slashtrain/blob/SHA/actions/build-image)'],
  ['[a](#inputs), [b](https://example.com/x)', '[a](#inputs), [b](https://example.com/x)'],
  ['[a](CHANGELOG.md)', '[a](CHANGELOG.md)'],
])('the link %s leads to %s where the rest is not there', (before, after) => {
  expect(withAbsoluteLinks(before, action, 'SHA')).toBe(after);
});
