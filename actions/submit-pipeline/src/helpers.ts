import { ActionError } from '@slashtrain/core/action/errors';
import type { Kind, KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { labels } from '@slashtrain/core/run/record';
import { nameChanges, rename, type Names } from './names.ts';

/** A document beside the run: something that the run needs and that is made with it. */
export interface Helper {
  object: KubernetesObject;
  resource: Resource;
  /** Whether it goes with the run. A claim that is not marked as ephemeral stays: checkpoints lie there. */
  goesWithRun: boolean;
  /** Where it stands, for errors. */
  at: string;
}

/** A helper as it will be made. */
export interface PlannedHelper extends Pick<Helper, 'resource' | 'goesWithRun'> {
  object: KubernetesObject;
}

/** What a run and its helpers are called. */
export interface HelperPlacement {
  /** The run's name. */
  name: string;
  /** What a helper's name ends with: one for each attempt of each request. */
  suffix: string;
  namespace: string;
}

/**
 * The run and its helpers under names of their own, referring to one another by these. Neither original is changed.
 * A Service selects this run's pods alone, by a label.
 * @throws ActionError `manifest` for a helper of another namespace, two of one name, and an unknown `$(names.…)`
 */
export function withHelpers(
  { object, kind, helpers }: { object: KubernetesObject; kind: Kind; helpers: readonly Helper[] },
  placement: HelperPlacement,
): { run: KubernetesObject; helpers: PlannedHelper[] } {
  if (helpers.length === 0) return { run: object, helpers: [] };
  const names = nameChanges(helpers, placement);
  const run = rename(object, names);
  if (helpers.some(isService)) {
    for (const { template } of kind.podTemplates(run)) {
      template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, [labels.run]: placement.name } };
    }
  }
  return { run, helpers: helpers.map((helper) => planned(helper, names, placement)) };
}

function planned(helper: Helper, names: Names, placement: HelperPlacement): PlannedHelper {
  const { resource, goesWithRun, at } = helper;
  const { metadata, ...rest } = rename(helper.object, names);
  const { namespace, annotations } = metadata;
  if (namespace !== undefined && namespace !== placement.namespace) {
    throw new ActionError(
      'manifest',
      `${at}: the ${resource.kind} is for namespace "${namespace}", and the run for "${placement.namespace}"`,
      {
        remedy: 'take "namespace" out of it: it is made in the namespace of the run',
      },
    );
  }
  const object: KubernetesObject = {
    ...rest,
    apiVersion: helper.object.apiVersion,
    kind: helper.object.kind,
    metadata: {
      name: names.of(resource.kind, metadata.name ?? '') ?? '',
      namespace: placement.namespace,
      // Not the labels of a record: a ConfigMap with these and a pull request's text in it could pose as one.
      labels: { ...metadata.labels, [labels.run]: placement.name },
      ...(annotations ? { annotations } : {}),
    },
  };
  if (isService(helper)) selectOnly(object, placement.name);
  return { resource, goesWithRun, object };
}

function isService({ resource }: Pick<Helper, 'resource'>): boolean {
  return resource.kind === 'Service';
}

function selectOnly(service: KubernetesObject, run: string): void {
  const spec = service['spec'] as { selector?: Record<string, string> } | undefined;
  if (spec?.selector) spec.selector = { ...spec.selector, [labels.run]: run };
}
