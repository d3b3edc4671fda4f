import { ActionError } from '@slashtrain/core/action/errors';
import type { Accelerator } from '@slashtrain/core/config/types';
import type { KubernetesObject, PodResources, PodSettings, PodTemplate } from '@slashtrain/core/kinds/kind';
import { putIntoQueue } from '@slashtrain/core/kinds/kueue';
import { containersOf, setPods } from '@slashtrain/core/kinds/pods';
import { runLabels, type RunRecord } from '@slashtrain/core/run/record';
import { environmentOf } from './environment.ts';
import type { PodInputs } from './inputs.ts';
import type { Manifest } from './manifest.ts';

/** What goes into the manifest's object, beside name and labels. */
export interface Settings {
  parameters: ReadonlyMap<string, string>;
  /** By container name, or by the image as the manifest has it; values are `name@sha256:…`. */
  images: ReadonlyMap<string, string>;
  pods: PodInputs;
  /** What the configuration says of the accelerator that `pods` names. */
  accelerator?: Accelerator | undefined;
  /** For the containers that train. */
  resources?: PodResources | undefined;
  queue?: string | undefined;
  /** Seconds; absent where the manifest's own stands. */
  deadlineSeconds?: number | undefined;
  /** Seconds that the ended run stays. */
  ttlSeconds: number;
}

/** Where and for what a run is made. */
export interface Placement {
  name: string;
  namespace: string;
  record: Pick<RunRecord, 'repository' | 'pullRequest' | 'sha' | 'pipeline' | 'dataVersion'>;
  /** `https://github.com/acme/digits` */
  repositoryUrl: string;
  /** Where this run writes what is large. */
  artifacts?: string | undefined;
  /** Whether other runs of the commit get the same pods: then nothing that is this run's or its pull request's alone goes into them. */
  isShared?: boolean;
}

/**
 * The object to submit, made from the manifest's without changing that one.
 * Whatever the manifest says of name and namespace, the run has ours.
 * @throws ActionError `input` for an image, a parameter or a container that the manifest does not have
 */
export function prepare(
  { kind, object: original, found }: Pick<Manifest, 'kind' | 'object' | 'found'>,
  settings: Settings,
  placement: Placement,
): KubernetesObject {
  const object = structuredClone(original);
  const labels = runLabels(placement.record);
  const { generateName: _, ...metadata } = object.metadata;
  object.metadata = { ...metadata, name: placement.name, namespace: placement.namespace, labels: { ...metadata.labels, ...labels } };

  kind.setParameters(object, settings.parameters, found);
  setImages(kind.podTemplates(object), settings.images);
  const pods = podSettings(settings, placement);
  if (kind.setPods) kind.setPods(object, pods);
  else setPods(kind.podTemplates(object), pods);
  if (settings.queue !== undefined) putIntoQueue(kind, object, settings.queue);
  if (settings.deadlineSeconds !== undefined) kind.setDeadline(object, settings.deadlineSeconds);
  kind.setTtl(object, settings.ttlSeconds);
  kind.finish?.(object);
  return object;
}

function podSettings(
  { pods, accelerator, resources }: Settings,
  { isShared = false, record: whole, ...placement }: Placement,
): PodSettings {
  const { pullRequest: _, ...shared } = whole;
  const record = isShared ? shared : whole;
  const { name, ...unnamed } = placement;
  const { env, secrets, serviceAccount, priorityClass } = pods;
  return {
    labels: runLabels(record),
    ...environmentOf({ ...unnamed, ...(isShared ? {} : { name }), record }),
    given: [
      ...[...env].map(([name, value]) => ({ name, value })),
      ...[...secrets.variables].map(([name, { secret, key }]) => ({ name, valueFrom: { secretKeyRef: { name: secret, key } } })),
    ],
    secrets: secrets.all,
    ...(accelerator ? { nodeSelector: accelerator.nodeSelector, tolerations: accelerator.tolerations } : {}),
    ...(serviceAccount === undefined ? {} : { serviceAccount }),
    ...(priorityClass === undefined ? {} : { priorityClass }),
    ...(resources ? { resources } : {}),
  };
}

/** What the inputs say of resources; undefined where they say nothing. */
export function resourcesOf({ cpu, memory, gpus }: PodInputs, accelerator: Accelerator | undefined): PodResources | undefined {
  const resources: PodResources = {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    ...(gpus === undefined ? {} : { gpus }),
    ...(accelerator ? { gpuResource: accelerator.resource } : {}),
  };
  return Object.keys(resources).length > 0 ? resources : undefined;
}

/** Gives containers their images, each pinned by digest: a tag could be moved between the check and the pull. */
function setImages(templates: readonly PodTemplate[], images: ReadonlyMap<string, string>): void {
  const containers = templates.flatMap(({ template }) => containersOf(template));
  for (const [key, image] of images) {
    if (!/^[^\s@]+@sha256:[0-9a-f]{64}$/u.test(image)) {
      throw new ActionError(
        'input',
        `input "images" gives ${JSON.stringify(key)} the image ${JSON.stringify(image)}, which is not pinned`,
        {
          remedy: 'pass the output "image" of build-image: name@sha256:…',
        },
      );
    }
    const named = containers.filter(({ name }) => name === key);
    const targets = named.length > 0 ? named : containers.filter((container) => container.image === key);
    if (targets.length === 0) {
      throw new ActionError(
        'input',
        `input "images" names ${JSON.stringify(key)}, which is neither a container nor an image of the manifest`,
        {
          remedy: `it has the containers ${containers.map(({ name, image: own }) => `${name} (${own ?? 'no image'})`).join(', ')}`,
        },
      );
    }
    for (const target of targets) target.image = image;
  }
}
