import { ActionError } from '@slashtrain/core/action/errors';
import type { Kind, KubernetesObject, ObjectMeta, Resource } from '@slashtrain/core/kinds/kind';
import { knownKinds, unknownKind, type Kinds } from '@slashtrain/core/kinds/registry';
import { LineCounter, parseAllDocuments, type Document } from 'yaml';
import type { Helper } from './helpers.ts';

/** A manifest as it was given. */
export interface ManifestSource {
  text: string;
  /** For errors: the path in the commit or on disk, or `input "manifest"`. */
  file: string;
}

/** The one run that a manifest holds, and what is to be made with it. */
export interface Manifest {
  object: KubernetesObject;
  kind: Kind;
  /** The other documents. Absent is none. */
  helpers?: readonly Helper[];
  /** What the run refers to on the cluster; absent where none was asked. */
  found?: readonly KubernetesObject[];
}

/** What a document can say of itself, with the value "true". It is taken out before anything is sent. */
const marks = {
  /** This document is the run, where several could be. */
  run: 'slashtrain.dev/main',
  /** This claim goes with the run, and what is on it. */
  ephemeral: 'slashtrain.dev/ephemeral',
};

const core = { group: '', version: 'v1' };
const helperResources: readonly Resource[] = [
  { ...core, plural: 'configmaps', kind: 'ConfigMap' },
  { ...core, plural: 'persistentvolumeclaims', kind: 'PersistentVolumeClaim' },
  { ...core, plural: 'secrets', kind: 'Secret' },
  { ...core, plural: 'services', kind: 'Service' },
];

/**
 * Reads a manifest: YAML or JSON, of whose documents one is a run of a known kind and the others are what it needs.
 * @throws ActionError `manifest` with file, line and column, and what is allowed
 */
export function readManifest(source: ManifestSource, kinds: Kinds = knownKinds): Manifest {
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
  const [first] = found;
  if (!first) throw refused(`${source.file} is empty`);
  const runs = found.flatMap((one) => {
    const kind = kinds.find(one.object.apiVersion, one.object.kind);
    return kind ? [{ ...one, kind }] : [];
  });
  const run = chooseRun(runs);
  if (!run) {
    const other = found.find(({ object }) => helperOf(object) === undefined) ?? first;
    throw unknownKind(other.at, other.object, kinds);
  }
  const helpers = found.filter(({ at }) => at !== run.at).map((one) => readHelper(one, runs.find(({ at }) => at === one.at)?.kind));
  const twin = helpers.find((one, index) => helpers.findIndex((other) => isSame(one.object, other.object)) !== index);
  if (twin) throw refused(`${twin.at}: a second ${twin.object.kind} "${twin.object.metadata.name ?? ''}"`);
  return { object: run.object, kind: run.kind, ...(helpers.length > 0 ? { helpers } : {}) };
}

interface Found {
  object: KubernetesObject;
  at: string;
  marked: ReadonlySet<string>;
}

/** The only run, or the one that is marked as it. */
function chooseRun<Run extends Found>(runs: readonly Run[]): Run | undefined {
  const marked = runs.filter((one) => one.marked.has(marks.run));
  const [run, second] = marked.length > 0 ? marked : runs;
  if (run && second) {
    throw new ActionError('manifest', `${second.at}: a second run, ${second.object.kind}; the first stands at ${run.at}`, {
      remedy: `one manifest makes one run: split it, or mark the one to wait for with the annotation ${marks.run}: "true"`,
    });
  }
  return run;
}

function helperOf({ apiVersion, kind }: KubernetesObject): Resource | undefined {
  return apiVersion === 'v1' ? helperResources.find((resource) => resource.kind === kind) : undefined;
}

function readHelper({ object, at, marked }: Found, kind: Kind | undefined): Helper {
  const resource = kind?.resource ?? helperOf(object);
  const { name } = object.metadata;
  if (!resource) {
    throw new ActionError('unsupported', `${at}: a ${object.apiVersion} ${object.kind} beside the run`, {
      remedy: `beside it may stand ${helperResources.map((one) => one.kind).join(', ')}; make others in the cluster and refer to them by name`,
    });
  }
  if (typeof name !== 'string' || name === '') throw refused(`${at}: a ${object.kind} beside the run needs "metadata.name"`);
  // What it refers to would run unchecked.
  if (kind?.elsewhere) throw new ActionError('unsupported', `${at}: a ${object.kind} can only be the run itself`);
  const isClaim = resource.kind === 'PersistentVolumeClaim';
  if (marked.has(marks.ephemeral) && !isClaim) {
    throw refused(`${at}: the annotation ${marks.ephemeral} is for a PersistentVolumeClaim; a ${object.kind} always goes with its run`);
  }
  return { object, resource, at, goesWithRun: !isClaim || marked.has(marks.ephemeral) };
}

function isSame(one: KubernetesObject, other: KubernetesObject): boolean {
  return one.kind === other.kind && one.apiVersion === other.apiVersion && one.metadata.name === other.metadata.name;
}

function readObject(document: Document.Parsed, place: (offset: number) => string): Found {
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
  const marked = new Set(Object.values(marks).filter((mark) => isMarked(metadata, mark, at)));
  return { object: { ...object, apiVersion, kind, metadata: withoutMarks(metadata) }, at, marked };
}

function isMarked(metadata: ObjectMeta, mark: string, at: string): boolean {
  const value: unknown = metadata.annotations?.[mark];
  if (value === undefined || value === 'true') return value === 'true';
  throw refused(`${at}: the annotation ${mark} is ${JSON.stringify(value)}; allowed: "true"`);
}

function withoutMarks(metadata: ObjectMeta): ObjectMeta {
  const { annotations, ...rest } = metadata;
  if (!annotations || !Object.values(marks).some((mark) => Object.hasOwn(annotations, mark))) return metadata;
  const others = Object.entries(annotations).filter(([key]) => !Object.values(marks).includes(key));
  return others.length > 0 ? { ...rest, annotations: Object.fromEntries(others) } : rest;
}

function refused(message: string, cause?: unknown): ActionError {
  return new ActionError('manifest', message, cause === undefined ? {} : { cause });
}
