import type { FileHandle } from 'node:fs/promises';
import { ActionError } from '@slashtrain/core/action/errors';
import { bytesOf, type CommitFile } from './archive.ts';
import type { ReadText } from './requirements.ts';

/**
 * Reads files of a commit as text, by their path.
 * @param limit bytes that such a file may have
 * @param kind what it is then not, for the error
 */
export function textReader(files: readonly CommitFile[], content: FileHandle, limit: number, kind: string): ReadText {
  return async (path) => {
    const file = files.find((one) => one.kind === 'file' && one.path === path);
    if (!file) return undefined;
    if (file.size > limit) throw new ActionError('input', `${path} has ${file.size} bytes, which is ${kind}`);
    const chunks: Buffer[] = [];
    for await (const chunk of bytesOf(file, content)) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  };
}
