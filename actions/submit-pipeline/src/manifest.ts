import { ActionError } from '@slashtrain/core/action/errors';
import { kindFor, kinds } from '@slashtrain/core/kinds/index';
import type { Kind, KubernetesObject } from '@slashtrain/core/kinds/kind';
import { LineCounter, parseAllDocuments, type Document } from 'yaml';

/** A manifest as it was given. */
export interface ManifestSource {
  text: string;
  /** For errors: the path in the commit or on disk, or `input "manifest"`. */
  file: string;
}

/** The one run that a manifest holds. */
export interface Manifest {
  object: KubernetesObject;
  kind: Kind;
}

/**
 * Reads a manifest: YAML or JSON with one document, a run of a known kind.
 * @throws ActionError `manifest` with file, line and column, and what is allowed
 */
export function readManifest(source: ManifestSource): Manifest {
  const lines = new LineCounter();
  const documents = parseAllDocuments(source.text, { lineCounter: lines, uniqueKeys: true, version: '1.2' });
  if (!Array.isArray(documents)) throw refused(`${source.file} is empty`);
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${source.file}:${line}:${col}`;
  };
  for (const document of documents) {
    const problem = document.errors[0];
    if (problem) throw refused(`${place(problem.pos[0])}: not YAML: ${problem.message.split(/ at line \d+/u)[0] ?? ''}`, problem);
  }

  const found = documents.filter(({ contents }) => contents !== null).map((document) => readObject(document, place));
  const first = found[0];
  if (!first) throw refused(`${source.file} is empty`);
  const runs = found.flatMap(({ object, at }) => {
    const kind = kindFor(object.apiVersion, object.kind);
    return kind ? [{ object, kind, at }] : [];
  });
  const [run, second] = runs;
  if (!run) {
    throw new ActionError(
      'manifest',
      `${first.at}: ${first.object.apiVersion} ${first.object.kind} is not a kind of run that this action knows`,
      {
        remedy: `use one of ${kinds.map(({ resource }) => `${resource.group}/${resource.version} ${resource.kind}`).join(', ')}`,
      },
    );
  }
  if (second) {
    throw new ActionError('manifest', `${second.at}: a second run, ${second.object.kind}; the first stands at ${run.at}`, {
      remedy: 'one manifest makes one run: split it and call the action once for each, with a "pipeline" each',
    });
  }
  const helper = found.find(({ object }) => object !== run.object);
  if (helper) {
    throw new ActionError('unsupported', `${helper.at}: a ${helper.object.kind} beside the run; this version submits the run alone`, {
      remedy: 'make it once in the cluster and reference it by name',
    });
  }
  return { object: run.object, kind: run.kind };
}

function readObject(document: Document.Parsed, place: (offset: number) => string): { object: KubernetesObject; at: string } {
  const at = place(document.contents?.range[0] ?? 0);
  let object: unknown;
  try {
    object = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw refused(`${at}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  if (typeof object !== 'object' || object === null || Array.isArray(object))
    throw refused(`${at}: not a Kubernetes object but ${Array.isArray(object) ? 'a list' : 'a text or number'}`);
  const { apiVersion, kind, metadata = {} } = object as Record<string, unknown>;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') throw refused(`${at}: a Kubernetes object needs "apiVersion" and "kind"`);
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) throw refused(`${at}: "metadata" must be a map`);
  return { object: { ...object, apiVersion, kind, metadata }, at };
}

function refused(message: string, cause?: unknown): ActionError {
  return new ActionError('manifest', message, cause === undefined ? {} : { cause });
}
