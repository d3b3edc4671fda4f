import { describe, expect, it } from '@jest/globals';
import { formatImageName, lowerImageName, manifestReference, parseImageName, registryAddress } from './image-name.ts';

const digest = `sha256:${'0a'.repeat(32)}`;

describe('an image name', () => {
  it.each([
    ['python', { registry: 'docker.io', repository: 'library/python' }],
    ['python:3.12-slim', { registry: 'docker.io', repository: 'library/python', tag: '3.12-slim' }],
    ['pytorch/pytorch:2.9', { registry: 'docker.io', repository: 'pytorch/pytorch', tag: '2.9' }],
    ['index.docker.io/library/python', { registry: 'docker.io', repository: 'library/python' }],
    ['ghcr.io/owner/image', { registry: 'ghcr.io', repository: 'owner/image' }],
    ['GHCR.io/owner/image:v1', { registry: 'ghcr.io', repository: 'owner/image', tag: 'v1' }],
    ['localhost/image', { registry: 'localhost', repository: 'image' }],
    ['localhost:5000/a/b__c/d--e:1', { registry: 'localhost:5000', repository: 'a/b__c/d--e', tag: '1' }],
    ['127.0.0.1:41234/x', { registry: '127.0.0.1:41234', repository: 'x' }],
    ['[::1]:5000/x', { registry: '[::1]:5000', repository: 'x' }],
    [`eu.gcr.io/p/i:t@${digest}`, { registry: 'eu.gcr.io', repository: 'p/i', tag: 't', digest }],
    [`i@${digest}`, { registry: 'docker.io', repository: 'library/i', digest }],
  ])('%s', (text, expected) => {
    const name = parseImageName(text, 'input "image"');
    expect(name).toEqual(expected);
    expect(parseImageName(formatImageName(name), 'again')).toEqual(name);
  });

  it.each([
    ['', 'the path is empty'],
    ['ghcr.io/', 'the path is empty'],
    ['ghcr.io/Owner/image', 'repositories are lower case'],
    ['Image', 'repositories are lower case'],
    ['https://ghcr.io/owner/image', 'it is an address'],
    ['docker://python', 'it is an address'],
    ['ghcr.io/owner/image:', '"" is no tag'],
    ['ghcr.io/owner/image:-x', '"-x" is no tag'],
    [`ghcr.io/owner/image:${'x'.repeat(129)}`, 'is no tag'],
    ['ghcr.io/owner/image@sha256:abc', '"sha256:abc" is no digest'],
    [`ghcr.io/owner/image@${digest.toUpperCase()}`, 'is no digest'],
    [`ghcr.io/a@${digest}@${digest}`, 'more than one "@"'],
    ['ghcr.io/../etc', 'is no path of a repository'],
    ['ghcr.io/a//b', 'is no path of a repository'],
    ['ghcr.io/a b', 'is no path of a repository'],
    ['ghcr.io/a\nb', 'is no path of a repository'],
    ['-bad-.io/a', '"-bad-.io" is no host'],
    [`ghcr.io/${'a'.repeat(250)}`, 'longer than 255'],
  ])('%j is refused', (text, why) => {
    let said = '';
    try {
      parseImageName(text, 'input "image"');
    } catch (error) {
      said = `${(error as Error).message}; ${(error as { remedy?: string }).remedy ?? ''}`;
    }
    expect(said).toContain('input "image"');
    expect(said).toContain(why);
  });

  it('is asked for by digest first, then tag, then latest', () => {
    expect(manifestReference(parseImageName(`a:b@${digest}`, ''))).toBe(digest);
    expect(manifestReference(parseImageName('a:b', ''))).toBe('b');
    expect(manifestReference(parseImageName('a', ''))).toBe('latest');
  });

  it.each([
    ['docker.io', 'https://registry-1.docker.io/'],
    ['ghcr.io', 'https://ghcr.io/'],
    ['localhost:5000', 'http://localhost:5000/'],
    ['127.0.0.1:41234', 'http://127.0.0.1:41234/'],
    ['localhost.example.com', 'https://localhost.example.com/'],
    ['registry.example.com:5000', 'https://registry.example.com:5000/'],
  ])('%s answers at %s', (registry, address) => {
    expect(registryAddress(registry).href).toBe(address);
  });
});

it.each([
  ['ghcr.io/Acme/Digits', 'ghcr.io/acme/digits'],
  ['ghcr.io/Acme/Digits:Main', 'ghcr.io/acme/digits:Main'],
  ['localhost:5000/Acme/x', 'localhost:5000/acme/x'],
  [`localhost/Acme/x:V1@${digest}`, `localhost/acme/x:V1@${digest}`],
  [`host:1/A@${digest}`, `host:1/a@${digest}`],
  ['Acme/Digits', 'acme/digits'],
  ['Python:3.12-Slim', 'python:3.12-Slim'],
])('%s in lower case is %s', (text, lowered) => expect(lowerImageName(text)).toBe(lowered));
