import { parentPort } from 'node:worker_threads';
import { startCluster } from '@slashtrain/testing/cluster/cluster';
import { registryImages } from '@slashtrain/testing/registry/images';
import { startRegistry } from '@slashtrain/testing/registry/server';

/** The embedded cluster in a thread of its own, so that its work is not in what is measured. kubectl shows a token over TLS alone. */
const registry = await startRegistry();
await registry.pushBase('node:24');
const { kubeconfig } = await startCluster({ images: registryImages(registry.host), tls: true });
parentPort?.postMessage({ kubeconfig, context: 'embedded', image: `${registry.host}/node:24` });
