import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { errorReply, jsonReply, type Reply } from './reply.ts';
import type { RegistryStore, Upload } from './store.ts';

/** One request, taken apart. */
export interface Call {
  method: string;
  headers: IncomingHttpHeaders;
  query: URLSearchParams;
  body: Readable;
  store: RegistryStore;
  repository: string;
  /** The rest of the path: a tag or digest, or an upload's id. */
  reference: string;
}

const digestForm = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/u;
const tagForm = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/u;
const manifestLimit = 4 * 1024 * 1024;
const indexForm = 'application/vnd.oci.image.index.v1+json';
const manifestForms = new Set([
  indexForm,
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]);

/** `GET` and `HEAD /v2/<name>/manifests/<reference>` (end-3) */
export function getManifest({ store, repository, reference }: Call): Reply {
  const found = store.manifest(repository, reference);
  if (!found) return errorReply('MANIFEST_UNKNOWN', `manifest unknown to ${repository}: ${reference}`);
  return { status: 200, headers: { 'content-type': found.mediaType, 'docker-content-digest': found.digest }, body: found.bytes };
}

/** `PUT /v2/<name>/manifests/<reference>` (end-7). What it names must be there. */
export async function putManifest({ headers, body, store, repository, reference }: Call): Promise<Reply> {
  const isByDigest = reference.includes(':');
  if (!(isByDigest ? digestForm : tagForm).test(reference))
    return errorReply('MANIFEST_INVALID', `"${reference}" is neither a tag nor a digest`);
  const bytes = await readUpTo(body, manifestLimit);
  if (!bytes) return errorReply('SIZE_INVALID', `a manifest has at most ${manifestLimit} bytes`);
  const mediaType = (headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  if (!manifestForms.has(mediaType)) return errorReply('MANIFEST_INVALID', `this registry takes no manifests of the type "${mediaType}"`);
  const parts = partsOf(bytes, mediaType);
  if (typeof parts === 'string') return errorReply('MANIFEST_INVALID', `manifest invalid: ${parts}`);
  const missing =
    parts.blobs.find((digest) => !store.hasBlob(repository, digest)) ??
    parts.manifests.find((digest) => !store.manifest(repository, digest));
  if (missing !== undefined) return errorReply('MANIFEST_BLOB_UNKNOWN', `blob unknown to registry: ${missing}`);
  const algorithm = isByDigest ? reference.slice(0, reference.indexOf(':')) : 'sha256';
  const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  if (isByDigest && digest !== reference) return errorReply('DIGEST_INVALID', `provided digest did not match uploaded content: ${digest}`);
  store.putManifest(repository, digest, { bytes, mediaType }, isByDigest ? undefined : reference);
  return {
    status: 201,
    headers: {
      location: `/v2/${repository}/manifests/${digest}`,
      'docker-content-digest': digest,
      // Tells that we list it among the subject's referrers: spec.md#pushing-manifests-with-subject
      ...(parts.subject === undefined ? {} : { 'oci-subject': parts.subject }),
    },
  };
}

/** `DELETE /v2/<name>/manifests/<reference>` (end-9) */
export function deleteManifest({ store, repository, reference }: Call): Reply {
  if (!store.deleteManifest(repository, reference)) return errorReply('MANIFEST_UNKNOWN', `manifest unknown: ${reference}`);
  return { status: 202 };
}

/** `GET` and `HEAD /v2/<name>/blobs/<digest>` (end-2), with one byte range */
export async function getBlob({ method, headers, store, repository, reference }: Call): Promise<Reply> {
  if (!digestForm.test(reference)) return errorReply('DIGEST_INVALID', `"${reference}" is no digest`);
  if (!store.hasBlob(repository, reference)) return errorReply('BLOB_UNKNOWN', `blob unknown to ${repository}: ${reference}`);
  const size = await store.blobSize(reference);
  const common = { 'content-type': 'application/octet-stream', 'docker-content-digest': reference, 'accept-ranges': 'bytes' };
  const whole = { status: 200, headers: { ...common, 'content-length': size } };
  if (method === 'HEAD' || size === 0) return whole;
  if (headers.range === undefined) return { ...whole, body: store.readBlob(reference, 0, size - 1) };
  const range = rangeOf(headers.range, size);
  if (range === undefined) return errorReply('UNSUPPORTED', `the embedded registry knows no range such as "${headers.range}"`);
  const { start, end } = range;
  if (start >= size || end < start) return errorReply('RANGE_INVALID', 'range not satisfiable', { 'content-range': `bytes */${size}` });
  return {
    status: 206,
    headers: { ...common, 'content-length': end - start + 1, 'content-range': `bytes ${start}-${end}/${size}` },
    body: store.readBlob(reference, start, end),
  };
}

/** `DELETE /v2/<name>/blobs/<digest>` (end-10) */
export function deleteBlob({ store, repository, reference }: Call): Reply {
  if (!store.unlinkBlob(repository, reference)) return errorReply('BLOB_UNKNOWN', `blob unknown: ${reference}`);
  return { status: 202 };
}

/** `POST /v2/<name>/blobs/uploads/`: begins an upload (end-4a), takes a whole blob (end-4b), or mounts one (end-11) */
export async function startUpload(call: Call): Promise<Reply> {
  const { query, store, repository } = call;
  const mount = query.get('mount');
  const from = query.get('from');
  if (mount !== null && from !== null && store.hasBlob(from, mount)) {
    store.linkBlob(repository, mount);
    return created(repository, mount);
  }
  const upload = await store.startUpload(repository);
  const digest = query.get('digest');
  return digest === null ? uploadState(202, upload) : complete(call, upload, digest);
}

/** `PATCH /v2/<name>/blobs/uploads/<reference>` (end-5): the next chunk, or all that comes */
export async function patchUpload(call: Call): Promise<Reply> {
  const upload = find(call);
  if (!upload) return unknownUpload;
  const wrong = misfit(call, upload);
  if (wrong) return wrong;
  await call.store.append(upload, call.body);
  return uploadState(202, upload);
}

/** `PUT /v2/<name>/blobs/uploads/<reference>?digest=…` (end-6): the last chunk, which may be the only one or empty */
export async function finishUpload(call: Call): Promise<Reply> {
  const upload = find(call);
  if (!upload) return unknownUpload;
  const digest = call.query.get('digest');
  if (digest === null) return errorReply('DIGEST_INVALID', 'the digest parameter is missing');
  return misfit(call, upload) ?? complete(call, upload, digest);
}

/** `GET /v2/<name>/blobs/uploads/<reference>` (end-13) */
export async function getUpload(call: Call): Promise<Reply> {
  const upload = find(call);
  await upload?.settled;
  return upload ? uploadState(204, upload) : unknownUpload;
}

/** `DELETE /v2/<name>/blobs/uploads/<reference>` (end-14) */
export async function cancelUpload(call: Call): Promise<Reply> {
  const upload = find(call);
  if (!upload) return unknownUpload;
  await call.store.cancel(upload);
  return { status: 204 };
}

/** `GET /v2/<name>/tags/list` with `n` and `last` (end-8a, end-8b) */
export function listTags({ query, store, repository }: Call): Reply {
  if (!store.knows(repository)) return errorReply('NAME_UNKNOWN', `repository name not known to registry: ${repository}`);
  const asked = query.get('n');
  if (asked !== null && !/^[0-9]{1,9}$/u.test(asked)) return errorReply('UNSUPPORTED', `n is no number: ${asked}`);
  const after = Buffer.from(query.get('last') ?? '');
  const all = store.tags(repository).filter((tag) => Buffer.compare(Buffer.from(tag), after) > 0);
  const tags = asked === null ? all : all.slice(0, Number(asked));
  const last = tags.length < all.length ? tags.at(-1) : undefined;
  const next = `/v2/${repository}/tags/list?n=${asked ?? ''}&last=${encodeURIComponent(last ?? '')}`;
  return jsonReply({ name: repository, tags }, last === undefined ? {} : { link: `<${next}>; rel="next"` });
}

/** `GET /v2/<name>/referrers/<digest>`, with `artifactType` (end-12a, end-12b): what was pushed about a manifest */
export function listReferrers({ query, store, repository, reference }: Call): Reply {
  if (!digestForm.test(reference)) return errorReply('DIGEST_INVALID', `"${reference}" is no digest`);
  const wanted = query.get('artifactType');
  const manifests = store
    .manifests(repository)
    .map(({ digest, bytes, mediaType }) => ({ digest, size: bytes.length, mediaType, ...(JSON.parse(bytes.toString('utf8')) as Subject) }))
    .filter(({ subject }) => subject?.digest === reference)
    .map(({ digest, size, mediaType, artifactType, config, annotations }) => ({
      mediaType,
      digest,
      size,
      ...((artifactType ?? config?.mediaType) ? { artifactType: artifactType ?? config?.mediaType } : {}),
      ...(annotations ? { annotations } : {}),
    }))
    .filter(({ artifactType }) => wanted === null || artifactType === wanted);
  return jsonReply(
    { schemaVersion: 2, mediaType: indexForm, manifests },
    { 'content-type': indexForm, ...(wanted === null ? {} : { 'oci-filters-applied': 'artifactType' }) },
  );
}

/** What of a manifest says which other one it is about. */
interface Subject {
  subject?: { digest: string };
  artifactType?: string;
  config?: { mediaType: string };
  annotations?: Record<string, string>;
}

const unknownUpload = errorReply('BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');

function find({ store, repository, reference }: Call): Upload | undefined {
  const upload = store.uploads.get(reference);
  return upload?.repository === repository ? upload : undefined;
}

/** Chunks come in order: one that begins elsewhere is refused with 416. */
function misfit({ headers }: Call, upload: Upload): Reply | undefined {
  const range = headers['content-range'];
  if (range === undefined) return undefined;
  const match = /^([0-9]+)-([0-9]+)$/u.exec(range);
  if (match && Number(match[1]) === upload.size && Number(match[2]) >= Number(match[1])) return undefined;
  return errorReply('RANGE_INVALID', `the upload has ${upload.size} bytes, the chunk is ${range}`, uploadHeaders(upload));
}

async function complete({ body, store, repository }: Call, upload: Upload, digest: string): Promise<Reply> {
  if (!digestForm.test(digest)) return errorReply('DIGEST_INVALID', `"${digest}" is no digest`);
  await store.append(upload, body);
  if (!(await store.finish(upload, digest))) return errorReply('DIGEST_INVALID', 'provided digest did not match uploaded content');
  return created(repository, digest);
}

function created(repository: string, digest: string): Reply {
  return { status: 201, headers: { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest } };
}

function uploadState(status: number, upload: Upload): Reply {
  return { status, headers: uploadHeaders(upload) };
}

function uploadHeaders(upload: Upload): Record<string, string> {
  return {
    location: `/v2/${upload.repository}/blobs/uploads/${upload.id}`,
    range: `0-${Math.max(0, upload.size - 1)}`,
    'docker-upload-uuid': upload.id,
  };
}

async function readUpTo(body: Readable, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The digests that a manifest names, or why it is none. */
function partsOf(bytes: Buffer, mediaType: string): { blobs: string[]; manifests: string[]; subject?: string } | string {
  interface Part {
    mediaType: string;
    digest: string;
  }
  try {
    const value = JSON.parse(bytes.toString('utf8')) as {
      schemaVersion?: unknown;
      mediaType?: unknown;
      config?: Part;
      layers?: Part[];
      manifests?: Part[];
      subject?: Part;
    };
    if (value.schemaVersion !== 2) return 'schemaVersion is not 2';
    if (value.mediaType !== undefined && value.mediaType !== mediaType) return 'mediaType and content-type differ';
    if (!value.config && !value.manifests) return 'it has neither a config nor manifests';
    // Layers that may not be distributed lie elsewhere: https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#non-distributable-layers
    const layers = (value.layers ?? []).filter((layer) => !layer.mediaType.includes('.nondistributable.'));
    const digests = (parts: Part[]): string[] => parts.map(({ digest }) => digest);
    return {
      blobs: digests([...(value.config ? [value.config] : []), ...layers]),
      manifests: digests(value.manifests ?? []),
      ...(value.subject ? { subject: value.subject.digest } : {}),
    };
  } catch (error) {
    return (error as Error).message;
  }
}

/** The first and last byte of `bytes=1-2`, `bytes=1-` and `bytes=-2`. */
function rangeOf(header: string, size: number): { start: number; end: number } | undefined {
  const [, from, to] = /^bytes=([0-9]*)-([0-9]*)$/u.exec(header) ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined;
  if (from === '') return { start: Math.max(0, size - Number(to)), end: to === '0' ? -1 : size - 1 };
  return { start: Number(from), end: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
}
