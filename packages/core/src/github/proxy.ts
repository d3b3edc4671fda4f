/** The runner's proxy, as its environment has it; all are absent where there is none. */
export interface ProxySettings {
  httpProxy?: string;
  httpsProxy?: string;
  noProxy?: string;
}

/**
 * The variables that the runner and its tools go by, small letters first as curl has it
 * (https://docs.github.com/actions/how-tos/manage-runners/self-hosted-runners/use-proxy-servers).
 * @returns undefined where neither is set
 */
export function proxyOf(environment: NodeJS.ProcessEnv): ProxySettings | undefined {
  const of = (name: string): string | undefined => environment[name.toLowerCase()] || environment[name] || undefined;
  const [httpProxy, httpsProxy, noProxy] = [of('HTTP_PROXY'), of('HTTPS_PROXY'), of('NO_PROXY')];
  if (httpProxy === undefined && httpsProxy === undefined) return undefined;
  return { ...(httpProxy && { httpProxy }), ...(httpsProxy && { httpsProxy }), ...(noProxy && { noProxy }) };
}

/**
 * Requests through a proxy, by undici, which is loaded for that alone: every other step starts 50 ms sooner without it
 * (docs/performance.md), on Node's own fetch.
 */
export function fetchThrough(proxy: ProxySettings): typeof globalThis.fetch {
  const loaded = import('undici').then(({ EnvHttpProxyAgent, fetch }) => {
    const dispatcher = new EnvHttpProxyAgent(proxy);
    return (...[url, init]: Parameters<typeof fetch>) => fetch(url, { ...init, dispatcher });
  });
  const through = async (...args: Parameters<Awaited<typeof loaded>>): ReturnType<Awaited<typeof loaded>> => (await loaded)(...args);
  // Undici's types and those of Node, which are undici's of another version, differ in places that nothing here touches.
  return through as unknown as typeof globalThis.fetch;
}
