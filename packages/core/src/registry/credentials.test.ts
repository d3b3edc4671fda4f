import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dockerConfig } from './credentials.ts';
import { actionCredentials } from './registries.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slashtrain-docker-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const configure = (config: unknown): NodeJS.ProcessEnv => {
  writeFileSync(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  return { DOCKER_CONFIG: folder, PATH: `${folder}:${process.env['PATH'] ?? ''}` };
};

describe("docker's configuration", () => {
  it.each([
    ['ghcr.io', { 'ghcr.io': { auth: base64('user:pass:word') } }, { username: 'user', password: 'pass:word' }],
    ['ghcr.io', { 'https://ghcr.io/v2/': { auth: base64('user:pw') } }, { username: 'user', password: 'pw' }],
    ['docker.io', { 'https://index.docker.io/v1/': { auth: base64('user:pw') } }, { username: 'user', password: 'pw' }],
    ['localhost:5000', { 'localhost:5000': { username: 'user', password: 'pw' } }, { username: 'user', password: 'pw' }],
    ['acr.example.com', { 'acr.example.com': { auth: base64('00000000-0000:'), identitytoken: 'token' } }, { identityToken: 'token' }],
    ['ghcr.io', { 'ghcr.io.evil.example': { auth: base64('user:pw') } }, undefined],
    ['ghcr.io', { 'ghcr.io': {} }, undefined],
  ])('of %s in %j', async (registry, auths, expected) => {
    expect(await dockerConfig(configure({ auths }))(registry)).toEqual(expected);
  });

  it('may be missing, or in the home folder', async () => {
    expect(await dockerConfig({ HOME: folder })('ghcr.io')).toBeUndefined();
    mkdirSync(join(folder, '.docker'));
    writeFileSync(join(folder, '.docker/config.json'), JSON.stringify({ auths: { 'ghcr.io': { auth: base64('u:p') } } }));
    expect(await dockerConfig({ HOME: folder })('ghcr.io')).toEqual({ username: 'u', password: 'p' });
  });

  it.each([
    ['{"auths": {"ghcr.io": {"auth": "c2VjcmV0"', 'is no JSON'],
    [{ auths: { 'ghcr.io': { auth: base64('nothing') } } }, 'no base64 of user:password'],
    [{ credHelpers: { 'ghcr.io': '../../bin/evil' } }, "no program's name"],
    [{ credsStore: 'not-installed' }, 'docker-credential-not-installed for ghcr.io cannot be run'],
  ])('that is wrong is refused without quoting it: %j', async (config, message) => {
    const asking = dockerConfig(configure(config))('ghcr.io');
    await expect(asking).rejects.toThrow(message);
    await expect(asking).rejects.not.toThrow('c2VjcmV0');
  });

  describe('with credential helpers', () => {
    const helper = (name: string, script: string): void => {
      const file = join(folder, `docker-credential-${name}`);
      writeFileSync(file, `#!/bin/sh\n${script}\n`);
      chmodSync(file, 0o755);
    };

    // The protocol: https://github.com/docker/docker-credential-helpers#development
    it('asks the helper of the registry, else the store, else reads auths', async () => {
      helper('one', 'read server; printf \'{"ServerURL":"%s","Username":"one","Secret":"%s"}\' "$server" "$1-$server"');
      helper(
        'all',
        'read server; case $server in a.example) echo \'{"Username":"<token>","Secret":"t"}\';; *) echo "credentials not found in native keychain"; exit 1;; esac',
      );
      const source = dockerConfig(
        configure({
          credHelpers: { 'one.example': 'one', 'docker.io': 'one' },
          credsStore: 'all',
          auths: { 'b.example': { auth: base64('u:p') }, 'one.example': {} },
        }),
      );
      expect(await source('one.example')).toEqual({ username: 'one', password: 'get-one.example' });
      expect(await source('docker.io')).toEqual({ username: 'one', password: 'get-https://index.docker.io/v1/' });
      expect(await source('a.example')).toEqual({ identityToken: 't' });
      expect(await source('b.example')).toEqual({ username: 'u', password: 'p' });
      expect(await source('c.example')).toBeUndefined();
    });

    it.each([
      ['echo "the keychain is locked"; exit 1', 'ended with 1 for ghcr.io: the keychain is locked'],
      ['echo no json', 'answered no JSON'],
    ])('says what a helper says that fails: %s', async (script, message) => {
      helper('bad', script);
      await expect(dockerConfig(configure({ credsStore: 'bad' }))('ghcr.io')).rejects.toThrow(message);
    });
  });
});

describe('who an action is', () => {
  it('is the inputs, else docker, else for ghcr.io the token, which goes nowhere else', async () => {
    const environment = configure({ auths: { 'ghcr.io': { auth: base64('docker:d') }, 'b.example': { auth: base64('docker:d') } } });
    const given = { registry: 'a.example', username: 'given', password: 'g' };
    const source = actionCredentials({ environment, given, token: 'ghs_x', actor: 'someone' });
    expect(await source('a.example')).toEqual({ username: 'given', password: 'g' });
    expect(await source('b.example')).toEqual({ username: 'docker', password: 'd' });
    expect(await source('ghcr.io')).toEqual({ username: 'docker', password: 'd' });
    expect(await source('c.example')).toBeUndefined();
    const bare = actionCredentials({ environment: { HOME: join(folder, 'none') }, token: 'ghs_x', actor: 'someone' });
    expect(await bare('ghcr.io')).toEqual({ username: 'someone', password: 'ghs_x' });
    expect(await bare('ghcr.io.evil.example')).toBeUndefined();
    expect(await bare('docker.io')).toBeUndefined();
  });
});
