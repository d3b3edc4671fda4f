import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { minify } from '@swc/core';

/*
 * Builds each action's dist/ with ncc, once per content: the hash of what a bundle is made of stands in dist/.hash,
 * and the packages whose modules are in it, as webpack counted them, in dist/.packages.json. Neither is released.
 *   node scripts/build.ts [ACTION...]
 */
const root = resolve(import.meta.dirname, '..');
// Native helpers that ws and vega take where they are, and do without.
const optional = new Set(['bufferutil', 'utf-8-validate', 'canvas']);
const ncc = createRequire(import.meta.url).resolve('@vercel/ncc/dist/ncc/cli.js');

const actions = readdirSync(join(root, 'actions')).filter((name) => existsSync(join(root, 'actions', name, 'src/index.ts')));
const unknown = process.argv.slice(2).filter((name) => !actions.includes(name));
if (unknown.length > 0) throw new Error(`no action ${unknown.join(', ')}; there are: ${actions.join(', ')}`);
const wanted = process.argv.length > 2 ? process.argv.slice(2) : actions;

const shared = hashOf(['package.json', 'pnpm-lock.yaml', 'tsconfig.json', 'scripts/build.ts', ...sources('packages/core')]);
const stale = wanted.filter((name) => !isFresh(name));
const queue = [...stale];
await Promise.all(Array.from({ length: Math.min(availableParallelism(), queue.length) }, worker));
if (stale.length > 0) console.log(`built ${stale.join(', ')}`);

async function worker(): Promise<void> {
  for (let name = queue.shift(); name; name = queue.shift()) await build(name);
}

async function build(name: string): Promise<void> {
  const folder = join(root, 'actions', name);
  // Entry points: main, and post where the action has one.
  const entries = ['index', 'post'].filter((entry) => existsSync(join(folder, 'src', `${entry}.ts`)));
  const fresh = join(root, '.cache', 'build', `${name}-${process.pid}`);
  rmSync(fresh, { recursive: true, force: true });
  const packages = new Set<string>();
  for (const entry of entries) {
    const out = entry === 'index' ? fresh : join(fresh, entry);
    const source = join(folder, 'src', `${entry}.ts`);
    const stats = `${fresh}-${entry}.json`;
    // A third of ncc's time is garbage of a young generation that is too small for it.
    const options = ['--transpile-only', '--no-cache', '--quiet', '--stats-out', stats];
    await run(['--max-semi-space-size=64', ncc, 'build', source, '-o', out, ...options]);
    for (const found of packagesOf(JSON.parse(readFileSync(stats, 'utf8')) as Stats)) packages.add(found);
    rmSync(stats);
    refuseMissing(
      name,
      readdirSync(out)
        .filter((file) => file.endsWith('.js'))
        .map((file) => readFileSync(join(out, file), 'utf8')),
    );
    // ncc's own minifying takes six times as long and leaves chunks that are imported lazily as they are.
    for (const chunk of readdirSync(out).filter((file) => file.endsWith('index.js'))) {
      const { code } = await minify(readFileSync(join(out, chunk), 'utf8'), {
        module: true,
        compress: { defaults: false, dead_code: true },
        mangle: true,
        format: { comments: false },
      });
      writeFileSync(join(out, chunk), code);
    }
  }
  writeFileSync(join(fresh, '.packages.json'), `${JSON.stringify([...packages].sort(), null, 2)}\n`);
  writeFileSync(join(fresh, '.hash'), hashFor(name));
  const dist = join(folder, 'dist');
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  renameSync(fresh, dist);
}

/** The part of webpack's statistics that is read here. A module that is in no chunk was left out. */
interface Stats {
  modules: { nameForCondition?: string; chunks: unknown[]; modules?: Stats['modules'] }[];
}

/** The folders of the packages that a bundle has modules of, below the repository. */
function* packagesOf({ modules }: Stats): Generator<string> {
  for (const { nameForCondition: file, chunks, modules: inner } of modules) {
    if (chunks.length === 0) continue;
    if (inner) yield* packagesOf({ modules: inner.map((module) => ({ ...module, chunks })) });
    else if (file) {
      const folder = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//u.exec(file)?.[1];
      if (folder) yield relative(root, folder);
    }
  }
}

/** A module that ncc does not find it leaves to the moment of running, and says nothing. */
function refuseMissing(name: string, bundles: string[]): void {
  const missing = bundles
    .flatMap((text) => [...text.matchAll(/=\s*eval\("require"\)\("([^"]+)"\)/gu)].map(([, module = '']) => module))
    .filter((module) => !optional.has(module));
  if (missing.length > 0) throw new Error(`${name}: not found: ${missing.join(', ')}`);
}

function isFresh(name: string): boolean {
  const file = join(root, 'actions', name, 'dist/.hash');
  return existsSync(file) && readFileSync(file, 'utf8') === hashFor(name);
}

function hashFor(name: string): string {
  return hashOf([`actions/${name}/package.json`, ...sources(`actions/${name}`)], shared);
}

function sources(folder: string): string[] {
  return globSync(['src/**/*.ts', 'src/**/*.json', 'schemas/*.json'], { cwd: join(root, folder) })
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => join(folder, file))
    .sort();
}

function hashOf(files: string[], seed = ''): string {
  const hash = createHash('sha256').update(seed);
  for (const file of files)
    hash
      .update(relative(root, join(root, file)))
      .update('\0')
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.digest('hex');
}

function run(args: string[]): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (data: Buffer) => output.push(data));
    child.stderr.on('data', (data: Buffer) => output.push(data));
    child.on('error', fail);
    child.on('close', (code) =>
      code === 0 ? done() : fail(new Error(`ncc ${args.slice(3).join(' ')} ended ${code}:\n${Buffer.concat(output).toString()}`)),
    );
  });
}
