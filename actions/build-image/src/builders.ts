import { ActionError } from '@slashtrain/core/action/errors';
import { formatImageName, registryAddress, type ImageName } from '@slashtrain/core/registry/image-name';
import type { Builder } from './inputs.ts';
import { answers, type Command, type RunProgram } from './program.ts';

const repo2dockerProgram = 'jupyter-repo2docker';
/** The name of repo2docker's configuration. */
export const repo2dockerConfig = 'repo2docker_config.py';

/** A builder that is there. */
export type FoundBuilder = 'buildx' | 'docker' | 'buildah' | 'buildkit' | 'repo2docker';

/** The build of a Dockerfile, or of a repository by repo2docker, with everything where the builder can take it. */
export interface DockerfileBuild {
  /** A folder of this machine. */
  context: string;
  /** The folder of the Dockerfile, which is called `Dockerfile`, or of repo2docker's configuration. */
  dockerfile: string;
  /** The name and the tag that it is pushed under. */
  image: ImageName;
  target: string | undefined;
  buildArgs: ReadonlyMap<string, string>;
  labels: ReadonlyMap<string, string>;
  /** Files with the secrets, by id. */
  secrets: ReadonlyMap<string, string>;
  platforms: readonly string[];
  cache: ImageName | undefined;
  /** Whether the images that it builds on lie in registries of this machine, which speak http. */
  isLocal: boolean;
  push: boolean;
  load: boolean;
  /** buildkitd's. */
  address: string | undefined;
  provenance: string | undefined;
  sbom: string | undefined;
}

/** Which builder it is to be, and why: for the log. */
export async function findBuilder(
  wanted: Builder,
  address: string | undefined,
  run: RunProgram,
): Promise<{ builder: FoundBuilder; why: string }> {
  if (wanted === 'repo2docker') {
    if (await hasRepo2docker(run)) return { builder: 'repo2docker', why: 'it is there, and docker has buildx' };
    throw new ActionError('input', 'input "builder" is "repo2docker", and it is not there, or docker and its buildx do not answer', {
      remedy: 'run "pip install jupyter-repo2docker" and docker/setup-buildx-action before this step',
    });
  }
  const has = {
    // It ends well where its builder is out of reach, and says so: a builder of its own needs no docker on this machine.
    buildx: () => hasBuildx(run),
    docker: () => answers(run, { program: 'docker', args: ['version'] }),
    buildah: () => answers(run, { program: 'buildah', args: ['--version'] }),
    buildkit: async () =>
      address !== undefined && (await answers(run, { program: 'buildctl', args: ['--addr', address, 'debug', 'workers'] })),
  };
  if (wanted === 'buildkit' || (wanted === 'auto' && address !== undefined)) {
    if (address === undefined)
      throw new ActionError('input', 'input "builder" is "buildkit", and input "buildkit" names no address', {
        remedy: 'add "buildkit: tcp://buildkitd:1234" or what your buildkitd listens on',
      });
    if (await has.buildkit()) return { builder: 'buildkit', why: `buildkitd answers at ${address}` };
    throw new ActionError('unreachable', `buildkitd at ${address} does not answer to buildctl`, {
      remedy: 'check input "buildkit", that buildctl is on PATH, and that this machine may reach the address',
    });
  }
  if (wanted !== 'buildah') {
    if (await has.buildx()) return { builder: 'buildx', why: 'docker has buildx, whose builder answers' };
    if (await has.docker()) return { builder: 'docker', why: 'docker answers, without buildx' };
    if (wanted === 'docker')
      throw new ActionError('unreachable', 'input "builder" is "docker", and docker does not answer on this machine', {
        remedy: 'start dockerd (hosted Linux runners have it), or use "buildah" or "buildkit"',
      });
  }
  if (await has.buildah())
    return { builder: 'buildah', why: wanted === 'auto' ? 'buildah is there, and docker does not answer' : 'buildah is there' };
  throw new ActionError(
    'input',
    wanted === 'auto'
      ? 'there is a Dockerfile to build, and neither docker nor buildah is there'
      : 'input "builder" is "buildah", and there is no buildah on PATH',
    {
      remedy: 'install docker or buildah, give "buildkit" an address, or give "base" and let the layer builder do it',
    },
  );
}

function hasBuildx(run: RunProgram): Promise<boolean> {
  return answers(run, { program: 'docker', args: ['buildx', 'inspect'] }, (lines) => !lines.some((line) => /^Error:/u.test(line)));
}

/** Whether repo2docker is there, and what it builds with. */
export async function hasRepo2docker(run: RunProgram): Promise<boolean> {
  return (await answers(run, { program: repo2dockerProgram, args: ['--version'] })) && (await hasBuildx(run));
}

/** What is run to build and push, one after the other. */
export function commandsOf(builder: FoundBuilder, build: DockerfileBuild): Command[] {
  refuseUnknown(builder, build);
  return { buildx, docker, buildah, buildkit, repo2docker }[builder](build);
}

function buildx(build: DockerfileBuild): Command[] {
  const cache = build.cache && formatImageName(build.cache);
  return [
    {
      program: 'docker',
      args: [
        ...['buildx', 'build', '--progress=plain', ...common(build)],
        ...secretArgs(build),
        ...list('--platform', build.platforms),
        ...(cache === undefined ? [] : ['--cache-from', `type=registry,ref=${cache}`, '--cache-to', `type=registry,ref=${cache},mode=max`]),
        ...(build.provenance === undefined ? [] : [`--provenance=${build.provenance}`]),
        ...(build.sbom === undefined ? [] : [`--sbom=${build.sbom}`]),
        ...(build.push ? ['--push'] : []),
        ...(build.load ? ['--load'] : []),
        build.context,
      ],
    },
  ];
}

function docker(build: DockerfileBuild): Command[] {
  const image = formatImageName(build.image);
  const cache = build.cache && formatImageName(build.cache);
  // BuildKit within docker is buildx; without it this is the builder that there is.
  const env = { DOCKER_BUILDKIT: '0' };
  return [
    {
      program: 'docker',
      args: [
        'build',
        ...common(build),
        ...list('--platform', build.platforms),
        ...(cache === undefined ? [] : ['--cache-from', cache]),
        build.context,
      ],
      env,
    },
    ...(build.push ? [{ program: 'docker', args: ['push', image] }] : []),
    ...(cache === undefined || !build.push
      ? []
      : [
          { program: 'docker', args: ['tag', image, cache] },
          { program: 'docker', args: ['push', cache] },
        ]),
  ];
}

function buildah(build: DockerfileBuild): Command[] {
  const image = formatImageName(build.image);
  const several = build.platforms.length > 1;
  const { tag: _tag, ...cache } = build.cache ?? { registry: '', repository: '' };
  const secure = (name: ImageName): string[] => (registryAddress(name.registry).protocol === 'http:' ? ['--tls-verify=false'] : []);
  const { file, labels } = { file: ['--file', `${build.dockerfile}/Dockerfile`], labels: pairs('--label', build.labels) };
  return [
    {
      program: 'buildah',
      args: [
        ...['build', '--layers', ...(build.isLocal ? ['--tls-verify=false'] : []), ...file, several ? '--manifest' : '--tag', image],
        ...(build.target === undefined ? [] : ['--target', build.target]),
        ...pairs('--build-arg', build.buildArgs),
        ...labels,
        ...secretArgs(build),
        ...list('--platform', build.platforms),
        ...(build.cache ? ['--cache-from', formatImageName(cache), ...(build.push ? ['--cache-to', formatImageName(cache)] : [])] : []),
        build.context,
      ],
    },
    ...(build.push
      ? [
          {
            program: 'buildah',
            args: several
              ? ['manifest', 'push', '--all', ...secure(build.image), image, `docker://${image}`]
              : ['push', ...secure(build.image), image, `docker://${image}`],
          },
        ]
      : []),
  ];
}

function buildkit(build: DockerfileBuild): Command[] {
  const insecure = registryAddress(build.image.registry).protocol === 'http:' ? ',registry.insecure=true' : '';
  const cache = build.cache && formatImageName(build.cache);
  const opts: [string, string][] = [
    ...(build.target === undefined ? [] : [['target', build.target] as [string, string]]),
    ...[...build.buildArgs].map(([name, value]): [string, string] => [`build-arg:${name}`, value]),
    ...[...build.labels].map(([name, value]): [string, string] => [`label:${name}`, value]),
    ...(build.platforms.length > 0 ? [['platform', build.platforms.join(',')] as [string, string]] : []),
    // As buildx passes them on: "true" is the builder's usual, "false" is none.
    ...attest('provenance', build.provenance),
    ...attest('sbom', build.sbom),
  ];
  return [
    {
      program: 'buildctl',
      args: [
        ...['--addr', build.address ?? '', 'build', '--progress=plain', '--frontend', 'dockerfile.v0'],
        ...['--local', `context=${build.context}`, '--local', `dockerfile=${build.dockerfile}`],
        ...opts.flatMap(([name, value]) => ['--opt', `${name}=${value}`]),
        ...secretArgs(build),
        ...(cache === undefined
          ? []
          : [
              '--import-cache',
              `type=registry,ref=${cache}${insecure}`,
              ...(build.push ? ['--export-cache', `type=registry,ref=${cache},mode=max${insecure}`] : []),
            ]),
        ...['--output', `type=image,name=${formatImageName(build.image)},push=${String(build.push)}${insecure}`],
      ],
    },
  ];
}

/** https://repo2docker.readthedocs.io/en/latest/usage/ */
function repo2docker(build: DockerfileBuild): Command[] {
  return [
    {
      program: repo2dockerProgram,
      args: [
        // It would take repo2docker_config.py of the folder that it is started in, which is Python that this machine runs.
        ...['--config', `${build.dockerfile}/${repo2dockerConfig}`],
        // As Binder runs its images; it refuses to be root's, which a runner's container often is.
        ...['--no-run', '--user-id', '1000', '--user-name', 'jovyan', '--image-name', formatImageName(build.image)],
        ...pairs('--build-arg', build.buildArgs),
        ...pairs('--label', build.labels),
        ...(build.push ? ['--push'] : []),
        build.context,
      ],
    },
  ];
}

function attest(name: string, value: string | undefined): [string, string][] {
  return value === undefined || value === 'false' ? [] : [[`attest:${name}`, value === 'true' ? '' : value]];
}

/** Says what a builder cannot do before it is begun. */
function refuseUnknown(builder: FoundBuilder, build: DockerfileBuild): void {
  const cannot = (input: string, why: string, remedy: string): never => {
    throw new ActionError(
      'unsupported',
      `input "${input}" cannot be used with ${builder === 'docker' ? 'docker without buildx' : builder}: ${why}`,
      { remedy },
    );
  };
  if (builder === 'docker') {
    const remedy = 'run docker/setup-buildx-action before this step, or use "buildah" or "buildkit"';
    if (build.secrets.size > 0) cannot('secrets', 'it has no mounts for secrets', remedy);
    if (build.platforms.length > 1) cannot('platforms', 'it builds for one platform', remedy);
  }
  if (builder === 'repo2docker') {
    const remedy = `leave it out, or write a Dockerfile, and use "docker" with buildx, or buildkit`;
    if (build.target !== undefined) cannot('target', 'its images have no stages', remedy);
    if (build.secrets.size > 0) cannot('secrets', 'it has no mounts for secrets', remedy);
    if (build.platforms.length > 0) cannot('platforms', 'it builds for the platform of docker', remedy);
    if (build.cache !== undefined) cannot('cache', 'it keeps none in a registry', remedy);
    if (build.push && build.load) cannot('load', 'it either pushes or loads', 'push, and pull what was pushed');
  }
  if (builder === 'buildx' && build.load && build.platforms.length > 1)
    cannot('load', "docker's store takes no image of several platforms", 'load one platform, or push alone');
  if (builder === 'buildkit' && build.load) cannot('load', 'it has no store that docker reads', 'push, and pull what was pushed');
  if (builder !== 'buildx' && builder !== 'buildkit')
    for (const [input, value] of Object.entries({ provenance: build.provenance, sbom: build.sbom }))
      if (value !== undefined && value !== 'false') cannot(input, 'it makes none', 'use docker with buildx, or buildkit');
}

function common(build: DockerfileBuild): string[] {
  return [
    ...['--file', `${build.dockerfile}/Dockerfile`, '--tag', formatImageName(build.image)],
    ...(build.target === undefined ? [] : ['--target', build.target]),
    ...pairs('--build-arg', build.buildArgs),
    ...pairs('--label', build.labels),
  ];
}

function pairs(flag: string, values: ReadonlyMap<string, string>): string[] {
  return [...values].flatMap(([name, value]) => [flag, `${name}=${value}`]);
}

function list(flag: string, values: readonly string[]): string[] {
  return values.length === 0 ? [] : [flag, values.join(',')];
}

function secretArgs(build: DockerfileBuild): string[] {
  return [...build.secrets].flatMap(([id, file]) => ['--secret', `id=${id},src=${file}`]);
}
