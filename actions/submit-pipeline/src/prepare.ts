import { ActionError } from '@slashtrain/core/action/errors';
import type { Container, KubernetesObject, PodTemplate } from '@slashtrain/core/kinds/kind';
import { runLabels, type RunRecord } from '@slashtrain/core/run/record';
import type { Manifest } from './manifest.ts';

/** What goes into the manifest's object, beside name and labels. */
export interface Settings {
  parameters: ReadonlyMap<string, string>;
  /** By container name, or by the image as the manifest has it; values are `name@sha256:…`. */
  images: ReadonlyMap<string, string>;
  env: ReadonlyMap<string, string>;
  /** Seconds; absent where the manifest's own stands. */
  deadlineSeconds?: number | undefined;
  /** Seconds that the ended run stays. */
  ttlSeconds: number;
}

/** Where and for what a run is made. */
export interface Placement {
  name: string;
  namespace: string;
  record: Pick<RunRecord, 'repository' | 'pullRequest' | 'sha' | 'pipeline'>;
}

/**
 * The object to submit, made from the manifest's without changing that one.
 * Whatever the manifest says of name and namespace, the run has ours.
 * @throws ActionError `input` for an image, a parameter or a container that the manifest does not have
 */
export function prepare(manifest: Manifest, settings: Settings, placement: Placement): KubernetesObject {
  const { kind } = manifest;
  const object = structuredClone(manifest.object);
  const labels = runLabels(placement.record);
  const { generateName: _, ...metadata } = object.metadata;
  object.metadata = { ...metadata, name: placement.name, namespace: placement.namespace, labels: { ...metadata.labels, ...labels } };

  kind.setParameters(object, settings.parameters);
  const templates = kind.podTemplates(object);
  setImages(templates, settings.images);
  const env = new Map([...identity(placement), ...settings.env]);
  for (const { template } of templates) {
    template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, ...labels } };
    for (const container of containersOf(template)) setEnv(container, env);
  }
  if (settings.deadlineSeconds !== undefined) kind.setDeadline(object, settings.deadlineSeconds);
  kind.setTtl(object, settings.ttlSeconds);
  return object;
}

/** What a program can read about itself, and what ties a tracker's run to this one. */
function identity({ name, record }: Placement): Map<string, string> {
  return new Map([
    ['SLASHTRAIN_RUN', name],
    ['SLASHTRAIN_SHA', record.sha],
    ['SLASHTRAIN_PIPELINE', record.pipeline],
    ...(record.pullRequest === undefined ? [] : [['SLASHTRAIN_PULL_REQUEST', String(record.pullRequest)] as const]),
  ]);
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

function setEnv(container: Container, env: ReadonlyMap<string, string>): void {
  const own = (container.env ?? []).filter(({ name }) => !env.has(name));
  container.env = [...own, ...[...env].map(([name, value]) => ({ name, value }))];
}

/** The init containers and containers of a pod template. */
export function containersOf(template: PodTemplate['template']): Container[] {
  return [...(template.spec?.initContainers ?? []), ...(template.spec?.containers ?? [])];
}
