import { lstat, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { preload, preloadIn } from './first-process.ts';
import type { PodContainer } from './objects.ts';

/**
 * There is no jail: a container's root is a folder, and its process sees the machine's own files as well. What a pod
 * says with absolute paths is put below that folder where the node can do it: the working directory, PATH, mounts, and
 * arguments that name something in the image or below a mount. For the rest the process finds its root's folder in
 * the variable `SLASHTRAIN_ROOT`; on a real cluster that is not set, and `/` is the root.
 */
export const rootVariable = 'SLASHTRAIN_ROOT';

/** Puts the pod's volumes into the container's root, and an empty termination message. */
export async function prepareRoot(root: string, container: PodContainer, volumes: string): Promise<void> {
  for (const folder of ['tmp', 'root']) await mkdir(join(root, folder), { recursive: true });
  const message = join(root, container.terminationMessagePath);
  await mkdir(dirname(message), { recursive: true });
  await writeFile(message, '');
  for (const mount of container.volumeMounts ?? []) {
    const at = join(root, mount.mountPath);
    const volume = join(volumes, mount.name, mount.subPath ?? '');
    await mkdir(volume, { recursive: true });
    await mkdir(dirname(at), { recursive: true });
    await rm(at, { recursive: true, force: true });
    await symlink(volume, at);
  }
}

/** The last 4,096 bytes that a process wrote as its termination message. */
export async function terminationMessage(root: string, container: PodContainer): Promise<string> {
  const text = await readFile(join(root, container.terminationMessagePath)).catch((error: unknown) => {
    // A process may remove it; then there is none.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
  return text.subarray(-4096).toString();
}

/** PATH inside the image, put below its root, behind the folder of programs that the node brings. */
export function pathBelow(root: string, path: string | undefined, programs: string): string {
  const folders = (path ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin').split(':').filter(Boolean);
  return [programs, ...folders.map((folder) => join(root, folder))].join(delimiter);
}

/** An argument as the process can use it: `/app/train.js` and `--out=/data` name files below `root`, where they do. */
export async function argumentBelow(root: string, container: PodContainer, argument: string): Promise<string> {
  const match = /^(?:([^/=]*=))?(\/[^\0]*)$/u.exec(argument);
  if (!match) return argument;
  const [, before = '', path] = match as unknown as [string, string | undefined, string];
  const below = join(root, path);
  const mounted = container.volumeMounts?.some(
    ({ mountPath }) => path === mountPath || path.startsWith(`${mountPath.replace(/\/$/u, '')}/`),
  );
  if (mounted || path === container.terminationMessagePath) return before + below;
  return (await lstat(below).catch(() => undefined)) ? before + below : argument;
}

/** A program by an absolute path: Node is the node's own, whichever the image has. */
export function program(command: string): string {
  return basename(command) === 'node' ? 'node' : command;
}

/** Makes the folder of programs that the node brings: Node, and the machine's shell where it has one. */
export async function bringPrograms(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await symlink(process.execPath, join(folder, 'node'));
  await symlink('/bin/sh', join(folder, 'sh'));
  await writeFile(preloadIn(folder), preload);
}
