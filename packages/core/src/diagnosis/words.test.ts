import { describe, expect, it } from '@jest/globals';
import { tidy } from './words.ts';

const name = 'ghcr.io/acme/digits@sha256:aaaa';
const containerd = (why: string): string => `failed to pull and unpack image "${name}": failed to resolve reference "${name}": ${why}`;

// As a kubelet 1.35 with containerd 1.6 and 2.1 wrote them, but for the names.
describe('tidy', () => {
  it.each([
    [
      `Back-off pulling image "${name}": ErrImagePull: rpc error: code = NotFound desc = ${containerd(`${name}: not found`)}`,
      `cannot pull the image ${name}: not found`,
    ],
    [`rpc error: code = NotFound desc = ${containerd(`${name}: not found`)}`, `cannot pull the image ${name}: not found`],
    [
      containerd(
        'failed to do request: Head "http://127.0.0.1:1/v2/nothing/manifests/1": dial tcp 127.0.0.1:1: connect: connection refused',
      ),
      `cannot pull the image ${name}: failed to do request: Head "http://127.0.0.1:1/v2/nothing/manifests/1": dial tcp 127.0.0.1:1: connect: connection refused`,
    ],
    [`Back-off pulling image "${name}"`, `cannot pull the image ${name}`],
    [`cannot pull the image ${name}: not found`, `cannot pull the image ${name}: not found`],
    ['failed to authorize: 403 Forbidden', 'failed to authorize: 403 Forbidden'],
    [
      '0/1 nodes are available: 1 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
      '0/1 nodes are available: 1 Insufficient nvidia.com/gpu.',
    ],
    ['', ''],
  ])('%s', (message, words) => {
    expect(tidy(message)).toBe(words);
    expect(tidy(tidy(message))).toBe(words);
  });
});
