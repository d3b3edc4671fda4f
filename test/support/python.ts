import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { BaseFile } from '@slashtrain/testing/registry/base';
import { has, programFiles, pushMachineImage, systemFiles } from './builders.ts';

/** The environment in which uv is found: `$SLASHTRAIN_UV` is a virtual environment with it, else it is on PATH; undefined where there is none. */
export function findUv(): Record<string, string> | undefined {
  const { PATH = '', SLASHTRAIN_UV } = process.env;
  const folders = [...(SLASHTRAIN_UV === undefined ? [] : [join(SLASHTRAIN_UV, 'bin')]), ...PATH.split(delimiter)];
  const folder = folders.find((one) => existsSync(join(one, 'uv')));
  if (folder === undefined) process.stdout.write('skipped: what needs uv; run pip install uv in a venv, and set SLASHTRAIN_UV to it\n');
  if (folder === undefined) return undefined;
  const settings = Object.entries(process.env).filter(([name]) => /^(?:UV|SSL)_/u.test(name));
  return { ...(Object.fromEntries(settings) as Record<string, string>), PATH: [folder, PATH].join(delimiter) };
}

/** This machine's Python as files of an image, and the environment in which pip finds its index; undefined where it has none. */
export function findPython(): { version: string; files: Record<string, BaseFile>; env: Record<string, string> } | undefined {
  if (!has('pip', 'pip and a Python that is no part of the system (pyenv, setup-python)')) return undefined;
  const said = execFileSync('python3', ['-c', 'import platform, sys; print(platform.python_version(), sys.base_prefix)'], {
    encoding: 'utf8',
  });
  const [version = '', prefix = ''] = said.trim().split(' ');
  const short = version.split('.').slice(0, 2).join('.');
  if (prefix === '/usr') return undefined;
  const library = join(prefix, 'lib', `python${short}`);
  const files: Record<string, BaseFile> = { ...programFiles(join(prefix, 'bin', `python${short}`), 'usr/local/bin/python3') };
  const left = /(?:^|\/)(?:__pycache__|test|tests|site-packages|idlelib|ensurepip|tkinter|lib2to3|config-[^/]*)(?:\/|$)/u;
  for (const entry of readdirSync(library, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || left.test(path.slice(library.length))) continue;
    files[`usr/local/lib/python${short}${path.slice(library.length)}`] = readFileSync(path);
    if (path.endsWith('.so')) {
      const { [path]: _own, ...libraries } = programFiles(path, path);
      Object.assign(files, libraries);
    }
  }
  // Wheels take these from the system: https://peps.python.org/pep-0599/#the-manylinux2014-policy
  for (const name of ['libstdc++.so.6', 'libgcc_s.so.1', 'libdl.so.2', 'libpthread.so.0', 'librt.so.1', 'libutil.so.1'])
    files[`lib/x86_64-linux-gnu/${name}`] = { content: readFileSync(realpathSync(join('/lib/x86_64-linux-gnu', name))), mode: 0o755 };
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^PIP_/u.test(name))) as Record<string, string>;
  // Without uv, which would be taken.
  const others = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !existsSync(join(folder, 'uv')));
  return { version, files, env: { ...env, PATH: [join(prefix, 'bin'), ...others].join(delimiter) } };
}

/** Pushes an image of that Python, which says its version. */
export async function pushPythonImage(image: string, found: { version: string; files: Record<string, BaseFile> }): Promise<void> {
  const config = { Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'LD_LIBRARY_PATH=/lib/x86_64-linux-gnu', `PYTHON_VERSION=${found.version}`] };
  await pushMachineImage(image, { ...systemFiles(), ...found.files }, config);
}
