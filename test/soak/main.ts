import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { kubernetesBackend } from '@slashtrain/core/backend/kubernetes';
import { job } from '@slashtrain/core/kinds/job';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { recordAnnotation } from '@slashtrain/core/run/record';
import type { RunReference } from '@slashtrain/core/run/reference';
import { startCluster } from '@slashtrain/testing/cluster/cluster';
import type { FaultName } from '@slashtrain/testing/faults/fault';
import { startFaultProxy } from '@slashtrain/testing/faults/proxy';
import { seeded } from '@slashtrain/core/metrics/random';
import { between } from '@slashtrain/testing/faults/random';
import { claim, type ClaimRequest } from '../../actions/submit-pipeline/src/claim.ts';
import { helperStore } from '../../actions/submit-pipeline/src/helper-store.ts';
import { waitForEnd } from '../../actions/wait-for-run/src/wait.ts';
import { claimOf, suspendedJob } from '../support/claims.ts';
import { keptLog } from '../support/kubernetes.ts';

/*
 * Much of it, in one process, with the embedded cluster in the same one:
 *   node test/soak/main.ts submit [--requests 1000] [--times 10] [--seed 1]
 *   node test/soak/main.ts wait [--requests 1000]
 *   node test/soak/main.ts bundles [--requests 20, which is the most] [--times 10] [--seed 1]
 *   node test/soak/main.ts day
 * It prints what it counted, and fails where the count is wrong.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    requests: { type: 'string', default: '1000' },
    times: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
  },
});
const [requests, times, seed] = [values.requests, values.times, values.seed].map(Number) as [number, number, number];
const namespace = 'soak';

function fail(words: string): void {
  console.error(`✗ ${words}`);
  process.exitCode = 1;
}

function requestOf(index: number): ClaimRequest {
  const sha = index.toString(16).padStart(40, '0');
  const asker = { id: `comment:${index}`, runAttempt: 1 };
  return claimOf({ namespace, name: `digits-${index}`, pullRequest: index + 1, sha, request: sha.padStart(64, '0'), asker });
}

/** Submissions of the same requests, many at once, each of whose requests may go wrong: one run each is what must come out. */
async function submit(): Promise<void> {
  const cluster = await startCluster({ namespaces: [namespace] });
  const random = seeded(seed);
  const faults: FaultName[] = ['reset', 'half', '500', '502', '503', '504', 'busy', 'busy-until', 'length'];
  let struck = 0;
  const proxy = await startFaultProxy({
    target: cluster.url,
    random,
    decide: ({ isWrite }) => {
      if (random() >= 0.04) return undefined;
      struck += 1;
      const fault = faults[between(random, 0, faults.length - 1)] ?? 'reset';
      const isAfter = isWrite && !fault.startsWith('busy') && random() < 0.5;
      return { fault, place: isAfter ? 'after' : 'before' };
    },
  });
  const client = await openKubernetes({
    kubeconfig: cluster.kubeconfig.replaceAll(cluster.url, proxy.url),
    environment: {},
    log: keptLog(),
  });
  const checks = new Map<string, number>();
  let clock = Date.now();
  const parts = {
    records: recordStore(client),
    backend: kubernetesBackend(client, { log: keptLog() }),
    helpers: helperStore(client),
    now: () => clock,
    // Whoever waits for another's lease sees its time pass.
    pause: async () => {
      clock += 50;
      await pause(5);
    },
    makeCheck: (stored: { uid: string }) => {
      const id = checks.get(stored.uid) ?? checks.size + 1;
      checks.set(stored.uid, id);
      return Promise.resolve(id);
    },
    endCheck: () => Promise.resolve(),
  };
  const queue = Array.from({ length: requests * times }, (_, index) => index % requests);
  for (let last = queue.length - 1; last > 0; last -= 1) {
    const other = between(random, 0, last);
    [queue[last], queue[other]] = [queue[other] ?? 0, queue[last] ?? 0];
  }
  const runs = new Map<number, Set<string>>();
  let refused = 0;
  const started = performance.now();
  const worker = async (): Promise<void> => {
    for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
      const own = runs.get(index) ?? new Set();
      runs.set(index, own);
      try {
        own.add((await claim(requestOf(index), parts)).run);
      } catch {
        // What a person sees as a failed step, and runs again.
        refused += 1;
        queue.push(index);
      }
    }
  };
  await Promise.all(Array.from({ length: 40 }, worker));
  const seconds = (performance.now() - started) / 1000;
  await proxy.close();
  const direct = await openKubernetes({ kubeconfig: cluster.kubeconfig, environment: {}, log: keptLog() });
  const jobs = (await direct.list(job.resource, namespace)).items;
  const records = await recordStore(direct).find(namespace, { repositoryId: 7 });
  const distinct = new Set([...runs.values()].flatMap((own) => [...own]));
  console.log(
    `${requests * times} submissions of ${requests} requests: ${jobs.length} runs, ${records.length} records, ${checks.size} checks; ` +
      `${cluster.requests.length} requests, ${struck} struck, ${refused} steps failed and were run again; ${Math.round(seconds)} s`,
  );
  if (jobs.length !== requests) fail(`${jobs.length} runs`);
  if (records.length !== requests || records.some(({ record }) => !record.run || record.lease))
    fail('records that are not complete, or not one each');
  if (checks.size !== requests) fail(`${checks.size} checks`);
  if (distinct.size !== requests || [...runs.values()].some((own) => own.size !== 1))
    fail('submissions of one request that came to different runs');
  await cluster.stop();
}

/** Waits for many runs at once, whose connections are cut; what they cost beside one another, and that each sees its end. */
async function wait(): Promise<void> {
  const cluster = await startCluster({ namespaces: [namespace] });
  const client = await openKubernetes({ kubeconfig: cluster.kubeconfig, environment: {}, log: keptLog() });
  const runs: RunReference[] = [];
  for (let index = 0; index < requests; index += 1) {
    const metadata = { name: `digits-${index}`, namespace, annotations: { [recordAnnotation]: 'x' } };
    const object = await client.create<KubernetesObject>(job.resource, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata,
      spec: suspendedJob,
    });
    if (object) runs.push({ plural: 'jobs', group: 'batch', namespace, name: metadata.name, uid: object.metadata.uid ?? '' });
  }
  // The waits have a thread of their own: who serves a thousand and asks for a thousand in turn is late with both.
  const waits = new Worker(import.meta.filename, { workerData: { kubeconfig: cluster.kubeconfig, runs } satisfies Waits });
  const [memory] = (await once(waits, 'message')) as [{ before: number; during: number }];
  const isWatch = ({ path }: { path: string }): boolean => path.includes('watch=true');
  const watching = cluster.requests.filter(isWatch).length;
  cluster.cutConnections();
  while (cluster.requests.filter(isWatch).length < watching * 2) await pause(50);
  await Promise.all(runs.map(({ name }) => client.delete(job.resource, namespace, name)));
  const [states] = (await once(waits, 'message')) as [string[]];
  const right = states.filter((state) => state === 'deleted').length;
  console.log(
    `${requests} waits at once: ${watching} watches; the heap of their thread was ${memory.before} MB before and ${memory.during} MB with ` +
      `them; all connections were cut once; ${right} saw their end`,
  );
  if (right !== requests) fail(`${requests - right} waits ended otherwise: ${[...new Set(states)].join(', ')}`);
  await cluster.stop();
}

/** What the thread of the waits is given. */
interface Waits {
  kubeconfig: string;
  runs: RunReference[];
}

/** The thread of the waits: tells what memory it takes once all have begun, and how each ended. */
async function waitForAll({ kubeconfig, runs }: Waits): Promise<void> {
  const client = await openKubernetes({ kubeconfig, environment: {}, log: keptLog() });
  const backend = kubernetesBackend(client, { log: keptLog() });
  const memory = (): number => Math.round(process.memoryUsage().heapUsed / 1024 / 1024);
  const before = memory();
  const begun = new Set<string>();
  const waits = runs.map((run) =>
    waitForEnd(run, backend, {
      signal: new AbortController().signal,
      // The pods may be seen before the run.
      onChange: ({ state }) => {
        if (state === 'unknown' || begun.has(run.name)) return;
        begun.add(run.name);
        if (begun.size === runs.length) parentPort?.postMessage({ before, during: memory() });
      },
    }),
  );
  const ends = await Promise.allSettled(waits);
  parentPort?.postMessage(ends.map((end) => (end.status === 'fulfilled' ? end.value.status.state : String(end.reason))));
}

if (!isMainThread) await waitForAll(workerData as Waits);
else if (positionals[0] === 'submit') await submit();
else if (positionals[0] === 'wait') await wait();
else if (positionals[0] === 'bundles')
  for (const words of await (await import('./bundles.ts')).bundles({ requests: Math.min(requests, 20), times, seed })) fail(words);
else if (positionals[0] === 'day') for (const words of await (await import('./day.ts')).day()) fail(words);
else throw new Error('node test/soak/main.ts submit|bundles|wait|day');
