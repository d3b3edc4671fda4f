import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expand } from './environment.ts';
import { argumentBelow, pathBelow, prepareRoot, program, rootVariable } from './filesystem.ts';
import { firstArguments } from './first-process.ts';
import type { ImageConfig } from './images.ts';
import type { ContainerLog } from './logs.ts';
import { asText, type Pod, type PodContainer } from './objects.ts';
import type { Ports } from './ports.ts';
import { start, type Running } from './process.ts';

/** Neither the pod nor the image says what to run. */
export class NoCommand extends Error {
  constructor() {
    super('failed to generate container spec: failed to apply OCI options: no command specified');
  }
}

/** What one run of a container is made of. */
export interface Launch {
  pod: Pod;
  container: PodContainer;
  image: ImageConfig;
  /** The folder that the image was unpacked into; the pod's volumes lie beside it. */
  root: string;
  variables: ReadonlyMap<string, string>;
  programs: string;
  log: ContainerLog;
  /** Where it is told on what the process listens. */
  ports: Ports;
}

/**
 * Starts the container's process.
 * @throws NoCommand, or an error with the container runtime's words where the program cannot be started
 */
export async function launch({ pod, container, image, root, variables, programs, log, ports }: Launch): Promise<Running> {
  await prepareRoot(root, container, join(dirname(dirname(root)), 'volumes'));
  // `args` replace the image's Cmd, `command` replaces both its Entrypoint and its Cmd.
  const command = container.command?.map((part) => expand(part, variables)) ?? image.entrypoint ?? [];
  const args = container.args?.map((part) => expand(part, variables)) ?? (container.command ? [] : (image.cmd ?? []));
  const [first, ...rest] = [...command, ...args];
  if (first === undefined) throw new NoCommand();
  const cwd = join(root, container.workingDir ?? image.workingDir ?? '/');
  await mkdir(cwd, { recursive: true });
  const env: Record<string, string> = {
    HOSTNAME: asText(pod.spec['hostname']) || pod.metadata.name,
    HOME: join(root, 'root'),
    TMPDIR: join(root, 'tmp'),
    ...Object.fromEntries(variables),
    PATH: pathBelow(root, variables.get('PATH'), programs),
    [rootVariable]: root,
  };
  const below = await Promise.all(rest.map((part) => argumentBelow(root, container, part)));
  const executable = await argumentBelow(root, container, program(first));
  try {
    const early = firstArguments(executable, programs);
    return await start([executable, ...early, ...below], { cwd, env, log, ...(early.length > 0 ? { first: ports } : {}) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code !== 'ENOENT' ? message : first.includes('/') ? 'no such file or directory' : 'executable file not found in $PATH';
    throw new Error(
      `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "${first}": ${why}: unknown`,
      { cause: error },
    );
  }
}
