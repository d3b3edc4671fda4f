import { randomUUID } from 'node:crypto';
import { admitPod } from './admission.ts';
import { isDryRun, readApplied, readObject, readPatched } from './body.ts';
import { defaultJob, defaultOther, defaultPod, generateName } from './defaults.ts';
import { remove, type Propagation } from './deletion.ts';
import { apply } from './apply.ts';
import { alreadyExists, ApiError, badRequest, conflict, notFound, unsupported } from './errors.ts';
import { immutableProblems } from './immutable.ts';
import { selection } from './lists.ts';
import { trackUpdate } from './managed.ts';
import { timestamp, type ManagedFields, type Stored, type StoredMeta } from './objects.ts';
import { isObject, mergePatch } from './patch.ts';
import { methodNotAllowed, type Answer, type ApiRequest } from './request.ts';
import { apiVersionOf, types, type ResourceType } from './resources.ts';
import { same, type NewObject, type Store } from './store.ts';
import { problemsOf, refuse } from './validation.ts';

type Json = Record<string, unknown>;

/** POST, PUT, PATCH, DELETE and GET of single objects. */
export class Verbs {
  readonly #store: Store;
  readonly #anyNamespace: boolean;

  /** @param anyNamespace a namespace comes to be with the first object in it; a real server answers 404 */
  constructor(store: Store, anyNamespace: boolean) {
    this.#store = store;
    this.#anyNamespace = anyNamespace;
  }

  get(request: ApiRequest): Answer {
    return { code: 200, body: this.#find(request) };
  }

  create(request: ApiRequest): Answer {
    const dryRun = isDryRun(request, 'CreateOptions');
    const { object, warnings } = readObject(request);
    const track: Tracker = (made) => trackUpdate(request.type, request, undefined, made);
    return { code: 201, body: this.#make(request, object, dryRun, track), warnings };
  }

  #make(request: ApiRequest, object: Json, dryRun: boolean, track: Tracker): unknown {
    const { type } = request;
    const given = (object['metadata'] ?? {}) as Partial<NewObject['metadata']>;
    const metadata: NewObject['metadata'] = { ...given, name: given.name ?? '' };
    const made: NewObject = { ...object, metadata };
    this.#place(request, metadata);
    const base = metadata['generateName'] as string | undefined;
    if (!metadata.name && base) metadata.name = generateName(base);
    for (const field of ofTheServer.filter((name) => !['name', 'namespace', 'generateName'].includes(name))) delete metadata[field];
    if (type.status) delete made['status'];
    const uid = randomUUID();
    const own = { ...metadata };
    if (type.kind === 'Job') defaultJob(made, uid);
    else if (type.kind === 'Pod') defaultPod(made);
    else defaultOther(type.kind, made);
    refuse(type, metadata.name, problemsOf(type, made, own));
    if (type.kind === 'Pod') admitPod(this.#store, made);
    metadata['managedFields'] = track(made);
    if (!dryRun) return this.#store.create(type, made, uid);
    if (this.#store.get(type, metadata.namespace, metadata.name)) throw alreadyExists(type, metadata.name);
    const body = { ...made, apiVersion: apiVersionOf(type), kind: type.kind };
    Object.assign(metadata, { uid, creationTimestamp: timestamp(), ...(type.generation ? { generation: 1 } : {}) });
    return body;
  }

  /** PUT */
  update(request: ApiRequest): Answer {
    const dryRun = isDryRun(request, 'UpdateOptions');
    const { object, warnings } = readObject(request);
    const { resourceVersion } = (object['metadata'] ?? {}) as Partial<StoredMeta>;
    return { code: 200, body: this.#change(request, () => object, { version: resourceVersion, dryRun }), warnings };
  }

  /** PATCH: merge patches and server-side apply. */
  patch(request: ApiRequest): Answer {
    const { contentType, body: patch } = request;
    if (contentType === 'application/apply-patch+yaml') return this.#apply(request);
    if (contentType === 'application/json-patch+json') throw unsupported('JSON patches (RFC 6902)');
    if (contentType === 'application/strategic-merge-patch+json') {
      // It needs upstream's merge keys, and the kinds of operators do not know it either.
      throw new ApiError(
        415,
        'UnsupportedMediaType',
        'the embedded cluster does not support strategic merge patches; send a merge patch',
        {},
      );
    }
    if (contentType !== 'application/merge-patch+json') throw new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
    const dryRun = isDryRun(request, 'PatchOptions');
    if (!isObject(patch)) {
      const type = Array.isArray(patch) ? 'array' : typeof patch;
      throw badRequest(`error decoding patch: json: cannot unmarshal ${type} into Go value of type map[string]interface {}`);
    }
    const { resourceVersion } = (patch['metadata'] ?? {}) as Partial<StoredMeta>;
    const warnings: string[] = [];
    const make = (before: Stored): Json => {
      const read = readPatched(request, mergePatch(before, patch) as Json);
      warnings.push(...read.warnings);
      return read.object;
    };
    return { code: 200, body: this.#change(request, make, { version: resourceVersion, dryRun }), warnings };
  }

  #apply(request: ApiRequest): Answer {
    const { type, namespace, name } = request;
    const dryRun = isDryRun(request, 'PatchOptions');
    const { object, unknown } = readApplied(request);
    if (unknown.length > 0) throw notDeclared(request, unknown);
    const { managedFields, resourceVersion } = (object['metadata'] ?? {}) as Partial<StoredMeta>;
    if (managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
    let tracked: ManagedFields[] = [];
    const make = (before: Stored | undefined): Json => {
      const made = apply(request, object, before);
      tracked = made.managedFields;
      return made.object;
    };
    const track: Tracker = () => tracked;
    if (this.#store.get(type, namespace, name!)) {
      return { code: 200, body: this.#change(request, make, { version: resourceVersion, dryRun, track }) };
    }
    checkIdentity(request, object['metadata'] ?? {});
    return { code: 201, body: this.#make(request, make(undefined), dryRun, track) };
  }

  remove(request: ApiRequest): Answer {
    const { type, query, body } = request;
    const dryRun = isDryRun(request, 'DeleteOptions');
    const options = (isObject(body) ? body : {}) as {
      preconditions?: { uid?: string; resourceVersion?: string };
      propagationPolicy?: Propagation;
      gracePeriodSeconds?: number;
    };
    const asked = options.propagationPolicy ?? (query.get('propagationPolicy') as Propagation | null) ?? undefined;
    const grace = options.gracePeriodSeconds ?? (query.has('gracePeriodSeconds') ? Number(query.get('gracePeriodSeconds')) : undefined);
    // An old default of Jobs, which leaves their pods running.
    const warnings = type.kind === 'Job' && asked === undefined ? [podsArePreserved] : [];
    try {
      const found = this.#find(request);
      checkPreconditions(type, found.metadata, options.preconditions ?? {});
      const propagation = asked ?? (type.kind === 'Job' ? 'Orphan' : 'Background');
      const store = dryRun ? this.#store.fork() : this.#store;
      const { object, gone } = remove(store, type, found, { graceSeconds: grace, propagation });
      return { code: 200, body: gone && type.kind !== 'Pod' ? success(type, object) : object, warnings };
    } catch (error) {
      if (error instanceof ApiError) error.warnings = warnings;
      throw error;
    }
  }

  /** DELETE of a collection: each that the selectors match. */
  removeAll(request: ApiRequest): Answer {
    const { type } = request;
    const found = this.#store.list(type, request.namespace).filter(selection(request));
    for (const { metadata } of found) this.remove({ ...request, namespace: metadata.namespace, name: metadata.name });
    const items = found.map(({ apiVersion: _version, kind: _kind, ...item }) => item);
    const metadata = { resourceVersion: String(this.#store.version) };
    return { code: 200, body: { kind: `${type.kind}List`, apiVersion: apiVersionOf(type), metadata, items } };
  }

  #change(
    request: ApiRequest,
    make: (before: Stored) => Json,
    options: { version: string | undefined; dryRun: boolean; track?: Tracker },
  ): Stored {
    const { version, dryRun, track } = options;
    const { type } = request;
    const { namespace, name } = this.#find(request).metadata;
    const change = (before: Stored): Stored => {
      const made = make(before) as unknown as Stored;
      const given = (made.metadata as Partial<StoredMeta> | undefined) ?? {};
      checkIdentity(request, given);
      const result = merge(type, request.subresource, before, { ...made, metadata: keepServerFields(given, before.metadata) });
      if (type.kind === 'Service') keepAddress(before, result);
      if (['Secret', 'Deployment', 'ReplicaSet', 'Service'].includes(type.kind)) defaultOther(type.kind, result as unknown as NewObject);
      const uid = given.uid !== undefined && given.uid !== before.metadata.uid ? given.uid : undefined;
      refuse(type, name, immutableProblems(type, before, result, uid));
      refuse(type, name, problemsOf(type, result as unknown as NewObject));
      // An apply can change nothing but who has what.
      if (track) result.metadata.managedFields = track(result as unknown as NewObject);
      else if (!same(withoutManagers(before), withoutManagers(result))) {
        result.metadata.managedFields = trackUpdate(type, request, before, result as unknown as NewObject);
      }
      return result;
    };
    const store = dryRun ? this.#store.fork() : this.#store;
    const after = store.update<Stored>(type, namespace, name, change, version);
    // A dry run makes no version.
    return dryRun ? { ...after, metadata: { ...after.metadata, resourceVersion: this.#find(request).metadata.resourceVersion } } : after;
  }

  /** Puts a new object into its namespace. @throws ApiError 400, 403, 404, 405 */
  #place({ type, namespace, body }: ApiRequest, metadata: NewObject['metadata']): void {
    if (!type.namespaced) {
      delete metadata.namespace;
      return;
    }
    const given = (body as { metadata?: { namespace?: string } }).metadata?.namespace;
    if (namespace === undefined) throw methodNotAllowed();
    if (given && given !== namespace) throw badRequest(otherNamespace);
    metadata.namespace = namespace;
    const home = this.#store.get(types.namespaces, undefined, namespace);
    if (!home && !this.#anyNamespace) throw notFound(types.namespaces, namespace);
    if (!home) {
      const made: NewObject = { metadata: { name: namespace } };
      defaultOther('Namespace', made);
      this.#store.create(types.namespaces, made);
    } else if (home.metadata.deletionTimestamp !== undefined) throw terminating(type, metadata.name, namespace);
  }

  #find({ type, namespace, name }: ApiRequest): Stored {
    const found = this.#store.get(type, namespace, name!);
    if (!found) throw notFound(type, name!);
    return found;
  }
}

/** Who has which fields of an object that was made or changed. */
type Tracker = (made: NewObject) => ManagedFields[];

/** Sic: an internal error, whatever the field validation. */
function notDeclared({ type, namespace, name }: ApiRequest, unknown: string[]): ApiError {
  const where = `(${namespace === undefined ? '' : `${namespace}/`}${name}; ${apiVersionOf(type)}, Kind=${type.kind})`;
  const fields = unknown.map((path) => `.${path}: field not declared in schema`);
  const all = fields.length === 1 ? fields[0] : `errors:\n${fields.map((field) => `  ${field}`).join('\n')}`;
  return new ApiError(500, undefined, `failed to create typed patch object ${where}: ${all}`);
}

/** A Service keeps the address that it was given, also where an update does not name it. */
function keepAddress(before: Stored, result: Stored): void {
  const { clusterIP, clusterIPs } = before['spec'] as Json;
  result['spec'] = { clusterIP, clusterIPs, ...(result['spec'] as Json) };
}

/** Metadata that only the server sets. */
const ofTheServer = [
  ...['name', 'namespace', 'generateName', 'uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp'],
  ...['deletionGracePeriodSeconds', 'generation', 'managedFields', 'selfLink'],
];

const otherNamespace = 'the namespace of the provided object does not match the namespace sent on the request';
const podsArePreserved =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning';

function keepServerFields(given: Partial<StoredMeta>, own: StoredMeta): StoredMeta {
  const kept = ofTheServer.filter((name) => name in own).map((name) => [name, (own as unknown as Json)[name]]);
  const free = Object.entries(given).filter(([name]) => !ofTheServer.includes(name));
  return Object.fromEntries([...free, ...kept]) as StoredMeta;
}

/** Where status is a subresource, each side leaves the other alone. */
function merge(type: ResourceType, subresource: string | undefined, before: Stored, made: Stored): Stored {
  if (!type.status) return { ...made, apiVersion: before.apiVersion, kind: before.kind };
  const { status: _made, ...rest } = made;
  const { status: _before, ...old } = before;
  const status = subresource === 'status' ? made['status'] : before['status'];
  const { labels, annotations } = made.metadata;
  const body = subresource === 'status' ? { ...old, metadata: { ...old.metadata, ...defined({ labels, annotations }) } } : rest;
  return { ...body, ...defined({ status }), apiVersion: before.apiVersion, kind: before.kind };
}

const defined = (object: Json): Json => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

const withoutManagers = (object: Stored): unknown => ({ ...object, metadata: { ...object.metadata, managedFields: undefined } });

function checkIdentity({ name, namespace }: ApiRequest, given: Partial<StoredMeta>): void {
  if (given.name !== undefined && given.name !== name) {
    throw badRequest(`the name of the object (${given.name}) does not match the name on the URL (${name})`);
  }
  if (namespace !== undefined && given.namespace !== undefined && given.namespace !== namespace) throw badRequest(otherNamespace);
}

function checkPreconditions(type: ResourceType, own: StoredMeta, wanted: { uid?: string; resourceVersion?: string }): void {
  const fails = (what: string, given: string, has: string, why: string): never => {
    const error = conflict(
      type,
      own.name,
      `the ${what} in the precondition (${given}) does not match the ${what} in record (${has}). ${why}`,
    );
    throw conflictOfKind(type, error);
  };
  const { uid, resourceVersion } = wanted;
  if (uid !== undefined && uid !== own.uid) fails('UID', uid, own.uid, 'The object might have been deleted and then recreated');
  if (resourceVersion !== undefined && resourceVersion !== own.resourceVersion) {
    fails('ResourceVersion', resourceVersion, own.resourceVersion, 'The object might have been modified');
  }
}

/** Here the real server says the kind where it says the plural everywhere else. */
function conflictOfKind(type: ResourceType, { body }: ApiError): ApiError {
  const qualified = (name: string): string => (type.group === '' ? name : `${name}.${type.group}`);
  const message = body.message.replace(`on ${qualified(type.plural)} `, `on ${qualified(type.kind)} `);
  return new ApiError(body.code, body.reason, message, { ...body.details, kind: type.kind });
}

function terminating(type: ResourceType, name: string, namespace: string): ApiError {
  const resource = type.group === '' ? type.plural : `${type.plural}.${type.group}`;
  const message = `${resource} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`;
  return new ApiError(403, 'Forbidden', message, {
    name,
    ...(type.group === '' ? {} : { group: type.group }),
    kind: type.plural,
    causes: [{ reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' }],
  });
}

function success(type: ResourceType, { metadata }: Stored): unknown {
  const details = { name: metadata.name, ...(type.group === '' ? {} : { group: type.group }), kind: type.plural, uid: metadata.uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}
