import * as http from 'node:http';
import * as https from 'node:https';
import type { Cluster, KubeConfig, User } from '@kubernetes/client-node';
import { ActionError, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { Log } from '../action/log.ts';
import { kubernetesClient } from './api.ts';
import type { KubernetesClient } from './client.ts';
import { Http, type Access, type SignedIn } from './http.ts';
import { complete, findSource, type SourceOptions } from './kubeconfig.ts';
import { secretsOf } from './secrets.ts';
import { systemTiming, type Timing } from './timing.ts';

/** Where a cluster's address and credentials come from. */
export interface AccessOptions extends SourceOptions {
  /** The input `kube-context`; else the kubeconfig's current one. */
  context?: string | undefined;
  /** The input `namespace`; else the context's, else `default`. */
  namespace?: string | undefined;
  log: Log;
  /** Once it aborts, requests are not tried again for longer than 2 s. */
  signal?: AbortSignal;
  timing?: Timing;
  /** How long a request may be tried again, in seconds (60), and at a server that has never answered (10). */
  budgetSeconds?: number;
  firstBudgetSeconds?: number;
}

/**
 * A client for the cluster that the options name. Nothing is asked of the cluster yet. Every way to sign in is
 * @kubernetes/client-node's (https://kubernetes.io/docs/reference/access-authn-authz/authentication/): certificates,
 * tokens, exec plugins, impersonation, `proxy-url`; the library is loaded here alone, and lazily. Without `proxy-url`,
 * HTTPS_PROXY and NO_PROXY are honoured, as kubectl does. Secrets of the kubeconfig are masked.
 * @throws ActionError `input` where no cluster is named, or the context is not there
 */
export async function openKubernetes(options: AccessOptions): Promise<KubernetesClient> {
  const { budgetSeconds = 60, firstBudgetSeconds = 10, timing = systemTiming } = options;
  const access = await openAccess(options);
  const http = new Http(access, {
    timing,
    log: options.log,
    budget: budgetSeconds * 1000,
    firstBudget: firstBudgetSeconds * 1000,
    silence: 30_000,
    ...(options.signal ? { hurry: options.signal } : {}),
  });
  return kubernetesClient(http);
}

/** The inputs by which every action names its cluster. */
export interface ClusterInputs {
  /** Content or path. */
  kubeconfig: string | undefined;
  /** The input `kube-context`. */
  context: string | undefined;
  namespace: string | undefined;
}

/** {@link openKubernetes} for an action, with its inputs and what the runner gave it. */
export function openFor(host: Host, { kubeconfig, context, namespace }: ClusterInputs): Promise<KubernetesClient> {
  const { environment, workspace: folder, log, signal } = host;
  return openKubernetes({ kubeconfig, context, namespace, environment, folder, log, signal });
}

/** The part of {@link openKubernetes} that reads the kubeconfig and signs in. */
export async function openAccess(options: AccessOptions): Promise<Access> {
  // Not the package's index, which brings every generated model; the patch in patches/ is the other half of this.
  const library = await import('@kubernetes/client-node/dist/config.js');
  const source = findSource(options);
  const load = (): KubeConfig => {
    const config = new library.KubeConfig();
    const loaded = source.load(() => new library.KubeConfig());
    for (const secret of secretsOf(loaded)) options.log.mask(secret);
    config.loadFromOptions(complete(loaded, options.context, source.name));
    return config;
  };
  const first = load();
  const context = first.getContextObject(first.currentContext);
  const cluster = first.getCurrentCluster();
  // `complete` has checked that both are there.
  if (!context || !cluster) throw new ActionError('internal', `the context ${first.currentContext} is incomplete`);
  if (new URL(cluster.server).protocol === 'http:' && !isLoopback(cluster.server)) {
    options.log.warning(`the Kubernetes API server ${cluster.server} is reached without TLS: credentials and data can be read on the way`);
  }
  // The library passes on what the file has, which may be a number.
  const namespace = String((context.namespace as unknown) ?? '').trim();
  return {
    context: source.inCluster ? 'in-cluster' : context.name || 'kubeconfig',
    server: cluster.server,
    namespace: options.namespace ?? (namespace || 'default'),
    ...signInWith(first, load, options),
  };
}

/** Signs in with what `load` gives, and keeps the connections as long as certificates and keys stay the same. */
function signInWith(first: KubeConfig, load: () => KubeConfig, options: AccessOptions): Pick<Access, 'signIn' | 'forget'> {
  let config: KubeConfig | undefined = first;
  let last: { identity: string; agent: http.Agent; authorization: string | undefined } | undefined;
  return {
    forget: () => {
      config = undefined;
    },
    signIn: async (): Promise<SignedIn> => {
      config ??= load();
      const cluster = config.getCurrentCluster() as Cluster;
      const request: https.RequestOptions = {};
      try {
        await config.applyToHTTPSOptions(request);
      } catch (error) {
        throw cannotSignIn(error, config.getCurrentUser(), cluster.server);
      }
      const headers = { ...(request.headers as Record<string, string> | undefined) };
      if (request.auth) headers['Authorization'] = `Basic ${Buffer.from(request.auth).toString('base64')}`;
      // A token that was read from a file can end in a line feed, which no header may hold.
      const authorization = headers['Authorization']?.trim();
      if (authorization) headers['Authorization'] = authorization;
      if (authorization !== last?.authorization && authorization) options.log.mask(authorization.replace(/^\w+\s+/u, ''));

      const { ca, cert, key, servername, rejectUnauthorized } = request;
      const identity = JSON.stringify([String(ca), String(cert), String(key), servername, rejectUnauthorized, cluster.proxyUrl]);
      const agent = last?.identity === identity ? last.agent : agentFor(request, cluster, options.environment);
      // A key of a file or of a plugin stands in no kubeconfig.
      if (agent !== last?.agent && key) options.log.mask(String(key));
      last = { identity, agent, authorization };
      return { agent, headers };
    },
  };
}

function agentFor(request: https.RequestOptions, cluster: Cluster, environment: NodeJS.ProcessEnv): http.Agent {
  // HTTP and SOCKS proxies of the kubeconfig are the library's.
  if (cluster.proxyUrl) return request.agent as http.Agent;
  const { ca, cert, key, servername, rejectUnauthorized } = request;
  const common: http.AgentOptions = {
    keepAlive: true,
    keepAliveMsecs: 30_000,
    ...(isLoopback(cluster.server) ? {} : { proxyEnv: environment }),
  };
  if (cluster.server.startsWith('http:')) return new http.Agent(common);
  return new https.Agent({
    ...common,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  });
}

function isLoopback(server: string): boolean {
  const { hostname } = new URL(server);
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./u.test(hostname);
}

function cannotSignIn(error: unknown, user: User | null, server: string): ActionError {
  const { command } = (user?.exec ?? {}) as { command?: string };
  const who = `the kubeconfig's user ${JSON.stringify(user?.name ?? '')}`;
  if (command && (error as NodeJS.ErrnoException).code === 'ENOENT') {
    return new ActionError('permission', `${who} signs in to ${server} with the program "${command}", which is not on this runner`, {
      remedy: `install ${command} in an earlier step, or use a kubeconfig with a token`,
      cause: error,
    });
  }
  if (command) {
    // It asks a server of its own, which can be away for a while.
    return new ActionError('unreachable', `${who} cannot sign in to ${server}: ${command} failed: ${messageOf(error).trim()}`, {
      remedy: 'give the step the credentials that this program needs',
      cause: error,
    });
  }
  return new ActionError('permission', `${who} cannot sign in to ${server}: ${messageOf(error)}`, { cause: error });
}
