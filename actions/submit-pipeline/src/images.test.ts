import { expect, it } from '@jest/globals';
import type { Log } from '@slashtrain/core/action/log';
import { imageSources } from './images.ts';

const sha = 'b'.repeat(40);
const digest = `@sha256:${'a'.repeat(64)}`;
const label = 'org.opencontainers.image.revision';

it.each<[string, string, () => Promise<Record<string, string>>, string]>([
  [
    'built from this commit counts by its repository',
    `localhost:5000/digits:main${digest}`,
    async () => ({ [label]: sha }),
    'localhost:5000/digits',
  ],
  ['built from another counts by its digest', `ghcr.io/a/b${digest}`, async () => ({ [label]: 'c'.repeat(40) }), `ghcr.io/a/b${digest}`],
  ['without labels counts by its digest', `ghcr.io/a/b${digest}`, async () => ({}), `ghcr.io/a/b${digest}`],
  ['that cannot be read counts by its digest', `ghcr.io/a/b${digest}`, () => Promise.reject(new Error('no login')), `ghcr.io/a/b${digest}`],
])('an image %s', async (_, image, read, expected) => {
  const lines: string[] = [];
  const log = { debug: (line: string) => lines.push(line) } as unknown as Log;
  await expect(imageSources(new Map([['train', image]]), sha, read, log)).resolves.toEqual(new Map([['train', expected]]));
  if (expected === image) expect(lines.join()).toContain('digest is a part of the request');
});
