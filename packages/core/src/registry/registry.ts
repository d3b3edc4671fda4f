import { ActionError, messageOf } from '../action/errors.ts';
import { Authorizer, loginRemedy, type Scope } from './auth.ts';
import type { CredentialSource } from './credentials.ts';
import { assertDigest, digestOf, hashFor } from './digest.ts';
import {
  backoff,
  following,
  isBusy,
  mayPass,
  nodeExchange,
  pause,
  persistent,
  readBody,
  type Exchange,
  type HttpAnswer,
  type Patience,
} from './http.ts';
import { isDigest, registryAddress } from './image-name.ts';
import { manifestTypes, parseManifest, type Descriptor, type StoredManifest } from './media-types.ts';

/** What {@link Registry} may be given. */
export interface RegistryOptions {
  /** Who we are; without it nobody. */
  credentials?: CredentialSource;
  /** Called with each secret before it is used. */
  mask?: (secret: string) => void;
  /** One line for each retry. */
  debug?: (text: string) => void;
  signal?: AbortSignal;
  /** Waits so many milliseconds; a test passes its own. */
  wait?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** Where proxies are looked up. */
  environment?: NodeJS.ProcessEnv;
  exchange?: Exchange;
}

/** How a request to a registry is made up. */
export interface RegistryRequest {
  method: string;
  /** Below the registry's address, or a whole address that the registry gave. */
  path: string | URL;
  scopes: readonly Scope[];
  headers?: Record<string, string>;
  body?: Buffer;
  /** A body of any size, opened anew for each try. Such a request is tried once, but for a renewed token. */
  stream?: () => AsyncIterable<Buffer>;
  idleSeconds?: number;
}

// The limit that the specification recommends: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests
const manifestLimit = 4 * 1024 * 1024;

/**
 * One registry, over the distribution API (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md).
 * Everything read by digest is checked against it; what is busy or cut is tried again; refusals name the right and
 * the repository. Blobs are streamed, never held.
 */
export class Registry {
  /** `host[:port]`, `docker.io` for Docker Hub */
  readonly name: string;
  readonly #address: URL;
  readonly #options: RegistryOptions;
  readonly #once: Exchange;
  readonly #patience: Patience;
  #authorizer: Promise<Authorizer> | undefined;

  constructor(name: string, options: RegistryOptions = {}) {
    this.name = name;
    this.#address = registryAddress(name);
    this.#options = options;
    this.#once = options.exchange ?? nodeExchange(options.environment);
    this.#patience = {
      signal: options.signal,
      ...(options.wait ? { wait: options.wait } : {}),
      onRetry: (why, seconds) => options.debug?.(`${why}; again in ${seconds.toFixed(1)} s`),
    };
  }

  /**
   * A manifest or an index, whole.
   * @param reference a tag or a digest
   * @throws ActionError `not-found`, `permission`, `mismatch`, `unreachable`
   */
  async manifest(repository: string, reference: string): Promise<StoredManifest> {
    const where = this.#name(repository, reference);
    const answer = await this.send({
      method: 'GET',
      path: `v2/${repository}/manifests/${reference}`,
      scopes: pull(repository),
      headers: { accept: manifestTypes.join(', ') },
    });
    if (answer.status === 404) {
      answer.body.resume();
      throw new ActionError('not-found', `the registry ${this.name} has no image ${where}`, {
        remedy: 'check the name and the tag, and that it was pushed',
      });
    }
    await this.expect(answer, [200], `to read the manifest ${where}`);
    const bytes = await this.#read(answer, manifestLimit, where);
    const digest = digestOf(bytes);
    const named = isDigest(reference) ? reference : header(answer, 'docker-content-digest');
    if (named !== undefined) assertDigest(hashFor(named).update(bytes), named, `the manifest ${where}`);
    return { bytes, digest: isDigest(reference) ? reference : digest, ...parseManifest(bytes, header(answer, 'content-type'), where) };
  }

  /** A manifest's digest, or undefined where there is none. Registries that tell no digest are asked for the manifest itself. */
  async manifestDigest(repository: string, reference: string, scopes: readonly Scope[] = pull(repository)): Promise<string | undefined> {
    const answer = await this.send({
      method: 'HEAD',
      path: `v2/${repository}/manifests/${reference}`,
      scopes,
      headers: { accept: manifestTypes.join(', ') },
    });
    answer.body.resume();
    if (answer.status === 404) return undefined;
    await this.expect(answer, [200], `to look for ${this.#name(repository, reference)}`);
    const digest = header(answer, 'docker-content-digest');
    return digest !== undefined && isDigest(digest) ? digest : (await this.manifest(repository, reference)).digest;
  }

  /**
   * Puts a manifest or an index, whose parts must be there already.
   * @param reference its digest, or a tag, which then moves
   */
  async putManifest(repository: string, reference: string, bytes: Buffer, mediaType: string): Promise<void> {
    const answer = await this.send({
      method: 'PUT',
      path: `v2/${repository}/manifests/${reference}`,
      scopes: push(repository),
      headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
      body: bytes,
    });
    await this.expect(answer, [201], `the manifest ${this.#name(repository, reference)}`);
    answer.body.resume();
    const got = header(answer, 'docker-content-digest');
    const digest = digestOf(bytes);
    if (got !== undefined && got !== digest && got.startsWith('sha256:'))
      throw new ActionError(
        'mismatch',
        `the registry ${this.name} stored the manifest ${this.#name(repository, reference)} as ${got} instead of ${digest}`,
      );
  }

  /** Whether the repository holds a blob. @param scopes those of what comes after it, so that one token does for both */
  async hasBlob(repository: string, digest: string, scopes: readonly Scope[] = pull(repository)): Promise<boolean> {
    const answer = await this.send({ method: 'HEAD', path: `v2/${repository}/blobs/${digest}`, scopes });
    answer.body.resume();
    if (answer.status === 404) return false;
    await this.expect(answer, [200], `to look for the blob ${digest} in ${repository}`);
    return true;
  }

  /**
   * A blob as it comes. A connection that is cut is taken up again where it was, and a blob read from its start is
   * checked against its digest at the end: what was read before counts only when the iteration ends without an error.
   * @param from the first byte that is wanted
   */
  async *blob(repository: string, blob: Pick<Descriptor, 'digest' | 'size'>, from = 0): AsyncGenerator<Buffer, void, undefined> {
    const what = `the blob ${blob.digest} of ${this.name}/${repository}`;
    const hash = hashFor(blob.digest);
    let at = from;
    // Tries without a byte of progress.
    for (let attempt = 1; at < blob.size; attempt++) {
      const answer = await this.send({
        method: 'GET',
        path: `v2/${repository}/blobs/${blob.digest}`,
        scopes: pull(repository),
        headers: at > 0 ? { range: `bytes=${at}-${blob.size - 1}` } : {},
      });
      if (answer.status === 404) {
        answer.body.resume();
        throw new ActionError('not-found', `the registry ${this.name} has lost ${what}`, { remedy: 'push the image again' });
      }
      await this.expect(answer, [200, 206], `to read ${what}`);
      // A registry that knows no ranges begins at the start: what we had is passed over.
      let skip = answer.status === 206 ? 0 : at;
      if (answer.status === 206 && !header(answer, 'content-range')?.startsWith(`bytes ${at}-`))
        throw new ActionError('mismatch', `${what}: asked from byte ${at}, got ${header(answer, 'content-range') ?? 'no content-range'}`);
      try {
        for await (const chunk of answer.body as AsyncIterable<Buffer>) {
          const fresh = skip === 0 ? chunk : chunk.subarray(Math.min(skip, chunk.length));
          skip -= chunk.length - fresh.length;
          if (fresh.length === 0) continue;
          at += fresh.length;
          if (at > blob.size) throw new ActionError('mismatch', `${what} is longer than the ${blob.size} bytes that its manifest names`);
          hash.update(fresh);
          attempt = 0;
          yield fresh;
        }
      } catch (error) {
        if (error instanceof ActionError) throw error;
        if (this.#options.signal?.aborted) throw this.#options.signal.reason;
        if (attempt >= 4)
          throw new ActionError('unreachable', `${what} was cut at byte ${at} of ${blob.size}: ${messageOf(error)}`, { cause: error });
        await this.rest(attempt + 1, `${what} was cut at byte ${at}`);
        continue;
      }
      if (at < blob.size) throw new ActionError('mismatch', `${what} ended at byte ${at} of ${blob.size}`);
    }
    if (from === 0) assertDigest(hash, blob.digest, what);
  }

  /** A small blob, such as a configuration, whole and checked. @param limit bytes */
  async smallBlob(repository: string, blob: Pick<Descriptor, 'digest' | 'size'>, limit = 16 * 1024 * 1024): Promise<Buffer> {
    if (blob.size > limit)
      throw new ActionError(
        'unsupported',
        `the blob ${blob.digest} of ${this.name}/${repository} has ${blob.size} bytes; at most ${limit} are read`,
      );
    const chunks: Buffer[] = [];
    for await (const chunk of this.blob(repository, blob)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** The tags of a repository, all pages. */
  async tags(repository: string): Promise<string[]> {
    const tags: string[] = [];
    let path: string | URL = `v2/${repository}/tags/list`;
    for (let page = 0; page < 1000; page++) {
      const answer = await this.send({ method: 'GET', path, scopes: pull(repository) });
      await this.expect(answer, [200], `to list the tags of ${repository}`);
      const { tags: listed } = this.#object(
        (await this.#read(answer, manifestLimit, repository)).toString('utf8'),
        `tags of ${repository}`,
      );
      if (Array.isArray(listed)) tags.push(...listed.filter((tag) => typeof tag === 'string'));
      const next = /<([^>]+)>\s*;\s*rel="?next"?/u.exec(header(answer, 'link') ?? '')?.[1];
      if (next === undefined) return tags;
      path = new URL(next, answer.url);
    }
    throw new ActionError('unreachable', `the registry ${this.name} lists the tags of ${repository} without end`);
  }

  #object(text: string, what: string): Record<string, unknown> {
    try {
      return Object(JSON.parse(text)) as Record<string, unknown>;
    } catch (error) {
      throw new ActionError('unreachable', `the registry ${this.name} answered with what is no JSON where the ${what} belong`, {
        cause: error,
      });
    }
  }

  /**
   * One request with who we are: a 401 renews the token once; busy answers and cut connections are tried again,
   * unless the body is a stream. Other answers than 401 and 403 are the caller's.
   * @throws ActionError `permission`, `unreachable`; for a stream that was cut, what the connection threw
   */
  async send(request: RegistryRequest): Promise<HttpAnswer> {
    const authorizer = await this.#who();
    const url = typeof request.path === 'string' ? new URL(request.path, this.#address) : request.path;
    const reads = request.method === 'GET' || request.method === 'HEAD';
    const once = reads ? following(this.#once) : this.#once;
    const exchange = request.stream ? once : persistent(once, this.#patience);
    for (let renewed = false; ; renewed = true) {
      // An upload's address may lie at another host, which our token is not for.
      const authorization =
        url.origin === this.#address.origin ? await this.#reaching(authorizer.header(request.scopes), 'log in') : undefined;
      const body = request.stream?.() ?? request.body;
      const asked = exchange({
        method: request.method,
        url,
        headers: { 'user-agent': 'slashtrain', ...request.headers, ...(authorization === undefined ? {} : { authorization }) },
        ...(body === undefined ? {} : { body }),
        signal: this.#options.signal,
        ...(request.idleSeconds === undefined ? {} : { idleSeconds: request.idleSeconds }),
      });
      const answer = request.stream ? await asked : await this.#reaching(asked, `${request.method} ${url.pathname}`);
      if (answer.status === 401 && !renewed && (await authorizer.challenged(header(answer, 'www-authenticate'), authorization))) {
        answer.body.resume();
        continue;
      }
      if (answer.status === 401 || answer.status === 403) throw await this.#refusal(answer, request.scopes, authorizer);
      return answer;
    }
  }

  /** @throws ActionError `not-found` or `unreachable` where the answer is none of `statuses`, with the registry's words */
  async expect(answer: HttpAnswer, statuses: readonly number[], what: string): Promise<void> {
    if (statuses.includes(answer.status)) return;
    const words = await errorWords(answer);
    const isMissing = answer.status === 404;
    const isBusyStill = isBusy(answer.status);
    throw new ActionError(
      isMissing ? 'not-found' : 'unreachable',
      `the registry ${this.name} answered ${answer.status}${isBusyStill ? ' again and again' : ''}, asked ${what}${words}`,
      {
        remedy: isMissing
          ? 'check the name; some registries (ECR) want a repository to be made before the first push'
          : isBusyStill
            ? 'wait and run it again; nothing was tagged'
            : 'see what it says; nothing was tagged',
      },
    );
  }

  /** Waits before the try after so many without success. */
  async rest(attempt: number, why: string): Promise<void> {
    const seconds = backoff(attempt);
    this.#patience.onRetry?.(why, seconds);
    await pause(seconds, this.#patience);
  }

  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  #name(repository: string, reference: string): string {
    return `${this.name}/${repository}${isDigest(reference) ? '@' : ':'}${reference}`;
  }

  #who(): Promise<Authorizer> {
    return (this.#authorizer ??= this.#findOut());
  }

  async #findOut(): Promise<Authorizer> {
    const credentials = await this.#options.credentials?.(this.name);
    return new Authorizer({
      registry: this.name,
      address: this.#address,
      credentials,
      exchange: persistent(following(this.#once), this.#patience),
      mask: this.#options.mask ?? (() => undefined),
      signal: this.#options.signal,
    });
  }

  async #read(answer: HttpAnswer, limit: number, what: string): Promise<Buffer> {
    return this.#reaching(readBody(answer, limit), `to read ${what}`);
  }

  /** Turns what a connection throws into words. */
  async #reaching<T>(work: Promise<T>, what: string): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof ActionError) throw error;
      if (this.#options.signal?.aborted) throw this.#options.signal.reason;
      throw new ActionError('unreachable', `the registry ${this.name} cannot be reached (${what}): ${connectionWords(error)}`, {
        remedy: mayPass(error) ? 'check that it runs and that this machine reaches it' : 'check the host in the image name',
        cause: error,
      });
    }
  }

  async #refusal(answer: HttpAnswer, scopes: readonly Scope[], authorizer: Authorizer): Promise<ActionError> {
    const words = await errorWords(answer);
    const scope = scopes.find(({ actions }) => actions.includes('push')) ?? scopes[0];
    const action = scope?.actions.at(-1) ?? 'pull';
    return new ActionError('permission', `the registry ${this.name} refused "${action}" on ${scope?.repository ?? 'itself'}${words}`, {
      remedy: authorizer.isKnown ? rightsRemedy(this.name, action) : loginRemedy(this.name),
    });
  }
}

/** Reading one repository. */
export function pull(repository: string): Scope[] {
  return [{ repository, actions: ['pull'] }];
}

/** Writing to one repository, and reading others to mount from. */
export function push(repository: string, from?: string): Scope[] {
  const own: Scope = { repository, actions: ['pull', 'push'] };
  return from === undefined || from === repository ? [own] : [own, { repository: from, actions: ['pull'] }];
}

function rightsRemedy(registry: string, action: string): string {
  if (registry !== 'ghcr.io') return `check that the user who is logged in may ${action} there, and that the repository exists`;
  return action === 'pull'
    ? 'give the job "packages: read", and let this repository read the package (its settings, "Manage Actions access")'
    : 'give the job "packages: write", and if the package exists let this repository write to it (its settings, "Manage Actions access")';
}

/** `: CODE: message` of the registry's error body, or nothing. */
async function errorWords(answer: HttpAnswer): Promise<string> {
  try {
    const text = (await readBody(answer, 64 * 1024)).toString('utf8');
    const { errors } = Object(JSON.parse(text)) as { errors?: { code?: unknown; message?: unknown }[] };
    const first = Array.isArray(errors) ? errors[0] : undefined;
    const said = [first?.code, first?.message].filter((part) => typeof part === 'string' && part !== '').join(': ');
    return said === '' ? '' : ` (it says: ${said.slice(0, 300)})`;
  } catch {
    // A HEAD has no body, and proxies answer HTML: the status alone tells.
    return '';
  }
}

function connectionWords(error: unknown): string {
  // Where several addresses failed, node's message is empty.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return messageOf(error);
}

function header(answer: HttpAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
