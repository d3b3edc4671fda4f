import { existsSync, readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIPv6 } from 'node:net';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import type { Cluster, KubeConfig, User } from '@kubernetes/client-node';
import { ActionError, messageOf } from '../action/errors.ts';
import type { Log } from '../action/log.ts';
import { kubernetesClient } from './api.ts';
import type { KubernetesClient } from './client.ts';
import { Http, type Access, type SignedIn } from './http.ts';
import { proxyPassword, secretsOf } from './secrets.ts';
import { systemTiming, type Timing } from './timing.ts';

/** Where a cluster's address and credentials come from. */
export interface AccessOptions {
  /** The input `kubeconfig`: a path, or the content. Else `KUBECONFIG`, else the pod's service account. */
  kubeconfig?: string | undefined;
  /** The input `kube-context`; else the kubeconfig's current one. */
  context?: string | undefined;
  /** The input `namespace`; else the context's, else `default`. */
  namespace?: string | undefined;
  environment: NodeJS.ProcessEnv;
  /** What a relative path of the input is below; the working directory where it is absent. */
  folder?: string;
  log: Log;
  /** Once it aborts, requests are not tried again for longer than 2 s. */
  signal?: AbortSignal;
  timing?: Timing;
  /** How long a request may be tried again, in seconds (60), and at a server that has never answered (10). */
  budgetSeconds?: number;
  firstBudgetSeconds?: number;
  /** The folder of a pod's service account. */
  serviceAccount?: string;
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

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

/** The part of {@link openKubernetes} that reads the kubeconfig and signs in. */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const library = await import('@kubernetes/client-node');
  const source = findSource(options);
  const load = (): KubeConfig => {
    const config = new library.KubeConfig();
    const loaded = source.load(() => new library.KubeConfig());
    for (const secret of secretsOf(loaded)) options.log.mask(secret);
    config.loadFromOptions(complete(loaded, options, source.name));
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
  return {
    context: source.inCluster ? 'in-cluster' : context.name || 'kubeconfig',
    server: cluster.server,
    namespace: options.namespace ?? (context.namespace?.trim() || 'default'),
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

interface Source {
  /** For errors. */
  name: string;
  inCluster: boolean;
  load(empty: () => KubeConfig): KubeConfig;
}

function findSource(options: AccessOptions): Source {
  const { kubeconfig, environment, folder = '.' } = options;
  if (kubeconfig !== undefined) return fromInput(kubeconfig, folder);
  const files = (environment['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean);
  if (files.length > 0) return fromFiles(files);
  const host = environment['KUBERNETES_SERVICE_HOST'];
  const account = options.serviceAccount ?? serviceAccountFolder;
  if (host && existsSync(join(account, 'token'))) return inCluster(host, environment['KUBERNETES_SERVICE_PORT'] ?? '443', account);
  throw new ActionError('input', 'no Kubernetes cluster is named', {
    remedy:
      'set the input "kubeconfig" to a path or to the content of a secret, or the environment variable KUBECONFIG, or use a runner inside the cluster',
  });
}

function fromInput(value: string, folder: string): Source {
  const isContent = value.includes('\n') || /^\s*\{/u.test(value) || /^\s*apiVersion:/u.test(value);
  const name = 'input "kubeconfig"';
  if (isContent) return { name, inCluster: false, load: (empty) => parse(empty(), value, name) };
  const path = isAbsolute(value) ? value : join(folder, value);
  if (existsSync(path)) return fromFiles([path]);
  // Not shown whole: it may be a secret that was encoded.
  const isEncoded = value.length > 200 && /^[A-Za-z0-9+/=\s]+$/u.test(value);
  throw new ActionError(
    'input',
    isEncoded ? `${name} looks like base64` : `${name} names the file "${value.slice(0, 200)}", which does not exist`,
    {
      remedy: 'give the path of a kubeconfig, or its content as YAML',
    },
  );
}

/** Of several files the first that names a context, cluster or user counts, and absent ones are passed over, as kubectl does. */
function fromFiles(files: string[]): Source {
  const name = `the kubeconfig ${files.join(delimiter)}`;
  return {
    name,
    inCluster: false,
    load: (empty) => {
      const merged = empty();
      const present = files.filter((file) => existsSync(file));
      if (present.length === 0) {
        throw new ActionError('input', `KUBECONFIG names ${files.join(', ')}, which does not exist`, {
          remedy: 'set the input "kubeconfig", or correct KUBECONFIG',
        });
      }
      for (const file of present) {
        const one = parse(empty(), readFileSync(file, 'utf8'), `the kubeconfig ${file}`);
        one.makePathsAbsolute(dirname(file));
        merged.clusters.push(...one.clusters.filter(({ name }) => !merged.getCluster(name)));
        merged.users.push(...one.users.filter(({ name }) => !merged.getUser(name)));
        merged.contexts.push(...one.contexts.filter(({ name }) => !merged.getContextObject(name)));
        merged.currentContext ||= one.currentContext;
      }
      return merged;
    },
  };
}

function parse(config: KubeConfig, text: string, name: string): KubeConfig {
  try {
    config.loadFromString(text);
  } catch (error) {
    // A YAML error's message quotes the lines around it, which may be a secret; its reason does not.
    const { reason, mark } = error as { reason?: string; mark?: { line?: number } };
    const words = reason ? `${reason}${mark?.line === undefined ? '' : ` in line ${mark.line + 1}`}` : messageOf(error);
    throw new ActionError('input', `${name} is no kubeconfig: ${words}`, {
      remedy: 'give the path of a kubeconfig, or its content as YAML',
    });
  }
  config.clusters ??= [];
  config.users ??= [];
  config.contexts ??= [];
  return config;
}

/** https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
function inCluster(host: string, port: string, account: string): Source {
  const namespaceFile = join(account, 'namespace');
  return {
    name: "the pod's service account",
    inCluster: true,
    load: (empty) => {
      const config = empty();
      config.loadFromOptions({
        clusters: [
          {
            name: 'in-cluster',
            caFile: join(account, 'ca.crt'),
            server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
            skipTLSVerify: false,
          },
        ],
        users: [{ name: 'in-cluster', authProvider: { name: 'tokenFile', config: { tokenFile: join(account, 'token') } } }],
        contexts: [
          {
            name: 'in-cluster',
            cluster: 'in-cluster',
            user: 'in-cluster',
            ...(existsSync(namespaceFile) ? { namespace: readFileSync(namespaceFile, 'utf8').trim() } : {}),
          },
        ],
        currentContext: 'in-cluster',
      });
      return config;
    },
  };
}

/** Chooses the context, checks that what it names is there, and mends what the library stumbles over. */
function complete(config: KubeConfig, options: AccessOptions, source: string): object {
  const there = config.contexts.map(({ name }) => name);
  const only = config.contexts.length === 1 ? there[0] : undefined;
  const wanted = options.context ?? (config.currentContext || only);
  const context = config.contexts.find(({ name }) => name === wanted);
  if (!context) {
    throw new ActionError('input', wanted ? `${source} has no context "${wanted}"` : `${source} has no current context`, {
      remedy:
        there.length > 0 ? `set the input "kube-context" to one of ${there.join(', ')}` : 'it has no contexts at all: is it a kubeconfig?',
    });
  }
  const cluster = config.clusters.find(({ name }) => name === context.cluster);
  if (!cluster || !URL.canParse(cluster.server)) {
    throw new ActionError(
      'input',
      `the context "${context.name}" of ${source} names the cluster "${context.cluster}", ${cluster ? 'whose server is no URL' : 'which is not there'}`,
    );
  }
  const user = config.users.find(({ name }) => name === context.user);
  if (context.user && !user) {
    throw new ActionError('input', `the context "${context.name}" of ${source} names the user "${context.user}", which is not there`);
  }
  const password = proxyPassword(cluster);
  if (password) options.log.mask(password);
  // The library refuses http: unless TLS is not verified, and forgets the CA where there is no user.
  const usable: Cluster = cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster;
  return {
    clusters: [usable],
    users: [withExecInfo(user ?? { name: 'anonymous' }, usable)],
    contexts: [{ ...context, user: user?.name ?? 'anonymous' }],
    currentContext: context.name,
  };
}

/** client-go tells an exec plugin which version to speak and for which cluster; the library does not. */
function withExecInfo(user: User, cluster: Cluster): User {
  const exec = user.exec as
    { apiVersion?: string; provideClusterInfo?: boolean; env?: { name: string; value: string }[] | null } | undefined;
  if (!exec) return user;
  const info = {
    apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(exec.provideClusterInfo
        ? { cluster: { server: cluster.server, ...(cluster.caData ? { 'certificate-authority-data': cluster.caData } : {}) } }
        : {}),
    },
  };
  return { ...user, exec: { ...exec, env: [...(exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }] } };
}
