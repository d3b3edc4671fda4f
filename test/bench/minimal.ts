import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';

const root = resolve(import.meta.dirname, '../..');

const octokit = `
  import * as core from '@actions/core';
  import { getOctokit } from '@actions/github';
  import { retry } from '@octokit/plugin-retry';
  import { throttling } from '@octokit/plugin-throttling';
  import { parse } from 'yaml';
  const throttle = { onRateLimit: () => false, onSecondaryRateLimit: () => false };
  const octokit = getOctokit(parse('token'), { baseUrl: process.env.GITHUB_API_URL, throttle }, throttling, retry);
  core.debug(typeof octokit);
`;

/** The least that an action of ours could be: its libraries, and one request or none. */
const programs = {
  /** For a step that asks nobody anything. */
  core: `import * as core from '@actions/core'; core.setOutput('matched', core.getInput('a') === 'b');`,
  github: `${octokit} if (process.env.ASK_GITHUB) await octokit.rest.repos.get({ owner: 'a', repo: 'b' });`,
  /** With the library's own client. */
  kubernetes: `${octokit}
    const { CoreV1Api, KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    config.loadFromString(process.env.KUBECONFIG_TEXT);
    await config.makeApiClient(CoreV1Api).listNamespacedConfigMap({ namespace: 'default' });
  `,
};

/** Bundles a minimal program as the actions are bundled, once per content. @returns the bundle's file */
export function minimalBundle(name: keyof typeof programs): string {
  const hash = createHash('sha256')
    .update(programs[name])
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .update(readFileSync(import.meta.filename))
    .digest('hex');
  const folder = join(root, '.cache/bench', `${name}-${hash.slice(0, 16)}`);
  const bundle = join(folder, 'index.js');
  if (existsSync(bundle)) return bundle;
  rmSync(folder, { recursive: true, force: true });
  linkLibraries(join(folder, 'node_modules'));
  const source = join(folder, 'source.js');
  writeFileSync(source, programs[name]);
  const ncc = createRequire(import.meta.url).resolve('@vercel/ncc/dist/ncc/cli.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [ncc, 'build', source, '-o', folder, '-m', '--quiet'], {
    encoding: 'utf8',
  });
  if (status !== 0) {
    rmSync(bundle, { force: true });
    throw new Error(`ncc: ${stdout}${stderr}`);
  }
  const missing = /eval\("require"\)\("(?!bufferutil|utf-8-validate)([^"]+)"\)/u.exec(readFileSync(bundle, 'utf8'))?.[1];
  if (missing) {
    rmSync(bundle);
    throw new Error(`core has no ${missing} any more: the minimal program has to follow it`);
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  return bundle;
}

/** Core's libraries as somebody gets them who installs them: without our patches, which leave out what is not called. */
function linkLibraries(folder: string): void {
  const { patchedDependencies } = parse(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')) as {
    patchedDependencies: Record<string, string>;
  };
  const patches = new Map(Object.entries(patchedDependencies).map(([name, file]) => [name.slice(0, name.lastIndexOf('@')), file]));
  const own = join(root, 'packages/core/node_modules');
  for (const name of packagesIn(own)) {
    const patch = patches.get(name);
    link(patch === undefined ? join(own, name) : unpatched(name, realpathSync(join(own, name)), join(root, patch), folder), folder, name);
  }
}

/** A copy of a package, and beside it what it needs itself. @returns where it is */
function unpatched(name: string, patched: string, patch: string, folder: string): string {
  const store = join(folder, '.unpatched', name.replace('/', '+'), 'node_modules');
  const beside = patched.slice(0, -name.length);
  for (const other of packagesIn(beside)) if (other !== name) link(join(beside, other), store, other);
  cpSync(patched, join(store, name), { recursive: true });
  // The copy lies in our repository, and git would take the patch's paths for those below it.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(join(store, name)) };
  const { status, stderr } = spawnSync('git', ['apply', '-R', patch], { cwd: join(store, name), env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${patch} could not be taken back: ${stderr}`);
  return join(store, name);
}

function link(target: string, folder: string, name: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  symlinkSync(target, join(folder, name));
}

/** The names of the packages in a folder, those of scopes with them. */
function packagesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => (name.startsWith('@') ? readdirSync(join(folder, name)).map((inner) => `${name}/${inner}`) : [name]));
}
