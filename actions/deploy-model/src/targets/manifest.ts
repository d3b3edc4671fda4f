import { ActionError } from '@slashtrain/core/action/errors';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { LineCounter, parseAllDocuments } from 'yaml';
import type { Candidate } from '../types.ts';
import { labelsFor, lineageFor } from './stamp.ts';
import type { Target } from './target.ts';

/** A manifest as it was given. */
export interface ManifestSource {
  text: string;
  /** For errors: the path in the commit or on disk, or `input "manifest"`. */
  file: string;
}

/**
 * The documents of a manifest.
 * @throws ActionError `manifest` with file, line and column
 */
export function readDocuments(source: ManifestSource): KubernetesObject[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(source.text, { lineCounter: lines, uniqueKeys: true, version: '1.2' });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${source.file}:${line}:${col}`;
  };
  const found = (Array.isArray(documents) ? documents : []).filter(({ contents, errors }) => contents !== null || errors.length > 0);
  if (found.length === 0) throw new ActionError('manifest', `${source.file} is empty`);
  const objects = found.map((document) => {
    const [problem] = document.errors;
    if (problem)
      throw new ActionError('manifest', `${place(problem.pos[0])}: not YAML: ${problem.message.split(/ at line \d+/u)[0] ?? ''}`);
    const at = place(document.contents?.range[0] ?? 0);
    return asObject(document.toJS({ maxAliasCount: 100 }), at);
  });
  const names = objects.map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} "${metadata.name ?? ''}"`);
  const twin = names.find((name, index) => names.indexOf(name) !== index);
  if (twin) throw new ActionError('manifest', `${source.file} has a second ${twin}`);
  return objects;
}

function asObject(value: unknown, at: string): KubernetesObject {
  const { apiVersion, kind, metadata } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const isNamed = typeof metadata === 'object' && metadata !== null && typeof (metadata as { name?: unknown }).name === 'string';
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !isNamed) {
    throw new ActionError('manifest', `${at}: a Kubernetes object needs "apiVersion", "kind" and "metadata.name"`);
  }
  return value as KubernetesObject;
}

/** What `$(…)` stands for in a manifest's texts. */
export function placeholdersFor(candidate: Candidate): ReadonlyMap<string, string | undefined> {
  const { name, namespace, environment, sha, revision, image, modelUri } = candidate;
  return new Map(Object.entries({ name, namespace, environment, sha, revision, image, 'model-uri': modelUri }));
}

/** Any objects, with our labels and what `$(image)`, `$(model-uri)` and the like stand for. */
export function manifestTarget(candidate: Candidate, documents: readonly KubernetesObject[]): Target {
  const values = placeholdersFor(candidate);
  const objects = documents.map((document) => stamped(filled(document, values) as KubernetesObject, candidate));
  return { name: 'manifest', objects: () => objects, canary: 'a manifest says itself how traffic is split' };
}

function filled(value: unknown, values: ReadonlyMap<string, string | undefined>): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\(([a-z-]+)\)/gu, (whole, key: string) => {
      if (!values.has(key)) return whole;
      const known = values.get(key);
      if (known !== undefined) return known;
      throw new ActionError('input', `the manifest uses ${whole}, and there is none`, {
        remedy: `set the input "${key}", or let the run give it`,
      });
    });
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, values)]));
}

function stamped(object: KubernetesObject, candidate: Candidate): KubernetesObject {
  const { metadata } = object;
  const labels = labelsFor(candidate);
  const whole: KubernetesObject = {
    ...object,
    metadata: {
      ...metadata,
      namespace: metadata.namespace ?? candidate.namespace,
      labels: { ...metadata.labels, ...labels },
      annotations: { ...metadata.annotations, ...lineageFor(candidate) },
    },
  };
  const spec = whole['spec'] as { template?: { metadata?: { labels?: Record<string, string> } } } | undefined;
  // The pods of a workload, or the revision of a Knative Service.
  if (!spec?.template) return whole;
  const template = {
    ...spec.template,
    metadata: { ...spec.template.metadata, labels: { ...spec.template.metadata?.labels, ...labels } },
  };
  return { ...whole, spec: { ...spec, template } };
}
