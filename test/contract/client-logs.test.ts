import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { LogLine, Observation, RunBackend } from '@slashtrain/core/backend/backend';
import { kubernetesBackend, type KubernetesBackendOptions } from '@slashtrain/core/backend/kubernetes';
import { job } from '@slashtrain/core/kinds/job';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { RunReference } from '@slashtrain/core/run/reference';
import type { EmbeddedCluster } from '@slashtrain/testing/cluster/cluster';
import { parse, stringify } from 'yaml';
import { startCuttingProxy, type CuttingProxy } from '../support/cutting-proxy.ts';
import { keptLog } from '../support/kubernetes.ts';
import { openTarget, sayWhatIsSkipped, targets, unique, type Target } from '../support/targets.ts';

/* Logs and ends of real runs, over connections that do not hold: every line once, and the true state. */

const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
sayWhatIsSkipped('logs over cut connections');

describe.each(targets)('logs on the %s cluster', (name) => {
  let target: Target;
  let direct: KubernetesClient;
  let proxy: CuttingProxy;
  let client: KubernetesClient;
  let namespace: string;
  const stop = new AbortController();

  beforeAll(async () => {
    target = await openTarget(name);
    direct = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
  });
  afterAll(async () => {
    stop.abort();
    await target.close();
  });
  beforeEach(async () => {
    namespace = unique('logs');
    await direct.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    proxy = await startCuttingProxy(direct.server);
    client = await openKubernetes({ kubeconfig: through(proxy), context: target.context, environment: {}, log: keptLog() });
  });
  afterEach(async () => {
    await proxy.close();
    await direct.delete(namespaces, '', namespace);
  });

  /** The target's kubeconfig, with the proxy in between. */
  function through(between: CuttingProxy): string {
    const { kubeconfig } = target;
    const config = parse(existsSync(kubeconfig) ? readFileSync(kubeconfig, 'utf8') : kubeconfig) as {
      clusters: { cluster: { server: string } }[];
    };
    for (const { cluster } of config.clusters) cluster.server = `${new URL(cluster.server).protocol}//127.0.0.1:${between.port}`;
    return stringify(config);
  }

  const backend = (options: Partial<KubernetesBackendOptions> = {}): RunBackend =>
    kubernetesBackend(client, { log: keptLog(), watch: { silenceSeconds: 20 }, ...options });

  /** A Job whose containers run programs of Node. */
  async function run(
    programs: Record<string, string>,
    spec: object = {},
    pod: object = {},
    init: Record<string, string> = {},
  ): Promise<RunReference> {
    const containers = (which: Record<string, string>): object[] =>
      Object.entries(which).map(([container, program]) => ({ name: container, image: target.base, command: ['node', '-e', program] }));
    const object: KubernetesObject = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: unique('run'), namespace },
      spec: {
        backoffLimit: 0,
        ...spec,
        template: {
          spec: {
            restartPolicy: 'Never',
            terminationGracePeriodSeconds: 1,
            initContainers: containers(init),
            containers: containers(programs),
            ...pod,
          },
        },
      },
    };
    const made = await direct.create(job.resource, object);
    return { plural: 'jobs', group: 'batch', namespace, name: made?.metadata.name ?? '', uid: made?.metadata.uid ?? '' };
  }

  async function read(reference: RunReference, on: RunBackend, onLine: (lines: LogLine[]) => void = () => undefined): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    for await (const batch of on.logs(reference, stop.signal)) {
      for (const line of batch) {
        lines.push(line);
        onLine(lines);
      }
    }
    return lines;
  }

  async function end(reference: RunReference, on: RunBackend): Promise<Observation | undefined> {
    let last: Observation | undefined;
    for await (const observation of on.observe(reference, stop.signal)) last = observation;
    return last;
  }

  const textsOf = (lines: readonly LogLine[]): string[] => lines.map(({ text }) => text);
  const numbered = (count: number, prefix = 'line'): string[] => Array.from({ length: count }, (_, index) => `${prefix} ${index + 1}`);
  /** Writes numbered lines, so many a hundredth of a second. */
  const writes = (count: number, atOnce: number): string =>
    `let n = 0; const t = setInterval(() => { for (let i = 0; i < ${atOnce}; i += 1) { n += 1; console.log('line ' + n); } if (n >= ${count}) clearInterval(t); }, 10);`;

  it('come whole, once and in order, when every connection is cut after 64 KiB', async () => {
    proxy.limit(64 * 1024);
    const on = backend();
    // 500 lines a second: the two seconds that come again after a cut fit into a connection.
    const reference = await run({ main: writes(5000, 5) });
    const [lines, observation] = await Promise.all([read(reference, on), end(reference, on)]);
    expect(textsOf(lines)).toEqual(numbered(5000));
    expect(observation?.status.state).toBe('succeeded');
    expect(proxy.cuts).toBeGreaterThan(5);
  });

  it('come whole and once when all connections are cut with every 200 lines', async () => {
    const on = backend();
    const reference = await run({ main: writes(5000, 25) });
    const lines = await read(reference, on, ({ length }) => length % 200 === 0 && proxy.cut());
    expect(textsOf(lines)).toEqual(numbered(5000));
    expect(proxy.cuts).toBeGreaterThan(20);
  });

  it('come whole and once when the run has ended before anybody reads', async () => {
    // What comes again after a cut, two seconds of lines, has to fit into a connection, on a machine that is busy, too.
    const reference = await run({ main: writes(5000, 5) });
    await end(reference, kubernetesBackend(direct, { log: keptLog() }));
    proxy.limit(160 * 1024);
    expect(textsOf(await read(reference, backend()))).toEqual(numbered(5000));
    expect(proxy.cuts).toBeGreaterThan(0);
  });

  it('have the last line although it has no end', async () => {
    const reference = await run({ main: "process.stdout.write('first\\nlast')" });
    expect(textsOf(await read(reference, backend()))).toEqual(['first', 'last']);
  });

  it('come from init containers, from all containers, and with what each said', async () => {
    const reference = await run(
      { main: "console.log('main')", side: "console.error('side')" },
      {},
      {},
      { prepare: "console.log('prepare')" },
    );
    const lines = await read(reference, backend());
    expect(lines.map(({ container, text, restart }) => `${container} ${restart}: ${text}`).toSorted()).toEqual([
      'main 0: main',
      'prepare 0: prepare',
      'side 0: side',
    ]);
    expect(lines[0]?.text).toBe('prepare');
  });

  it('come from every life of a container that is restarted', async () => {
    // It fails until some seconds have passed since the Job was made; each life takes a while, as the kubelet keeps only the last two.
    const program = `const life = Date.now(); const isLast = life > ${Date.now()} + 4000; let n = 0;
      const t = setInterval(() => { console.log(life + ' ' + (n += 1)); if (n === 50) { clearInterval(t); process.exitCode = isLast ? 0 : 1; } }, 15);`;
    const reference = await run({ main: program }, { backoffLimit: 20 }, { restartPolicy: 'OnFailure' });
    const lines = await read(reference, backend(), ({ length }) => length % 20 === 0 && proxy.cut());
    const lives = Map.groupBy(lines, ({ text }) => text.split(' ')[0]);
    expect(lives.size).toBeGreaterThan(1);
    for (const [index, [life = '', written]] of [...lives].entries()) {
      expect(textsOf(written)).toEqual(numbered(50, life));
      expect(new Set(written.map(({ restart }) => restart))).toEqual(new Set([index]));
    }
  });

  it('come from more pods than there are connections', async () => {
    const program = "console.log('begin'); setTimeout(() => console.log('end'), 500)";
    const reference = await run({ main: program }, { completions: 4, parallelism: 4 });
    const lines = await read(reference, backend({ logs: { connections: 2 } }));
    const pods = Map.groupBy(lines, ({ pod }) => pod);
    expect([...pods.values()].map(textsOf)).toEqual(Array(4).fill(['begin', 'end']));
  });

  it('end with the state of a run that is deleted, and with what it wrote until then', async () => {
    const on = backend();
    const reference = await run({ main: "console.log('started'); setInterval(() => {}, 1000)" });
    const ended = end(reference, on);
    const lines = await read(reference, on, () => void on.cancel(reference, 0));
    expect(textsOf(lines)).toEqual(['started']);
    expect((await ended)?.status).toMatchObject({ state: 'deleted', reason: 'deleted' });
    await on.cancel(reference);
  });

  it('end at once when they are told to', async () => {
    const reference = await run({ main: "console.log('started'); setInterval(() => {}, 1000)" });
    const told = new AbortController();
    const lines: string[] = [];
    for await (const batch of backend().logs(reference, told.signal)) {
      lines.push(...textsOf(batch));
      told.abort();
    }
    expect(lines).toEqual(['started']);
  });

  // The real one is not ours to stop.
  const onOurs = name === 'embedded' ? it : () => undefined;
  onOurs('come whole when the API server goes away and forgets its history', async () => {
    const cluster = target.cluster as EmbeddedCluster;
    const on = backend();
    const reference = await run({ main: writes(2000, 10) });
    let restarts = 0;
    let restarted = Promise.resolve();
    const reading = read(reference, on, ({ length }) => {
      if (length % 400 !== 0) return;
      restarts += 1;
      cluster.compact();
      // Many lines can come at once: one after the other.
      restarted = restarted.then(() => cluster.restart(() => pause(50)));
    });
    const [lines, observation] = await Promise.all([reading, end(reference, on)]);
    await restarted;
    expect(textsOf(lines)).toEqual(numbered(2000));
    expect(observation?.status.state).toBe('succeeded');
    expect(restarts).toBe(5);
  });
});
