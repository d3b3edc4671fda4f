import { ActionError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { isKfp } from '../kinds/kfp-run.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { RunRecord } from '../run/record.ts';
import { isWorkflow, type ArgoInputs } from './argo-inputs.ts';
import type { RunBackend } from './backend.ts';
import type { KfpInputs } from './kfp/inputs.ts';
import { kubernetesBackend, type KubernetesBackendOptions } from './kubernetes.ts';

/** What {@link backendFor} is made with, beside what the backend of Kubernetes takes. */
export interface BackendOptions extends Omit<KubernetesBackendOptions, 'log'> {
  host: Pick<Host, 'log' | 'environment' | 'signal'>;
  kfp: KfpInputs | undefined;
  /** Argo's server, whose archive has Workflows that are gone. */
  argo?: ArgoInputs | undefined;
  /** How often Kubeflow Pipelines retries a failed run in place. */
  kfpRetries?: number | undefined;
}

/**
 * The backend of the given records' runs: of Kubernetes, and where one of them is a run of Kubeflow Pipelines, of that as well. It is
 * loaded then alone.
 */
export async function backendFor(
  client: KubernetesClient,
  records: readonly Pick<RunRecord, 'kind'>[],
  { host, kfp, kfpRetries, argo, ...options }: BackendOptions,
): Promise<RunBackend> {
  const kubernetes = await archivedToo(kubernetesBackend(client, { ...options, log: host.log }), records, host, argo);
  if (!records.some((record) => isKfp(record.kind))) return kubernetes;
  const pipelines = await openKfp(client, host, kfp, kfpRetries, options.timing);
  const of = (one: { plural: string; group: string }): RunBackend => (isKfp(one) ? pipelines : kubernetes);
  return {
    check: (kind, object) => of(kind.resource).check(kind, object),
    create: (kind, object) => of(kind.resource).create(kind, object),
    find: (kind, namespace, name) => of(kind.resource).find(kind, namespace, name),
    look: (reference) => of(reference).look(reference),
    observe: (reference, signal) => of(reference).observe(reference, signal),
    logs: (reference, signal, when, only) => of(reference).logs(reference, signal, when, only),
    pods: (reference) => of(reference).pods(reference),
    watchPods: (reference, signal) => of(reference).watchPods(reference, signal),
    cancel: (reference, grace) => of(reference).cancel(reference, grace),
    outputs: (reference) => of(reference).outputs(reference),
    tables: async (reference) => (await of(reference).tables?.(reference)) ?? [],
    artifacts: async (reference) => (await of(reference).artifacts?.(reference)) ?? [],
    podOutputs: async (reference) => (await of(reference).podOutputs?.(reference)) ?? new Map(),
  };
}

async function archivedToo(
  backend: RunBackend,
  records: readonly Pick<RunRecord, 'kind'>[],
  host: BackendOptions['host'],
  argo: ArgoInputs | undefined,
): Promise<RunBackend> {
  if (!argo || !records.some(({ kind }) => isWorkflow(kind))) return backend;
  const { openArgo, withArchive } = await import('./argo-archive.ts');
  return withArchive(backend, openArgo(argo, host), host.log);
}

async function openKfp(
  cluster: KubernetesClient,
  { log, environment, signal }: BackendOptions['host'],
  inputs: KfpInputs | undefined,
  retries: number | undefined,
  timing: KubernetesBackendOptions['timing'],
): Promise<RunBackend> {
  if (!inputs) return unnamed();
  const [{ kfpBackend }, { kfpClient }, { credentialsOf }, { nodeExchange }, { readMetadata }] = await Promise.all([
    import('./kfp/backend.ts'),
    import('./kfp/client.ts'),
    import('./kfp/credentials.ts'),
    import('../registry/http.ts'),
    import('./kfp/metadata/store.ts'),
  ]);
  const reach = {
    url: inputs.url,
    pages: inputs.pages,
    credentials: credentialsOf(inputs, { environment, log }),
    exchange: inputs.service
      ? (await import('../kubernetes/service.ts')).serviceExchange(cluster, inputs.service)
      : nodeExchange(environment),
    signal,
    onRetry: (why: string, seconds: number): void => log.debug(`${why}; again in ${seconds.toFixed(1)} s`),
  };
  const client = kfpClient(reach);
  const metadata = (runId: string): ReturnType<typeof readMetadata> => readMetadata(runId, reach);
  return kfpBackend({ client, metadata, cluster, log, ...(retries === undefined ? {} : { retries }), ...(timing ? { timing } : {}) });
}

/** Fails where it is asked, and not before: of several runs the others go on. */
function unnamed(): RunBackend {
  const refuse = async (): Promise<never> => {
    throw new ActionError('input', 'the run is one of Kubeflow Pipelines, and input "kfp-url" was not given', {
      remedy: 'add the kfp-url or kfp-service of submit-pipeline, and its token, to this step',
    });
  };
  const refuseEach = async function* (): AsyncGenerator<never> {
    yield await refuse();
  };
  return {
    check: refuse,
    create: refuse,
    find: refuse,
    look: refuse,
    observe: refuseEach,
    logs: refuseEach,
    pods: refuse,
    watchPods: refuseEach,
    cancel: refuse,
    outputs: refuse,
  };
}
