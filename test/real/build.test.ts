import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { parseImageName } from '@slashtrain/core/registry/image-name';
import { Registries } from '@slashtrain/core/registry/registries';
import type { Repository } from '@slashtrain/testing/github/github';
import { startRegistry } from '@slashtrain/testing/registry/server';
import {
  buildahPlace,
  has,
  programFiles,
  pushMachineImage,
  startBuildkitd,
  startBuildx,
  startDockerd,
  systemFiles,
  type Daemon,
} from '../support/builders.ts';
import { openBuilding, type Building } from '../support/building.ts';
import { contentOf, layersOf, layerTypesOf } from '../support/images.ts';
import { succeeded } from '../support/steps.ts';
import { filesOf, unique } from '../support/targets.ts';

/*
 * Images by every builder, from the bundle to a pod of a real cluster. Docker, buildah and buildkitd are started with
 * data of their own; what is not installed is skipped with a line.
 */
const registries = new Registries();
const started: Daemon[] = [];
let place: Building;
let base: string;

const dockerfile = `ARG BASE
FROM \${BASE} AS code
WORKDIR /app
COPY . .
RUN node train.js --epochs 1 > build.log
FROM code AS unused
FROM code
CMD ["node", "train.js", "--epochs", "2"]
`;

beforeAll(async () => {
  place = await openBuilding();
  base = `${place.images}/base:1`;
  await pushMachineImage(base, machine(), environment);
});
afterEach(async () => {
  for (const daemon of started.splice(0)) await daemon.stop();
});
afterAll(() => place.close());

const environment = { Env: ['PATH=/usr/local/bin:/usr/bin:/bin'] };
const machine = (): ReturnType<typeof systemFiles> => ({ ...systemFiles(), ...programFiles(process.execPath, 'usr/local/bin/node') });

const digits = (files: Record<string, string>): Repository =>
  place.github.createRepository({
    owner: 'acme',
    name: unique('digits'),
    files: { ...filesOf('examples/digits'), '.dockerignore': '*.md\nDockerfile*\n', ...files },
  });

const builders: [name: string, program: string, toInstall: string, start: () => Promise<Daemon>][] = [
  ['docker', 'dockerd', 'docker.io', startDockerd],
  ['buildx', 'docker-buildx', "docker's client, buildx, BuildKit's buildkitd, and runc", startBuildx],
  ['buildah', 'buildah', 'buildah', async () => buildahPlace()],
  ['buildkit', 'buildkitd', "BuildKit's buildkitd and buildctl, and runc", startBuildkitd],
];
const inputsOf = (name: string, { address }: Daemon): Record<string, string> => ({
  builder: name === 'buildx' ? 'docker' : name,
  ...(name === 'buildkit' ? { buildkit: address } : {}),
});

describe.each(builders)('%s', (name, program, toInstall, start) => {
  it("builds the digits' Dockerfile, finds the image again for another commit, and a pod runs it", async () => {
    if (!has(program, toInstall)) return;
    const daemon = await start();
    started.push(daemon);
    const repository = digits({ Dockerfile: dockerfile });
    const [first, second] = ['one', 'two'].map((text) => repository.commit({ files: { 'NOTES.md': text } }));
    const inputs = {
      image: `${place.images}/${name}`,
      ...inputsOf(name, daemon),
      'build-args': `BASE: ${base}`,
      labels: 'team: vision',
      tags: '[main]',
    };
    const built = await succeeded(place.build(repository, { ...inputs, sha: first ?? '' }, daemon.env));
    expect(built.outputs).toMatchObject({ image: expect.stringMatching(/@sha256:[0-9a-f]{64}$/u), reused: 'false' });
    expect(built.summary).toContain(`\`${base}@sha256:`);
    const image = built.outputs['image'] ?? '';
    expect((await contentOf(image)).includes('"team":"vision"')).toBe(true);

    // The builder is gone, and is not missed.
    await started.pop()?.stop();
    const again = await succeeded(place.build(repository, { ...inputs, sha: second ?? '', builder: 'auto' }));
    expect(again.outputs['reused']).toBe('true');
    expect(again.outputs['digest']).not.toBe(built.outputs['digest']);
    expect((await contentOf(again.outputs['image'] ?? '')).includes(`"org.opencontainers.image.revision":"${second ?? ''}"`)).toBe(true);
    expect(await Promise.all([place.runs(image), place.runs(again.outputs['image'] ?? '')])).toEqual([true, true]);
  });

  it('says what failed in its own words, and moves no tag', async () => {
    if (!has(program, toInstall)) return;
    const daemon = await start();
    started.push(daemon);
    const repository = digits({ Dockerfile: 'ARG BASE\nFROM $BASE\nRUN echo ::error::said; exit 7\n' });
    const sha = repository.commit({ files: { x: 'x' } });
    const image = `${place.images}/${name}-fails`;
    const result = await place.build(repository, { image, ...inputsOf(name, daemon), 'build-args': `BASE: ${base}`, sha }, daemon.env);
    expect(result.code).toBe(1);
    expect(result.annotations).toHaveLength(1);
    expect(result.annotations[0]?.message).toMatch(/^\w+ (?:buildx )?build ended with [0-9]+: .*7/u);
    expect(result.summary).toContain('failed');
    expect(result.outputs).toMatchObject({ image: '', reused: 'false' });
    await expect(
      registries.of({ registry: place.registry }).manifestDigest(parseImageName(image, 'it').repository, `sha-${sha}`),
    ).resolves.toBeUndefined();
  });
});

it.each([
  ['docker', 'dockerd', 'docker.io', startDockerd, ['docker', 'image', 'inspect']],
  ['docker with buildx', 'docker-buildx', 'docker.io and buildx', () => startDockerd({ buildx: true }), ['docker', 'image', 'inspect']],
  ['buildah', 'buildah', 'buildah', async () => buildahPlace(), ['buildah', 'inspect']],
] as const)('%s keeps an image that is not pushed', async (name, program, toInstall, start, [client, ...inspect]) => {
  if (!has(program, toInstall)) return;
  const daemon = await start();
  started.push(daemon);
  const repository = digits({ Dockerfile: 'FROM scratch\nCOPY . /app\n' });
  const image = `${place.images}/${client}-kept`;
  const inputs = { image, builder: name.split(' ')[0] ?? '', push: 'false', sha: repository.head() };
  const { outputs, stdout } = await succeeded(place.build(repository, inputs, daemon.env));
  expect(outputs).toMatchObject({ image: '', digest: '', reused: 'false' });
  expect(stdout).toContain('and not pushed');
  const env = { ...process.env, ...daemon.env };
  const shown = execFileSync(client, [...inspect, `${image}:sha-${repository.head()}`], { env, encoding: 'utf8', stdio: 'pipe' });
  expect(shown).toContain(`"org.opencontainers.image.revision": "${repository.head()}"`);
  const { repository: path } = parseImageName(image, 'it');
  await expect(registries.of({ registry: place.registry }).manifestDigest(path, `sha-${repository.head()}`)).resolves.toBeUndefined();
});

describe.each(builders.slice(1))('a secret with %s', (name, program, toInstall, start) => {
  it('is there for the step that asks for it, and in no layer, history, label or log', async () => {
    if (!has(program, toInstall)) return;
    const daemon = await start();
    started.push(daemon);
    const secret = unique('very-secret-token');
    const text = `ARG BASE
FROM $BASE
RUN --mount=type=secret,id=token node -e 'const s = require("fs").readFileSync("/run/secrets/token"); if (s.length !== ${secret.length}) process.exit(1); console.log("" + s, s.toString("base64"), s.toString("hex"))'
`;
    const repository = digits({ Dockerfile: text });
    const sha = repository.commit({ files: { x: 'x' } });
    const image = `${place.images}/${name}-secret`;
    const inputs = { image, ...inputsOf(name, daemon), 'build-args': `BASE: ${base}`, secrets: `token: ${secret}`, sha };
    const { outputs, stdout, stderr, summary } = await succeeded(place.build(repository, inputs, daemon.env));
    const content = await contentOf(outputs['image'] ?? '');
    const log = (stdout + stderr)
      .split('\n')
      .filter((line) => !line.startsWith('::add-mask::'))
      .join('\n');
    expect(log).toContain('*** *** ***');
    for (const form of [secret, Buffer.from(secret).toString('base64').replace(/=+$/u, ''), Buffer.from(secret).toString('hex')]) {
      expect(content.includes(form)).toBe(false);
      expect(log + summary + JSON.stringify(outputs)).not.toContain(form);
    }
  });
});

it('repo2docker is taken for its repositories where it is, and runs nothing of theirs on this machine', async () => {
  if (!has('jupyter-repo2docker', 'jupyter-repo2docker from PyPI') || !has('docker-buildx', 'docker.io and buildx')) return;
  const docker = await startDockerd();
  started.push(docker);
  const buildx = await startBuildx();
  started.push(buildx);
  // It asks for docker itself; its builds need a network, which this docker's own have not.
  const env = { ...buildx.env, DOCKER_HOST: docker.address };
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-repo2docker-'));
  const mark = join(folder, 'executed');
  // What repo2docker would take from the folder that it is started in: here, a checkout of the commit.
  const config = `open(${JSON.stringify(mark)}, 'w')\n`;
  try {
    writeFileSync(join(folder, 'repo2docker_config.py'), config);
    const files = { 'binder/Dockerfile': dockerfile.replace('ARG BASE\n', `ARG BASE=${base}\n`), 'repo2docker_config.py': config };
    const repository = digits(files);
    const sha = repository.commit({ files: { 'NOTES.md': 'one' } });
    const inputs = { image: `${place.images}/repo2docker`, sha, labels: 'team: vision', tags: '[main]' };
    const built = await succeeded(place.build(repository, inputs, env, { workspace: folder }));
    expect(built.shown).toContain('repo2docker, since there is binder/Dockerfile and no base');
    expect(readdirSync(folder)).not.toContain('executed');
    const image = built.outputs['image'] ?? '';
    const content = await contentOf(image);
    expect(content.includes('"team":"vision"') && content.includes(`"org.opencontainers.image.revision":"${sha}"`)).toBe(true);
    expect(await place.runs(image)).toBe(true);

    const bad = repository.commit({ files: { 'binder/Dockerfile': `FROM ${base}\nRUN echo no such package; exit 7\n` } });
    const failed = await place.build(repository, { ...inputs, sha: bad }, env, { workspace: folder });
    expect(failed.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^jupyter-repo2docker ended with 1: .*exit code: 7; what it wrote stands above/u),
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('buildah needs no root', async () => {
  // Who is not root has shown it above.
  if (process.getuid?.() !== 0 || !has('buildah', 'buildah')) return;
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-rootless-'));
  started.push({ env: {}, address: '', stop: async () => rmSync(folder, { recursive: true, force: true }) });
  // The action begins as root, gives all that is its own away, and is nobody from there on.
  const hook = `
    import { execFileSync } from 'node:child_process';
    import { dirname } from 'node:path';
    execFileSync('chown', ['-R', '65534:65534', ${JSON.stringify(folder)}, process.env.RUNNER_TEMP, dirname(process.env.HOME)]);
    process.setgroups([]);
    process.setgid(65534);
    process.setuid(65534);
  `;
  // RUN needs users of one's own in /etc/subuid, which nobody has.
  const repository = digits({ Dockerfile: 'ARG BASE\nFROM $BASE\nWORKDIR /app\nCOPY . .\nCMD ["node", "train.js", "--epochs", "2"]\n' });
  const inputs = { image: `${place.images}/rootless`, builder: 'buildah', 'build-args': `BASE: ${base}`, sha: repository.head() };
  const { outputs } = await succeeded(
    place.build(repository, inputs, {
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(hook)}`,
      XDG_RUNTIME_DIR: folder,
      XDG_DATA_HOME: folder,
      STORAGE_DRIVER: 'vfs',
      BUILDAH_ISOLATION: 'chroot',
    }),
  );
  expect(await place.runs(outputs['image'] ?? '')).toBe(true);
});

it.each(builders.slice(0, 3))(
  '%s pushes where only the inputs of this step may, and leaves no login behind',
  async (name, program, toInstall, start) => {
    if (!has(program, toInstall)) return;
    const daemon = await start();
    started.push(daemon);
    const users = { alice: 'a-secret-of-alice' };
    const guarded = await startRegistry({ access: { kind: 'bearer', users, may: (user) => user === 'alice' } });
    try {
      await guarded.pushBase('base:1', { files: machine(), config: environment });
      const repository = digits({ Dockerfile: `FROM ${guarded.host}/base:1\nRUN echo made > made\n` });
      const sha = repository.commit({ files: { x: 'x' } });
      const inputs = { image: `${guarded.host}/x`, ...inputsOf(name, daemon), sha };
      const refused = await place.build(repository, inputs, daemon.env);
      expect(refused.annotations[0]?.message).toContain('log in to the registry before this step');
      const result = await succeeded(place.build(repository, { ...inputs, username: 'alice', password: users.alice }, daemon.env));
      expect(result.outputs['digest']).toMatch(/^sha256:/u);
      expect(result.shown).not.toContain(users.alice);
      expect(readdirSync(result.temp).filter((entry) => entry.startsWith('slashtrain-image'))).toEqual([]);
    } finally {
      await guarded.close();
    }
  },
);

describe('the layer builder', () => {
  it('puts a commit on a base of the same registry: everything can read it, and a pod runs it', async () => {
    const repository = digits({});
    const sha = repository.commit({ files: { x: 'x' } });
    const inputs = { base, sha, entrypoint: '[node, train.js]', command: '["--epochs", "2"]' };
    const { outputs, summary } = await succeeded(place.build(repository, { ...inputs, image: `${place.images}/layer` }));
    const image = outputs['image'] ?? '';
    expect(summary).toContain('Mounted within the registry');
    expect(await place.runs(image)).toBe(true);

    if (has('skopeo', 'skopeo')) {
      const shown = JSON.parse(execFileSync('skopeo', ['inspect', '--tls-verify=false', `docker://${image}`], { encoding: 'utf8' })) as {
        Digest: string;
        Labels: Record<string, string>;
      };
      expect(shown).toMatchObject({ Digest: outputs['digest'], Labels: { 'org.opencontainers.image.revision': sha } });
    }
    if (has('dockerd', 'docker.io')) {
      const daemon = await startDockerd();
      started.push(daemon);
      const env = { ...process.env, ...daemon.env };
      execFileSync('docker', ['pull', '--quiet', image], { env, stdio: 'pipe' });
      const run = ['run', '--rm', '--network', 'none', image];
      expect(execFileSync('docker', run, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })).toContain('slashtrain-metric');
    }
    if (has('buildah', 'buildah')) {
      const buildah = buildahPlace();
      started.push(buildah);
      execFileSync('buildah', ['pull', '--quiet', '--tls-verify=false', image], { env: { ...process.env, ...buildah.env }, stdio: 'pipe' });
    }
  });
  it('puts a commit on a base of another registry, with the same layers as on the same base here', async () => {
    const other = await startRegistry();
    try {
      await other.pushBase('base:1', { files: machine(), config: environment });
      const repository = digits({});
      const sha = repository.commit({ files: { x: 'x' } });
      const inputs = { sha, entrypoint: '[node, train.js]', command: '["--epochs", "2"]' };
      const [far, near] = [
        await succeeded(place.build(repository, { ...inputs, image: `${place.images}/far`, base: `${other.host}/base:1` })),
        await succeeded(place.build(repository, { ...inputs, image: `${place.images}/near`, base })),
      ];
      const layers = await Promise.all([far, near].map(({ outputs }) => layersOf(outputs['image'] ?? '')));
      expect(layers[0]).toEqual(layers[1]);
      expect(await place.runs(far.outputs['image'] ?? '')).toBe(true);
    } finally {
      await other.close();
    }
  });

  it('puts a commit on a base of zstd layers, which a pod runs', async () => {
    if (!has('buildkitd', "BuildKit's buildkitd and buildctl, and runc")) return;
    const daemon = await startBuildkitd();
    started.push(daemon);
    const context = mkdtempSync(join(tmpdir(), 'slashtrain-zstd-'));
    try {
      writeFileSync(join(context, 'Dockerfile'), `FROM ${base}\n`);
      const output = `type=image,name=${place.images}/zstd:1,push=true,compression=zstd,force-compression=true,oci-mediatypes=true`;
      const locals = ['--local', `context=${context}`, '--local', `dockerfile=${context}`];
      const args = ['--addr', daemon.address, 'build', '--frontend', 'dockerfile.v0', ...locals, '--output', output];
      execFileSync('buildctl', args, { stdio: 'pipe' });
    } finally {
      rmSync(context, { recursive: true });
    }
    const repository = digits({});
    const inputs = { sha: repository.head(), entrypoint: '[node, train.js]', command: '["--epochs", "2"]' };
    const { outputs } = await succeeded(
      place.build(repository, { ...inputs, image: `${place.images}/on-zstd`, base: `${place.images}/zstd:1` }),
    );
    const types = await layerTypesOf(outputs['image'] ?? '');
    expect(types.map((type) => type.split('+').at(-1))).toEqual(['zstd', 'gzip']);
    expect(await place.runs(outputs['image'] ?? '')).toBe(true);
  });

  it('keeps nothing of the base on the disk, and says when there is no room for the commit', async () => {
    const [temp, other] = [mkdtempSync(join(tmpdir(), 'slashtrain-full-')), await startRegistry()];
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', temp]);
      // Twenty times what there is room for.
      await other.pushBase('base:1', { files: { noise: randomBytes(40_000_000) } });
      const repository = place.github.createRepository({ owner: 'acme', name: unique('room'), files: { 'train.js': '1' } });
      const inputs = { image: `${place.images}/room`, base: `${other.host}/base:1` };
      const { summary } = await succeeded(place.build(repository, { ...inputs, sha: repository.head() }, {}, { temp }));
      expect(summary).toMatch(/\| Sent \| .* 40 MB/u);
      const large = repository.commit({ files: { large: randomBytes(5_000_000) } });
      for (const builder of ['layer', 'buildah']) {
        if (builder === 'buildah' && !has('buildah', 'buildah')) continue;
        const own = { ...inputs, ...(builder === 'layer' ? {} : { base: '' }), builder, sha: large };
        const result = await place.build(repository, own, {}, { temp });
        expect(result.annotations.at(-1)?.message).toContain('the disk is full');
        expect(result.summary).toContain('the disk is full');
        expect(result.outputs).toMatchObject({ image: '' });
        expect(readdirSync(temp).filter((entry) => entry.startsWith('slashtrain-image'))).toEqual([]);
      }
    } finally {
      spawnSync('umount', [temp]);
      rmSync(temp, { recursive: true, force: true });
      await other.close();
    }
  });
});
