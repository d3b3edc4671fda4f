import { job } from '@slashtrain/core/kinds/job';
import { recordAnnotation } from '@slashtrain/core/run/record';
import { seeded } from '@slashtrain/core/metrics/random';
import { runBundle, type BundleRun } from '@slashtrain/testing/bundle/bundle';
import type { FaultName } from '@slashtrain/testing/faults/fault';
import { startFaultProxy } from '@slashtrain/testing/faults/proxy';
import { between } from '@slashtrain/testing/faults/random';
import { bundleOf, whereOf, type Place } from '../faults/subject.ts';
import { jobSpec } from '../faults/subjects/jobs.ts';
import { pullRequest } from '../faults/subjects/pulls.ts';
import { recordsIn } from '../faults/subjects/records.ts';
import { kubeconfigBy, openWorld } from '../faults/world.ts';

const faults: readonly FaultName[] = ['reset', 'half', '500', '502', '503', '504', 'busy-until', 'length'];

/** Submissions through the bundle, several of each request at once and through random faults: one run, record and check of each. */
export async function bundles({ requests, times, seed }: { requests: number; times: number; seed: number }): Promise<string[]> {
  const world = await openWorld();
  const random = seeded(seed);
  let struck = 0;
  const proxy = await startFaultProxy({
    target: world.addresses.kubernetes,
    tls: true,
    random,
    decide: ({ isWrite }) => {
      if (random() >= 0.04) return undefined;
      struck += 1;
      const fault = faults[between(random, 0, faults.length - 1)] ?? 'reset';
      return { fault, place: isWrite && fault !== 'busy-until' && random() < 0.5 ? 'after' : 'before' };
    },
  });
  const repository = world.github.createRepository({ owner: 'acme', name: 'digits' });
  const ways = { github: world.addresses.github, kubeconfig: kubeconfigBy(world.cluster.kubeconfig, proxy.url, proxy.ca) };
  const place: Place = { world, ways: { ...ways, registry: '', mlflow: '' }, repository, namespace: 'soak' };
  const spec = jobSpec(['node', 'train.js'], true);
  const manifest = JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'digits' }, spec });
  const queue: { run: BundleRun; sha: string }[] = [];
  const permissions = { contents: 'read', checks: 'write', 'pull-requests': 'read' } as const;
  for (let index = 0; index < requests; index += 1) {
    const { sha, number } = pullRequest(place, { 'train.yaml': manifest });
    const inputs = { manifest: 'train.yaml', sha, 'pr-number': String(number), pipeline: 'digits', 'comment-id': String(index + 1) };
    const run = bundleOf(place, 'submit-pipeline', permissions, { ...inputs, ...whereOf(place) });
    for (let time = 0; time < times; time += 1) queue.push({ run: { ...run, runId: index * times + time + 1 }, sha });
  }
  const said = new Map<string, Set<string>>();
  let again = 0;
  const shas = [...new Set(queue.map(({ sha }) => sha))];
  const worker = async (): Promise<void> => {
    for (let one = queue.shift(); one; one = queue.shift()) {
      const { outputs } = await runBundle(one.run);
      const own = said.get(one.sha) ?? new Set();
      said.set(one.sha, own);
      if (outputs['run']) own.add(outputs['run']);
      else {
        // What a person runs again.
        again += 1;
        queue.push({ ...one, run: { ...one.run, runAttempt: (one.run.runAttempt ?? 1) + 1 } });
      }
    }
  };
  await Promise.all(Array.from({ length: 6 }, worker));
  const jobs = (await world.client.list(job.resource, 'soak')).items.filter(({ metadata }) => metadata.annotations?.[recordAnnotation]);
  const records = await recordsIn(place);
  const checks = shas.map((sha) => repository.checks(sha).length);
  console.log(
    `${requests * times} submissions of ${requests} requests as bundles: ${jobs.length} runs, ${records.length} records, ` +
      `${checks.reduce((sum, count) => sum + count, 0)} checks; ${proxy.trace.length} requests, ${struck} struck, ${again} steps failed and were run again`,
  );
  await proxy.close();
  await world.close();
  return [
    ...(jobs.length === requests && records.length === requests ? [] : ['not one run and record each']),
    ...(checks.every((count) => count === 1) ? [] : ['not one check each']),
    ...(said.size === requests && [...said.values()].every(({ size }) => size === 1) ? [] : ['one request came to different runs']),
  ];
}
