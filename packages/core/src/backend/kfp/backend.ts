import { ActionError, describe } from '../../action/errors.ts';
import type { Log } from '../../action/log.ts';
import { needFields } from '../../kinds/fields.ts';
import { kfpRun } from '../../kinds/kfp-run.ts';
import type { KubernetesObject } from '../../kinds/kind.ts';
import { pods as podResource, type KubernetesClient } from '../../kubernetes/client.ts';
import { followLogs } from '../../kubernetes/logs.ts';
import type { Pod } from '../../kubernetes/pod.ts';
import { systemTiming, type Timing } from '../../kubernetes/timing.ts';
import { watchSelection } from '../../kubernetes/watch.ts';
import { recordAnnotation } from '../../run/record.ts';
import type { RunReference } from '../../run/reference.ts';
import { isEnded, type Status } from '../../run/state.ts';
import type { LogLine, Observation, PodsObservation, RunBackend } from '../backend.ts';
import { evidenceOf, podResult } from '../evidence.ts';
import { gatherPods } from '../gather.ts';
import type { ApiRun } from './api.ts';
import type { KfpClient } from './client.ts';
import { measuresOf, type Measures } from './metadata/measures.ts';
import type { RunMetadata } from './metadata/store.ts';
import { kind, newRun, objectOf, oldest } from './run.ts';
import { cachedIn, statusOf, taskNames } from './status.ts';
import { sourceOf } from './version.ts';

/** What {@link kfpBackend} is made with. */
export interface KfpBackendOptions {
  client: KfpClient;
  /** What ML Metadata says of a run; undefined where it is not there. */
  metadata(runId: string): Promise<RunMetadata | undefined>;
  /** The cluster of the records: where the pods are there as well, their logs are read. */
  cluster: KubernetesClient;
  log: Log;
  timing?: Timing;
  /** How often a failed run is retried in place, by Kubeflow Pipelines itself. */
  retries?: number;
}

const createTries = 3;
const nothing: Measures = { outputs: [], tables: [], artifacts: [] };
// Between two looks at a run, in milliseconds: longer while nothing changes.
const shortest = 1_000;
const longest = 15_000;

/**
 * Runs of Kubeflow Pipelines. It has neither labels nor unique names: a run is the record's by its name, which is the record's, and
 * by its description, which ends with the record's UID. It is searched before it is made; of two the older one stays.
 */
export function kfpBackend(options: KfpBackendOptions): RunBackend {
  const { client, metadata, cluster, log, timing = systemTiming, retries = 0 } = options;
  const stopped = new Set<string>();

  const namesOf = new Map<string, ReadonlySet<string>>();
  const look = async ({ uid, namespace, name }: RunReference): Promise<Observation> => {
    const run = await client.getRun(uid);
    if (!run) {
      const message = `there is no run ${uid} (${namespace}/${name}) on ${client.url}`;
      return { status: { state: 'deleted', reason: 'deleted', message } };
    }
    if (run.state === 'CANCELING') stopped.add(uid);
    const names = namesOf.get(uid) ?? taskNames(await specificationOf(run));
    namesOf.set(uid, names);
    const beside = { names, cached: await cachedOf(uid, cachedIn(run)) };
    return { status: statusOf(run, beside, stopped.has(uid)), object: objectOf(run, namespace) };
  };

  const cachedSoFar = new Map<string, { count: number; names: ReadonlySet<string> }>();
  const none: ReadonlySet<string> = new Set();
  // The API says how many tasks were taken from the cache, ML Metadata which: it is asked when there are more of them.
  const cachedOf = async (uid: string, count: number): Promise<ReadonlySet<string>> => {
    const known = cachedSoFar.get(uid);
    if (count === (known?.count ?? 0)) return known?.names ?? none;
    const found = await metadata(uid).catch((error: unknown) => {
      log.debug(`which tasks were taken from the cache could not be read: ${describe(error)}`);
      return undefined;
    });
    const names = found ? new Set(found.cached) : (known?.names ?? none);
    cachedSoFar.set(uid, { count, names });
    return names;
  };

  const specificationOf = async ({ pipeline_spec: own, pipeline_version_reference: reference }: ApiRun): Promise<unknown> => {
    const { pipeline_id: pipeline, pipeline_version_id: version } = reference ?? {};
    if (own !== undefined || pipeline === undefined || version === undefined) return own;
    try {
      return (await client.getVersion(pipeline, version))?.pipeline_spec;
    } catch (error) {
      // The names of tasks that have not begun are lost, and no more.
      log.debug(`the version ${version} of the pipeline could not be read: ${describe(error)}`);
      return undefined;
    }
  };

  const search = async (name: string, namespace: string, experimentId?: string): Promise<ApiRun[]> =>
    client.findRuns(name, {
      ...(experimentId === undefined ? {} : { experimentId }),
      ...((await client.isMultiUser()) ? { namespace } : {}),
    });

  const patiently = async function* (reference: RunReference, signal: AbortSignal): AsyncGenerator<Observation> {
    let wait = shortest;
    let last = '';
    while (!signal.aborted) {
      try {
        const now = await look(reference);
        const text = JSON.stringify(now.status);
        const goesOn = await retried(reference, now.status);
        if (goesOn || text !== last) wait = shortest;
        if (!goesOn && text !== last) yield now;
        last = text;
        if (!goesOn && isEnded(now.status.state)) return;
      } catch (error) {
        if (signal.aborted) return;
        // A server that is away costs time; what a person has to mend is told.
        if (!(error instanceof ActionError) || error.code !== 'unreachable') throw told(error, reference);
        log.debug(`a look at ${reference.name} failed and is taken again: ${describe(error)}`);
      }
      await timing.pause(wait, signal);
      wait = Math.min(longest, wait * 1.3);
    }
  };

  const measured = new Map<string, Promise<Measures>>();

  let left = retries;
  const retried = async ({ uid, name }: RunReference, { state }: Status): Promise<boolean> => {
    if (state !== 'failed' || left === 0) return false;
    left -= 1;
    log.notice(`the run ${name} has failed and is retried by Kubeflow Pipelines, which keeps what succeeded; ${left} retries are left`);
    await client.retry(uid);
    return true;
  };

  const selector = (uid: string): string => kfpRun.podSelector({ ...kind, metadata: { uid } });
  const listPods = async ({ namespace, uid }: RunReference): Promise<Pod[]> => {
    const { items } = await cluster.list<Pod>(podResource, namespace, { labelSelector: selector(uid) });
    return items.filter(isProgram);
  };

  return {
    async check(_, object) {
      // Nothing of it can be tried without being made; that it answers, and knows us, can.
      const { namespace = cluster.namespace, name = '' } = object.metadata;
      await search(name, namespace);
    },

    async create(_, object) {
      const { namespace = cluster.namespace, name = '', annotations } = object.metadata;
      const spec = needFields('pipeline', object, 'spec');
      const experiment = String(spec['experiment'] ?? 'slashtrain');
      const experimentId = await client.experiment(experiment, namespace, 'made by Slashtrain');
      const owner = annotations?.[recordAnnotation] ?? '';
      let source: Awaited<ReturnType<typeof sourceOf>> | undefined;
      let lost: unknown;
      for (let attempt = 1; attempt <= createTries; attempt++) {
        const found = oldest(await search(name, namespace, experimentId), owner);
        if (found) return { taken: objectOf(found, namespace) };
        source ??= await sourceOf(client, spec, namespace);
        const answer = await client.createRun({ ...newRun(spec, name, experimentId, owner), ...source });
        if ('lost' in answer) {
          lost = answer.lost;
          log.debug(`the answer to the new run ${name} was lost, and is searched for: ${describe(lost)}`);
          continue;
        }
        return { made: await settled(answer, name, namespace, experimentId, owner) };
      }
      const found = oldest(await search(name, namespace, experimentId), owner);
      if (found) return { taken: objectOf(found, namespace) };
      throw lost;
    },

    async find(_, namespace, name) {
      const [run] = await search(name, namespace);
      return run && objectOf(run, namespace);
    },

    look,

    observe: patiently,

    async *logs(reference, signal, when = 'live'): AsyncGenerator<LogLine[]> {
      const { namespace, uid } = reference;
      const ended = new AbortController();
      const stop = new AbortController();
      const both = AbortSignal.any([signal, stop.signal]);
      const waiting = (async () => {
        let wait = shortest;
        while (!both.aborted) {
          const seen = await look(reference).catch(() => undefined);
          if (seen && isEnded(seen.status.state)) return ended.abort();
          await timing.pause(wait, both);
          wait = Math.min(longest, wait * 1.3);
        }
      })();
      try {
        const lines = followLogs(cluster, {
          namespace,
          selector: selector(uid),
          ...(kfpRun.helperContainers ? { without: kfpRun.helperContainers } : {}),
          signal: both,
          ended: ended.signal,
          when,
          log,
          timing,
        });
        for await (const batch of lines) {
          const ours = batch.filter(({ pod }) => !driver.test(pod));
          if (ours.length > 0) yield ours;
        }
      } finally {
        stop.abort();
        await waiting;
      }
    },

    watchPods: (reference, signal) =>
      gatherPods({
        client: cluster,
        reference,
        log,
        signal,
        timing,
        pods: (until) =>
          watchSelection<Pod>(
            cluster,
            podResource,
            reference.namespace,
            { labelSelector: selector(reference.uid) },
            { signal: until, timing },
          ),
        // Kueue holds back single pods at most, and they say so themselves.
        workloads: async function* () {},
      }),

    async pods(reference): Promise<PodsObservation> {
      const list = await listPods(reference);
      return { pods: list.map(podResult), evidence: list.flatMap(evidenceOf) };
    },

    async cancel({ uid }) {
      stopped.add(uid);
      await client.terminate(uid);
    },

    outputs: async ({ uid }) => (await measures(uid)).outputs,

    tables: async ({ uid }) => (await measures(uid)).tables,

    artifacts: async ({ uid }) => (await measures(uid)).artifacts,
  };

  /** Asked for at the end of a run, and once. What cannot be read is said: metrics are missing then. */
  function measures(uid: string): Promise<Measures> {
    const known = measured.get(uid);
    if (known) return known;
    const asked = metadata(uid).then(
      (found) => {
        if (found) return measuresOf(found.artifacts);
        log.notice(
          `${client.url} passes on no ML Metadata: metrics and artifacts of the run are not read; give the address of its pages as kfp-url, or their Service`,
        );
        return nothing;
      },
      (error: unknown) => {
        log.warning(`the artifacts of the run could not be read, so that metrics may be missing: ${describe(error)}`);
        return nothing;
      },
    );
    measured.set(uid, asked);
    return asked;
  }

  /** Of two runs that were made at once the older one stays; ours is stopped where it is not that one. */
  async function settled(made: ApiRun, name: string, namespace: string, experimentId: string, owner: string): Promise<KubernetesObject> {
    const first = oldest(await search(name, namespace, experimentId), owner) ?? made;
    if (first.run_id !== made.run_id && made.run_id !== undefined) await client.terminate(made.run_id);
    return objectOf(first, namespace);
  }

  function told(error: unknown, { name, uid }: RunReference): unknown {
    if (!(error instanceof ActionError) || error.code !== 'permission') return error;
    return new ActionError(
      'permission',
      `the run ${name} goes on at ${client.pageOf(uid)}, and cannot be looked at any more: ${error.message}`,
      {
        ...(error.remedy === undefined ? {} : { remedy: `${error.remedy}; then run wait-for-run again` }),
        cause: error,
      },
    );
  }
}

// Pods that decide what runs next (https://github.com/kubeflow/pipelines/tree/2.17.0/backend/src/v2/driver).
const driver = /-system-(?:container|dag)-driver-\d+$/u;

function isProgram({ metadata }: Pod): boolean {
  return !driver.test(metadata.name ?? '');
}
