import { ActionError, messageOf } from '../action/errors.ts';
import { isBusy, mayPass, type HttpAnswer } from './http.ts';
import type { Descriptor } from './media-types.ts';
import { pull, push, type Registry } from './registry.ts';

/** A blob that is to be there: its digest and size are known before the first byte is sent. */
export interface BlobSource {
  digest: string;
  /** bytes */
  size: number;
  /** Its bytes from `from` on; called again when an upload must be taken up again. */
  open(from: number): AsyncIterable<Buffer>;
}

/** What became of a blob: it was there, was linked from another repository of the registry, or was sent. */
export type Placed = 'there' | 'mounted' | 'sent';

/** A blob of bytes in memory. */
export function bytesSource(digest: string, bytes: Buffer): BlobSource {
  return {
    digest,
    size: bytes.length,
    async *open(from) {
      yield bytes.subarray(from);
    },
  };
}

/**
 * Makes a blob be in `repository`: nothing is sent that is there, and a blob of another repository of the same
 * registry is mounted where the registry allows it. Otherwise it is sent in one PUT; when that is cut, the registry
 * is asked how much it has and gets the rest, or, where it has forgotten, all of it again
 * (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs).
 * @param mountFrom a repository of the same registry that holds it
 * @param isThere whether it is there, where that was asked already; false too where it is so small, and so likely not there, that
 * asking costs more than sending
 * @throws ActionError `permission`, `unreachable`, `mismatch`, and what the source throws
 */
export async function placeBlob(
  registry: Registry,
  repository: string,
  source: BlobSource,
  { mountFrom, isThere }: { mountFrom?: string; isThere?: boolean | undefined } = {},
): Promise<Placed> {
  if (mountFrom === repository) return 'there';
  // Asked with the token that the upload needs anyway.
  if (isThere ?? (await registry.hasBlob(repository, source.digest, push(repository, mountFrom)))) return 'there';
  if (mountFrom !== undefined) {
    const answer = await startUpload(registry, repository, { mount: source.digest, from: mountFrom }, mountFrom);
    if (answer.mounted) return 'mounted';
    await send(registry, repository, source, answer.location);
  } else {
    await send(registry, repository, source, await begin(registry, repository));
  }
  return 'sent';
}

/**
 * Makes a blob of one repository be in another one, wherever that is; what must travel is streamed, never stored.
 * @param isThere as {@link placeBlob} takes it
 */
export async function copyBlob(
  from: { registry: Registry; repository: string },
  to: { registry: Registry; repository: string },
  blob: Descriptor,
  isThere?: boolean,
): Promise<Placed> {
  const source: BlobSource = {
    digest: blob.digest,
    size: blob.size,
    open: (at) => from.registry.blob(from.repository, blob, at),
  };
  return placeBlob(to.registry, to.repository, source, {
    isThere,
    ...(from.registry.name === to.registry.name ? { mountFrom: from.repository } : {}),
  });
}

async function begin(registry: Registry, repository: string): Promise<URL> {
  const answer = await startUpload(registry, repository);
  if (answer.mounted)
    throw new ActionError('unreachable', `the registry ${registry.name} answered 201 to an upload of nothing to ${repository}`);
  return answer.location;
}

async function startUpload(
  registry: Registry,
  repository: string,
  query: Record<string, string> = {},
  mountFrom?: string,
): Promise<{ mounted: true } | { mounted: false; location: URL }> {
  const search = new URLSearchParams(query).toString();
  const answer = await registry.send({
    method: 'POST',
    path: `v2/${repository}/blobs/uploads/${search && '?'}${search}`,
    scopes: push(repository, mountFrom),
    headers: { 'content-length': '0' },
  });
  await registry.expect(answer, [201, 202], `to begin an upload to ${repository}`);
  answer.body.resume();
  return answer.status === 201 ? { mounted: true } : { mounted: false, location: locationOf(answer, registry) };
}

async function send(registry: Registry, repository: string, source: BlobSource, started: URL): Promise<void> {
  const what = `the blob ${source.digest} for ${repository}`;
  let location = started;
  let from = 0;
  for (let attempt = 1; ; attempt++) {
    const outcome = await trySend(registry, repository, source, location, from);
    if (outcome === undefined) return;
    if (attempt === 5)
      throw new ActionError('unreachable', `the registry ${registry.name} took ${what} five times and never whole: ${outcome.why}`, {
        remedy: 'run it again; nothing was tagged, and blobs that are there are not sent again',
        cause: outcome.cause,
      });
    await registry.rest(attempt, `${what}: ${outcome.why}`);
    const reached = outcome.spoiled ? undefined : await progress(registry, repository, location);
    if (reached !== undefined && reached.size <= source.size) ({ location, size: from } = reached);
    else {
      location = await begin(registry, repository);
      from = 0;
    }
  }
}

/**
 * Sends what is missing and completes the upload.
 * @returns why it did not go through, where a new try makes sense; `spoiled` where it has to be a new upload
 */
async function trySend(
  registry: Registry,
  repository: string,
  source: BlobSource,
  location: URL,
  from: number,
): Promise<{ why: string; cause?: unknown; spoiled?: boolean } | undefined> {
  const url = new URL(location);
  url.searchParams.set('digest', source.digest);
  const rest = source.size - from;
  let answer: HttpAnswer;
  try {
    answer = await registry.send({
      method: 'PUT',
      path: url,
      scopes: push(repository),
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(rest),
        ...(from > 0 && rest > 0 ? { 'content-range': `${from}-${source.size - 1}` } : {}),
      },
      stream: () => source.open(from),
      // After the last byte a registry reads the whole blob again to check it, and moves it in its storage.
      idleSeconds: 300,
    });
  } catch (error) {
    if (error instanceof ActionError) throw error;
    if (registry.signal?.aborted) throw registry.signal.reason;
    if (!mayPass(error))
      throw new ActionError('unreachable', `the registry ${registry.name} cannot be reached for ${repository}: ${messageOf(error)}`, {
        cause: error,
      });
    return { why: messageOf(error), cause: error };
  }
  // The upload is unknown (404), or stands elsewhere than we think (416): as good as cut.
  if (isBusy(answer.status) || answer.status === 404 || answer.status === 416) {
    answer.body.resume();
    return { why: `it answered ${answer.status}` };
  }
  // The bytes of a connection that broke may reach a registry after it said how much it has. What was sent in one
  // piece and does not match is a lie, and is said at once.
  if (answer.status === 400 && from > 0) {
    answer.body.resume();
    return { why: 'the pieces that it put together are another blob', spoiled: true };
  }
  await registry.expect(answer, [201, 204], `to take the blob ${source.digest} for ${repository}`);
  answer.body.resume();
  return undefined;
}

/** How much of an upload the registry has, or undefined where it has forgotten it. */
async function progress(registry: Registry, repository: string, location: URL): Promise<{ location: URL; size: number } | undefined> {
  const answer = await registry.send({ method: 'GET', path: location, scopes: pull(repository) });
  answer.body.resume();
  const range = /^(?:bytes=)?0-([0-9]{1,15})$/u.exec(answer.headers.range ?? '');
  // An upload of no byte says "0-0" as well as one of a single byte: that one byte is sent again from the start.
  if (answer.status !== 204 || !range || range[1] === '0') return undefined;
  return { location: answer.headers.location ? locationOf(answer, registry) : location, size: Number(range[1]) + 1 };
}

function locationOf(answer: HttpAnswer, registry: Registry): URL {
  const { location } = answer.headers;
  if (!location || !URL.canParse(location, answer.url.href))
    throw new ActionError('unreachable', `the registry ${registry.name} began an upload and did not say where (no Location header)`);
  const url = new URL(location, answer.url);
  if (answer.url.protocol === 'https:' && url.protocol !== 'https:')
    throw new ActionError(
      'unreachable',
      `the registry ${registry.name} wants an upload over ${url.protocol}//${url.host} instead of https`,
    );
  return url;
}
