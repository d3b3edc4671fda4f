import { ActionError, describe } from '../action/errors.ts';
import type { Log } from '../action/log.ts';
import { workflowOutputs, workflowStatus } from '../kinds/argo-workflow-status.ts';
import type { KubernetesObject } from '../kinds/kind.ts';
import type { RunReference } from '../run/reference.ts';
import { isEnded } from '../run/state.ts';
import { openJson, type JsonClient } from '../trackers/http.ts';
import type { Observation, RunBackend } from './backend.ts';
import { isWorkflow, type ArgoInputs } from './argo-inputs.ts';

/** Argo's server. */
export function openArgo({ url, token }: ArgoInputs, { environment, log }: { environment: NodeJS.ProcessEnv; log: Log }): JsonClient {
  if (token !== undefined) log.mask(token);
  return openJson({
    tracker: "Argo's server",
    url,
    from: 'input "argo-server"',
    credentials: 'argo-token',
    environment,
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    onRetry: (why, seconds) => log.debug(`${why}; again in ${seconds.toFixed(1)} s`),
  });
}

/**
 * A Workflow that is gone from the cluster is looked for in Argo's archive
 * (https://argo-workflows.readthedocs.io/en/latest/workflow-archive/): its end is what stands there, and it is `deleted` only where
 * the archive does not have it. An archive that cannot be asked is told and changes nothing.
 */
export function withArchive(backend: RunBackend, argo: Pick<JsonClient, 'get' | 'url'>, log: Pick<Log, 'info' | 'warning'>): RunBackend {
  const found = new Map<string, Promise<KubernetesObject | undefined>>();
  const archived = (reference: RunReference): Promise<KubernetesObject | undefined> => {
    const known = found.get(reference.uid);
    if (known) return known;
    const asked = ask(reference);
    found.set(reference.uid, asked);
    return asked;
  };
  const ask = async ({ namespace, uid, name }: RunReference): Promise<KubernetesObject | undefined> => {
    try {
      const object = await argo.get(`/api/v1/archived-workflows/${uid}`, [['namespace', namespace]]);
      if (!isObject(object) || object.metadata.uid !== uid || object.metadata.name !== name) return undefined;
      // Argo archives what has ended; what it says of anything else is not believed.
      return isEnded(workflowStatus(object).state) ? object : undefined;
    } catch (error) {
      if (error instanceof ActionError && error.code === 'not-found') return undefined;
      log.warning(`the Workflow ${name} is gone, and Argo's archive could not be asked how it ended: ${describe(error)}`);
      return undefined;
    }
  };
  const orArchived = async (reference: RunReference, seen: Observation): Promise<Observation> => {
    if (seen.status.state !== 'deleted' || !isWorkflow(reference)) return seen;
    const object = await archived(reference);
    if (!object) return seen;
    log.info(`the Workflow ${reference.name} is gone from the cluster; its end is Argo's archive's`);
    return { status: workflowStatus(object), object };
  };
  return {
    ...backend,
    look: async (reference) => orArchived(reference, await backend.look(reference)),
    async *observe(reference, signal) {
      for await (const seen of backend.observe(reference, signal)) yield await orArchived(reference, seen);
    },
    async outputs(reference) {
      const own = await backend.outputs(reference);
      const object = own.length === 0 && isWorkflow(reference) ? await found.get(reference.uid) : undefined;
      return object ? workflowOutputs(object) : own;
    },
  };
}

function isObject(value: unknown): value is KubernetesObject {
  const { metadata } = (typeof value === 'object' && value !== null ? value : {}) as { metadata?: unknown };
  return typeof metadata === 'object' && metadata !== null;
}
