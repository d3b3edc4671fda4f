import { arch } from 'node:os';
import { ActionError } from '@slashtrain/core/action/errors';
import type { ImageConfig, Platform } from '@slashtrain/core/registry/media-types';
import { formatPlatform } from '@slashtrain/core/registry/media-types';
import type { Requirements } from './requirements.ts';
import type { Command, RunProgram } from './program.ts';

/** What installs wheels here. */
export interface Installer {
  program: 'uv' | 'pip';
  /** The Python that pip itself runs on, such as `3.12`: it reads markers for that one. */
  python: string | undefined;
}

/** uv where it is there, else pip. */
export async function findInstaller(run: RunProgram): Promise<Installer | undefined> {
  for (const program of ['uv', 'pip'] as const) {
    try {
      const { code, lines } = await run({ program, args: ['--version'] });
      if (code === 0) return { program, python: /\(python (3\.[0-9]+)\)/u.exec(lines.join(' '))?.[1] };
    } catch (error) {
      if (!['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  return undefined;
}

/** The base's version of Python, such as `3.12`, as the official images and those made from them say it. */
export function pythonOf(config: ImageConfig): string | undefined {
  const said = config.config?.Env?.find((entry) => entry.startsWith('PYTHON_VERSION='))?.slice('PYTHON_VERSION='.length);
  return /^(3\.[0-9]{1,2})(?:\.|$|[a-z])/u.exec(said ?? '')?.[1];
}

const machines = new Map([
  ['amd64', 'x86_64'],
  ['arm64', 'aarch64'],
]);
// Wheels say the oldest C library that they run on. 2.28 is Debian 10's, and everything since has a newer one.
const libraries = ['2_28', '2_27', '2_26', '2_24', '2_17', '2_12', '2_5'];

export interface Installation {
  requirements: Requirements;
  installer: Installer;
  python: string;
  platform: Platform;
  /** Files with the lines, and the folder for what is installed. */
  files: { requirements: string; constraints: string; target: string };
}

/**
 * The command that installs wheels alone, for the base's Python and platform. Nothing of a package is run: wheels are
 * unpacked, and what would have to be built is refused.
 * @throws ActionError `input`, `unsupported`
 */
export function installCommand({ requirements, installer, python, platform, files }: Installation): Command {
  const machine = machines.get(platform.architecture);
  if (machine === undefined)
    throw new ActionError('unsupported', `there are no wheels for ${formatPlatform(platform)} that could be chosen here`, {
      remedy: 'choose "platforms: linux/amd64", linux/arm64, or "dependencies: none"',
    });
  const inputs = ['--requirement', files.requirements, ...(requirements.constraints.length > 0 ? ['--constraint', files.constraints] : [])];
  if (installer.program === 'uv')
    return {
      program: 'uv',
      args: [
        ...['pip', 'install', '--no-build', '--no-config', '--link-mode', 'copy', '--target', files.target],
        ...['--python-version', python, '--python-platform', `${machine}-manylinux_2_28`, ...inputs],
      ],
    };
  refuseForPip(requirements, installer, python, platform);
  return {
    program: 'pip',
    args: [
      ...['install', '--disable-pip-version-check', '--no-input', '--no-compile', '--only-binary', ':all:', '--target', files.target],
      ...['--implementation', 'cp', '--python-version', python],
      ...libraries.map((library) => `manylinux_${library}_${machine}`).flatMap((tag) => ['--platform', tag]),
      ...[
        `manylinux2014_${machine}`,
        ...(machine === 'x86_64' ? ['manylinux2010_x86_64', 'manylinux1_x86_64'] : []),
        `linux_${machine}`,
      ].flatMap((tag) => ['--platform', tag]),
      ...inputs,
    ],
  };
}

/** pip reads markers for the machine that it runs on, and builds what a wheel's own metadata names by address. */
function refuseForPip(requirements: Requirements, installer: Installer, python: string, platform: Platform): void {
  const remedy = 'install uv before this step (astral-sh/setup-uv), which chooses for another machine';
  if (installer.python !== python)
    throw new ActionError(
      'input',
      `the base has Python ${python}, and pip here runs on ${installer.python ?? 'an unknown one'}, for which it would choose`,
      {
        remedy: `run actions/setup-python with "${python}" before this step, or ${remedy}`,
      },
    );
  const own = arch() === 'x64' ? 'amd64' : arch();
  if (platform.architecture !== own)
    throw new ActionError('input', `the image is for ${formatPlatform(platform)}, and pip here chooses for ${own}`, { remedy });
  if (requirements.hasIndex)
    throw new ActionError(
      'input',
      'the requirements name an index of their own, which pip must not be given: a package of it could have code run',
      {
        remedy: `set PIP_INDEX_URL or PIP_EXTRA_INDEX_URL under env: in the workflow, or ${remedy}`,
      },
    );
}

/** What is wrong where an installation failed, in the installer's words. */
export function installError(lines: readonly string[], program: string, python: string, platform: Platform): ActionError {
  const said = lines.map((line) => line.trim()).filter((line) => line !== '' && !/^(?:WARNING|notice)/u.test(line));
  const text = said.join(' ');
  if (/no space left on device/iu.test(text))
    return new ActionError('input', `the disk is full: the packages do not fit: ${said.slice(-2).join(' ').slice(0, 400)}`, {
      remedy: 'use a runner with more disk, or a base that has the largest of them',
    });
  const [, missing] = /No matching distribution found for (\S+)/u.exec(text) ?? [];
  const words = missing === undefined ? said.slice(-6).join(' ').slice(0, 800) : `"${missing}"`;
  if (/connection|timed out|temporary failure|error sending request|dns error/iu.test(text) && missing === undefined)
    return new ActionError('unreachable', `${program} could not reach its index: ${words}`, {
      remedy: 'look at the index and run the job again',
    });
  return new ActionError(
    'input',
    `there is no wheel of ${missing === undefined ? 'a dependency' : words} for Python ${python} on ${formatPlatform(platform)}${missing === undefined ? `: ${words}` : ''}`,
    {
      remedy: 'choose a version that has one, or set "dependencies: none" and install it in a Dockerfile',
    },
  );
}
