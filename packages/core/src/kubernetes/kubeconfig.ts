import { existsSync, readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import type { Cluster, KubeConfig, User } from '@kubernetes/client-node';
import { ActionError, messageOf } from '../action/errors.ts';

/** Where to look for a kubeconfig. */
export interface SourceOptions {
  /** The input `kubeconfig`: a path, or the content. Else `KUBECONFIG`, else the pod's service account. */
  kubeconfig?: string | undefined;
  environment: NodeJS.ProcessEnv;
  /** What a relative path of the input is below; the working directory where it is absent. */
  folder?: string;
  /** The folder of a pod's service account. */
  serviceAccount?: string;
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Where a kubeconfig is read from, now and again when credentials were refused. */
export interface Source {
  /** For errors. */
  name: string;
  inCluster: boolean;
  load(empty: () => KubeConfig): KubeConfig;
}

/** @throws ActionError `input` where no cluster is named, with what to set */
export function findSource(options: SourceOptions): Source {
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
export function complete(config: KubeConfig, wantedContext: string | undefined, source: string): object {
  const there = config.contexts.map(({ name }) => name);
  const only = config.contexts.length === 1 ? there[0] : undefined;
  const wanted = wantedContext ?? (config.currentContext || only);
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
  return {
    ...user,
    exec: { ...exec, env: [...(Array.isArray(exec.env) ? exec.env : []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }] },
  };
}
