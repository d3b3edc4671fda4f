import { defaultJob, defaultOther, defaultPod, generateName } from './defaults.ts';
import { ApiError, badRequest, conflict, invalid, notFound, unsupported, type Cause } from './errors.ts';
import { remove, type Propagation } from './deletion.ts';
import { immutableProblems } from './immutable.ts';
import { trackUpdate } from './managed.ts';
import type { Stored, StoredMeta } from './objects.ts';
import { timestamp } from './objects.ts';
import { selection } from './lists.ts';
import { isObject, mergePatch } from './patch.ts';
import type { Answer, ApiRequest } from './request.ts';
import { apiVersionOf, types, type ResourceType } from './resources.ts';
import { decode } from './schema.ts';
import { same, Store, type NewObject } from './store.ts';
import { dataProblems, jobProblems, metadataProblems, podSpecProblems } from './validation.ts';
import { randomUUID } from 'node:crypto';

type Json = Record<string, unknown>;

/** POST, PUT, PATCH, DELETE and GET of one object. */
export class Verbs {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  get(request: ApiRequest): Answer {
    return { code: 200, body: this.#find(request) };
  }

  create(request: ApiRequest): Answer {
    const { type } = request;
    const { object, warnings } = readObject(request, request.body);
    const given = object as unknown as NewObject;
    const metadata = (given.metadata ??= { name: '' }) as NewObject['metadata'];
    if (type.namespaced) {
      metadata.namespace = inNamespace(request, metadata.namespace);
      const namespace = this.#store.get(types.namespaces, undefined, metadata.namespace);
      if (!namespace) throw notFound(types.namespaces, metadata.namespace);
      if (namespace.metadata.deletionTimestamp !== undefined) {
        throw new ApiError(
          403,
          'Forbidden',
          `${type.plural} "${metadata.name}" is forbidden: unable to create new content in namespace ${metadata.namespace} because it is being terminated`,
          {
            name: metadata.name,
            kind: type.plural,
            causes: [
              {
                reason: 'NamespaceTerminating',
                message: `namespace ${metadata.namespace} is being terminated`,
                field: 'metadata.namespace',
              },
            ],
          },
        );
      }
    } else delete metadata.namespace;
    const base = metadata['generateName'] as string | undefined;
    if (!metadata.name && base) metadata.name = generateName(base);
    if (request.name !== undefined)
      throw new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
    const uid = randomUUID();
    for (const field of ['uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation']) {
      delete metadata[field];
    }
    delete metadata['managedFields'];
    if (type.status) delete given['status'];
    if (type.kind === 'Job') defaultJob(given, uid);
    else if (type.kind === 'Pod') defaultPod(given);
    else defaultOther(type.kind, given);
    refuseInvalid(type, metadata.name, problems(type, given));
    metadata['managedFields'] = trackUpdate(type, request, undefined, given);
    if (dryRun(request)) {
      if (this.#store.get(type, metadata.namespace, metadata.name)) {
        throw new ApiError(
          409,
          'AlreadyExists',
          `${type.group ? `${type.plural}.${type.group}` : type.plural} "${metadata.name}" already exists`,
          {
            name: metadata.name,
            ...(type.group ? { group: type.group } : {}),
            kind: type.plural,
          },
        );
      }
      const made = { ...given, apiVersion: apiVersionOf(type), kind: type.kind };
      Object.assign(made.metadata, { uid, creationTimestamp: timestamp(), ...(type.generation ? { generation: 1 } : {}) });
      return { code: 201, body: made, warnings };
    }
    return { code: 201, body: this.#store.create(type, given, uid), warnings };
  }

  /** PUT */
  update(request: ApiRequest): Answer {
    const { object, warnings } = readObject(request, request.body);
    const metadata = (object['metadata'] ?? {}) as StoredMeta;
    if (metadata.name !== undefined && metadata.name !== request.name) {
      throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${request.name})`);
    }
    const version = metadata.resourceVersion;
    return this.#change(request, () => object, version, warnings);
  }

  patch(request: ApiRequest): Answer {
    if (request.contentType === 'application/apply-patch+yaml') throw unsupported('server-side apply');
    if (request.contentType === 'application/json-patch+json') throw unsupported('JSON patches (RFC 6902)');
    if (request.contentType !== 'application/merge-patch+json') {
      // A strategic merge patch needs upstream's merge keys; kinds of operators do not know it either.
      throw new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
    }
    const patch = request.body;
    if (!isObject(patch)) throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}');
    const version = (patch['metadata'] as { resourceVersion?: string } | undefined)?.resourceVersion;
    const warnings: string[] = [];
    return this.#change(
      request,
      (before) => {
        const read = readObject(request, mergePatch(before, patch));
        warnings.push(...read.warnings);
        return read.object;
      },
      version,
      warnings,
    );
  }

  remove(request: ApiRequest): Answer {
    const { type } = request;
    const options = { ...(isObject(request.body) ? request.body : {}) } as {
      preconditions?: { uid?: string; resourceVersion?: string };
      propagationPolicy?: string;
      gracePeriodSeconds?: number;
      orphanDependents?: boolean;
    };
    options.propagationPolicy ??= request.query.get('propagationPolicy') ?? undefined!;
    const grace =
      options.gracePeriodSeconds ?? (request.query.has('gracePeriodSeconds') ? Number(request.query.get('gracePeriodSeconds')) : undefined);
    const preserved = type.kind === 'Job' && options.propagationPolicy === undefined;
    const warnings = preserved
      ? [
          'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
        ]
      : [];
    const found = this.#find(request, warnings);
    const { metadata } = found;
    const wanted = options.preconditions ?? {};
    if (wanted.uid !== undefined && wanted.uid !== metadata.uid) {
      throw conflict(type, metadata.name, `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${metadata.uid}`);
    }
    if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== metadata.resourceVersion) {
      throw conflict(
        type,
        metadata.name,
        `Precondition failed: ResourceVersion in precondition: ${wanted.resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`,
      );
    }
    const policy = (options.propagationPolicy ?? (preserved ? 'Orphan' : 'Background')) as Propagation;
    if (dryRun(request)) return { code: 200, body: done(type, found), warnings };
    const { object, gone } = remove(this.#store, type, found, { graceSeconds: grace, propagation: policy });
    return { code: 200, body: gone ? done(type, object) : object, warnings };
  }

  /** DELETE of a collection: each that the selectors match. */
  removeAll(request: ApiRequest): Answer {
    const matches = selection(request);
    const found = this.#store.list(request.type, request.namespace).filter(matches);
    for (const { metadata } of found) this.remove({ ...request, namespace: metadata.namespace, name: metadata.name });
    const items = found.map(({ apiVersion: _version, kind: _kind, ...item }) => item);
    return {
      code: 200,
      body: {
        kind: `${request.type.kind}List`,
        apiVersion: apiVersionOf(request.type),
        metadata: { resourceVersion: String(this.#store.version) },
        items,
      },
    };
  }

  #change(request: ApiRequest, make: (before: Stored) => Json, version: string | undefined, warnings: string[]): Answer {
    const { type, subresource } = request;
    const current = this.#find(request);
    const { namespace, name } = current.metadata;
    const apply = (copy: Stored): Stored => {
      const after = make(current) as unknown as Stored;
      const metadata = (after.metadata ?? {}) as StoredMeta;
      if (metadata.uid !== undefined && metadata.uid !== current.metadata.uid) {
        throw conflict(
          type,
          name,
          `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${current.metadata.uid}`,
        );
      }
      const result: Stored = {
        ...after,
        apiVersion: copy.apiVersion,
        kind: copy.kind,
        metadata: keepServerFields(metadata, copy.metadata),
      };
      if (type.status) {
        // Each side of the split leaves the other alone.
        const kept =
          subresource === 'status' ? Object.keys(copy).filter((field) => field !== 'status' && field !== 'metadata') : ['status'];
        for (const field of kept)
          if (copy[field] !== undefined) result[field] = copy[field];
          else delete result[field];
        if (subresource === 'status') result.metadata = { ...copy.metadata, ...labelsOf(result.metadata) };
      }
      const plain = result as unknown as NewObject;
      if (type.kind === 'Secret') defaultOther(type.kind, plain);
      refuseInvalid(type, name, [...problems(type, plain, true), ...immutableProblems(type, copy, result)]);
      if (
        !same(
          { ...copy, metadata: { ...copy.metadata, managedFields: [] } },
          { ...result, metadata: { ...result.metadata, managedFields: [] } },
        )
      ) {
        result.metadata.managedFields = trackUpdate(type, request, copy, plain);
      }
      return result;
    };
    if (dryRun(request)) {
      if (version !== undefined && version !== current.metadata.resourceVersion) throw conflictModified(type, name);
      return { code: 200, body: apply(structuredClone(current)), warnings };
    }
    return { code: 200, body: this.#store.update<Stored>(type, namespace, name, apply, version), warnings };
  }

  #find({ type, namespace, name }: ApiRequest, warnings: string[] = []): Stored {
    const found = this.#store.get(type, namespace, name!);
    if (found) return found;
    const error = notFound(type, name!);
    error.warnings = warnings;
    throw error;
  }
}

function conflictModified(type: ResourceType, name: string): ApiError {
  return conflict(type, name, 'the object has been modified; please apply your changes to the latest version and try again');
}

/** Decodes a body, with kind and version checked and unknown fields told or refused as `fieldValidation` says. */
export function readObject(request: ApiRequest, body: unknown): { object: Json; warnings: string[] } {
  const { type } = request;
  if (!isObject(body))
    throw badRequest(`the object provided is unrecognized (must be of type ${type.kind}): couldn't get version/kind; json parse error`);
  const kind = (body['kind'] as string | undefined) || type.kind;
  const apiVersion = (body['apiVersion'] as string | undefined) || apiVersionOf(type);
  const version = apiVersion.split('/').at(-1);
  if (apiVersion !== apiVersionOf(type)) {
    throw badRequest(
      `${kind} in version "${version}" cannot be handled as a ${type.kind}: no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`,
    );
  }
  if (kind !== type.kind) {
    throw badRequest(
      `${kind} in version "${version}" cannot be handled as a ${type.kind}: converting (${version}.${kind}) to (${type.group || 'core'}.${type.kind}): unknown conversion`,
    );
  }
  const { object, unknown } = decode(type, body);
  const told = unknown.map((path) => `unknown field "${path}"`);
  const validation = request.query.get('fieldValidation') || 'Warn';
  if (validation === 'Strict' && told.length > 0) {
    throw badRequest(
      `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: strict decoding error: ${told.join(', ')}`,
    );
  }
  return { object: { ...object, apiVersion, kind }, warnings: validation === 'Warn' ? told : [] };
}

function inNamespace(request: ApiRequest, own: string | undefined): string {
  const namespace = request.namespace ?? own;
  if (namespace === undefined)
    throw new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
  if (own !== undefined && own !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  return namespace;
}

function problems(type: ResourceType, object: NewObject, exists = false): Cause[] {
  const own =
    type.kind === 'Job'
      ? jobProblems(object)
      : type.kind === 'Pod'
        ? podSpecProblems(object['spec'] as Json, 'spec')
        : type.kind === 'ConfigMap' || type.kind === 'Secret'
          ? dataProblems(object)
          : [];
  return [...(exists ? [] : metadataProblems(object.metadata, type.kind)), ...own];
}

function refuseInvalid(type: ResourceType, name: string, causes: Cause[]): void {
  if (causes.length > 0) throw invalid(type, name, causes);
}

function dryRun(request: ApiRequest): boolean {
  const inBody =
    isObject(request.body) && request.body['kind'] === 'DeleteOptions' ? (request.body['dryRun'] as string[] | undefined) : undefined;
  const value = request.query.get('dryRun') ?? inBody?.[0];
  if (value === undefined || value === null || value === '') return false;
  if (value !== 'All') throw badRequest(`invalid dryRun: ${value}`);
  return true;
}

/** What only the server sets stays as it was. */
function keepServerFields(given: StoredMeta, own: StoredMeta): StoredMeta {
  const kept: (keyof StoredMeta)[] = [
    'name',
    'namespace',
    'uid',
    'resourceVersion',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'generateName',
    'managedFields',
  ];
  const result: Json = { ...given };
  for (const field of kept) {
    if (own[field] === undefined) delete result[field];
    else result[field] = own[field];
  }
  return result as unknown as StoredMeta;
}

function labelsOf(metadata: StoredMeta): Partial<StoredMeta> {
  return {
    ...(metadata.labels ? { labels: metadata.labels } : {}),
    ...(metadata.annotations ? { annotations: metadata.annotations } : {}),
  };
}

function done(type: ResourceType, object: Stored): unknown {
  if (type.kind === 'Pod') return object;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: object.metadata.name, ...(type.group ? { group: type.group } : {}), kind: type.plural, uid: object.metadata.uid },
  };
}
