import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { has, programFiles, pushMachineImage, startBuildkitd, startBuildx, systemFiles, type Daemon } from '../support/builders.ts';
import { openBuilding, type Building } from '../support/building.ts';
import { contentOf, listedIn } from '../support/images.ts';
import { succeeded } from '../support/steps.ts';
import { unique } from '../support/targets.ts';

/*
 * What BuildKit adds to a build, by buildx and by buildctl: several platforms, a cache in the registry, provenance and an
 * SBOM. The SBOM is written by a program of ours, since BuildKit's own is an image elsewhere
 * (https://github.com/moby/buildkit/blob/v0.25.2/docs/attestations/sbom-protocol.md).
 */
const started: Daemon[] = [];
let place: Building;
let base: string;
let scanner: string;

const scan = `
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const predicate = { spdxVersion: 'SPDX-2.3', dataLicense: 'CC0-1.0', SPDXID: 'SPDXRef-DOCUMENT', name: 'scanned-by-us', packages: [] };
const statement = { _type: 'https://in-toto.io/Statement/v0.1', predicateType: 'https://spdx.dev/Document', predicate };
writeFileSync(join(process.env.BUILDKIT_SCAN_DESTINATION, 'ours.spdx.json'), JSON.stringify(statement));
`;
// It runs on the machine that builds, whatever the platform that it makes an image for.
const dockerfile = `ARG BASE
FROM --platform=$BUILDPLATFORM \${BASE} AS made
RUN --mount=type=secret,id=token node -e 'const fs = require("fs"); const text = "ran" + "-here, with a secret of " + fs.readFileSync("/run/secrets/token").length; fs.writeFileSync("/made", text); console.log(text)'
FROM scratch
COPY --from=made /made /made
COPY . /app
`;

beforeAll(async () => {
  place = await openBuilding();
  base = `${place.images}/base:1`;
  scanner = `${place.images}/scanner:1`;
  const files = { ...systemFiles(), ...programFiles(process.execPath, 'usr/local/bin/node') };
  const Env = ['PATH=/usr/local/bin:/usr/bin:/bin'];
  await pushMachineImage(base, files, { Env });
  await pushMachineImage(scanner, { ...files, 'scan.js': scan }, { Env, Entrypoint: ['node', '/scan.js'] });
});
afterEach(async () => {
  for (const daemon of started.splice(0)) await daemon.stop();
});
afterAll(() => place.close());

describe.each([
  ['buildx', 'docker-buildx', "docker's client, buildx, BuildKit's buildkitd, and runc", startBuildx],
  ['buildkit', 'buildkitd', "BuildKit's buildkitd and buildctl, and runc", startBuildkitd],
] as const)('%s', (name, program, toInstall, start) => {
  it('builds for two platforms with provenance, an SBOM and a cache; what is built on it and reused of it knows them', async () => {
    if (!has(program, toInstall)) return;
    const begin = async (): Promise<[Record<string, string>, Record<string, string>]> => {
      const daemon = await start();
      started.push(daemon);
      return [name === 'buildx' ? { builder: 'docker' } : { builder: 'buildkit', buildkit: daemon.address }, daemon.env];
    };
    const repository = place.github.createRepository({
      owner: 'acme',
      name: unique('attested'),
      files: { Dockerfile: dockerfile, '.dockerignore': '*.md\nDockerfile*\n', 'train.js': 'console.log(1)\n' },
    });
    const secret = unique('very-secret-token');
    const image = `${place.images}/${name}-attested`;
    const inputs = {
      image,
      platforms: 'linux/amd64, linux/arm64',
      'build-args': `BASE: ${base}`,
      secrets: `token: ${secret}`,
      provenance: 'mode=max',
      sbom: `generator=${scanner}`,
      cache: `${image}:cache`,
      labels: 'team: vision',
      tags: '[main]',
    };
    const [first, second, third] = ['NOTES.md', 'OTHER.md', 'train.js'].map((path) => repository.commit({ files: { [path]: path } }));
    let [builder, env] = await begin();
    const built = await succeeded(place.build(repository, { ...inputs, ...builder, sha: first ?? '' }, env));
    expect(built.stdout).toContain('ran-here');
    expect(built.summary).toContain('| Platforms | `linux/amd64` `linux/arm64` |');
    const listed = await listedIn(built.outputs['image'] ?? '');
    expect(listed.map(({ platform }) => platform?.architecture)).toEqual(['amd64', 'arm64', 'unknown', 'unknown']);
    const content = await contentOf(built.outputs['image'] ?? '');
    for (const text of ['https://slsa.dev/provenance/', 'scanned-by-us', '"team":"vision"']) expect(content.includes(text)).toBe(true);
    for (const form of [secret, Buffer.from(secret).toString('base64').replace(/=+$/u, ''), Buffer.from(secret).toString('hex')])
      expect(content.includes(form)).toBe(false);

    // The same inputs of another commit: the images without the statements, which are about other digests.
    const again = await succeeded(place.build(repository, { ...inputs, ...builder, sha: second ?? '' }, env));
    expect(again.outputs['reused']).toBe('true');
    expect((await listedIn(again.outputs['image'] ?? '')).map(({ platform }) => platform?.architecture)).toEqual(['amd64', 'arm64']);
    expect(again.annotations.map(({ message }) => message)).toContain(
      'provenance and SBOM are about the image that was built first, and are left out of this one',
    );

    // Another builder knows of the first one by the registry alone.
    await started.pop()?.stop();
    [builder, env] = await begin();
    const cached = await succeeded(place.build(repository, { ...inputs, ...builder, sha: third ?? '' }, env));
    expect(cached.outputs['reused']).toBe('false');
    expect(cached.stdout).toContain('CACHED');
    expect(cached.stdout).not.toContain('ran-here');

    const top = await succeeded(
      place.build(repository, { image: `${image}-top`, base: `${image}:main`, dependencies: 'none', sha: third ?? '' }),
    );
    expect((await listedIn(top.outputs['image'] ?? '')).map(({ platform }) => platform?.architecture)).toEqual(['amd64', 'arm64']);
    expect(top.annotations.map(({ message }) => message)).toContain(
      '2 attestations of the base are left out, since they are about the base alone',
    );
  });
});
