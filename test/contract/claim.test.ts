import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ActionError } from '@slashtrain/core/action/errors';
import { kubernetesBackend } from '@slashtrain/core/backend/kubernetes';
import { kindFor } from '@slashtrain/core/kinds/index';
import type { Kind, KubernetesObject } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { configMaps, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import type { StoredRecord } from '@slashtrain/core/records/store';
import { recordAnnotation, type RunRecord } from '@slashtrain/core/run/record';
import { parseReference } from '@slashtrain/core/run/reference';
import type { Asker } from '@slashtrain/core/run/request';
import { startCluster, type EmbeddedCluster } from '@slashtrain/testing/cluster/cluster';
import { claim, type ClaimParts, type ClaimRequest } from '../../actions/submit-pipeline/src/claim.ts';
import { helperStore } from '../../actions/submit-pipeline/src/helper-store.ts';
import { withHelpers, type PlannedHelper } from '../../actions/submit-pipeline/src/helpers.ts';
import { claimOf } from '../support/claims.ts';

/*
 * The claim protocol, broken at every point: before and after each request that it makes outside, the process dies,
 * and another comes later. Whatever was broken, there is one run, one check, and a record that has both.
 */

let cluster: EmbeddedCluster;
let client: KubernetesClient;
let job: Kind;
const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
const quiet = { info() {}, debug() {}, notice() {}, warning() {}, error() {}, startGroup() {}, endGroup() {}, mask() {} };

beforeAll(async () => {
  cluster = await startCluster();
  client = await openKubernetes({ kubeconfig: cluster.kubeconfig, environment: {}, log: quiet });
  job = kindFor('batch/v1', 'Job') as Kind;
});
afterAll(() => cluster.stop());

const us: Asker = { id: 'comment:1', runAttempt: 1 };
const usAgain: Asker = { id: 'comment:1', runAttempt: 2 };
const other: Asker = { id: 'comment:2', runAttempt: 1 };

/** A world of its own: a namespace, the checks that were made in it, and a clock. */
class World {
  readonly namespace = `claim-${randomUUID().slice(0, 8)}`;

  static async open(): Promise<World> {
    const world = new World();
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: world.namespace } });
    return world;
  }

  readonly checks: { id: number; record: string; end?: string }[] = [];
  now = Date.parse('2026-01-01T00:00:00Z');
  readonly records = recordStore(client);
  readonly backend = kubernetesBackend(client, { log: quiet });

  parts(): ClaimParts {
    return {
      records: this.records,
      backend: this.backend,
      helpers: helperStore(client),
      now: () => this.now,
      pause: () => pause(5),
      makeCheck: (stored, mayExist) => {
        const earlier = mayExist ? this.checks.find(({ record }) => record === stored.uid) : undefined;
        const check = earlier ?? { id: this.checks.length + 1, record: stored.uid };
        if (!earlier) this.checks.push(check);
        return Promise.resolve(check.id);
      },
      endCheck: (_stored, id, end, { message }) => {
        const check = this.checks.find((one) => one.id === id);
        if (check) check.end = `${end}: ${message}`;
        return Promise.resolve();
      },
    };
  }

  /** A request whose run brings two helpers along, one of which stays. */
  requestWithHelpers(asker: Asker): ClaimRequest {
    const helper = (name: string, attempt: number, goesWithRun: boolean): PlannedHelper => ({
      resource: configMaps,
      goesWithRun,
      object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${name}-${attempt}`, namespace: this.namespace }, data: {} },
    });
    return { ...this.request(asker), helpersFor: (attempt) => [helper('goes', attempt, true), helper('stays', attempt, false)] };
  }

  /** The helpers by name, with the UIDs of their owners. */
  async helpers(): Promise<Record<string, string[]>> {
    const { items } = await client.list(configMaps, this.namespace);
    const found = items.filter(({ metadata }) => /^(goes|stays)/u.test(metadata.name ?? ''));
    return Object.fromEntries(
      found.map(({ metadata }) => [metadata.name ?? '', (metadata.ownerReferences ?? []).map(({ uid }) => uid)] as const),
    );
  }

  request(asker: Asker, again = false): ClaimRequest {
    const which = { pullRequest: 42, sha: 'a'.repeat(40), request: 'c'.repeat(64) };
    return claimOf({ namespace: this.namespace, name: 'digits', ...which, asker, again, now: () => this.now });
  }

  async jobs(): Promise<KubernetesObject[]> {
    return (await client.list(job.resource, this.namespace)).items;
  }

  async attempts(): Promise<StoredRecord[]> {
    return this.records.find(this.namespace, { repositoryId: 7 });
  }

  /** Writes an end into the newest record, as wait-for-run does. */
  async end(state: RunRecord['state']): Promise<void> {
    const newest = (await this.attempts()).at(-1) as StoredRecord;
    await this.records.update(newest, (record) => ({ ...record, state }));
  }

  /** One run, one check, and a record that has both and no lease. */
  async expectOneRun(): Promise<void> {
    const [stored, ...more] = await this.attempts();
    expect(more).toEqual([]);
    const jobs = await this.jobs();
    expect(jobs.map(({ metadata }) => metadata.annotations?.[recordAnnotation])).toEqual([stored?.uid]);
    expect(parseReference(stored?.record.run ?? '').uid).toBe(jobs[0]?.metadata.uid);
    expect(this.checks.map(({ id }) => id)).toEqual([stored?.record.checkRunId]);
    expect(stored?.record.lease).toBeUndefined();
  }
}

class Crash extends Error {}

/** `parts` of a process that dies before or after its `at`th request outside. */
function dying(parts: ClaimParts, at: number, moment: 'before' | 'after'): ClaimParts {
  let count = 0;
  const guard =
    <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      count++;
      if (count > at || (count === at && moment === 'before')) throw new Crash();
      const result = await call(...args);
      if (count === at) throw new Crash();
      return result;
    };
  const { records, backend, helpers } = parts;
  return {
    ...parts,
    helpers: { ...helpers, make: guard(helpers.make), handOver: guard(helpers.handOver), drop: guard(helpers.drop) },
    makeCheck: guard(parts.makeCheck),
    records: {
      ...records,
      get: guard(records.get.bind(records)),
      find: guard(records.find.bind(records)),
      create: guard(records.create.bind(records)),
      update: guard(records.update.bind(records)),
    },
    backend: { ...backend, create: guard(backend.create.bind(backend)), cancel: guard(backend.cancel.bind(backend)) },
  };
}

// What an undisturbed claim does, one request after the other.
const requests = ['look for attempts', 'make the record', 'make the check', 'make the run', 'write its UID', "write the check's id"];
const crashPoints = requests.flatMap((request, index) =>
  (['before', 'after'] as const).map((moment) => ({ request, moment, at: index + 1 })),
);

describe('a process dies', () => {
  it('has no other point to die at', async () => {
    const world = await World.open();
    await expect(claim(world.request(us), dying(world.parts(), requests.length + 1, 'before'))).resolves.toMatchObject({ adopted: false });
    await expect(claim((await World.open()).request(us), dying(world.parts(), requests.length, 'before'))).rejects.toThrow(Crash);
  });

  it.each(crashPoints)('$moment it could $request; the re-run heals it', async ({ at, moment }) => {
    const world = await World.open();
    await expect(claim(world.request(us), dying(world.parts(), at, moment))).rejects.toThrow(Crash);
    world.now += 61_000;
    await claim(world.request(usAgain), world.parts());
    await world.expectOneRun();
  });

  it.each(crashPoints)('$moment it could $request, and so does the one that heals, at each of its own points', async ({ at, moment }) => {
    for (const second of crashPoints) {
      const world = await World.open();
      await expect(claim(world.request(us), dying(world.parts(), at, moment))).rejects.toThrow(Crash);
      world.now += 61_000;
      await claim(world.request(usAgain), dying(world.parts(), second.at, second.moment)).catch(() => undefined);
      world.now += 61_000;
      await claim(world.request(other), world.parts());
      await world.expectOneRun();
    }
  });
});

describe('a process that makes helpers dies', () => {
  const withHelpers = [...requests.slice(0, 3), 'make a helper', 'make the other', ...requests.slice(3, 5)];
  withHelpers.push('hand a helper over', 'let the other go', ...requests.slice(5));
  const points = withHelpers.flatMap((request, index) =>
    (['before', 'after'] as const).map((moment) => ({ request, moment, at: index + 1 })),
  );
  const ofHelpers = points.filter(({ request }) => /helper|other/u.test(request));
  const lostAnswers = ofHelpers.filter(({ moment }) => moment === 'after');

  /** One run, and its helpers once: one goes with the run, and one has no owner. */
  async function expectOneRunWithHelpers(world: World): Promise<void> {
    await world.expectOneRun();
    const [run] = await world.jobs();
    expect(await world.helpers()).toEqual({ 'goes-1': [run?.metadata.uid], 'stays-1': [] });
  }

  it('has no other point to die at', async () => {
    const world = await World.open();
    await claim(world.requestWithHelpers(us), dying(world.parts(), withHelpers.length + 1, 'before'));
    await expectOneRunWithHelpers(world);
    const other = await World.open();
    await expect(claim(other.requestWithHelpers(us), dying(other.parts(), withHelpers.length, 'before'))).rejects.toThrow(Crash);
  });

  it.each(points)('$moment it could $request: each has an owner, and the re-run heals it', async ({ at, moment }) => {
    const world = await World.open();
    await expect(claim(world.requestWithHelpers(us), dying(world.parts(), at, moment))).rejects.toThrow(Crash);
    const known = new Set([...(await world.attempts()).map(({ uid }) => uid), ...(await world.jobs()).map(({ metadata }) => metadata.uid)]);
    const { 'stays-1': stays = [], ...others } = await world.helpers();
    for (const owners of [...Object.values(others), ...(stays.length > 0 ? [stays] : [])]) {
      expect(owners.filter((uid) => known.has(uid))).toHaveLength(1);
    }
    world.now += 61_000;
    await claim(world.requestWithHelpers(usAgain), world.parts());
    await expectOneRunWithHelpers(world);
  });

  it.each(lostAnswers)('$moment it could $request, and so does the one that heals', async ({ at, moment }) => {
    for (const second of ofHelpers) {
      const world = await World.open();
      await expect(claim(world.requestWithHelpers(us), dying(world.parts(), at, moment))).rejects.toThrow(Crash);
      world.now += 61_000;
      await claim(world.requestWithHelpers(usAgain), dying(world.parts(), second.at, second.moment)).catch(() => undefined);
      world.now += 61_000;
      await claim(world.requestWithHelpers(other), world.parts());
      await expectOneRunWithHelpers(world);
    }
  });
});

describe('helpers', () => {
  it('are gone where the run is refused', async () => {
    const world = await World.open();
    const request = world.requestWithHelpers(us);
    const broken: ClaimRequest = { ...request, objectFor: (attempt) => ({ ...request.objectFor(attempt), spec: {} }) };
    await expect(claim(broken, world.parts())).rejects.toThrow(/template/u);
    expect(await world.helpers()).toEqual({});
  });

  it('stay where the server did not answer, and the run is made with them', async () => {
    const world = await World.open();
    const parts = world.parts();
    const create = (): Promise<never> => Promise.reject(new ActionError('unreachable', 'no answer'));
    await expect(claim(world.requestWithHelpers(us), { ...parts, backend: { ...parts.backend, create } })).rejects.toThrow('no answer');
    expect(Object.keys(await world.helpers())).toEqual(['goes-1', 'stays-1']);
  });

  it('of another are refused by name and not touched, and no run is made', async () => {
    const world = await World.open();
    const foreign = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'stays-1', namespace: world.namespace }, data: { a: 'b' } };
    await client.create(configMaps, foreign);
    await expect(claim(world.requestWithHelpers(us), world.parts())).rejects.toThrow(
      `the ConfigMap "stays-1" in namespace "${world.namespace}" exists and was not made for this request`,
    );
    expect(await world.jobs()).toEqual([]);
    expect(await world.helpers()).toEqual({ 'stays-1': [] });
    expect((await world.attempts()).map(({ record }) => record.state)).toEqual(['failed']);
  });

  it('go with a run that is cancelled while it is made', async () => {
    const world = await World.open();
    const parts = world.parts();
    const create: typeof parts.backend.create = async (...args) => {
      const [stored] = await world.attempts();
      await parts.records.update(stored as StoredRecord, (record) => ({
        ...record,
        cancel: { at: '2026-01-01T00:00:00Z', by: 'ada', why: 'closed' },
      }));
      return parts.backend.create(...args);
    };
    await expect(claim(world.requestWithHelpers(us), { ...parts, backend: { ...parts.backend, create } })).rejects.toThrow('was cancelled');
    while ('goes-1' in (await world.helpers())) await pause(5);
    expect(await world.helpers()).toEqual({ 'stays-1': [] });
  });

  it('are no records, whatever is in them', async () => {
    const world = await World.open();
    const request = world.request(us);
    const data = { record: JSON.stringify({ ...request.recordFor(1), state: 'succeeded' }) };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'pose' }, data };
    const documents = { object: request.objectFor(1), kind: job, helpers: [{ object, resource: configMaps, goesWithRun: true, at: '' }] };
    const { helpers } = withHelpers(documents, { name: 'digits-1', suffix: '1', namespace: world.namespace });
    await claim({ ...request, helpersFor: () => helpers }, world.parts());
    expect((await client.get(configMaps, world.namespace, 'pose-1'))?.['data']).toEqual(data);
    expect((await world.attempts()).map(({ name }) => name)).toEqual(['digits-1']);
  });
});

describe('several at once', () => {
  it('make one run', async () => {
    const world = await World.open();
    const askers = Array.from({ length: 6 }, (_, index): Asker => ({ id: `comment:${index}`, runAttempt: 1 }));
    const claimed = await Promise.all(askers.map((asker) => claim(world.request(asker), world.parts())));
    await world.expectOneRun();
    expect(claimed.filter(({ adopted }) => !adopted)).toHaveLength(1);
    const [stored] = await world.attempts();
    expect(stored?.record.asked.map(({ id }) => id).sort()).toEqual(askers.map(({ id }) => id).sort());
  });

  it('wait for the holder of the lease, who makes the run', async () => {
    const world = await World.open();
    let release = (): void => {};
    const gate = new Promise<void>((open) => (release = open));
    const parts = world.parts();
    const slow = claim(world.request(us), {
      ...parts,
      backend: { ...parts.backend, create: async (...args) => (await gate, parts.backend.create(...args)) },
    });
    let pauses = 0;
    const fast = claim(world.request(other), { ...parts, pause: async () => void (++pauses === 3 ? release() : await pause(5)) });
    await expect(slow).resolves.toMatchObject({ adopted: false });
    await expect(fast).resolves.toMatchObject({ adopted: true });
    await world.expectOneRun();
    expect(pauses).toBeGreaterThanOrEqual(3);
  });

  it('leave no second run behind when one wakes up after its lease was taken over and the run is gone', async () => {
    const world = await World.open();
    let release = (): void => {};
    const gate = new Promise<void>((open) => (release = open));
    const parts = world.parts();
    const sleeper = claim(world.request(us), {
      ...parts,
      backend: { ...parts.backend, create: async (...args) => (await gate, parts.backend.create(...args)) },
    });
    while ((await world.attempts()).length === 0) await pause(5);
    world.now += 61_000;
    const { run } = await claim(world.request(other), parts);
    await parts.backend.cancel(parseReference(run));
    await world.end('succeeded');
    release();
    await expect(sleeper).resolves.toMatchObject({ run, adopted: true });
    expect(await world.jobs()).toEqual([]);
  });
});

describe('cancelled in between', () => {
  it('the new run goes, and the attempt says so', async () => {
    const world = await World.open();
    const parts = world.parts();
    const create: typeof parts.backend.create = async (...args) => {
      const [stored] = await world.attempts();
      await parts.records.update(stored as StoredRecord, (record) => ({
        ...record,
        cancel: { at: '2026-01-01T00:00:00Z', by: 'ada', why: 'closed' },
      }));
      return parts.backend.create(...args);
    };
    await expect(claim(world.request(us), { ...parts, backend: { ...parts.backend, create } })).rejects.toThrow(
      'was cancelled before it started by ada: closed',
    );
    expect(await world.jobs()).toEqual([]);
    expect((await world.attempts()).map(({ record }) => record.state)).toEqual(['cancelled']);
    // Whoever cancelled may have looked for a check before there was one.
    expect(world.checks.map(({ end }) => end)).toEqual(['cancelled: the run digits-1 was cancelled before it started by ada: closed']);
  });
});

describe('a check that is refused', () => {
  const refused = new ActionError('permission', 'missing permission "checks: write"', { remedy: 'add it under permissions: in the job' });
  const makeCheck = (): Promise<never> => Promise.reject(refused);

  it('leaves no run, no helper and no record', async () => {
    const world = await World.open();
    const asked = claim(world.requestWithHelpers(us), { ...world.parts(), makeCheck });
    await expect(asked).rejects.toMatchObject({
      code: 'permission',
      message: 'nothing was submitted, since the commit could not get its check: missing permission "checks: write"',
      remedy: refused.remedy,
    });
    expect([await world.jobs(), await world.attempts(), await world.helpers()]).toEqual([[], [], {}]);
    await expect(claim(world.request(us), world.parts())).resolves.toMatchObject({ stored: { name: 'digits-1' }, adopted: false });
    await world.expectOneRun();
  });

  it('leaves a failed record where nobody may delete it', async () => {
    const world = await World.open();
    const records = { ...world.records, delete: () => Promise.reject(new ActionError('permission', 'no')) };
    await expect(claim(world.request(us), { ...world.parts(), records, makeCheck })).rejects.toThrow('nothing was submitted');
    expect((await world.attempts()).map(({ record }) => [record.state, record.refusal, record.lease])).toEqual([
      ['failed', refused.message, undefined],
    ]);
    expect(await world.jobs()).toEqual([]);
  });

  it('leaves the others who asked meanwhile to themselves', async () => {
    const world = await World.open();
    let refuse = (): void => {};
    const gate = new Promise<void>((open) => (refuse = open));
    const without = claim(world.request(us), { ...world.parts(), makeCheck: () => gate.then(makeCheck) });
    const pauses = { count: 0 };
    while ((await world.attempts()).length === 0) await pause(5);
    const waits = async (): Promise<void> => void (++pauses.count === 2 ? refuse() : await pause(5));
    const withRight = claim(world.request(other), { ...world.parts(), pause: waits, now: () => world.now + 30_000 * pauses.count });
    await expect(without).rejects.toThrow('nothing was submitted');
    await expect(withRight).resolves.toMatchObject({ adopted: false });
    await world.expectOneRun();
  });

  it('takes nothing from a run that was made before', async () => {
    const world = await World.open();
    const writesUid = requests.indexOf('write its UID') + 1;
    await expect(claim(world.request(us), dying(world.parts(), writesUid, 'before'))).rejects.toThrow(Crash);
    world.now += 61_000;
    await expect(claim(world.request(other), { ...world.parts(), makeCheck })).rejects.toBe(refused);
    expect([await world.jobs(), await world.attempts()]).toMatchObject([[{}], [{ record: { state: 'queued' } }]]);
    world.now += 61_000;
    await claim(world.request(usAgain), world.parts());
    await world.expectOneRun();
  });
});

describe('attempts', () => {
  it('a re-run after success adopts, and makes nothing', async () => {
    const world = await World.open();
    const first = await claim(world.request(us), world.parts());
    await world.end('succeeded');
    await expect(claim(world.request(usAgain), world.parts())).resolves.toMatchObject({ run: first.run, adopted: true });
    await world.expectOneRun();
  });

  it.each<[string, Asker]>([
    ['another comment after success', other],
    ['a re-run after failure', usAgain],
  ])('%s starts a second attempt', async (name, asker) => {
    const world = await World.open();
    await claim(world.request(us), world.parts());
    await world.end(name.endsWith('failure') ? 'failed' : 'succeeded');
    await expect(claim(world.request(asker), world.parts())).resolves.toMatchObject({ adopted: false });
    expect((await world.jobs()).map(({ metadata }) => metadata.name).sort()).toEqual(['digits-1', 'digits-2']);
  });

  it('a run that the server refuses fails the attempt, and the next re-run tries again', async () => {
    const world = await World.open();
    const request = world.request(us);
    const broken: ClaimRequest = { ...request, objectFor: (attempt) => ({ ...request.objectFor(attempt), spec: {} }) };
    await expect(claim(broken, world.parts())).rejects.toThrow(/template/u);
    expect((await world.attempts()).map(({ record }) => [record.state, record.refusal])).toEqual([
      ['failed', expect.stringMatching(/template/u)],
    ]);
    expect(world.checks.map(({ end }) => end)).toEqual([expect.stringMatching(/^failure: .*template/u)]);
    await expect(claim(world.request(us), world.parts())).rejects.toThrow('could not be made');
    await expect(claim(world.request(usAgain), world.parts())).resolves.toMatchObject({ adopted: false });
  });
});

describe('what is not ours', () => {
  it('a Job of that name is refused by name, and not touched', async () => {
    const world = await World.open();
    const foreign = world.request(us).objectFor(1);
    await client.create(job.resource, foreign);
    await expect(claim(world.request(us), world.parts())).rejects.toThrow(
      `the Job "digits-1" in namespace "${world.namespace}" exists and was not made for this request`,
    );
    expect((await world.jobs()).map(({ metadata }) => metadata.annotations)).toEqual([undefined]);
  });

  it('a Job of another record is refused by name', async () => {
    const world = await World.open();
    const foreign = world.request(us).objectFor(1);
    foreign.metadata.annotations = { [recordAnnotation]: '00000000-0000-4000-8000-000000000000' };
    await client.create(job.resource, foreign);
    await expect(claim(world.request(us), world.parts())).rejects.toThrow('exists and was not made for this request');
  });

  it('a ConfigMap of that name is refused by name', async () => {
    const world = await World.open();
    const configMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'digits-1', namespace: world.namespace },
      data: { record: '{}' },
    };
    await client.create(configMaps, configMap);
    await expect(claim(world.request(us), world.parts())).rejects.toThrow('the ConfigMap "digits-1"');
    expect(await world.jobs()).toEqual([]);
  });
});
