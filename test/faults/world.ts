import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import type { RecordStore } from '@slashtrain/core/records/store';
import { startCluster, type EmbeddedCluster } from '@slashtrain/testing/cluster/cluster';
import { startGitHub, type FakeGitHub } from '@slashtrain/testing/github/github';
import { startRegistry, type TestRegistry } from '@slashtrain/testing/registry/server';
import { startMlflow, type FakeMlflow } from '@slashtrain/testing/trackers/mlflow';
import { parse } from 'yaml';
import { keptLog } from '../support/kubernetes.ts';
import type { ServerName } from './cases.ts';

/** An image that is on the node; `localhost:1` has no registry. */
export const image = `localhost:1/digits@sha256:${'a'.repeat(64)}`;

/** How many lines the training writes. */
export const lineCount = 30;

const train = `let i = 0; const t = setInterval(() => { console.log('numbered ' + ++i);
  if (i === ${lineCount}) { clearInterval(t); console.log('slashtrain-metric {"name":"accuracy","value":0.9,"step":1}'); } }, 20);`;
const serve = `const server = require('node:http').createServer((request, response) => response.end('{"digit":7}'));
  process.on('SIGTERM', () => process.exit(0)); server.listen(8080);`;

/** Everything that all cases share: each has a repository and a namespace of its own in it. */
export interface World {
  cluster: EmbeddedCluster;
  client: KubernetesClient;
  records: RecordStore;
  github: FakeGitHub;
  registry: TestRegistry;
  mlflow: FakeMlflow;
  /** `name` where nothing stands between; a case puts its proxy before one. */
  addresses: Record<ServerName, string>;
  /** A folder on a disk without room; undefined where this user may mount none. */
  fullDisk: string | undefined;
  /** Where the actions are. */
  bundle(action: string): string;
  /** Some time passes on GitHub, which counts in seconds. */
  later(): void;
  close(): Promise<void>;
}

/** @param bundles a folder with the actions' folders, where those of this repository may be built anew meanwhile */
export async function openWorld(bundles?: string): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'faults-'));
  writeFileSync(join(folder, 'train.js'), train);
  writeFileSync(join(folder, 'serve.js'), serve);
  const disk = mountFullDisk(join(folder, 'full'));
  let ahead = 0;
  const [cluster, github, registry, mlflow] = await Promise.all([
    startCluster({ anyNamespace: true }),
    startGitHub({ hourlyLimit: 1_000_000, now: () => Date.now() + ahead }),
    startRegistry(),
    startMlflow(),
  ]);
  cluster.registerImage(image, folder);
  await registry.pushBase('node:24');
  const client = await openKubernetes({ kubeconfig: cluster.kubeconfig, environment: {}, log: keptLog() });
  return {
    cluster,
    client,
    records: recordStore(client),
    github,
    registry,
    mlflow,
    addresses: { github: github.url, kubernetes: cluster.url, registry: `http://${registry.host}`, mlflow: mlflow.url },
    fullDisk: disk,
    bundle: (action) => (bundles === undefined ? action : join(bundles, action)),
    later: () => {
      ahead += 60_000;
    },
    close: async () => {
      await cluster.stop();
      await Promise.all([github.close(), registry.close(), mlflow.close()]);
      if (disk !== undefined) execFileSync('umount', [disk]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Files and folders can be made on it, and nothing can be written. */
function mountFullDisk(folder: string): string | undefined {
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k,nr_inodes=10k', 'tmpfs', folder], { stdio: 'pipe' });
  } catch {
    console.log('a full disk: RUNNER_TEMP stays as it is, since this user may not mount one');
    return undefined;
  }
  writeFileSync(join(folder, 'full'), Buffer.alloc(4096));
  return folder;
}

/** The embedded cluster's kubeconfig by another way. @param ca PEM, where that way has TLS */
export function kubeconfigBy(original: string, server: string, ca: string | undefined): string {
  const whole = parse(original) as { clusters: { cluster: object }[] };
  const cluster = { server, ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }) };
  return JSON.stringify({ ...whole, clusters: whole.clusters.map((one) => ({ ...one, cluster: { ...one.cluster, ...cluster } })) });
}
