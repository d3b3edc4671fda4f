import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { billOf } from './bill.ts';
import { contentsOf, type Release } from './contents.ts';
import { commitOrphan, git } from './git.ts';
import { notesOf } from './notes.ts';
import { bundledPackages } from './packages.ts';
import { planOf, tag } from './plan.ts';
import { smoke } from './smoke.ts';

/*
 * What a release is made of. Nothing here talks to GitHub: .github/workflows/release.yml pushes and publishes, docs/releasing.md tells the order.
 */
const usage = `pnpm release COMMAND
  plan                      what has a version and no tag yet, as JSON
  commit ACTION...          a commit each whose tree is that action, built; prints "ACTION SHA"
  smoke SHA...              trains the example with the actions of these commits
  notes ACTION              what its changelog says of its version
  bill ACTION               its bill of materials, CycloneDX
  tag ACTION SHA            tags its version there and moves the major's tag; "workflows" and "create-slashtrain" are tagged so as well
  tree ACTION FOLDER        writes the action's files there
  mirror ACTION FOLDER      the same for a repository of its own, as the Marketplace wants it`;
const root = resolve(import.meta.dirname, '../..');

const [command = '', ...names] = process.argv.slice(2);
const commands: Record<string, () => Promise<void> | void> = {
  plan: () => tell('plan', planOf(root)),
  commit: () => {
    const commits = names.map((action) => ({ action, commit: commit(action) }));
    for (const each of commits) console.log(`${each.action} ${each.commit}`);
    if (commits.length === 1) tell('commit', commits[0]?.commit, false);
  },
  smoke: async () => {
    for (const { action, by } of await smoke(root, names))
      console.log(`${action}: ${by === 'workflow' ? 'trained the example' : 'starts'}`);
  },
  notes: () => console.log(notesOf(readFileSync(join(root, 'actions', one(names), 'CHANGELOG.md'), 'utf8'), release(one(names)).version)),
  bill: () => console.log(billOf(release(one(names)), bundledPackages(root, one(names)))),
  tag: () => {
    const [name, at] = two(names);
    const version =
      name === 'workflows' ? versionIn('.') : versionIn(name === 'create-slashtrain' ? `packages/${name}` : `actions/${name}`);
    const made = tag(root, name === 'workflows' ? '' : `${name}/`, version, git(root, ['rev-parse', `${at}^{commit}`]));
    tell('version', made.version, false);
    tell('major', made.major ?? '', false);
    console.log(`${made.version}${made.major ? `, ${made.major}` : ', and the tag of the major version stays where it is'}`);
  },
  tree: () => write(two(names), undefined),
  mirror: () => write(two(names), ''),
};
if (!Object.hasOwn(commands, command)) {
  console.error(usage);
  process.exitCode = 2;
} else await commands[command]?.();

function commit(action: string): string {
  const made = release(action);
  const message = `${action} v${made.version}\n\nBuilt from ${made.source}.\n`;
  return commitOrphan(root, contentsOf(root, made), { message, date: git(root, ['show', '-s', '--format=%ct +0000', made.source]) });
}

function release(action: string): Release {
  return { action, version: versionIn(`actions/${action}`), source: git(root, ['rev-parse', 'HEAD']) };
}

function versionIn(folder: string): string {
  const file = join(root, folder, 'package.json');
  if (!existsSync(file)) throw new Error(`there is no ${folder}/package.json`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** A mirror has the action at its root and no workflow files: https://docs.github.com/actions/how-tos/create-and-publish-actions/publish-in-github-marketplace */
function write([action, folder]: [string, string], prefix: string | undefined): void {
  if (existsSync(folder)) throw new Error(`${folder} is there already; name a folder that is not`);
  for (const [path, content] of contentsOf(root, release(action), prefix)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** Prints it, and makes it an output of the workflow's step where there is one. */
function tell(name: string, value: unknown, print = true): void {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (print) console.log(text);
  if (process.env['GITHUB_OUTPUT']) appendFileSync(process.env['GITHUB_OUTPUT'], `${name}=${text}\n`);
}

function one([name, ...more]: string[]): string {
  if (name === undefined || more.length > 0) throw new Error(usage);
  return name;
}

function two([first, second, ...more]: string[]): [string, string] {
  if (first === undefined || second === undefined || more.length > 0) throw new Error(usage);
  return [first, second];
}
