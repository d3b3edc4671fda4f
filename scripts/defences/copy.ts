import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';

/**
 * A copy of the checkout in a folder of its own, with what is not committed yet, so that what is tried there changes nothing here.
 * Packages are links to what is installed; the repository's own are the copy's.
 * @param actions whose bundles are taken along, where there are any
 * @returns its folder, which the caller removes
 */
export function copyOf(root: string, actions: readonly string[]): string {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'slashtrain-defences-')));
  const git = (folder: string, ...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync('git', ['-C', folder, ...args], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const listed = git(root, 'ls-files', '--cached', '--others', '--exclude-standard', '-z').split('\0');
  for (const file of new Set(listed)) {
    if (file !== '' && existsSync(join(root, file))) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      cpSync(join(root, file), join(copy, file), { verbatimSymlinks: true });
    }
  }
  for (const folder of ['.', ...['packages', 'actions'].flatMap((name) => readdirSync(join(root, name)).map((one) => join(name, one)))])
    linkPackages(root, copy, join(folder, 'node_modules'));
  for (const action of actions) {
    const dist = join('actions', action, 'dist');
    if (existsSync(join(root, dist))) cpSync(join(root, dist), join(copy, dist), { recursive: true });
  }
  mkdirSync(join(copy, '.cache'));
  // Tests of the repository ask git which files there are.
  git(copy, 'init', '-q');
  return copy;
}

function linkPackages(root: string, copy: string, folder: string): void {
  if (!existsSync(join(root, folder))) return;
  mkdirSync(join(copy, folder), { recursive: true });
  for (const name of readdirSync(join(root, folder))) {
    if (name.startsWith('.')) continue;
    if (name.startsWith('@')) {
      linkPackages(root, copy, join(folder, name));
      continue;
    }
    const real = realpathSync(join(root, folder, name));
    const below = relative(root, real);
    const isOurs = !below.startsWith('..') && !below.split(sep).includes('node_modules');
    symlinkSync(isOurs ? join(copy, below) : real, join(copy, folder, name));
  }
}

/** Keeps bundles as they are, to have them back after an edit. */
export class Bundles {
  readonly #copy: string;

  constructor(copy: string, actions: readonly string[]) {
    this.#copy = copy;
    for (const action of actions) cpSync(this.#dist(action), this.#kept(action), { recursive: true });
  }

  restore(actions: readonly string[]): void {
    for (const action of actions) {
      rmSync(this.#dist(action), { recursive: true, force: true });
      cpSync(this.#kept(action), this.#dist(action), { recursive: true });
    }
  }

  #dist(action: string): string {
    return join(this.#copy, 'actions', action, 'dist');
  }

  #kept(action: string): string {
    return join(this.#copy, '.cache/kept', action);
  }
}
