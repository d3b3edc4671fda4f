import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

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

/**
 * Core's libraries as somebody gets them who installs them: `@actions/core` without our patch, which lets a bundler leave out
 * what is not imported.
 */
function linkLibraries(folder: string): void {
  const own = join(root, 'packages/core/node_modules');
  const scope = join(folder, '@actions');
  mkdirSync(scope, { recursive: true });
  for (const name of readdirSync(own)) if (!name.startsWith('.') && name !== '@actions') symlinkSync(join(own, name), join(folder, name));
  const core = realpathSync(join(own, '@actions/core'));
  cpSync(core, join(scope, 'core'), { recursive: true });
  const file = join(scope, 'core/package.json');
  const { sideEffects: _patched, ...unpatched } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify(unpatched));
  // What it needs itself stands beside it.
  for (const name of readdirSync(dirname(core))) if (name !== 'core') symlinkSync(join(dirname(core), name), join(scope, name));
  symlinkSync(join(own, '@actions/github'), join(scope, 'github'));
}
