import type { KubernetesObject, Resource } from '../kinds/kind.ts';
import type { Access } from './http.ts';

/** A list with the version from which a watch goes on. */
export interface ObjectList<T extends KubernetesObject = KubernetesObject> {
  items: T[];
  resourceVersion: string;
}

/** Narrows a list or a watch. */
export interface Selection {
  labelSelector?: string;
  fieldSelector?: string;
}

/** What changed. `bookmark` moves the version on and changes nothing. */
export type WatchEvent =
  { type: 'added' | 'modified' | 'deleted'; object: KubernetesObject } | { type: 'bookmark'; resourceVersion: string };

/** The watch's version is too old for the server (410): list again. */
export class WatchExpired extends Error {
  override readonly name = 'WatchExpired';
}

/** Which part of a container's log. */
export interface LogOptions {
  container: string;
  follow?: boolean;
  /** The container before its last restart. */
  previous?: boolean;
  /** RFC 3339; the server compares whole seconds. */
  sinceTime?: string;
  /** At most so many of the last lines; 0 is none. */
  tailLines?: number;
}

/**
 * The Kubernetes API as the actions use it: thin, without memory, over HTTP. Each request is tried again where that
 * is safe (429 with Retry-After, 5xx, a lost connection before the answer to a read); 401 drops cached credentials
 * once. What fails is an ActionError that names verb, resource, namespace and server.
 */
export interface KubernetesClient {
  /** The context's name, `in-cluster`, or `kubeconfig` where it has none. */
  readonly context: string;
  /** The API server's address. */
  readonly server: string;
  /** The context's namespace, else `default`. */
  readonly namespace: string;
  /** Connection and credentials, for what is no plain request (kubernetes/port-forward.ts). */
  readonly access: Access;
  get<T extends KubernetesObject>(resource: Resource, namespace: string, name: string): Promise<T | undefined>;
  list<T extends KubernetesObject>(resource: Resource, namespace: string | undefined, selection?: Selection): Promise<ObjectList<T>>;
  /** POST. @returns undefined where something has that name already (409 AlreadyExists) */
  create<T extends KubernetesObject>(resource: Resource, object: T, options?: { dryRun?: boolean }): Promise<T | undefined>;
  /**
   * A merge patch (RFC 7386). With `metadata.resourceVersion` in it, it holds only for that version.
   * @returns undefined where the version is another (409 Conflict); 404 is thrown as `not-found`
   */
  patch<T extends KubernetesObject>(
    resource: Resource,
    namespace: string,
    name: string,
    patch: Record<string, unknown>,
    options?: { subresource?: 'status' | 'scale' },
  ): Promise<T | undefined>;
  /** Server-side apply with our field manager. @throws ActionError `conflict` that names field and manager */
  apply<T extends KubernetesObject>(resource: Resource, object: T, options?: { dryRun?: boolean; force?: boolean }): Promise<T>;
  /** Propagation is Background. @returns false where it was not there, or `uid` is another's */
  delete(resource: Resource, namespace: string, name: string, options?: { uid?: string; graceSeconds?: number }): Promise<boolean>;
  /**
   * One watch request, as it comes, with bookmarks. Ends when the server or the network ends it; throws
   * `WatchExpired` on 410. The loop above it (kubernetes/watch.ts) lists again and goes on.
   */
  watch(
    resource: Resource,
    namespace: string,
    resourceVersion: string,
    selection: Selection,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent>;
  /**
   * Lines as the kubelet sends them, in batches as they come: time stamp, space, text, line feed (`timestamps=true`).
   * Only the last of all can lack the line feed: it was cut off there, or ended without one. Ends when the server ends
   * it; throws `unreachable` where the network does, and `not-found`, with the kubelet's words, where there is no log.
   */
  log(namespace: string, pod: string, options: LogOptions, signal: AbortSignal): AsyncIterable<string[]>;
  /**
   * What stands at a path that is no object's, such as a node's statistics by its proxy. The answer is whoever's.
   * @param path below the server's address
   * @returns undefined where nothing is there (404)
   */
  read(path: string, about: { resource: Resource; subresource?: string; name?: string }): Promise<unknown>;
  /** The kinds that the server has in a group and version; undefined where it has no such group. */
  discover(group: string, version: string): Promise<Resource[] | undefined>;
}

export const pods: Resource = { group: '', version: 'v1', plural: 'pods', kind: 'Pod' };
export const configMaps: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };
export const events: Resource = { group: '', version: 'v1', plural: 'events', kind: 'Event' };
export const nodes: Resource = { group: '', version: 'v1', plural: 'nodes', kind: 'Node' };
