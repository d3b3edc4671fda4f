import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { credentialsFor, firstOf } from '@slashtrain/core/registry/credentials';
import { oci } from '@slashtrain/core/registry/media-types';
import { Registry, type RegistryOptions } from '@slashtrain/core/registry/registry';
import { copyBlob, placeBlob, type BlobSource } from '@slashtrain/core/registry/upload';
import { startRegistry, type RecordedRequest, type RegistryServerOptions, type TestRegistry } from '@slashtrain/testing/registry/server';
import { json, ScriptedServer, type Step } from '../support/scripted-server.ts';

/*
 * Our client against registries: the embedded one, and a real one where SLASHTRAIN_REGISTRY names it. What goes wrong
 * on the way is made to go wrong in the embedded one.
 */
const real = process.env['SLASHTRAIN_REGISTRY'];
if (!real) process.stdout.write('skipped: the registry client on a real registry; set SLASHTRAIN_REGISTRY=host:port\n');

const sha256 = (bytes: Buffer | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const open: TestRegistry[] = [];
const start = async (options?: RegistryServerOptions): Promise<TestRegistry> => {
  const registry = await startRegistry(options);
  open.push(registry);
  return registry;
};
afterEach(async () => {
  for (const registry of open.splice(0)) await registry.close();
});

/** Waits nothing, and tells what it would have waited. */
const hurried = (waits: number[] = []): RegistryOptions => ({
  wait: (milliseconds) => {
    waits.push(milliseconds);
    return Promise.resolve();
  },
});

function blobOf(bytes: Buffer): BlobSource & { bytes: Buffer; opened: number[] } {
  const opened: number[] = [];
  return {
    bytes,
    opened,
    digest: sha256(bytes),
    size: bytes.length,
    async *open(from) {
      opened.push(from);
      for (let at = from; at < bytes.length; at += 16_384) yield bytes.subarray(at, at + 16_384);
    },
  };
}

async function read(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

async function pushImage(registry: Registry, repository: string, tag?: string): Promise<{ digest: string; bytes: Buffer }> {
  const config = blobOf(Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } })));
  await placeBlob(registry, repository, config);
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: oci.manifest,
      config: { mediaType: oci.config, digest: config.digest, size: config.size },
      layers: [],
    }),
  );
  await registry.putManifest(repository, tag ?? sha256(bytes), bytes, oci.manifest);
  return { digest: sha256(bytes), bytes };
}

describe.each([['embedded'], ...(real ? [['real']] : [])])('the client and the %s registry', (kind) => {
  const repository = `client/${randomBytes(4).toString('hex')}`;
  let host: string;
  beforeEach(async () => {
    host = kind === 'real' ? (real ?? '') : (await start()).host;
  });

  it('place a blob once, read it, and read the end of it', async () => {
    const registry = new Registry(host, hurried());
    const blob = blobOf(randomBytes(100_000));
    expect(await placeBlob(registry, repository, blob)).toBe('sent');
    expect(await placeBlob(registry, repository, blob)).toBe('there');
    expect((await read(registry.blob(repository, blob))).equals(blob.bytes)).toBe(true);
    expect((await read(registry.blob(repository, blob, 99_000))).equals(blob.bytes.subarray(99_000))).toBe(true);
    expect(await registry.hasBlob(repository, sha256('absent'))).toBe(false);
  });

  it('place an empty blob', async () => {
    const registry = new Registry(host, hurried());
    const blob = blobOf(Buffer.alloc(0));
    await placeBlob(registry, `${repository}-empty`, blob);
    expect(await read(registry.blob(`${repository}-empty`, blob))).toHaveLength(0);
  });

  it('mount a blob of another repository without sending it', async () => {
    const registry = new Registry(host, hurried());
    const blob = blobOf(randomBytes(1000));
    await placeBlob(registry, repository, blob);
    const copied = await copyBlob(
      { registry, repository },
      { registry, repository: `${repository}-mounted` },
      { ...blob, mediaType: oci.layer },
    );
    expect(copied).toBe('mounted');
    expect(blob.opened).toEqual([0]);
    expect(await registry.hasBlob(`${repository}-mounted`, blob.digest)).toBe(true);
  });

  it('stream a blob from one registry to another', async () => {
    const [from, to] = [new Registry((await start()).host, hurried()), new Registry(host, hurried())];
    const blob = blobOf(randomBytes(3_000_000));
    await placeBlob(from, 'source', blob);
    expect(await copyBlob({ registry: from, repository: 'source' }, { registry: to, repository }, { ...blob, mediaType: oci.layer })).toBe(
      'sent',
    );
    expect((await read(to.blob(repository, blob))).equals(blob.bytes)).toBe(true);
  });

  it('put a manifest by digest and by tag, list tags, and say what is not there', async () => {
    const registry = new Registry(host, hurried());
    const { digest, bytes } = await pushImage(registry, repository);
    expect(await registry.manifestDigest(repository, 'main')).toBeUndefined();
    await registry.putManifest(repository, 'main', bytes, oci.manifest);
    expect(await registry.manifestDigest(repository, 'main')).toBe(digest);
    for (const reference of ['main', digest])
      expect(await registry.manifest(repository, reference)).toMatchObject({ digest, bytes, mediaType: oci.manifest });
    expect(await registry.tags(repository)).toEqual(['main']);
    await expect(registry.manifest(repository, 'absent')).rejects.toMatchObject({
      code: 'not-found',
      message: `the registry ${host} has no image ${host}/${repository}:absent`,
    });
  });

  it('refuse a manifest whose blobs are not there, and tag nothing', async () => {
    const registry = new Registry(host, hurried());
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: oci.manifest,
        config: { mediaType: oci.config, digest: sha256('lost'), size: 4 },
        layers: [],
      }),
    );
    await expect(registry.putManifest(repository, 'half', bytes, oci.manifest)).rejects.toMatchObject({
      message: expect.stringContaining('MANIFEST_BLOB_UNKNOWN'),
    });
    expect(await registry.manifestDigest(repository, 'half')).toBeUndefined();
  });

  it('refuse bytes that are not those of the digest', async () => {
    const registry = new Registry(host, hurried());
    const lie: BlobSource = { ...blobOf(Buffer.from('that')), digest: sha256('this') };
    await expect(placeBlob(registry, repository, lie)).rejects.toMatchObject({ message: expect.stringContaining('DIGEST_INVALID') });
  });

  // The connection breaks within the layer: through a proxy of ours, so that a real registry sees it as well.
  it('take up an upload that was cut, or begin it again', async () => {
    const registry = new Registry(host, hurried());
    const bytes = randomBytes(2_000_000);
    let cuts = 2;
    const source: BlobSource = {
      digest: sha256(bytes),
      size: bytes.length,
      async *open(from) {
        for (let at = from; at < bytes.length; at += 65_536) {
          if (at > 1_000_000 && cuts > 0) {
            cuts--;
            throw Object.assign(new Error('cut'), { code: 'ECONNRESET' });
          }
          yield bytes.subarray(at, at + 65_536);
        }
      },
    };
    expect(await placeBlob(registry, `${repository}-cut`, source)).toBe('sent');
    expect((await read(registry.blob(`${repository}-cut`, source))).equals(bytes)).toBe(true);
  });
});

describe('a registry where things go wrong', () => {
  // The last bytes of a connection that broke may be counted after the registry said how much it has.
  it('gets an upload anew where the pieces of a cut one do not fit', async () => {
    const server = await ScriptedServer.start();
    const bytes = randomBytes(300).toString('base64');
    const digest = sha256(Buffer.from(bytes));
    const reply = (status: number, headers: Record<string, string> = {}): Step => json(status, {}, headers);
    const begin = (id: string): Step => reply(202, { location: `/v2/pieces/blobs/uploads/${id}` });
    server.script(
      reply(404),
      begin('first'),
      reply(503),
      reply(204, { range: '0-99', location: '/v2/pieces/blobs/uploads/first' }),
      json(400, { errors: [{ code: 'DIGEST_INVALID' }] }),
      begin('second'),
      reply(201),
    );
    expect(await placeBlob(new Registry(new URL(server.url).host, hurried()), 'pieces', { ...blobOf(Buffer.from(bytes)), digest })).toBe(
      'sent',
    );
    const puts = server.seen.filter(({ method }) => method === 'PUT');
    expect(puts.map(({ path, body }) => [path, body])).toEqual([
      ['/v2/pieces/blobs/uploads/first', bytes],
      ['/v2/pieces/blobs/uploads/first', bytes.slice(100)],
      ['/v2/pieces/blobs/uploads/second', bytes],
    ]);
    await server.stop();
  });

  it.each([429, 500, 502, 503, 504])('is asked again after %i, and the third answer counts', async (status) => {
    const server = await start();
    await server.pushBase('base:1');
    let times = 2;
    server.fault = () => (times-- > 0 ? { status, headers: { 'retry-after': '7' } } : undefined);
    const waits: number[] = [];
    await new Registry(server.host, hurried(waits)).manifest('base', '1');
    expect(waits).toEqual([7000, 7000]);
  });

  it('is given up after five tries, and at once when it asks for more patience than there is', async () => {
    const server = await start();
    server.fault = () => ({ status: 503 });
    const waits: number[] = [];
    const asking = new Registry(server.host, hurried(waits)).manifest('base', '1');
    await expect(asking).rejects.toMatchObject({ code: 'unreachable', message: expect.stringContaining('answered 503 again and again') });
    expect(waits).toHaveLength(4);
    expect(server.requests).toHaveLength(5);
    server.fault = () => ({ status: 429, headers: { 'retry-after': '3600' } });
    await expect(new Registry(server.host, hurried(waits)).manifest('base', '1')).rejects.toMatchObject({ code: 'unreachable' });
    expect(server.requests).toHaveLength(6);
  });

  it('that is not there is said with its host', async () => {
    const server = await start();
    await server.close();
    open.pop();
    const waits: number[] = [];
    await expect(new Registry(server.host, hurried(waits)).manifest('base', '1')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining(`the registry ${server.host} cannot be reached`),
    });
    expect(waits).toHaveLength(4);
  });

  it('takes up a download that was cut where it was', async () => {
    const server = await start();
    const registry = new Registry(server.host, hurried());
    const blob = blobOf(randomBytes(500_000));
    await placeBlob(registry, 'a', blob);
    let cuts = 2;
    server.fault = ({ method, path }) => (method === 'GET' && path.includes('/blobs/') && cuts-- > 0 ? { cutAfter: 100_000 } : undefined);
    server.requests.length = 0;
    expect((await read(registry.blob('a', blob))).equals(blob.bytes)).toBe(true);
    const ranges = server.requests.map(({ headers }) => headers.range);
    expect(ranges).toHaveLength(3);
    expect(ranges.slice(1).every((range) => /^bytes=[1-9][0-9]+-499999$/u.test(range ?? ''))).toBe(true);
    expect(server.requests.at(-1)?.sent).toBeLessThan(500_000);
  });

  it('gives up a download that makes no progress', async () => {
    const server = await start();
    const registry = new Registry(server.host, hurried());
    const blob = blobOf(randomBytes(1000));
    await placeBlob(registry, 'a', blob);
    server.fault = ({ method, path }) => (method === 'GET' && path.includes('/blobs/') ? { cutAfter: 0 } : undefined);
    await expect(read(registry.blob('a', blob))).rejects.toMatchObject({ code: 'unreachable' });
  });

  it.each([
    ['a blob', (registry: Registry, digest: string) => registry.smallBlob('a', { digest, size: 1000 })],
    ['a manifest', (registry: Registry, _blob: string, manifest: string) => registry.manifest('a', manifest)],
    ['a manifest by tag', (registry: Registry) => registry.manifest('a', 'tag')],
  ])('that changes a bit of %s is not believed', async (_name, ask) => {
    const server = await start();
    const registry = new Registry(server.host, hurried());
    const blob = blobOf(randomBytes(1000));
    await placeBlob(registry, 'a', blob);
    const { digest } = await pushImage(registry, 'a', 'tag');
    server.fault = ({ method }) => (method === 'GET' ? { corrupt: true } : undefined);
    await expect(ask(registry, blob.digest, digest)).rejects.toMatchObject({
      code: 'mismatch',
      message: expect.stringContaining('is not what its digest names'),
    });
  });

  it('whose manifest is longer than allowed, or whose blob is longer than it says, is not read on', async () => {
    const server = await start();
    const registry = new Registry(server.host, hurried());
    const blob = blobOf(randomBytes(100_000));
    await placeBlob(registry, 'a', blob);
    await expect(read(registry.blob('a', { ...blob, size: 1000 }))).rejects.toMatchObject({
      code: 'mismatch',
      message: expect.stringContaining('longer than the 1000 bytes'),
    });
    server.fault = () => ({ status: 200, body: ' '.repeat(5_000_000) });
    await expect(registry.manifest('a', 'x')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('more than 4194304 bytes'),
    });
  });

  it('gets the rest of an upload that was cut, and not all of it', async () => {
    const server = await start();
    const registry = new Registry(server.host, hurried());
    const blob = blobOf(randomBytes(1_000_000));
    let cuts = 1;
    server.fault = ({ method }) => (method === 'PUT' && cuts-- > 0 ? { cutAfter: 300_000 } : undefined);
    await placeBlob(registry, 'a', blob);
    expect(blob.opened).toHaveLength(2);
    expect(blob.opened[1]).toBeGreaterThan(0);
    expect((await read(registry.blob('a', blob))).equals(blob.bytes)).toBe(true);
  });

  it('gets all of it again when it forgot the upload', async () => {
    const server = await start();
    const registry = new Registry(server.host, hurried());
    const blob = blobOf(randomBytes(1_000_000));
    let cuts = 1;
    const lost = (request: RecordedRequest): boolean => request.method === 'GET' && request.path.includes('/uploads/');
    server.fault = (request) =>
      lost(request) ? { status: 404 } : request.method === 'PUT' && cuts-- > 0 ? { cutAfter: 300_000 } : undefined;
    await placeBlob(registry, 'a', blob);
    expect(blob.opened).toEqual([0, 0]);
    expect(await registry.hasBlob('a', blob.digest)).toBe(true);
  });

  it('is given up when every upload is cut', async () => {
    const server = await start();
    const blob = blobOf(randomBytes(1_000_000));
    server.fault = ({ method }) => (method === 'PUT' ? { cutAfter: 100 } : undefined);
    await expect(placeBlob(new Registry(server.host, hurried()), 'a', blob)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('five times and never whole'),
    });
    expect(await new Registry(server.host).hasBlob('a', blob.digest)).toBe(false);
  });

  it('that answers an upload before it was sent whole is understood', async () => {
    const server = await start();
    server.fault = ({ method }) =>
      method === 'PUT' ? { status: 400, body: JSON.stringify({ errors: [{ code: 'SIZE_INVALID', message: 'too large' }] }) } : undefined;
    await expect(placeBlob(new Registry(server.host, hurried()), 'a', blobOf(randomBytes(5_000_000)))).rejects.toMatchObject({
      message: expect.stringMatching(/answered 400.*SIZE_INVALID: too large/u),
    });
  });

  it('loses to a signal at once', async () => {
    const server = await start();
    await server.pushBase('base:1');
    const stop = new AbortController();
    const reason = new Error('stopped');
    server.fault = () => {
      stop.abort(reason);
      return { status: 503 };
    };
    await expect(new Registry(server.host, { signal: stop.signal }).manifest('base', '1')).rejects.toBe(reason);
    expect(server.requests).toHaveLength(1);
  });
});

describe.each(['basic', 'bearer'] as const)('a registry with logins (%s)', (kind) => {
  const users = { alice: 'pa:ss', bob: 'b' };
  const may = (user: string | undefined, action: string, repository: string): boolean =>
    user === 'alice' || (action === 'pull' && (user === 'bob' || (repository === 'public' && kind === 'bearer')));
  const as = (host: string, username: string, password: string): RegistryOptions => ({
    ...hurried(),
    credentials: firstOf(credentialsFor(host, { username, password })),
  });

  it('lets in who may, and masks every secret', async () => {
    const { host } = await start({ access: { kind, users, may } });
    const masked: string[] = [];
    const registry = new Registry(host, { ...as(host, 'alice', 'pa:ss'), mask: (secret) => masked.push(secret) });
    const { digest } = await pushImage(registry, 'owner/image', 'tag');
    expect((await registry.manifest('owner/image', 'tag')).digest).toBe(digest);
    expect(masked.slice(0, 2)).toEqual(['pa:ss', Buffer.from('alice:pa:ss').toString('base64')]);
    // Each token is masked before it is used.
    const used = open[0]?.requests.flatMap(({ headers }) => /^Bearer (.+)$/u.exec(headers.authorization ?? '')?.[1] ?? []) ?? [];
    expect(used.every((token) => masked.includes(token))).toBe(true);
    expect(used.length > 0).toBe(kind === 'bearer');
  });

  it('says which right is missing on which repository', async () => {
    const server = await start({ access: { kind, users, may } });
    await expect(pushImage(new Registry(server.host, as(server.host, 'bob', 'b')), 'owner/image', 'tag')).rejects.toMatchObject({
      code: 'permission',
      message: expect.stringContaining(`the registry ${server.host} refused "push" on owner/image`),
      remedy: 'check that the user who is logged in may push there, and that the repository exists',
    });
    await expect(new Registry(server.host, hurried()).manifest('owner/image', 'tag')).rejects.toMatchObject({
      code: 'permission',
      message: expect.stringContaining(`refused "pull" on owner/image`),
      remedy: expect.stringContaining('log in before this step'),
    });
    await expect(new Registry(server.host, as(server.host, 'alice', 'wrong')).manifest('owner/image', 'tag')).rejects.toMatchObject({
      code: 'permission',
    });
    // A refusal is final: nothing is tried five times.
    expect(server.requests.length).toBeLessThan(15);
  });

  it('mounts with the right to read the other repository', async () => {
    const { host } = await start({ access: { kind, users, may } });
    const registry = new Registry(host, as(host, 'alice', 'pa:ss'));
    const blob = blobOf(randomBytes(100));
    await placeBlob(registry, 'base/image', blob);
    const copied = await copyBlob(
      { registry, repository: 'base/image' },
      { registry, repository: 'owner/image' },
      { ...blob, mediaType: oci.layer },
    );
    expect(copied).toBe('mounted');
  });

  if (kind === 'bearer') {
    it('asks for one token to push and to pull, and renews it once when it has expired', async () => {
      const server = await start({ access: { kind, users, may } });
      const registry = new Registry(server.host, as(server.host, 'alice', 'pa:ss'));
      await pushImage(registry, 'owner/image', 'tag');
      const tokens = (): number => server.requests.filter(({ path }) => path === '/token').length;
      expect(tokens()).toBe(1);
      for (let time = 0; time < 3; time++) await registry.manifest('owner/image', 'tag');
      expect(tokens()).toBe(1);
      // Requests at once share one as well.
      const another = new Registry(server.host, as(server.host, 'alice', 'pa:ss'));
      await Promise.all(Array.from({ length: 5 }, () => another.manifest('owner/image', 'tag')));
      expect(tokens()).toBe(2);
      server.expireTokens();
      await Promise.all(Array.from({ length: 5 }, () => another.manifest('owner/image', 'tag')));
      expect(tokens()).toBe(3);
      await registry.manifest('owner/image', 'tag');
      expect(tokens()).toBe(4);
      // One to pull is none to push with, and the upload in its middle renews that.
      const blob = blobOf(randomBytes(100_000));
      const wasFault = server.fault;
      let isFirst = true;
      server.fault = ({ method }) => {
        if (method === 'PUT' && isFirst) {
          isFirst = false;
          server.expireTokens();
        }
        return undefined;
      };
      expect(await placeBlob(registry, 'owner/image', blob)).toBe('sent');
      server.fault = wasFault;
      expect(blob.opened).toEqual([0, 0]);
    });

    it('lets in who has an identity token, as cloud registries give them to credential helpers', async () => {
      const server = await start({ access: { kind, users, may, identityTokens: { 'the-identity': 'alice' } } });
      const masked: string[] = [];
      const known = (identityToken: string): Registry =>
        new Registry(server.host, {
          ...hurried(),
          credentials: async () => ({ identityToken }),
          mask: (secret) => masked.push(secret),
        });
      await pushImage(known('the-identity'), 'owner/image', 'tag');
      expect(masked).toContain('the-identity');
      await expect(known('another').manifest('owner/image', 'tag')).rejects.toMatchObject({ code: 'permission' });
    });

    it('lets anybody read what is public', async () => {
      const server = await start({ access: { kind, users, may } });
      await server.pushBase('public:1');
      await new Registry(server.host, hurried()).manifest('public', '1');
      expect(server.requests.find(({ path }) => path === '/token')?.headers.authorization).toBeUndefined();
    });
  }
});

describe('what must not leak', () => {
  it('a login is sent to no other host, not by a redirect, an upload or a token server in clear text', async () => {
    const other = await start();
    const server = await start({ access: { kind: 'basic', users: { alice: 'a' } } });
    const registry = new Registry(server.host, {
      ...hurried(),
      credentials: credentialsFor(server.host, { username: 'alice', password: 'a' }),
    });
    const blob = blobOf(randomBytes(100));
    const elsewhere = new Registry(other.host, hurried());
    await placeBlob(elsewhere, 'a', blob);
    await placeBlob(registry, 'a', blob);
    server.fault = ({ method, path, headers }) => {
      if (headers.authorization === undefined) return undefined;
      if (method === 'GET' && path.includes('/blobs/')) return { status: 307, headers: { location: `http://${other.host}${path}` } };
      if (method === 'POST') return { status: 202, headers: { location: `http://${other.host}/v2/a/blobs/uploads/nowhere` } };
      return undefined;
    };
    other.requests.length = 0;
    expect((await read(registry.blob('a', blob))).equals(blob.bytes)).toBe(true);
    await expect(placeBlob(registry, 'a', blobOf(randomBytes(50)))).rejects.toMatchObject({ code: 'unreachable' });
    expect(other.requests.length).toBeGreaterThan(2);
    expect(other.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  it.each(['ftp://x/token', 'not an address', ''])('a realm such as %j gets none', async (realm) => {
    const server = await start();
    server.fault = () => ({ status: 401, headers: { 'www-authenticate': `Bearer realm="${realm}",service="x"` } });
    const registry = new Registry(server.host, {
      ...hurried(),
      credentials: credentialsFor(server.host, { username: 'alice', password: 'a' }),
    });
    await expect(registry.manifest('a', 'b')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('sends logins to'),
    });
  });
});
