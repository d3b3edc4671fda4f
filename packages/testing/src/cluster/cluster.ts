import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { api, upgrades } from './api.ts';
import { makeCertificate } from './certificate.ts';
import type { NodeTiming } from './container.ts';
import { defaultOther } from './defaults.ts';
import { remove } from './deletion.ts';
import { DeploymentController } from './deployment-controller.ts';
import { EventRecorder } from './events.ts';
import { bringPrograms } from './filesystem.ts';
import { collectGarbage } from './garbage.ts';
import { HttpSide, type RecordedRequest } from './http.ts';
import { NodeImages, type ImageConfig, type ImageSource } from './images.ts';
import { JobController } from './job-controller.ts';
import { Kubelet } from './kubelet.ts';
import { furnishNamespaces } from './namespaces.ts';
import { Node, nodeName } from './node.ts';
import { podLog } from './pod-logs.ts';
import { runReplicaSets } from './replica-set-controller.ts';
import { types } from './resources.ts';
import { schedulePods } from './scheduler.ts';
import { Store } from './store.ts';
import { Users, type Denied, type User } from './users.ts';

export interface ClusterOptions {
  /** Where images come from that nobody registered. */
  images?: ImageSource;
  /** How many `nvidia.com/gpu` the node has: a number, no device. */
  gpus?: number;
  /** Where pods are unpacked; the default is a temporary folder that `stop` removes. */
  folder?: string;
  /** Namespaces besides `default`. */
  namespaces?: readonly string[];
  /** A namespace comes to be with the first object in it. A real API server answers 404, and so does this one else. */
  anyNamespace?: boolean;
  /** TLS with a certificate of its own, as every real API server has it; the kubeconfig trusts it. */
  tls?: boolean;
  /** Bytes after which a log is begun anew, and the API shows the new part alone; a real node's default is 10 MiB. */
  logLimit?: number;
  /** Back-offs are short by default, since a test would wait for them. */
  timing?: Partial<ClusterTiming>;
}

/** Milliseconds. */
export interface ClusterTiming extends NodeTiming {
  /** Before a Job's next pod after a failure; doubled for each further one. A real controller starts with 10 s. */
  job: number;
  /** Between two bookmarks of a watch. */
  bookmark: number;
}

const defaultTiming: ClusterTiming = { job: 100, restart: 100, pull: 100, config: 100, probe: 100, drain: 100, bookmark: 60_000 };

/** A Kubernetes API server and a node that runs pods as processes of this machine. */
export interface EmbeddedCluster {
  readonly url: string;
  /** The text of a kubeconfig whose context is `embedded`. */
  readonly kubeconfig: string;
  /** The same for a user who may not do this: `{ verb: 'list', resource: 'events' }`. */
  kubeconfigWithout(...denied: Denied[]): string;
  /** Makes `folder` the image `name`, present on the node. */
  registerImage(name: string, folder: string, config?: ImageConfig): void;
  /** All requests since the start. */
  readonly requests: readonly RecordedRequest[];
  /** Forgets the history: a watch or a page from an older version gets 410. */
  compact(): void;
  /** Cuts all connections, watches and logs among them. */
  cutConnections(): void;
  /** The API server goes away and comes back on the same port with its state; pods go on meanwhile. */
  restart(whileAway?: () => Promise<void>): Promise<void>;
  setNodeReady(ready: boolean): void;
  /** Ends all processes and removes all files. @throws AggregateError of defects that were noticed */
  stop(): Promise<void>;
}

/** Starts a cluster on a free port of 127.0.0.1. */
export async function startCluster(options: ClusterOptions = {}): Promise<EmbeddedCluster> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'slashtrain-cluster-')));
  await mkdir(join(folder, 'images'), { recursive: true });
  const programs = join(folder, 'programs');
  await bringPrograms(programs);

  const defects: unknown[] = [];
  const onDefect = (error: unknown): void => {
    defects.push(error);
    process.emitWarning(error instanceof Error ? error : String(error));
  };
  const store = new Store();
  const { job, bookmark, ...timing } = { ...defaultTiming, ...options.timing };
  const controllers = [
    furnishNamespaces(store, onDefect),
    schedulePods(store, onDefect),
    new JobController(store, job, (type, object, propagation) => void remove(store, type, object, { propagation }), onDefect),
    runReplicaSets(store, (type, object) => void remove(store, type, object), job, onDefect),
    new DeploymentController(store, (type, object) => void remove(store, type, object, { propagation: 'Background' }), onDefect),
    collectGarbage(store, (type, object) => void remove(store, type, object), onDefect),
  ];
  for (const name of ['default', ...(options.namespaces ?? [])]) {
    const namespace = { metadata: { name } };
    defaultOther('Namespace', namespace);
    store.create(types.namespaces, namespace);
  }
  const images = new NodeImages(join(folder, 'images'), options.images);
  const events = new EventRecorder(store, 'kubelet', nodeName);
  const kubelet = new Kubelet(
    { store, images, events, programs, timing, logLimit: options.logLimit ?? 10 * 1024 * 1024 },
    folder,
    onDefect,
  );
  const node = new Node(store, options.gpus ?? 0);

  const users = new Users();
  const certificate = options.tls ? makeCertificate() : undefined;
  const http = new HttpSide(
    users,
    api(store, (request) => podLog(store, kubelet.findLog, request), {
      anyNamespace: options.anyNamespace ?? false,
      bookmarkEvery: bookmark,
    }),
    upgrades(store, kubelet.findPorts),
    certificate,
  );
  await http.listen();
  const kubeconfigOf = (user: User): string => writeKubeconfig(http.url, users.add(user), certificate?.cert);

  return {
    url: http.url,
    kubeconfig: kubeconfigOf({ name: 'embedded-admin', denied: [] }),
    kubeconfigWithout: (...denied) => kubeconfigOf({ name: 'embedded-user', denied }),
    requests: http.requests,
    registerImage: (name, from, config) => images.register(name, from, config),
    compact: () => store.compact(),
    cutConnections: () => http.cut(),
    restart: async (whileAway) => {
      await http.close();
      await whileAway?.();
      await http.listen();
    },
    setNodeReady: (ready) => node.setReady(ready),
    stop: async () => {
      await http.close();
      for (const controller of controllers) controller.stop();
      await kubelet.stop();
      const made = options.folder === undefined ? [folder] : ['pods', 'images', 'programs'].map((name) => join(folder, name));
      for (const path of made) await rm(path, { recursive: true, force: true });
      if (defects.length > 0) throw new AggregateError(defects, 'the embedded cluster has defects');
    },
  };
}

function writeKubeconfig(server: string, token: string, ca: string | undefined): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'embedded', cluster: { server, ...(ca ? { 'certificate-authority-data': Buffer.from(ca).toString('base64') } : {}) } },
    ],
    users: [{ name: 'embedded', user: { token } }],
    contexts: [{ name: 'embedded', context: { cluster: 'embedded', user: 'embedded', namespace: 'default' } }],
    'current-context': 'embedded',
  });
}
