import { createHash, type Hash } from 'node:crypto';
import { ActionError } from '../action/errors.ts';

/** `sha256:…` of some bytes. */
export function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A hash of the algorithm that a digest names. */
export function hashFor(digest: string): Hash {
  return createHash(digest.startsWith('sha512:') ? 'sha512' : 'sha256');
}

/** @throws ActionError `mismatch` where the bytes that were read are not those that the digest names */
export function assertDigest(hash: Hash, digest: string, what: string): void {
  const got = `${digest.slice(0, digest.indexOf(':'))}:${hash.digest('hex')}`;
  if (got !== digest)
    throw new ActionError('mismatch', `${what} is not what its digest names: expected ${digest}, read ${got}`, {
      remedy: 'the registry or something before it changed the bytes; nothing of it is used',
    });
}
