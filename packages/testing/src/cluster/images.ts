import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** What an image's configuration says about its process, as in the OCI image specification's `config`. */
export interface ImageConfig {
  entrypoint?: string[];
  cmd?: string[];
  /** `NAME=value` */
  env?: string[];
  /** An absolute path inside the image. */
  workingDir?: string;
  /** `sha256:…` of the manifest; it becomes the container status' `imageID`. */
  digest?: string;
}

/** Where a node gets its images from. */
export interface ImageSource {
  /**
   * Unpacks `image` into `folder`, an empty folder that exists, and tells its configuration.
   * What it throws is what the pod says: its message stands in the waiting state `ErrImagePull`, in a container
   * runtime's words where its `code` is `not-found` or `permission` (those of core's ActionError).
   */
  pull(image: string, folder: string): Promise<ImageConfig>;
}

/** An image as it lies on the node. */
export interface NodeImage {
  config: ImageConfig;
  /** As a container status' `imageID` tells it. */
  id: string;
}

/**
 * The images of a node: folders that somebody registered count as present on it; everything else is pulled once
 * from the source and kept, so that a tag which moves is not seen by `IfNotPresent`, as on a real node.
 */
export class NodeImages {
  readonly #registered = new Map<string, { folder: string; config: ImageConfig }>();
  readonly #pulled = new Map<string, { folder: string; config: ImageConfig }>();
  readonly #source: ImageSource | undefined;
  readonly #folder: string;
  #count = 0;

  /** @param folder where pulled images are kept */
  constructor(folder: string, source: ImageSource | undefined) {
    this.#folder = folder;
    this.#source = source;
  }

  register(name: string, folder: string, config: ImageConfig = {}): void {
    this.#registered.set(name, { folder, config });
  }

  present(image: string): boolean {
    return this.#registered.has(image) || this.#pulled.has(image);
  }

  /** Fetches the image to the node. @throws what the source throws */
  async pull(image: string): Promise<void> {
    if (this.#registered.has(image)) return;
    if (!this.#source) throw new Error(pullFailure(image, { code: 'not-found' }));
    const folder = join(this.#folder, String(++this.#count));
    await mkdir(folder, { recursive: true });
    try {
      this.#pulled.set(image, { folder, config: await this.#source.pull(image, folder) });
    } catch (error) {
      throw new Error(pullFailure(image, error as { code?: unknown; message?: string }), { cause: error });
    }
  }

  /** A writable copy of an image that is present, for one container. */
  async unpack(image: string, folder: string): Promise<NodeImage> {
    const found = this.#registered.get(image) ?? this.#pulled.get(image);
    if (!found) throw new Error(`image "${image}" is not on the node`);
    await cp(found.folder, folder, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });
    return { config: found.config, id: found.config.digest ?? `sha256:${createHash('sha256').update(image).digest('hex')}` };
  }
}

/** What containerd 1.6 says through the kubelet. */
function pullFailure(image: string, { code, message = 'unknown error' }: { code?: unknown; message?: string }): string {
  const resolve = `failed to pull and unpack image "${image}": failed to resolve reference "${image}"`;
  if (code === 'not-found') return `rpc error: code = NotFound desc = ${resolve}: ${image}: not found`;
  if (code === 'permission') {
    return `rpc error: code = Unknown desc = ${resolve}: pull access denied, repository does not exist or may require authorization: ${message}`;
  }
  return `rpc error: code = Unknown desc = failed to pull and unpack image "${image}": ${message}`;
}
