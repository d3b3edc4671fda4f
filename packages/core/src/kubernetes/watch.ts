import { ActionError } from '../action/errors.ts';
import type { KubernetesObject, Resource } from '../kinds/kind.ts';
import { WatchExpired, type KubernetesClient, type Selection } from './client.ts';
import { ServerRefusal } from './refusal.ts';
import { backoff, systemTiming, type Timing } from './timing.ts';

/** How a watch is kept alive. All times are in seconds; a test makes them short. */
export interface WatchOptions {
  signal: AbortSignal;
  /** An object is read again so often although its watch is alive (300). */
  checkSeconds?: number;
  /** After so long without event or bookmark the watch counts as dead (90; the server sends a bookmark a minute). */
  silenceSeconds?: number;
  /** Refused credentials, and the loss of a right, are borne for so long: see {@link canGetBetter} (300). */
  credentialSeconds?: number;
  timing?: Timing;
}

/** How an object stands. */
export type Sighting<T extends KubernetesObject = KubernetesObject> =
  | { present: true; object: T }
  /** It is gone for good: confirmed by a look. `object` is as it was last seen, absent where it never was. */
  | { present: false; object?: T };

/**
 * Follows one object by name: yields it as it stands, then each change, until it is gone or `signal` aborts. With
 * `uid`, an object of the same name and another UID counts as gone. Beneath the watch stands a look: every
 * `checkSeconds`, and at once when the watch falls silent, ends or expires. Lost connections, 429 and 5xx cost time.
 * @throws ActionError for what cannot get better, and `unreachable` where not even the first look succeeds
 */
export async function* watchObject<T extends KubernetesObject>(
  client: KubernetesClient,
  resource: Resource,
  namespace: string,
  name: string,
  options: WatchOptions & { uid?: string },
): AsyncGenerator<Sighting<T>> {
  const { uid } = options;
  let last: T | undefined;
  const isOurs = (object: KubernetesObject | undefined): object is T =>
    object !== undefined && (uid === undefined || object.metadata.uid === uid);
  // A deletion is believed when a look confirms it: relists and restarts of the server have made deletions up.
  const look = async (): Promise<T | undefined> => {
    const object = await client.get<T>(resource, namespace, name);
    return isOurs(object) ? object : undefined;
  };
  const lookPatiently = (): Promise<T | undefined> => patiently(look, options);
  const isCurrent = async (): Promise<boolean> => (await look())?.metadata.resourceVersion === last?.metadata.resourceVersion;

  for await (const step of follow<T>(client, resource, namespace, { fieldSelector: `metadata.name=${name}` }, isCurrent, options)) {
    let object: T | undefined;
    if (step.type === 'listed') object = step.items.find(isOurs) ?? (await lookPatiently());
    else if (step.type === 'deleted' || !isOurs(step.object)) object = await lookPatiently();
    else object = step.object;

    if (options.signal.aborted) return;
    if (object === undefined) {
      yield { present: false, ...(last === undefined ? {} : { object: last }) };
      return;
    }
    if (object.metadata.resourceVersion === last?.metadata.resourceVersion) continue;
    last = object;
    yield { present: true, object };
  }
}

/**
 * Follows all objects of a selection: yields each as it stands, then each change and each that is gone, until `signal`
 * aborts.
 * @throws as {@link watchObject}
 */
export async function* watchSelection<T extends KubernetesObject>(
  client: KubernetesClient,
  resource: Resource,
  namespace: string,
  selection: Selection,
  options: WatchOptions,
): AsyncGenerator<Sighting<T> & { object: T }> {
  const known = new Map<string, T>();
  const keep = (object: T): boolean => {
    const uid = object.metadata.uid ?? '';
    const isNew = known.get(uid)?.metadata.resourceVersion !== object.metadata.resourceVersion;
    known.set(uid, object);
    return isNew;
  };
  const isGone = async ({ metadata }: T): Promise<boolean> => {
    const now = await patiently(() => client.get(resource, namespace, metadata.name ?? ''), options);
    return !options.signal.aborted && now?.metadata.uid !== metadata.uid;
  };
  for await (const step of follow<T>(client, resource, namespace, selection, undefined, options)) {
    const missing: T[] = [];
    if (step.type === 'listed') {
      const listed = new Set(step.items.map(({ metadata }) => metadata.uid));
      missing.push(...[...known.values()].filter(({ metadata }) => !listed.has(metadata.uid)));
      for (const object of step.items) if (keep(object)) yield { present: true, object };
    } else if (step.type === 'deleted') {
      missing.push(step.object);
    } else if (keep(step.object)) {
      yield { present: true, object: step.object };
    }
    for (const object of missing) {
      if (!(await isGone(object))) continue;
      known.delete(object.metadata.uid ?? '');
      yield { present: false, object };
    }
  }
}

/**
 * Every object of a selection as it is listed, made or changed, some of them again after a lost connection, until
 * `signal` aborts. It remembers nothing and does not tell what is gone: for objects that come and go by thousands.
 * @throws as {@link watchObject}
 */
export async function* watchNews<T extends KubernetesObject>(
  client: KubernetesClient,
  resource: Resource,
  namespace: string,
  selection: Selection,
  options: WatchOptions,
): AsyncGenerator<T[]> {
  for await (const step of follow<T>(client, resource, namespace, selection, undefined, options)) {
    if (step.type === 'listed') yield step.items;
    else if (step.type !== 'deleted') yield [step.object];
  }
}

/** Asks until the server answers, or `signal` aborts. @returns undefined then, too */
export async function patiently<T>(
  ask: () => Promise<T>,
  { signal, timing = systemTiming, credentialSeconds = 300 }: WatchOptions,
): Promise<T | undefined> {
  const started = timing.now();
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!canGetBetter(error, { answer: started, allowed: undefined }, timing.now(), credentialSeconds)) throw error;
    }
    await timing.pause(backoff(attempt, timing.random), signal);
  }
  return undefined;
}

type Step<T> = { type: 'listed'; items: T[] } | { type: 'added' | 'modified' | 'deleted'; object: T };

/** Lists, watches from there, and starts again whenever the watch ends in whatever way. */
async function* follow<T extends KubernetesObject>(
  client: KubernetesClient,
  resource: Resource,
  namespace: string,
  selection: Selection,
  isCurrent: (() => Promise<boolean>) | undefined,
  options: WatchOptions,
): AsyncGenerator<Step<T>> {
  const { signal, timing = systemTiming, checkSeconds = 300, silenceSeconds = 90, credentialSeconds = 300 } = options;
  // The version to watch from: undefined when a list has to come first.
  let version: string | undefined;
  const listed: LastGood = { answer: undefined, allowed: undefined };
  const watched: LastGood = { answer: undefined, allowed: undefined };
  let lastList = 0;
  let failures = 0;
  const isWatching = (): void => {
    listed.answer = listed.allowed = watched.answer = watched.allowed = timing.now();
  };

  while (!signal.aborted) {
    const started = timing.now();
    // Where connections are cut often, no watch lives long enough for the look beneath it.
    if (isCurrent && started - lastList > checkSeconds * 1000) version = undefined;
    let hadEvent = false;
    let doing = listed;
    try {
      if (version === undefined) {
        const list = await client.list<T>(resource, namespace, selection);
        lastList = listed.answer = listed.allowed = watched.answer = timing.now();
        yield { type: 'listed', items: list.items };
        version = list.resourceVersion;
      }
      doing = watched;
      const guard = new Guard(signal, silenceSeconds, isCurrent && { isCurrent, seconds: checkSeconds });
      try {
        for await (const event of client.watch(resource, namespace, version, selection, guard.signal)) {
          guard.heard();
          hadEvent = true;
          version = event.type === 'bookmark' ? event.resourceVersion : (event.object.metadata.resourceVersion ?? version);
          if (event.type !== 'bookmark') yield { type: event.type, object: event.object as T };
        }
        isWatching();
      } catch (error) {
        if (hadEvent || error instanceof StaleWatch) isWatching();
        throw error;
      } finally {
        guard.release();
      }
    } catch (error) {
      if (signal.aborted) return;
      // Silent, or behind what a look has seen: a list says how things stand.
      if (error instanceof WatchExpired || error instanceof StaleWatch) version = undefined;
      else if (!canGetBetter(error, doing, timing.now(), credentialSeconds)) throw error;
      else version = undefined;
    }
    // A watch that ends at once, again and again, must not become a flood of requests.
    failures = hadEvent || timing.now() - started > 1_000 ? 0 : failures + 1;
    if (failures > 1) await timing.pause(backoff(failures - 1, timing.random), signal);
  }
}

/** The watch is silent, or shows an older state than the server has. */
class StaleWatch extends Error {}

/** Cuts a watch that is silent or behind. */
class Guard {
  readonly signal: AbortSignal;
  readonly #cut = new AbortController();
  readonly #silenceSeconds: number;
  #silence: NodeJS.Timeout;
  readonly #check: NodeJS.Timeout | undefined;

  constructor(outer: AbortSignal, silenceSeconds: number, check: { isCurrent: () => Promise<boolean>; seconds: number } | undefined) {
    this.signal = AbortSignal.any([outer, this.#cut.signal]);
    this.#silenceSeconds = silenceSeconds;
    this.#silence = this.#startSilence();
    this.#check = check && setInterval(() => void this.#look(check.isCurrent), check.seconds * 1000);
  }

  heard(): void {
    clearTimeout(this.#silence);
    this.#silence = this.#startSilence();
  }

  release(): void {
    clearTimeout(this.#silence);
    clearInterval(this.#check);
  }

  #startSilence(): NodeJS.Timeout {
    return setTimeout(() => this.#cut.abort(new StaleWatch('silent')), this.#silenceSeconds * 1000);
  }

  async #look(isCurrent: () => Promise<boolean>): Promise<void> {
    let current: boolean;
    try {
      current = await isCurrent();
    } catch {
      // The list that follows meets the same trouble, and says so.
      current = false;
    }
    if (!current) this.#cut.abort(new StaleWatch('behind'));
  }
}

/** When it last went well, in milliseconds since 1970; undefined where it never did. */
export interface LastGood {
  /** The server answered anything. */
  answer: number | undefined;
  /** It allowed this very request. */
  allowed: number | undefined;
}

/**
 * Whether time can mend what was thrown. A server that was there is waited for as long as it takes. Refused credentials
 * are borne for a while, since somebody may be renewing them; so is a right that was there before, since an API server
 * that has just started answers 403 until it has read the roles. What fails before anything has succeeded is believed.
 */
export function canGetBetter(error: unknown, last: LastGood, now: number, credentialSeconds: number): boolean {
  if (!(error instanceof ActionError)) return false;
  const isRecent = (time: number | undefined): boolean => time !== undefined && now - time < credentialSeconds * 1000;
  if (error instanceof ServerRefusal && error.status === 401) return isRecent(last.answer);
  if (error.code === 'permission') return isRecent(last.allowed);
  return error.code === 'unreachable' && last.answer !== undefined;
}
