import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@slashtrain/core/registry/digest';
import { oci } from '@slashtrain/core/registry/media-types';
import { Registry } from '@slashtrain/core/registry/registry';
import { bytesSource, placeBlob } from '@slashtrain/core/registry/upload';

/** A small training, and folders of the same size for images of their own. */
export function filesOf(parts: number): Record<string, string> {
  const own = { 'model.py': 'x = 1\n'.repeat(500), 'data.csv': '1,2,3\n'.repeat(20_000) };
  const named = Array.from({ length: parts }, (_, at) =>
    Object.entries(own).map(([path, text]): [string, string] => [`part${at}/${path}`, `${text}${at}\n`]),
  );
  return { ...own, 'train.py': 'print(1)\n', ...Object.fromEntries(named.flat()) };
}

/**
 * Pushes an image of four layers of bytes that cannot be compressed, so that it weighs the same everywhere.
 * @param repository below the registry; the tag is `1`
 * @param folder where files lie meanwhile
 */
export async function pushBase(registry: string, repository: string, megabytes: number, folder: string): Promise<void> {
  const to = new Registry(registry);
  const layers: object[] = [];
  const diffIds: string[] = [];
  for (let at = 0; at < 4; at++) {
    const [file, packed] = [join(folder, `part${at}`), join(folder, `part${at}.tar.gz`)];
    await runProgram('sh', [
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
    await placeBlob(to, repository, source);
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
  await placeBlob(to, repository, bytesSource(digestOf(config), config));
  const manifest = {
    schemaVersion: 2,
    mediaType: oci.manifest,
    config: { mediaType: oci.config, digest: digestOf(config), size: config.length },
    layers,
  };
  await to.putManifest(repository, '1', Buffer.from(JSON.stringify(manifest)), oci.manifest);
}

async function digestOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

/** Runs a program to its end. @throws Error with what it said where it fails */
export async function runProgram(program: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  const errors: Buffer[] = [];
  child.stderr.on('data', (data: Buffer) => errors.push(data));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${Buffer.concat(errors).toString()}`);
}
