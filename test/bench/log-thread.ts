import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/*
 * An API server with one run, whose only pod has a log without end, in a thread of its own: the log comes as fast as it is taken.
 * A kubelet rotates a log of 10 MB away from under its readers, and then the disk is measured.
 */
export const run = {
  namespace: 'ml',
  name: 'default-1a2b3c4-9f8e7d6',
  uid: '0f0c7a52-3c1e-4d0e-9c77-6d1f0a2b3c4d',
  pod: 'default-1a2b3c4-9f8e7d6-abcde',
};
export const lineBytes = 100;
const linesAtOnce = 1_000;

/** What the thread is told. */
export interface Given {
  megabytes: number;
  record: object;
}

if (parentPort !== null) serve(workerData as Given);

function serve({ megabytes, record }: Given): void {
  const { namespace, name, uid, pod: podName } = run;
  const metadata = { name, namespace, uid, resourceVersion: '1' };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name: podName },
    spec: { containers: [{ name: 'main', image: 'a' }] },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'main', restartCount: 0, containerID: 'containerd://a', state: { running: {} } }],
    },
  };
  const objects: Record<string, object> = {
    jobs: { metadata, status: { active: 1, ready: 1, startTime: '2026-01-01T00:00:00Z' } },
    pods: pod,
    configmaps: { metadata, data: { record: JSON.stringify(record) } },
    // What kubectl asks before it knows what a pod is.
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
    '/api/v1': {
      kind: 'APIResourceList',
      groupVersion: 'v1',
      resources: [{ name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get', 'list'] }],
    },
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server');
    response.setHeader('content-type', 'application/json');
    if (pathname.endsWith('/log')) return void flood(response, megabytes);
    if (searchParams.get('watch') === 'true') return void response.writeHead(200).flushHeaders();
    const [, plural = '', one] = /\/namespaces\/[^/]+\/([^/]+)(?:\/([^/]+))?$/u.exec(pathname) ?? [undefined, pathname, pathname];
    const object = objects[plural];
    if (one) return void response.writeHead(object ? 200 : 404).end(JSON.stringify(object ?? { kind: 'Status', code: 404 }));
    response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: object ? [object] : [] }));
  });
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
}

/** Lines with the kubelet's stamps: 100 a millisecond. Then one by which all know that it was all. */
async function flood(response: ServerResponse, megabytes: number): Promise<void> {
  const start = Date.parse('2026-01-01T00:00:00Z');
  const lines = Array.from({ length: linesAtOnce }, (_, index) => {
    const stamp = `2026-01-01T00:00:00.000${String((index % 100) * 10_000).padStart(6, '0')}Z `;
    return `${stamp}${'x'.repeat(lineBytes - stamp.length - 1)}\n`;
  });
  // One piece of memory: it is more than a stream holds unsent, so that it is sent before it is written to again.
  const chunk = Buffer.from(lines.join(''));
  for (let written = 0; written < (megabytes * 1e6) / lineBytes; written += linesAtOnce) {
    for (let index = 0; index < linesAtOnce; index += 100) {
      const millisecond = new Date(start + (written + index) / 100).toISOString().slice(0, -1);
      for (let line = index; line < index + 100; line += 1) chunk.write(millisecond, line * lineBytes, 'latin1');
    }
    if (!response.write(chunk)) await once(response, 'drain');
  }
  response.write('2026-01-01T23:00:00.000000000Z that was all\n');
}
