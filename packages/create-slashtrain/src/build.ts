import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/*
 * Makes dist/, or the folder that is named, which is what npm gets: one bundle, and the very files of examples/digits that it
 * starts from.
 *   pnpm --filter create-slashtrain run build
 */
const folder = join(import.meta.dirname, '..');
const root = join(folder, '../..');
const dist = process.argv[2] ?? join(folder, 'dist');
const ncc = createRequire(join(root, 'package.json')).resolve('@vercel/ncc/dist/ncc/cli.js');

rmSync(dist, { recursive: true, force: true });
const options = ['--transpile-only', '--no-cache', '--quiet', '--license', 'THIRD-PARTY-LICENSES.txt'];
execFileSync(process.execPath, [ncc, 'build', join(folder, 'src/index.ts'), '-o', dist, ...options], { cwd: root, stdio: 'inherit' });
for (const part of ['.github', 'pipelines']) cpSync(join(root, 'examples/digits', part), join(dist, 'template', part), { recursive: true });
copyFileSync(join(folder, 'README.md'), join(dist, 'README.md'));
copyFileSync(join(root, 'LICENSE'), join(dist, 'LICENSE'));
const { name, version, description, license, type } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
  string,
  unknown
>;
const repository = { type: 'git', url: 'git+https://github.com/slashtrain/slashtrain.git' };
const published = { name, version, description, license, type, repository, bin: { [String(name)]: 'index.js' }, engines: { node: '>=20' } };
writeFileSync(join(dist, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
