import type { KubernetesObject, ObjectMeta } from '@slashtrain/core/kinds/kind';
import { deployLabels, lineageAnnotations } from '@slashtrain/core/rollouts/rollout';
import { runLabels } from '@slashtrain/core/run/record';
import type { Candidate } from '../types.ts';

/** Labels of an object and of its pods: which deploy, of which commit. */
export function labelsFor(candidate: Candidate): Record<string, string> {
  return { ...runLabels(candidate.record), [deployLabels.deployed]: candidate.name, [deployLabels.revision]: candidate.revision };
}

/** Where the deployed model comes from, for whoever looks at the object. */
export function lineageFor({ environment, sha, run, record, image, modelUri }: Candidate): Record<string, string> {
  return {
    [lineageAnnotations.environment]: environment,
    [lineageAnnotations.sha]: sha,
    [lineageAnnotations.run]: run,
    ...(record.pullRequest === undefined ? {} : { [lineageAnnotations.pullRequest]: String(record.pullRequest) }),
    ...(record.verdict === undefined ? {} : { [lineageAnnotations.verdict]: record.verdict }),
    ...(record.dataVersion === undefined ? {} : { [lineageAnnotations.dataVersion]: record.dataVersion }),
    ...(image === undefined ? {} : { [lineageAnnotations.image]: image }),
    ...(modelUri === undefined ? {} : { [lineageAnnotations.modelUri]: modelUri }),
  };
}

/** `metadata` of an object of ours. */
export function metadataFor(candidate: Candidate, name = candidate.name): ObjectMeta {
  return {
    name,
    namespace: candidate.namespace,
    labels: { 'app.kubernetes.io/name': candidate.name, ...labelsFor(candidate) },
    annotations: lineageFor(candidate),
  };
}

/** Which deploy an object is of, by its label. */
export function revisionOf(object: KubernetesObject | undefined): string | undefined {
  return object?.metadata.labels?.[deployLabels.revision];
}
