import { describe, expect, it } from '@jest/globals';
import { commandsOf, findBuilder, type DockerfileBuild, type FoundBuilder } from './builders.ts';
import type { Command, RunProgram } from './program.ts';

const plain: DockerfileBuild = {
  context: '/t/context',
  dockerfile: '/t/dockerfile',
  image: { registry: 'ghcr.io', repository: 'acme/x', tag: 'sha-1' },
  target: undefined,
  buildArgs: new Map(),
  labels: new Map(),
  secrets: new Map(),
  platforms: [],
  cache: undefined,
  isLocal: false,
  push: true,
  load: false,
  address: 'tcp://b:1234',
  provenance: undefined,
  sbom: undefined,
};
const full: DockerfileBuild = {
  ...plain,
  target: 'train',
  buildArgs: new Map([['A', '1; rm -rf "$HOME"']]),
  labels: new Map([['l', '$(x)']]),
  secrets: new Map([['token', '/t/secrets/token']]),
  platforms: ['linux/amd64', 'linux/arm64'],
  cache: { registry: 'ghcr.io', repository: 'acme/x', tag: 'cache' },
};
const lines = (commands: Command[]): string[] => commands.map(({ program, args }) => [program, ...args].join(' '));

describe('the commands of', () => {
  it('docker with buildx', () => {
    expect(lines(commandsOf('buildx', { ...full, provenance: 'mode=max', sbom: 'true' }))).toEqual([
      'docker buildx build --progress=plain --file /t/dockerfile/Dockerfile --tag ghcr.io/acme/x:sha-1 --target train --build-arg A=1; rm -rf "$HOME" --label l=$(x) --secret id=token,src=/t/secrets/token --platform linux/amd64,linux/arm64 --cache-from type=registry,ref=ghcr.io/acme/x:cache --cache-to type=registry,ref=ghcr.io/acme/x:cache,mode=max --provenance=mode=max --sbom=true --push /t/context',
    ]);
    // What looks like a shell's is one argument.
    expect(commandsOf('buildx', full)[0]?.args).toContain('A=1; rm -rf "$HOME"');
  });

  it('docker without buildx', () => {
    const commands = commandsOf('docker', { ...full, secrets: new Map(), platforms: ['linux/amd64'] });
    expect(lines(commands)).toEqual([
      'docker build --file /t/dockerfile/Dockerfile --tag ghcr.io/acme/x:sha-1 --target train --build-arg A=1; rm -rf "$HOME" --label l=$(x) --platform linux/amd64 --cache-from ghcr.io/acme/x:cache /t/context',
      'docker push ghcr.io/acme/x:sha-1',
      'docker tag ghcr.io/acme/x:sha-1 ghcr.io/acme/x:cache',
      'docker push ghcr.io/acme/x:cache',
    ]);
    expect(commands[0]?.env).toEqual({ DOCKER_BUILDKIT: '0' });
    expect(lines(commandsOf('docker', { ...plain, push: false, load: true }))).toHaveLength(1);
  });

  it('buildah', () => {
    expect(lines(commandsOf('buildah', full))).toEqual([
      'buildah build --layers --file /t/dockerfile/Dockerfile --manifest ghcr.io/acme/x:sha-1 --target train --build-arg A=1; rm -rf "$HOME" --label l=$(x) --secret id=token,src=/t/secrets/token --platform linux/amd64,linux/arm64 --cache-from ghcr.io/acme/x --cache-to ghcr.io/acme/x /t/context',
      'buildah manifest push --all ghcr.io/acme/x:sha-1 docker://ghcr.io/acme/x:sha-1',
    ]);
    const local = { ...plain, isLocal: true, image: { registry: 'localhost:5000', repository: 'x', tag: 't' } };
    expect(lines(commandsOf('buildah', local))).toEqual([
      'buildah build --layers --tls-verify=false --file /t/dockerfile/Dockerfile --tag localhost:5000/x:t /t/context',
      'buildah push --tls-verify=false localhost:5000/x:t docker://localhost:5000/x:t',
    ]);
  });

  it('buildkit', () => {
    expect(lines(commandsOf('buildkit', { ...full, sbom: 'true', provenance: 'false' }))).toEqual([
      'buildctl --addr tcp://b:1234 build --progress=plain --frontend dockerfile.v0 --local context=/t/context --local dockerfile=/t/dockerfile --opt target=train --opt build-arg:A=1; rm -rf "$HOME" --opt label:l=$(x) --opt platform=linux/amd64,linux/arm64 --opt attest:sbom= --secret id=token,src=/t/secrets/token --import-cache type=registry,ref=ghcr.io/acme/x:cache --export-cache type=registry,ref=ghcr.io/acme/x:cache,mode=max --output type=image,name=ghcr.io/acme/x:sha-1,push=true',
    ]);
  });

  it('repo2docker', () => {
    const build = { ...plain, buildArgs: full.buildArgs, labels: full.labels };
    expect(lines(commandsOf('repo2docker', build))).toEqual([
      'jupyter-repo2docker --config /t/dockerfile/repo2docker_config.py --no-run --user-id 1000 --user-name jovyan --image-name ghcr.io/acme/x:sha-1 --build-arg A=1; rm -rf "$HOME" --label l=$(x) --push /t/context',
    ]);
    expect(commandsOf('repo2docker', { ...plain, push: false, load: true })[0]?.args).not.toContain('--push');
  });

  it.each<[FoundBuilder, Partial<DockerfileBuild>, string]>([
    ['repo2docker', { target: 'train' }, 'input "target" cannot be used with repo2docker: its images have no stages'],
    ['repo2docker', { secrets: full.secrets }, 'input "secrets"'],
    ['repo2docker', { platforms: ['linux/amd64'] }, 'input "platforms"'],
    ['repo2docker', { cache: full.cache }, 'input "cache"'],
    ['repo2docker', { load: true }, 'input "load"'],
    ['repo2docker', { provenance: 'mode=max' }, 'input "provenance"'],
    ['docker', { secrets: full.secrets }, 'input "secrets" cannot be used with docker without buildx'],
    ['docker', { platforms: full.platforms }, 'input "platforms"'],
    ['docker', { sbom: 'true' }, 'input "sbom"'],
    ['buildah', { provenance: 'mode=max' }, 'input "provenance"'],
    ['buildx', { load: true, platforms: full.platforms }, 'input "load"'],
    ['buildkit', { load: true }, 'input "load"'],
  ])('%s refuse what it cannot do: %j', (builder, change, message) => {
    expect(() => commandsOf(builder, { ...plain, ...change })).toThrow(message);
  });
});

describe('the builder that is found', () => {
  /** A machine on which these commands answer; `> ` parts a command from what it says. */
  const machine =
    (...answering: string[]): RunProgram =>
    async ({ program, args }) => {
      const line = [program, ...args].join(' ');
      if (!answering.some((one) => one.startsWith(program))) throw Object.assign(new Error(program), { code: 'ENOENT' });
      const [found, ...lines] = answering.find((one) => one.split('> ', 1)[0] === line)?.split('> ') ?? [];
      return { code: found === undefined ? 1 : 0, lines };
    };
  const workers = 'buildctl --addr tcp://b:1 debug workers';

  it.each<[string, Parameters<typeof findBuilder>[0], string | undefined, string[], string]>([
    ['buildx', 'auto', undefined, ['docker version', 'docker buildx inspect', 'buildah --version'], 'docker has buildx'],
    // A builder elsewhere, and no dockerd here: docker/setup-buildx-action with "driver: remote" or "kubernetes".
    ['buildx', 'docker', undefined, ['docker buildx inspect> Driver: remote'], 'docker has buildx'],
    // As buildx 0.29 says it where no dockerd runs.
    [
      'buildah',
      'auto',
      undefined,
      ['docker buildx inspect> Name: default> Error:  Cannot connect', 'buildah --version'],
      'does not answer',
    ],
    ['docker', 'auto', undefined, ['docker version'], 'without buildx'],
    ['buildah', 'auto', undefined, ['docker --version', 'buildah --version'], 'docker does not answer'],
    ['buildah', 'buildah', undefined, ['docker version', 'buildah --version'], 'buildah is there'],
    ['buildkit', 'auto', 'tcp://b:1', ['docker version', workers], 'buildkitd answers at tcp://b:1'],
    ['docker', 'docker', 'tcp://b:1', ['docker version', workers], 'docker answers'],
  ])('%s for %s with the address %s, where %j answer', async (builder, wanted, address, answering, why) => {
    const found = await findBuilder(wanted, address, machine(...answering));
    expect(found.builder).toBe(builder);
    expect(found.why).toContain(why);
  });

  it.each<[Parameters<typeof findBuilder>[0], string | undefined, string]>([
    ['docker', undefined, 'docker does not answer on this machine'],
    ['buildah', undefined, 'there is no buildah on PATH'],
    ['buildkit', undefined, 'names no address'],
    ['buildkit', 'tcp://b:1', 'does not answer to buildctl'],
    ['auto', undefined, 'neither docker nor buildah is there'],
  ])('none for %s with the address %s, and what to do', async (wanted, address, message) => {
    await expect(findBuilder(wanted, address, machine())).rejects.toMatchObject({
      message: expect.stringContaining(message),
      remedy: expect.stringMatching(/./u),
    });
  });
});
