import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** The least that an action of ours could be: its libraries, and nothing done with them. */
const programs = {
  /** Ends once everything is loaded. */
  github: `
    import * as core from '@actions/core';
    import { getOctokit } from '@actions/github';
    import { retry } from '@octokit/plugin-retry';
    import { throttling } from '@octokit/plugin-throttling';
    import { parse } from 'yaml';
    parse('a: 1');
    const octokit = getOctokit('token', { baseUrl: process.env.GITHUB_API_URL, throttle: { onRateLimit: () => false, onSecondaryRateLimit: () => false } }, retry, throttling);
    if (process.env.ASK_GITHUB) await octokit.rest.repos.get({ owner: 'a', repo: 'b' });
    else core.debug(octokit.constructor.name);
  `,
  /** Asks the cluster once, with the library's own client. */
  kubernetes: `
    import * as core from '@actions/core';
    import { getOctokit } from '@actions/github';
    import { retry } from '@octokit/plugin-retry';
    import { throttling } from '@octokit/plugin-throttling';
    import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
    const octokit = getOctokit('token', { throttle: { onRateLimit: () => false, onSecondaryRateLimit: () => false } }, retry, throttling);
    core.debug(octokit.constructor.name);
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
  // It stands in core for as long as it is bundled, since the libraries are core's.
  const source = join(root, 'packages/core', `.bench-${name}.mjs`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(source, programs[name]);
  try {
    const ncc = createRequire(import.meta.url).resolve('@vercel/ncc/dist/ncc/cli.js');
    const { status, stdout, stderr } = spawnSync(process.execPath, [ncc, 'build', source, '-o', folder, '-m', '--quiet'], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`ncc: ${stdout}${stderr}`);
  } finally {
    rmSync(source, { force: true });
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  return existsSync(bundle) ? bundle : join(folder, 'index.mjs');
}
