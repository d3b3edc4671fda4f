import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { Registry } from '@slashtrain/core/registry/registry';
import { isIndex } from '@slashtrain/core/registry/media-types';
import { copyBlob } from '@slashtrain/core/registry/upload';
import type { BaseFile } from '@slashtrain/testing/registry/base';
import { startRegistry } from '@slashtrain/testing/registry/server';

/** Whether a program is on PATH; where it is not, a line says what the tests leave out and what to install. */
export function has(program: string, toInstall: string): boolean {
  const found = placeOf(program) !== undefined;
  if (!found) process.stdout.write(`skipped: what needs ${program}; install ${toInstall}\n`);
  return found;
}

function placeOf(program: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => existsSync(file));
}

/** A daemon of ours, with its data in a folder of its own. */
export interface Daemon {
  /** The environment variables with which clients find it. */
  env: Record<string, string>;
  address: string;
  stop(): Promise<void>;
}

/** A dockerd of its own, without a network for what runs in a build, and without buildx unless it is wanted. */
export async function startDockerd({ buildx = false } = {}): Promise<Daemon> {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-dockerd-'));
  const address = `unix://${folder}/docker.sock`;
  const places = ['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid')];
  const daemon = spawnDaemon('dockerd', ['-H', address, ...places, '--iptables=false', '--ip6tables=false', '--bridge=none']);
  const env = { DOCKER_HOST: address, DOCKER_CONFIG: dockerConfig(folder, buildx) };
  await answered(daemon, () => spawnSync('docker', ['version'], { env: { ...process.env, ...env } }).status === 0);
  return { env, address, stop: () => stop(daemon, folder) };
}

/** A buildkitd of its own, in which builds have this machine's network. */
export async function startBuildkitd(): Promise<Daemon> {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-buildkitd-'));
  const address = `unix://${folder}/buildkitd.sock`;
  const worker = ['--oci-worker-net=host', '--containerd-worker=false'];
  const daemon = spawnDaemon('buildkitd', ['--root', join(folder, 'root'), '--addr', address, ...worker]);
  await answered(daemon, () => spawnSync('buildctl', ['--addr', address, 'debug', 'workers']).status === 0);
  return { env: {}, address, stop: () => stop(daemon, folder) };
}

/** buildx with a buildkitd of its own as its builder, and no dockerd: what docker/setup-buildx-action makes with `driver: remote`. */
export async function startBuildx(): Promise<Daemon> {
  const daemon = await startBuildkitd();
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-buildx-'));
  const env = { DOCKER_HOST: `unix://${folder}/none.sock`, DOCKER_CONFIG: dockerConfig(folder, true), BUILDX_BUILDER: 'ours' };
  const args = ['buildx', 'create', '--name', 'ours', '--driver', 'remote', daemon.address];
  execFileSync('docker', args, { env: { ...process.env, ...env }, stdio: 'pipe' });
  const stopAll = async (): Promise<void> => {
    await daemon.stop();
    removeFolder(folder);
  };
  return { env, address: daemon.address, stop: stopAll };
}

/** A configuration of docker's client in which nobody is logged in. */
function dockerConfig(folder: string, buildx: boolean): string {
  const plugins = join(folder, 'config/cli-plugins');
  mkdirSync(plugins, { recursive: true });
  const plugin = placeOf('docker-buildx');
  if (buildx && plugin !== undefined) symlinkSync(plugin, join(plugins, 'docker-buildx'));
  return join(folder, 'config');
}

/** buildah with a store of its own, and containers that need no network of theirs. */
export function buildahPlace(driver: 'vfs' | 'overlay' = 'vfs'): Daemon {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-buildah-'));
  const file = join(folder, 'storage.conf');
  writeFileSync(file, `[storage]\ndriver = "${driver}"\ngraphroot = "${folder}/root"\nrunroot = "${folder}/run"\n`);
  return {
    env: { CONTAINERS_STORAGE_CONF: file, BUILDAH_ISOLATION: 'chroot' },
    address: '',
    stop: async () => removeFolder(folder),
  };
}

interface Running {
  child: ChildProcess;
  output: string[];
  ended: Promise<unknown>;
}

function spawnDaemon(program: string, args: string[]): Running {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => output.push(data.toString()));
  const ended = new Promise((done) => {
    child.once('error', (error) => done(output.push(String(error))));
    child.once('exit', done);
  });
  return { child, output, ended };
}

async function answered(daemon: Running, asks: () => boolean): Promise<void> {
  let isOver = false;
  void daemon.ended.then(() => (isOver = true));
  while (!asks()) {
    await new Promise((done) => setTimeout(done, 100));
    if (isOver) throw new Error(`it did not start:\n${daemon.output.join('')}`);
  }
}

async function stop(daemon: Running, folder: string): Promise<void> {
  daemon.child.kill('SIGTERM');
  await daemon.ended;
  removeFolder(folder);
}

/** With what was mounted in it and left behind. */
function removeFolder(folder: string): void {
  for (const line of readFileSync('/proc/mounts', 'utf8').split('\n').reverse()) {
    const place = line.split(' ')[1] ?? '';
    if (place.startsWith(`${folder}/`)) spawnSync('umount', ['-l', place]);
  }
  rmSync(folder, { recursive: true, force: true });
}

/** A program of this machine with its shared libraries, as files of an image. */
export function programFiles(program: string, at: string): Record<string, BaseFile> {
  const files: Record<string, BaseFile> = { [at]: { content: readFileSync(realpathSync(program)), mode: 0o755 } };
  const listed = execFileSync('ldd', [realpathSync(program)], { encoding: 'utf8' });
  for (const [path] of listed.matchAll(/\/\S+/gu))
    files[path.includes('ld-linux') ? path : `/lib/x86_64-linux-gnu/${basename(path)}`] = {
      content: readFileSync(realpathSync(path)),
      mode: 0o755,
    };
  return files;
}

/** A shell, users and a place for temporary files, which every image needs that a Dockerfile is built on. */
export function systemFiles(): Record<string, BaseFile> {
  return {
    ...programFiles('/bin/sh', 'bin/sh'),
    ...programFiles('/usr/bin/env', 'usr/bin/env'),
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
    'etc/group': 'root:x:0:\n',
    'tmp/.keep': '',
  };
}

/** Pushes an image of files of this machine. @param name `host/path:tag` */
export async function pushMachineImage(name: string, files: Record<string, BaseFile>, config: Record<string, unknown>): Promise<void> {
  const [, host = '', repository = '', tag = ''] = /^([^/]+)\/(.+):([^:]+)$/u.exec(name) ?? [];
  const embedded = await startRegistry();
  try {
    await embedded.pushBase('base:1', { files, config });
    const [from, to] = [new Registry(embedded.host), new Registry(host)];
    const { content, bytes, mediaType } = await from.manifest('base', '1');
    if (isIndex(content)) throw new Error('the embedded registry made an index');
    for (const blob of [content.config, ...content.layers])
      await copyBlob({ registry: from, repository: 'base' }, { registry: to, repository }, blob);
    await to.putManifest(repository, tag, bytes, mediaType);
  } finally {
    await embedded.close();
  }
}
