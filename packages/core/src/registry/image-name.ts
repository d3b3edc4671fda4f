import { ActionError } from '../action/errors.ts';

/** An image's name taken apart. Docker Hub's short names are written out: `python:3.12` is `docker.io/library/python:3.12`. */
export interface ImageName {
  /** `host[:port]`, lower case; `docker.io` for Docker Hub. */
  readonly registry: string;
  /** The path below the registry, e.g. `owner/image`. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:…` */
  readonly digest?: string;
}

// The grammar of https://github.com/distribution/reference/blob/main/reference.go
const hostPart = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const host = new RegExp(`^(?:${hostPart}(?:\\.${hostPart})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]{1,5})?$`, 'u');
const pathPart = '[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*';
const path = new RegExp(`^${pathPart}(?:/${pathPart})*$`, 'u');
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/u;
const digestPattern = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/u;

/** Whether `text` is a digest of an algorithm that registries use: sha256 or sha512, in lower case. */
export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

/** Whether `text` may be a tag: letters, digits, `_`, `.` and `-`, at most 128 of them. */
export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/**
 * Reads `[host[:port]/]path[:tag][@digest]`.
 * @param where how the error names the place, e.g. `input "image"`
 * @throws ActionError `input` that says which part is wrong
 */
export function parseImageName(text: string, where: string): ImageName {
  const fail = (why: string, remedy = 'write host/path:tag, such as ghcr.io/owner/image:main'): never => {
    throw new ActionError('input', `${where} is ${JSON.stringify(text.slice(0, 300))}, which is no image name: ${why}`, { remedy });
  };
  if (/^[a-z]+:\/\//iu.test(text)) fail('it is an address, and a name has no scheme', 'leave "https://" or "docker://" out');
  const [beforeDigest = '', digest, ...more] = text.split('@');
  if (more.length > 0) fail('it has more than one "@"');
  if (digest !== undefined && !isDigest(digest)) fail(`"${digest}" is no digest`, 'a digest is sha256: and 64 hexadecimal digits');
  const colon = beforeDigest.lastIndexOf(':');
  const hasTag = colon > beforeDigest.lastIndexOf('/');
  const name = hasTag ? beforeDigest.slice(0, colon) : beforeDigest;
  const tag = hasTag ? beforeDigest.slice(colon + 1) : undefined;
  if (tag !== undefined && !isTag(tag))
    fail(`"${tag}" is no tag`, 'a tag is 1 to 128 letters, digits, "_", "." and "-", and begins with none of the last two');

  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  // As Docker reads it: what has a dot, a colon or a capital before the first slash is a host, and so is localhost.
  const hasHost = /[.:A-Z[]/u.test(first) || first === 'localhost';
  if (hasHost && !host.test(first)) fail(`"${first}" is no host`);
  let repository = hasHost ? name.slice(slash + 1) : name;
  const registry = hasHost ? (hubAliases.get(first.toLowerCase()) ?? first.toLowerCase()) : 'docker.io';
  if (repository === '') fail('the path is empty');
  if (!path.test(repository)) {
    fail(
      `"${repository}" is no path of a repository`,
      /[A-Z]/u.test(repository)
        ? 'repositories are lower case; a name made from github.repository must be lowered first'
        : 'a path is lower-case letters and digits with single "." or "_", "__" or "-" between them, parted by "/"',
    );
  }
  if (registry === 'docker.io' && !repository.includes('/')) repository = `library/${repository}`;
  if (registry.length + repository.length > 254) fail('it is longer than 255 characters');
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/**
 * A name with its path in lower case, which is the only case that registries know. GitHub's owners and repositories may
 * have capitals and expressions cannot lower them, so that `ghcr.io/${{ github.repository }}` is often such a name.
 * Tags and digests are left alone.
 */
export function lowerImageName(text: string): string {
  const end = text.search(/@|:(?=[^/]*$)/u);
  const name = end < 0 ? text : text.slice(0, end);
  const slash = name.indexOf('/');
  const path = slash >= 0 && (/[.:]/u.test(name.slice(0, slash)) || name.startsWith('localhost/')) ? slash : -1;
  return name.slice(0, path + 1) + name.slice(path + 1).toLowerCase() + text.slice(name.length);
}

const hubAliases = new Map([
  ['index.docker.io', 'docker.io'],
  ['registry-1.docker.io', 'docker.io'],
  ['registry.hub.docker.com', 'docker.io'],
]);

/** The whole name as text; {@link parseImageName} reads it back. */
export function formatImageName(image: ImageName): string {
  return `${image.registry}/${image.repository}${image.tag ? `:${image.tag}` : ''}${image.digest ? `@${image.digest}` : ''}`;
}

/** What a manifest is asked for by: the digest where there is one, else the tag, else `latest`. */
export function manifestReference(image: ImageName): string {
  return image.digest ?? image.tag ?? 'latest';
}

/**
 * Where a registry answers: Docker Hub's API has a host of its own, this machine speaks http
 * (as Docker has it, https://docs.docker.com/reference/cli/dockerd/#insecure-registries), everything else https.
 */
export function registryAddress(registry: string): URL {
  if (registry === 'docker.io') return new URL('https://registry-1.docker.io/');
  const name = registry.replace(/:[0-9]+$/u, '');
  return new URL(`${name === 'localhost' || name === '127.0.0.1' || name === '[::1]' ? 'http' : 'https'}://${registry}/`);
}

/** Whether a name is pinned by a digest of sha256, as build-image's output is: such an image cannot be another tomorrow. */
export function isPinned(text: string): boolean {
  return /^[^\s@]+@sha256:[0-9a-f]{64}$/u.test(text);
}
