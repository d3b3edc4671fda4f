import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { waitUntilReady } from '../../../actions/deploy-model/src/rollout/wait.ts';
import { kindsFor } from '../../../actions/deploy-model/src/targets/kinds/index.ts';
import { missingForReal, openReal, type RealPlace } from '../kubectl.ts';
import type { Part, Row } from '../part.ts';
import { kubectlVersion } from '../programs.ts';

/*
 * How long a rollout takes until deploy-model sees that it is ready, and until `kubectl rollout status` and `kubectl wait` do: all
 * three watch one rollout, from the moment in which it was applied.
 */
const deployments = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' };

/** Milliseconds. */
interface Seen {
  ours: number;
  status: number;
  wait: number;
}

export const part: Part = {
  rounds: { full: 9, quick: 5 },
  missing: missingForReal,
  async run(options) {
    const place = await openReal('ready', options);
    const seen: Seen[] = [];
    try {
      // The first pulls the image.
      for (let round = -1; round < options.rounds; round++) {
        const one = await measure(place, `ready-${round + 1}`);
        if (round >= 0) seen.push(one);
      }
    } finally {
      await place.close();
    }
    const version = kubectlVersion();
    return (['status', 'wait'] as const).map((who): Row => {
      const name = who === 'status' ? 'kubectl rollout status' : 'kubectl wait for Available';
      return {
        ...{ id: `ready/${who}`, what: 'a new Deployment of one pod is seen ready', issues: [10], unit: 'ms', better: 'lower' },
        ours: seen.map(({ ours }) => ours),
        peer: { name, version, samples: seen.map((one) => one[who]) },
        limits: [{ of: 'ratio', most: 1.2 }],
      };
    });
  },
};

async function measure({ client, namespace, image, kubectl }: RealPlace, name: string): Promise<Seen> {
  const labels = { app: name };
  const program = "require('node:http').createServer((_, response) => response.end()).listen(8080)";
  const readinessProbe = { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 };
  const container = { name: 'model', image, command: ['node', '-e', program], readinessProbe };
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } };
  const object: KubernetesObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { selector: { matchLabels: labels }, template },
  };
  const kinds = await kindsFor([object], new Map(), client);
  const applied = await client.apply(deployments, object, {});
  const start = performance.now();
  const theirs = async (...args: string[]): Promise<number> => {
    const child = kubectl(...args);
    child.stdout?.resume();
    child.stderr?.resume();
    const code = await new Promise<number | null>((done, fail) => child.on('close', done).on('error', fail));
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${String(code)}`);
    return performance.now() - start;
  };
  const ours = async (): Promise<number> => {
    const { signal } = new AbortController();
    await waitUntilReady([applied], { client, kinds, signal, timeout: 120, say: () => undefined });
    return performance.now() - start;
  };
  const [we, status, wait] = await Promise.all([
    ours(),
    theirs('rollout', 'status', `deployment/${name}`, '--timeout=120s'),
    theirs('wait', `deployment/${name}`, '--for=condition=Available', '--timeout=120s'),
  ]);
  await client.delete(deployments, namespace, name);
  return { ours: we, status, wait };
}
