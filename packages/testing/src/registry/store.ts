import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** A manifest as it was put. */
export interface KeptManifest {
  bytes: Buffer;
  mediaType: string;
}

/** An upload that goes on. */
export interface Upload {
  id: string;
  repository: string;
  file: string;
  size: number;
  /** Resolved when nothing is being added. */
  settled: Promise<void>;
}

/**
 * What the registry holds. Blobs lie in a folder as files, so that layers of any size pass through; which repository
 * has which of them, manifests and tags are kept in memory.
 */
export class RegistryStore {
  readonly #folder: string;
  readonly #isOurs: boolean;
  readonly #blobs = new Map<string, Set<string>>();
  readonly #manifests = new Map<string, Map<string, KeptManifest>>();
  readonly #tags = new Map<string, Map<string, string>>();
  readonly uploads = new Map<string, Upload>();

  private constructor(folder: string, isOurs: boolean) {
    this.#folder = folder;
    this.#isOurs = isOurs;
  }

  /** @param folder where blobs lie; without it a temporary one that {@link close} removes */
  static async open(folder?: string): Promise<RegistryStore> {
    const place = folder ?? (await mkdtemp(join(tmpdir(), 'slashtrain-registry-')));
    await mkdir(join(place, 'uploads'), { recursive: true });
    return new RegistryStore(place, folder === undefined);
  }

  async close(): Promise<void> {
    if (this.#isOurs) await rm(this.#folder, { recursive: true, force: true });
  }

  knows(repository: string): boolean {
    return this.#blobs.has(repository) || this.#manifests.has(repository);
  }

  hasBlob(repository: string, digest: string): boolean {
    return this.#blobs.get(repository)?.has(digest) ?? false;
  }

  async blobSize(digest: string): Promise<number> {
    return (await stat(this.#file(digest))).size;
  }

  /** @param end the last byte, included */
  readBlob(digest: string, start: number, end: number): Readable {
    return createReadStream(this.#file(digest), { start, end });
  }

  linkBlob(repository: string, digest: string): void {
    let digests = this.#blobs.get(repository);
    if (!digests) this.#blobs.set(repository, (digests = new Set()));
    digests.add(digest);
  }

  /** @returns whether it was there. The file stays: other repositories may have it. */
  unlinkBlob(repository: string, digest: string): boolean {
    return this.#blobs.get(repository)?.delete(digest) ?? false;
  }

  /** Puts bytes that we made ourselves. */
  async addBlob(repository: string, bytes: Buffer): Promise<string> {
    const upload = await this.startUpload(repository);
    await writeFile(upload.file, bytes);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    await this.finish(upload, digest);
    return digest;
  }

  async startUpload(repository: string): Promise<Upload> {
    const id = randomUUID();
    const upload: Upload = { id, repository, file: join(this.#folder, 'uploads', id), size: 0, settled: Promise.resolve() };
    await (await open(upload.file, 'w')).close();
    this.uploads.set(id, upload);
    return upload;
  }

  /** Adds what comes; a body that is cut leaves what arrived. */
  append(upload: Upload, body: AsyncIterable<Buffer>): Promise<void> {
    const appending = this.#append(upload, body);
    // Who asks how far the upload is waits until the last byte of a connection that broke is counted.
    upload.settled = appending.catch(() => undefined);
    return appending;
  }

  async #append(upload: Upload, body: AsyncIterable<Buffer>): Promise<void> {
    const file = await open(upload.file, 'a');
    try {
      for await (const chunk of body) {
        await file.writeFile(chunk);
        upload.size += chunk.length;
      }
    } finally {
      await file.close();
    }
  }

  /** @returns whether the bytes are those of the digest; if not, the upload is gone */
  async finish(upload: Upload, digest: string): Promise<boolean> {
    const hash = createHash(digest.startsWith('sha512:') ? 'sha512' : 'sha256');
    for await (const chunk of createReadStream(upload.file) as AsyncIterable<Buffer>) hash.update(chunk);
    this.uploads.delete(upload.id);
    if (`${digest.slice(0, digest.indexOf(':'))}:${hash.digest('hex')}` !== digest) {
      await rm(upload.file);
      return false;
    }
    await rename(upload.file, this.#file(digest));
    this.linkBlob(upload.repository, digest);
    return true;
  }

  async cancel(upload: Upload): Promise<void> {
    this.uploads.delete(upload.id);
    await rm(upload.file, { force: true });
  }

  /** By digest, or by what a tag names. */
  manifest(repository: string, reference: string): (KeptManifest & { digest: string }) | undefined {
    const digest = reference.includes(':') ? reference : this.#tags.get(repository)?.get(reference);
    const found = digest === undefined ? undefined : this.#manifests.get(repository)?.get(digest);
    return found && digest !== undefined ? { ...found, digest } : undefined;
  }

  putManifest(repository: string, digest: string, manifest: KeptManifest, tag?: string): void {
    let manifests = this.#manifests.get(repository);
    if (!manifests) this.#manifests.set(repository, (manifests = new Map<string, KeptManifest>()));
    manifests.set(digest, manifest);
    if (tag === undefined) return;
    let tags = this.#tags.get(repository);
    if (!tags) this.#tags.set(repository, (tags = new Map<string, string>()));
    tags.set(tag, digest);
  }

  /** Deletes a tag, or a manifest with the tags that name it. @returns whether it was there */
  deleteManifest(repository: string, reference: string): boolean {
    const tags = this.#tags.get(repository);
    if (!reference.includes(':')) return tags?.delete(reference) ?? false;
    for (const [tag, digest] of tags ?? []) if (digest === reference) tags?.delete(tag);
    return this.#manifests.get(repository)?.delete(reference) ?? false;
  }

  manifests(repository: string): (KeptManifest & { digest: string })[] {
    return [...(this.#manifests.get(repository) ?? [])].map(([digest, manifest]) => ({ ...manifest, digest }));
  }

  /** In order of their bytes. */
  tags(repository: string): string[] {
    return [...(this.#tags.get(repository)?.keys() ?? [])].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  #file(digest: string): string {
    return join(this.#folder, digest.replace(':', '-'));
  }
}
