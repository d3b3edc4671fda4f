import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo } from 'node:net';
import { spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { digestOf } from '@slashtrain/core/registry/digest';
import { oci } from '@slashtrain/core/registry/media-types';
import { Registry } from '@slashtrain/core/registry/registry';
import { bytesSource, placeBlob } from '@slashtrain/core/registry/upload';
import { runBundle } from '@slashtrain/testing/bundle/bundle';
import { startGitHub } from '@slashtrain/testing/github/github';
import { buildahPlace, has, startBuildx, startDockerd } from '../support/builders.ts';
import { succeeded } from '../support/steps.ts';
import { unique } from '../support/targets.ts';
import { median } from './measure.ts';

/*
 * One changed line on a large base: the layer builder, `docker build` with `docker push`, and buildah, in one run on one
 * registry, with time and bytes over the line (warm ones in turn, medians of the rounds): docker and buildah have the base and
 * all of the last build on their disk, as a machine of one's own has. A hosted runner is new each time: there a warm build is
 * buildx's with its cache in the registry. Then ten images at once and one after the other. Asserts nothing.
 *   node test/bench/images.ts --registry HOST [--mb 2048] [--rounds 5] [--delay 0]
 * HOST speaks http; dockerd and buildah are installed. With --delay every byte takes so many milliseconds longer each way, as to
 * a registry elsewhere; for small bases, since what is under way is held in memory.
 */
const { values } = parseArgs({
  options: {
    registry: { type: 'string' },
    mb: { type: 'string', default: '2048' },
    rounds: { type: 'string', default: '5' },
    delay: { type: 'string', default: '0' },
  },
});
const { registry } = values;
const megabytes = Number(values.mb);
const rounds = Number(values.rounds);
const delay = Number(values.delay);
if (!registry || !Number.isInteger(megabytes) || megabytes < 4 || !(rounds >= 1))
  throw new Error('--registry HOST is needed, --mb is a whole number from 4, and --rounds one from 1');

const folder = mkdtempSync(join(tmpdir(), 'slashtrain-bench-images-'));
// The system's own count, since what getrusage tells of a child begins with the most that its parent held before it was started.
const watch = join(folder, 'watch.cjs');
writeFileSync(
  watch,
  `const fs = require('node:fs');
  process.on('exit', () => fs.writeFileSync(${JSON.stringify(join(folder, 'peak'))}, /VmHWM:\\s+(\\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]));`,
);
const space = unique('bench');
const line = await countingProxy(registry);
const base = `${line.host}/${space}/base:1`;
const github = await startGitHub();
const single = github.createRepository({ owner: 'acme', name: 'bench', files: filesOf(0) });
const ten = github.createRepository({ owner: 'acme', name: 'ten', files: filesOf(10) });
const change = (repository = single): string =>
  repository.commit({ files: { 'train.py': `print("${randomBytes(4).toString('hex')}")\n` } });

try {
  console.log(`a base of ${megabytes} MB${delay > 0 ? `, ${delay} ms away` : ''}`);
  await pushBase();
  const taken: Record<string, { ms: number[]; MB: number[] }> = {};
  const measure = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    // What was written before would be on its way to the disk meanwhile, and be waited for by who writes next.
    await run('sync', []);
    const [start, before] = [performance.now(), line.bytes()];
    await work();
    const { ms, MB } = (taken[name] ??= { ms: [], MB: [] });
    ms.push(Math.round(performance.now() - start));
    MB.push(Math.round((line.bytes() - before) / 1e4) / 100);
  };
  const of = (name: string): number => median(taken[name]?.ms ?? []);

  const layered = { builder: 'layer', base, image: `${line.host}/${space}/layer` };
  const withLayer = (): Promise<void> => build(layered);

  const context = join(folder, 'context');
  await run('mkdir', ['-p', context]);
  writeFileSync(join(context, 'Dockerfile'), `FROM ${base}\nWORKDIR /app\nCOPY . .\n`);
  const write = (): void => {
    for (const [path, text] of Object.entries(filesOf(0))) writeFileSync(join(context, path), text);
    writeFileSync(join(context, 'train.py'), `print("${randomBytes(4).toString('hex')}")\n`);
  };
  const docker = await startDockerd();
  const buildah = buildahPlace('overlay');
  try {
    const [one, other] = [`${line.host}/${space}/docker:1`, `${line.host}/${space}/buildah:1`];
    const withDocker = async (): Promise<void> => {
      write();
      await run('docker', ['build', '--quiet', '--tag', one, context], { ...docker.env, DOCKER_BUILDKIT: '0' });
      await run('docker', ['push', '--quiet', one], docker.env);
    };
    const withBuildah = async (): Promise<void> => {
      write();
      await run('buildah', ['build', '--quiet', '--layers', '--tls-verify=false', '--tag', other, context], buildah.env);
      await run('buildah', ['push', '--quiet', '--tls-verify=false', other, `docker://${other}`], buildah.env);
    };
    const hasBuildx = has('docker-buildx', 'buildx, and buildkitd and runc') && has('buildkitd', 'BuildKit');
    const withBuildx = async (name: string): Promise<void> => {
      write();
      const [image, cache] = [`${line.host}/${space}/buildx:1`, `type=registry,ref=${line.host}/${space}/buildx:cache`];
      const caches = ['--cache-from', cache, '--cache-to', `${cache},mode=max`];
      const builder = await startBuildx();
      try {
        await measure(name, () => run('docker', ['buildx', 'build', '--push', '--tag', image, ...caches, context], builder.env));
      } finally {
        await builder.stop();
      }
    };
    if (hasBuildx) await withBuildx('buildx cold, new runner');
    await measure('layer cold', withLayer);
    await measure('docker cold', withDocker);
    await measure('buildah cold', withBuildah);
    for (let round = 0; round < rounds; round++) {
      await measure('layer warm', withLayer);
      await measure('docker warm', withDocker);
      await measure('buildah warm', withBuildah);
      if (hasBuildx && round < 2) await withBuildx('buildx warm, new runner');
    }
  } finally {
    await docker.stop();
    await buildah.stop();
  }
  const images = JSON.stringify(Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`i${at}`, { context: `part${at}` }])));
  const tenWays: Record<string, (space: string, sha: string) => Promise<unknown>> = {
    'ten, a step each': async (own, sha) => {
      for (let at = 0; at < 10; at++)
        await build({ builder: 'layer', base, image: `${line.host}/${own}/each`, context: `part${at}` }, { sha, repository: ten });
    },
    'ten, one step, parallel 1': (own, sha) =>
      build({ builder: 'layer', base, image: `${line.host}/${own}/one`, images, parallel: '1' }, { sha, repository: ten }),
    'ten, one step, parallel 10': (own, sha) =>
      build({ builder: 'layer', base, image: `${line.host}/${own}/ten`, images, parallel: '10' }, { sha, repository: ten }),
  };
  for (let round = 0; round < rounds; round++)
    for (const [name, work] of Object.entries(tenWays)) {
      const sha = change(ten);
      await measure(name, () => work(`${space}/${round}`, sha));
    }
  console.table(
    Object.fromEntries(
      Object.entries(taken).map(([name, { ms, MB }]) => [name, { ms: median(ms), 'ms, least': Math.min(...ms), MB: median(MB) }]),
    ),
  );

  const memory = await memoryOf(() => build({ ...layered }, { isWatched: true }));
  // From one registry to another, every byte passes.
  const other = await countingProxy(registry);
  const streamed: number[] = [];
  for (let round = 0; round < rounds; round++)
    streamed.push(await memoryOf(() => build({ ...layered, image: `${other.host}/${space}/streamed${round}` }, { isWatched: true })));
  other.close();
  const ratio = (a: string, b: string): string => (of(a) / of(b)).toFixed(2);
  console.log(
    [
      `layer warm is ${ratio('layer warm', 'docker cold')} of docker cold, ${ratio('layer warm', 'docker warm')} of docker warm, ${ratio('layer warm', 'buildah warm')} of buildah warm, ${ratio('layer warm', 'buildx warm, new runner')} of buildx with its cache in the registry on a new runner`,
      `ten at once are ${ratio('ten, one step, parallel 10', 'ten, a step each')} of a step each, ${ratio('ten, one step, parallel 10', 'ten, one step, parallel 1')} of parallel 1`,
      `most memory of the layer builder: ${memory.toFixed(0)} MB; where all of the base was streamed ${streamed.map((MB) => MB.toFixed(0)).join(', ')} MB`,
    ].join('\n'),
  );
} finally {
  await github.close();
  line.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Runs the action on a new commit. @param isWatched whether it leaves its most memory in a file, which takes a little time */
async function build(
  inputs: Record<string, string>,
  { sha = change(), repository = single, isWatched = false }: { sha?: string; repository?: typeof single; isWatched?: boolean } = {},
): Promise<void> {
  const { owner, name, id } = repository;
  const token = github.token({ contents: 'read' }, { repository });
  await succeeded(
    runBundle({
      action: 'build-image',
      github: { url: github.url, token, repository: { owner, name, id } },
      inputs: { sha, dependencies: 'none', ...inputs },
      env: isWatched ? { NODE_OPTIONS: `--require ${watch}` } : {},
    }),
  );
}

/** The most memory that a watched run held, in MB. */
async function memoryOf(work: () => Promise<void>): Promise<number> {
  await work();
  return (Number(readFileSync(join(folder, 'peak'), 'utf8')) * 1024) / 1e6;
}

/** A small training, and folders of the same size for images of their own. */
function filesOf(parts: number): Record<string, string> {
  const own = { 'model.py': 'x = 1\n'.repeat(500), 'data.csv': '1,2,3\n'.repeat(20_000) };
  const named = Array.from({ length: parts }, (_, at) =>
    Object.entries(own).map(([path, text]): [string, string] => [`part${at}/${path}`, `${text}${at}\n`]),
  );
  return { ...own, 'train.py': 'print(1)\n', ...Object.fromEntries(named.flat()) };
}

/** An image of four layers of bytes that cannot be compressed, so that it weighs the same everywhere. */
async function pushBase(): Promise<void> {
  const to = new Registry(registry ?? '');
  const layers: object[] = [];
  const diffIds: string[] = [];
  for (let at = 0; at < 4; at++) {
    const [file, packed] = [join(folder, `part${at}`), join(folder, `part${at}.tar.gz`)];
    await run('sh', [
      '-c',
      'head -c "$1" /dev/urandom > "$2" && tar -C "$3" -cf "$2.tar" "part$4" && gzip -1 -c "$2.tar" > "$5"',
      'sh',
      String((megabytes / 4) * 1e6),
      file,
      folder,
      String(at),
      packed,
    ]);
    diffIds.push(await digestOfFile(`${file}.tar`));
    const source = {
      digest: await digestOfFile(packed),
      size: statSync(packed).size,
      open: (from: number) => createReadStream(packed, { start: from }) as AsyncIterable<Buffer>,
    };
    await placeBlob(to, `${space}/base`, source);
    layers.push({ mediaType: oci.layer, digest: source.digest, size: source.size });
    for (const path of [file, `${file}.tar`, packed]) rmSync(path);
  }
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      config: {},
      rootfs: { type: 'layers', diff_ids: diffIds },
      history: diffIds.map(() => ({ created_by: 'bench' })),
    }),
  );
  await placeBlob(to, `${space}/base`, bytesSource(digestOf(config), config));
  const manifest = {
    schemaVersion: 2,
    mediaType: oci.manifest,
    config: { mediaType: oci.config, digest: digestOf(config), size: config.length },
    layers,
  };
  await to.putManifest(`${space}/base`, '1', Buffer.from(JSON.stringify(manifest)), oci.manifest);
}

async function digestOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

async function run(program: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  const options: SpawnOptions = { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] };
  const child = spawn(program, args, options);
  const errors: Buffer[] = [];
  child.stderr?.on('data', (data: Buffer) => errors.push(data));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${Buffer.concat(errors).toString()}`);
}

/** The registry under another address of this machine, with all bytes counted that pass in either direction. */
async function countingProxy(to: string): Promise<{ host: string; bytes(): number; close(): void }> {
  const [host = 'localhost', port = '80'] = to.split(':');
  let bytes = 0;
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const [one, two] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('data', (data: Buffer) => (bytes += data.length));
      one.on('error', () => two.destroy());
      if (delay === 0) one.pipe(two);
      else one.on('data', (data: Buffer) => setTimeout(() => two.writable && two.write(data), delay));
      one.on('close', () => setTimeout(() => two.end(), delay));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, bytes: () => bytes, close: () => void server.close() };
}
