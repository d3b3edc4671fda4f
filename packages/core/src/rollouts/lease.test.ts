import { expect, it } from '@jest/globals';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { Timing } from '../kubernetes/timing.ts';
import { takeLease } from './lease.ts';

const start = Date.parse('2026-11-21T12:00:00Z');
const at = (seconds: number): string => new Date(start + seconds * 1000).toISOString();

/** An API server with one Lease; time passes only where somebody waits. `renewal`: what its holder writes into it after so many seconds. */
function world(renewTime: string, renewal: (seconds: number) => string = () => renewTime) {
  let now = start;
  const spec: Record<string, unknown> = { holderIdentity: 'another', leaseDurationSeconds: 60, acquireTime: renewTime, renewTime };
  const client = {
    get: () => {
      if (spec['holderIdentity'] === 'another') spec['renewTime'] = renewal((now - start) / 1000);
      return Promise.resolve({ metadata: { resourceVersion: '1' }, spec: { ...spec } });
    },
    patch: (_: unknown, _1: unknown, _2: unknown, patch: { spec: object }) => {
      Object.assign(spec, patch.spec);
      return Promise.resolve({ metadata: { resourceVersion: '2' }, spec: { ...spec } });
    },
  } as unknown as KubernetesClient;
  const timing: Timing = {
    now: () => now,
    random: () => 0,
    pause: (milliseconds, signal) => {
      if (spec['holderIdentity'] === 'us') return new Promise((done) => signal?.addEventListener('abort', () => done()));
      now += milliseconds;
      return Promise.resolve();
    },
  };
  const take = async (waitSeconds: number): Promise<number> => {
    const common = { client, namespace: 'ml', name: 'staging', holder: 'us', signal: new AbortController().signal };
    const lease = await takeLease({ ...common, waitSeconds, timing });
    const taken = (now - start) / 1000;
    await lease.release();
    return taken;
  };
  return { take };
}

it.each<[string, string, number]>([
  ['that was never freed is taken once nobody has renewed it while we looked', at(-61), 20],
  ['of days ago is taken at once', at(-90_000), 0],
  ['that is renewed no more is taken when its time is over', at(0), 65],
])('a lease %s', async (_, renewTime, expected) => {
  expect(await world(renewTime).take(600)).toBe(expected);
});

it('a holder whose clock is an hour behind keeps its lease', async () => {
  const behind = (seconds: number): string => at(-3600 + Math.floor(seconds / 15) * 15);
  await expect(world(behind(0), behind).take(600)).rejects.toMatchObject({ code: 'conflict' });
  await expect(world(behind(0), behind).take(0)).rejects.toMatchObject({ code: 'conflict' });
});

it('a holder whose clock is an hour ahead, and who is gone, is waited for a minute', async () => {
  const ahead = (seconds: number): string => at(3600 + Math.min(30, Math.floor(seconds / 15) * 15));
  expect(await world(ahead(0), ahead).take(600)).toBe(95);
});
