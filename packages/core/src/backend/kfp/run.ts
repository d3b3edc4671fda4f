import type { Fields } from '../../kinds/fields.ts';
import type { KubernetesObject } from '../../kinds/kind.ts';
import { recordAnnotation } from '../../run/record.ts';
import type { ApiRun, NewRun } from './api.ts';

/** What a run of Kubeflow Pipelines is called among objects of a cluster. */
export const kind = { apiVersion: 'kfp/v2beta1', kind: 'Run' };

const ownerLine = /\brecord ([0-9a-f-]{36})$/u;

/** What is sent of a run, but for what it is made from. Its description ends with the UID of its record, `owner`. */
export function newRun(spec: Fields, name: string, experimentId: string, owner: string): NewRun {
  const { parameters, pipelineRoot, serviceAccountName } = spec;
  const words = String(spec['description'] ?? '');
  return {
    display_name: name,
    description: `${words === '' ? 'Made by Slashtrain' : words}; record ${owner}`,
    experiment_id: experimentId,
    runtime_config: {
      ...(parameters === undefined ? {} : { parameters: parameters as object }),
      ...(typeof pipelineRoot === 'string' ? { pipeline_root: pipelineRoot } : {}),
    },
    ...(typeof serviceAccountName === 'string' ? { service_account: serviceAccountName } : {}),
  };
}

/** A record's run. One of the same name that is another's counts too: then the name is taken. */
export function oldest(runs: readonly ApiRun[], owner: string): ApiRun | undefined {
  return runs.find((run) => ownerOf(run) === owner) ?? runs[0];
}

function ownerOf({ description }: ApiRun): string | undefined {
  return ownerLine.exec(description ?? '')?.[1];
}

/** What the API says of a run, in the form of an object of a cluster. */
export function objectOf(run: ApiRun, namespace: string): KubernetesObject {
  const owner = ownerOf(run);
  return {
    ...kind,
    metadata: {
      namespace,
      ...(run.display_name === undefined ? {} : { name: run.display_name }),
      ...(run.run_id === undefined ? {} : { uid: run.run_id }),
      ...(run.created_at === undefined ? {} : { creationTimestamp: run.created_at }),
      ...(owner === undefined ? {} : { annotations: { [recordAnnotation]: owner } }),
    },
  };
}
