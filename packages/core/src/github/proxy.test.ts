import { describe, expect, it } from '@jest/globals';
import { proxyOf } from './proxy.ts';

describe('proxyOf', () => {
  it.each([
    [{}, undefined],
    [{ NO_PROXY: 'a' }, undefined],
    [{ HTTPS_PROXY: '' }, undefined],
    [{ HTTPS_PROXY: 'http://p:1' }, { httpsProxy: 'http://p:1' }],
    [{ https_proxy: 'http://small:1', HTTPS_PROXY: 'http://p:1' }, { httpsProxy: 'http://small:1' }],
    [
      { http_proxy: 'http://p:1', no_proxy: 'a,b' },
      { httpProxy: 'http://p:1', noProxy: 'a,b' },
    ],
  ])('of %j is %j', (environment, proxy) => {
    expect(proxyOf(environment)).toEqual(proxy);
  });
});
