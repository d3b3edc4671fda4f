import { join } from 'node:path';
import { fetchCommit, type ArchiveRequest, type Commit } from './archive.ts';

/** The commit's files, fetched when somebody wants them first, and once for all images of the step. */
export class CommitFiles {
  readonly #request: Omit<ArchiveRequest, 'file'>;
  readonly #folder: string;
  #fetching: Promise<Commit> | undefined;

  constructor(request: Omit<ArchiveRequest, 'file'>, folder: string) {
    this.#request = request;
    this.#folder = folder;
  }

  get(): Promise<Commit> {
    return (this.#fetching ??= fetchCommit({ ...this.#request, file: join(this.#folder, 'content') }));
  }

  async close(): Promise<void> {
    // What failed to be fetched was told to who asked for it.
    const commit = await this.#fetching?.catch(() => undefined);
    await commit?.content.close();
  }
}
