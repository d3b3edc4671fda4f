import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { startRegistry, type TestRegistry } from '@slashtrain/testing/registry/server';

/*
 * The distribution specification (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md), as far as the
 * embedded registry claims it, in the order of the specification's own conformance suite: pull, push, content
 * discovery, content management. The same cases run against a real registry: SLASHTRAIN_REGISTRY=localhost:5000.
 */
const real = process.env['SLASHTRAIN_REGISTRY'];
if (!real) process.stdout.write('skipped: the distribution specification on a real registry; set SLASHTRAIN_REGISTRY=host:port\n');

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const sha256 = (bytes: Buffer | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

describe.each([['embedded'], ...(real ? [['real']] : [])])('the %s registry', (kind) => {
  const repository = `conformance/${randomBytes(4).toString('hex')}`;
  let registry: TestRegistry | undefined;
  let base = '';

  beforeAll(async () => {
    if (kind === 'embedded') registry = await startRegistry();
    base = `http://${registry?.host ?? real ?? ''}`;
  });
  afterAll(() => registry?.close());

  const ask = (method: string, path: string, body?: Buffer | string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(new URL(path, base), { method, headers, redirect: 'manual', ...(body === undefined ? {} : { body }) });
  const at = (path: string, name = repository): string => `/v2/${name}/${path}`;
  const withDigest = (location: string | null, digest: string): string => {
    const url = new URL(location ?? '', base);
    url.searchParams.set('digest', digest);
    return url.href;
  };
  const octets = { 'content-type': 'application/octet-stream' };
  async function pushBlob(bytes: Buffer, name = repository): Promise<string> {
    const begun = await ask('POST', at('blobs/uploads/', name));
    const answer = await ask('PUT', withDigest(begun.headers.get('location'), sha256(bytes)), bytes, octets);
    expect(answer.status).toBe(201);
    return sha256(bytes);
  }
  async function manifestOf(content: string, name = repository): Promise<string> {
    const config = Buffer.from(
      JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] }, author: content }),
    );
    const layer = Buffer.from(content);
    const descriptor = (mediaType: string, bytes: Buffer): object => ({ mediaType, digest: sha256(bytes), size: bytes.length });
    await pushBlob(config, name);
    await pushBlob(layer, name);
    return JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: descriptor('application/vnd.oci.image.config.v1+json', config),
      layers: [descriptor('application/vnd.oci.image.layer.v1.tar+gzip', layer)],
    });
  }
  const pushManifest = (reference: string, manifest: string, name = repository): Promise<Response> =>
    ask('PUT', at(`manifests/${reference}`, name), manifest, { 'content-type': manifestType });
  const codes = async (answer: Response): Promise<unknown[]> =>
    ((await answer.json()) as { errors: { code: unknown }[] }).errors.map(({ code }) => code);

  // spec.md#determining-support
  it('says that it speaks the API (end-1)', async () => {
    expect((await ask('GET', '/v2/')).status).toBe(200);
  });

  describe('pull', () => {
    const blob = randomBytes(1000);
    let manifest = '';
    beforeAll(async () => {
      await pushBlob(blob);
      manifest = await manifestOf('pull');
      expect((await pushManifest('pull', manifest)).status).toBe(201);
    });

    // spec.md#pulling-manifests, spec.md#checking-if-content-exists-in-the-registry
    it.each(['pull', 'digest'])('gives a manifest by %s, to the byte (end-3)', async (by) => {
      const reference = by === 'digest' ? sha256(manifest) : 'pull';
      const answer = await ask('GET', at(`manifests/${reference}`), undefined, { accept: manifestType });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe(manifestType);
      expect(answer.headers.get('docker-content-digest')).toBe(sha256(manifest));
      expect(await answer.text()).toBe(manifest);
      const head = await ask('HEAD', at(`manifests/${reference}`), undefined, { accept: manifestType });
      expect(head.status).toBe(200);
      expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(manifest)));
      expect(head.headers.get('docker-content-digest')).toBe(sha256(manifest));
    });

    it.each(['absent', sha256('absent')])('answers 404 to a manifest it does not have: %s (end-3)', async (reference) => {
      const answer = await ask('GET', at(`manifests/${reference}`));
      expect(answer.status).toBe(404);
      expect(await codes(answer)).toEqual(['MANIFEST_UNKNOWN']);
      expect((await ask('HEAD', at(`manifests/${reference}`))).status).toBe(404);
    });

    // spec.md#pulling-blobs
    it('gives a blob by its digest (end-2)', async () => {
      const answer = await ask('GET', at(`blobs/${sha256(blob)}`));
      expect(answer.status).toBe(200);
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(blob);
      const head = await ask('HEAD', at(`blobs/${sha256(blob)}`));
      expect(head.status).toBe(200);
      expect(head.headers.get('content-length')).toBe('1000');
    });

    it('answers 404 to a blob it does not have (end-2)', async () => {
      const answer = await ask('GET', at(`blobs/${sha256('absent')}`));
      expect(answer.status).toBe(404);
      expect(await codes(answer)).toEqual(['BLOB_UNKNOWN']);
      expect((await ask('HEAD', at(`blobs/${sha256('absent')}`))).status).toBe(404);
    });

    // "A registry SHOULD support the Range request header": spec.md#pulling-blobs
    it.each([
      ['bytes=100-199', 100, 200],
      ['bytes=990-', 990, 1000],
      ['bytes=990-5000', 990, 1000],
      ['bytes=-10', 990, 1000],
    ])('gives a part of a blob: %s', async (range, start, end) => {
      const answer = await ask('GET', at(`blobs/${sha256(blob)}`), undefined, { range });
      expect(answer.status).toBe(206);
      expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/1000`);
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(blob.subarray(start, end));
    });

    it('answers 416 to a part beyond the end', async () => {
      expect((await ask('GET', at(`blobs/${sha256(blob)}`), undefined, { range: 'bytes=1000-' })).status).toBe(416);
    });

    it('gives no blob through a repository that does not have it', async () => {
      expect((await ask('GET', at(`blobs/${sha256(blob)}`, `${repository}-other`))).status).toBe(404);
    });
  });

  describe('push', () => {
    // spec.md#post-then-put
    it('takes a blob whole by POST and PUT (end-4a, end-6)', async () => {
      const bytes = randomBytes(5000);
      const begun = await ask('POST', at('blobs/uploads/'));
      expect(begun.status).toBe(202);
      const answer = await ask('PUT', withDigest(begun.headers.get('location'), sha256(bytes)), bytes, octets);
      expect(answer.status).toBe(201);
      expect(new URL(answer.headers.get('location') ?? '', base).pathname).toBe(at(`blobs/${sha256(bytes)}`));
      expect(Buffer.from(await (await ask('GET', at(`blobs/${sha256(bytes)}`))).arrayBuffer())).toEqual(bytes);
    });

    // spec.md#single-post: "Registries MAY opt out", and then answer 202 with a place for the PUT
    it('takes a blob whole by one POST, or says where to PUT it (end-4b)', async () => {
      const bytes = randomBytes(50);
      const answer = await ask('POST', at(`blobs/uploads/?digest=${sha256(bytes)}`), bytes, octets);
      if (answer.status === 202)
        expect((await ask('PUT', withDigest(answer.headers.get('location'), sha256(bytes)), bytes, octets)).status).toBe(201);
      else expect(answer.status).toBe(201);
      expect((await ask('HEAD', at(`blobs/${sha256(bytes)}`))).status).toBe(200);
    });

    // spec.md#pushing-a-blob-in-chunks
    it('takes a blob in chunks, tells how far it is, and refuses one out of order (end-5, end-13)', async () => {
      const bytes = randomBytes(3000);
      const begun = await ask('POST', at('blobs/uploads/'), undefined, { 'content-length': '0' });
      const chunk = (location: string | null, from: number, to: number): Promise<Response> =>
        ask('PATCH', new URL(location ?? '', base).href, bytes.subarray(from, to), { ...octets, 'content-range': `${from}-${to - 1}` });
      const first = await chunk(begun.headers.get('location'), 0, 1000);
      expect(first.status).toBe(202);
      expect(first.headers.get('range')).toBe('0-999');
      const wrong = await chunk(first.headers.get('location'), 2000, 3000);
      expect(wrong.status).toBe(416);
      const state = await ask('GET', new URL(first.headers.get('location') ?? '', base).href);
      expect(state.status).toBe(204);
      expect(state.headers.get('range')).toBe('0-999');
      const second = await chunk(state.headers.get('location'), 1000, 2000);
      expect(second.headers.get('range')).toBe('0-1999');
      const last = await ask('PUT', withDigest(second.headers.get('location'), sha256(bytes)), bytes.subarray(2000), {
        ...octets,
        'content-range': '2000-2999',
      });
      expect(last.status).toBe(201);
      expect(Buffer.from(await (await ask('GET', at(`blobs/${sha256(bytes)}`))).arrayBuffer())).toEqual(bytes);
    });

    it('takes an empty blob', async () => {
      await pushBlob(Buffer.alloc(0));
      expect((await (await ask('GET', at(`blobs/${sha256('')}`))).arrayBuffer()).byteLength).toBe(0);
    });

    it('refuses a blob whose bytes are others than its digest says', async () => {
      const begun = await ask('POST', at('blobs/uploads/'));
      const answer = await ask('PUT', withDigest(begun.headers.get('location'), sha256('this')), Buffer.from('that'), octets);
      expect(answer.status).toBe(400);
      expect(await codes(answer)).toEqual(['DIGEST_INVALID']);
      expect((await ask('HEAD', at(`blobs/${sha256('this')}`))).status).toBe(404);
    });

    // spec.md#cancel-a-blob-upload
    it('forgets an upload that is cancelled (end-14)', async () => {
      const begun = await ask('POST', at('blobs/uploads/'));
      const location = new URL(begun.headers.get('location') ?? '', base).href;
      expect((await ask('DELETE', location)).status).toBe(204);
      const answer = await ask('PUT', withDigest(location, sha256('x')), Buffer.from('x'), octets);
      expect(answer.status).toBe(404);
      expect(await codes(answer)).toEqual(['BLOB_UPLOAD_UNKNOWN']);
    });

    // spec.md#mounting-a-blob-from-another-repository
    it('mounts a blob of another repository (end-11)', async () => {
      const bytes = randomBytes(100);
      const digest = await pushBlob(bytes, `${repository}-source`);
      const answer = await ask('POST', at(`blobs/uploads/?mount=${digest}&from=${repository}-source`));
      expect(answer.status).toBe(201);
      expect((await ask('HEAD', at(`blobs/${digest}`))).status).toBe(200);
    });

    it('begins an upload where there is nothing to mount (end-11)', async () => {
      const answer = await ask('POST', at(`blobs/uploads/?mount=${sha256('nowhere')}&from=${repository}-source`));
      expect(answer.status).toBe(202);
      expect(answer.headers.get('location')).toBeTruthy();
    });

    // spec.md#pushing-manifests
    it('takes a manifest by digest, then by tag, and moves the tag (end-7)', async () => {
      const [one, two] = [await manifestOf('one'), await manifestOf('two')];
      const answer = await pushManifest(sha256(one), one);
      expect(answer.status).toBe(201);
      expect(answer.headers.get('docker-content-digest')).toBe(sha256(one));
      expect((await ask('HEAD', at('manifests/moving'), undefined, { accept: manifestType })).status).toBe(404);
      for (const manifest of [one, two]) {
        expect((await pushManifest('moving', manifest)).status).toBe(201);
        expect(await (await ask('GET', at('manifests/moving'), undefined, { accept: manifestType })).text()).toBe(manifest);
      }
      expect((await ask('HEAD', at(`manifests/${sha256(one)}`), undefined, { accept: manifestType })).status).toBe(200);
    });

    it.each([
      ['a manifest whose blobs are not there', 'x', { layer: 'lost' }, 'MANIFEST_BLOB_UNKNOWN'],
      ['a manifest under a digest of other bytes', sha256('other'), {}, 'DIGEST_INVALID'],
      ['a manifest that is no JSON', 'x', { text: 'no json' }, 'MANIFEST_INVALID'],
    ])('refuses %s', async (_name, reference, { layer, text }: { layer?: string; text?: string }, code) => {
      const whole = JSON.parse(await manifestOf('bad')) as { layers: object[] };
      if (layer !== undefined)
        whole.layers = [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: sha256(layer), size: 4 }];
      const answer = await pushManifest(reference, text ?? JSON.stringify(whole));
      // Distribution answers 404 to blobs it does not know, and the specification names no status.
      expect([400, 404]).toContain(answer.status);
      expect(await codes(answer)).toContain(code);
    });
  });

  // spec.md#listing-tags
  describe('content discovery', () => {
    const name = `${repository}-tags`;
    const tags = ['1.0', 'Zeta', 'alpha', 'beta', 'gamma'];
    beforeAll(async () => {
      const manifest = await manifestOf('tags', name);
      for (const tag of [...tags].reverse()) expect((await pushManifest(tag, manifest, name)).status).toBe(201);
    });
    const list = async (query: string): Promise<string[]> =>
      ((await (await ask('GET', at(`tags/list${query}`, name))).json()) as { tags: string[] }).tags;

    it('lists tags in order (end-8a)', async () => {
      expect(await list('')).toEqual(tags);
    });

    it('lists them by pages (end-8b)', async () => {
      expect(await list('?n=2')).toEqual(['1.0', 'Zeta']);
      expect(await list('?n=2&last=Zeta')).toEqual(['alpha', 'beta']);
      expect(await list('?n=2&last=beta')).toEqual(['gamma']);
      expect(await list('?n=0')).toEqual([]);
      const link = (await ask('GET', at('tags/list?n=2', name))).headers.get('link') ?? '';
      expect(link).toMatch(/^<[^>]+>; rel="next"$/u);
      const next = await ask('GET', new URL(link.slice(1, link.indexOf('>')), base).href);
      expect(((await next.json()) as { tags: string[] }).tags).toEqual(['alpha', 'beta']);
    });

    it('answers 404 to the tags of a repository that it does not know', async () => {
      const answer = await ask('GET', at('tags/list', `${repository}-nowhere`));
      expect(answer.status).toBe(404);
      expect(await codes(answer)).toEqual(['NAME_UNKNOWN']);
    });

    // spec.md#listing-referrers; a registry without them answers 404 (spec.md#unavailable-referrers-api), as Distribution does
    it('lists what is about a manifest, or answers 404 (end-12a, end-12b)', async () => {
      const subject = await manifestOf('subject', name);
      await pushManifest(sha256(subject), subject, name);
      const about = JSON.parse(await manifestOf('about', name)) as object;
      const referrer = JSON.stringify({
        ...about,
        artifactType: 'application/vnd.example.sbom',
        subject: { mediaType: manifestType, digest: sha256(subject), size: subject.length },
        annotations: { 'org.example': 'x' },
      });
      const pushed = await pushManifest(sha256(referrer), referrer, name);
      const answer = await ask('GET', at(`referrers/${sha256(subject)}`, name));
      if (answer.status === 404) {
        expect([kind, pushed.headers.get('oci-subject')]).toEqual(['real', null]);
        return;
      }
      expect(pushed.headers.get('oci-subject')).toBe(sha256(subject));
      expect(answer.headers.get('content-type')).toBe('application/vnd.oci.image.index.v1+json');
      const entry = {
        mediaType: manifestType,
        digest: sha256(referrer),
        size: referrer.length,
        artifactType: 'application/vnd.example.sbom',
        annotations: { 'org.example': 'x' },
      };
      expect(await answer.json()).toMatchObject({ schemaVersion: 2, manifests: [entry] });
      for (const [type, found] of [
        ['application/vnd.example.sbom', [entry]],
        ['application/vnd.example.other', []],
      ] as const) {
        const filtered = await ask('GET', at(`referrers/${sha256(subject)}?artifactType=${type}`, name));
        expect(filtered.headers.get('oci-filters-applied')).toBe('artifactType');
        expect(((await filtered.json()) as { manifests: unknown[] }).manifests).toEqual(found);
      }
    });
  });

  // spec.md#content-management
  it('deletes tags, manifests and blobs (end-9, end-10)', async () => {
    const name = `${repository}-gone`;
    const manifest = await manifestOf('gone', name);
    const blob = await pushBlob(Buffer.from('gone too'), name);
    for (const tag of ['a', 'b']) await pushManifest(tag, manifest, name);
    const head = async (reference: string): Promise<number> =>
      (await ask('HEAD', at(`manifests/${reference}`, name), undefined, { accept: manifestType })).status;
    expect((await ask('DELETE', at('manifests/a', name))).status).toBe(202);
    expect([await head('a'), await head('b'), await head(sha256(manifest))]).toEqual([404, 200, 200]);
    expect((await ask('DELETE', at(`manifests/${sha256(manifest)}`, name))).status).toBe(202);
    expect([await head('b'), await head(sha256(manifest))]).toEqual([404, 404]);
    expect((await ask('DELETE', at(`blobs/${blob}`, name))).status).toBe(202);
    expect((await ask('HEAD', at(`blobs/${blob}`, name))).status).toBe(404);
  });

  it('refuses a name that is none', async () => {
    const answer = await ask('GET', at('manifests/x', 'Bad_Name'));
    expect([400, 404]).toContain(answer.status);
  });
});

// What only ours does: it refuses by name.
describe('the embedded registry', () => {
  it.each([
    ['GET', '/v2/_catalog'],
    ['POST', '/v2/a/manifests/b'],
    ['GET', '/anything'],
  ])('does not support %s %s and says so', async (method, path) => {
    const registry = await startRegistry();
    try {
      const answer = await fetch(`http://${registry.host}${path}`, { method });
      expect(answer.status).toBe(501);
      expect(((await answer.json()) as { errors: { code: string; message: string }[] }).errors[0]).toMatchObject({
        code: 'UNSUPPORTED',
        message: `the embedded registry does not support ${method} ${path}`,
      });
    } finally {
      await registry.close();
    }
  });
});
