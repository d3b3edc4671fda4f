/** A proxy that stands before a server. */
export interface Proxy {
  /** e.g. `http://proxy.example:3128` */
  url: string;
  /** Hosts that are reached without it, as `no_proxy` lists them. */
  except: string;
}

/**
 * The proxy that the runner's environment names for a server
 * (https://docs.github.com/actions/how-tos/manage-runners/self-hosted-runners/use-proxy-servers); none for this machine itself.
 */
export function proxyOf(url: string, environment: NodeJS.ProcessEnv): Proxy | undefined {
  const { protocol, hostname } = new URL(url);
  const read = (name: string): string | undefined => environment[name.toLowerCase()] || environment[name.toUpperCase()] || undefined;
  const named = read(protocol === 'https:' ? 'https_proxy' : 'http_proxy');
  if (named === undefined || hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/u.test(hostname)) return undefined;
  return { url: /^[a-z]+:\/\//iu.test(named) ? named : `http://${named}`, except: read('no_proxy') ?? '' };
}

/**
 * `fetch` through a proxy. Node's own fetch knows none, and undici, which does, costs 44 ms to load: it is loaded with the
 * first request.
 */
export function fetchThrough(proxy: Proxy): typeof fetch {
  let opened: Promise<typeof fetch> | undefined;
  const open = async (): Promise<typeof fetch> => {
    const undici = await import('undici');
    const dispatcher = new undici.EnvHttpProxyAgent({ httpProxy: proxy.url, httpsProxy: proxy.url, noProxy: proxy.except });
    // undici's types and Node's describe the same functions twice.
    return ((input: string, init: object) => undici.fetch(input, { ...init, dispatcher })) as unknown as typeof fetch;
  };
  return async (input, init) => (await (opened ??= open()))(input, init);
}
