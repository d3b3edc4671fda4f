import { ActionError } from '../action/errors.ts';
import type { KubernetesObject, Resource } from '../kinds/kind.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { systemTiming, type Timing } from '../kubernetes/timing.ts';

/** A Lease of coordination.k8s.io (https://kubernetes.io/docs/concepts/architecture/leases/). */
interface LeaseObject extends KubernetesObject {
  spec?: { holderIdentity?: string; leaseDurationSeconds?: number; acquireTime?: string; renewTime?: string; leaseTransitions?: number };
}

const leases: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease' };
/** A holder that has not been heard of for so long is gone, in seconds. */
const durationSeconds = 60;
const renewSeconds = 15;
const lookSeconds = 5;
/** Who is alive renews it in this time, whatever its clock says. */
const watchSeconds = renewSeconds + lookSeconds;
/** By more than this no two clocks differ. */
const surelySeconds = 86_400;

/** Who has a lease. */
export interface Held {
  holder: string;
  /** ISO 8601 */
  since: string;
}

/** What {@link takeLease} works with. */
export interface LeaseParts {
  client: KubernetesClient;
  namespace: string;
  name: string;
  /** Who we are, for people and for ourselves: whoever comes again with the same words has it already. */
  holder: string;
  signal: AbortSignal;
  /** How long to wait for another, in seconds; 0 is not at all. */
  waitSeconds: number;
  /** Somebody else has it: said once for each holder. */
  onWait?(held: Held): Promise<void> | void;
  /** Where labels go that let people find it. */
  labels?: Record<string, string>;
  timing?: Timing;
}

/** A lease that we have: renewed until it is let go. */
export interface TakenLease {
  /** Aborts when somebody else has it: then nothing may be changed any more. */
  readonly lost: AbortSignal;
  /** Stops renewing, and frees it for the next; with `keep`, or where the server does not answer, it stays until it expires. */
  release(options?: { keep?: boolean }): Promise<void>;
}

/** Who has it now; undefined where nobody has, or its time has run out. */
export async function holderOf(client: KubernetesClient, namespace: string, name: string, now: number): Promise<Held | undefined> {
  return heldBy(await client.get<LeaseObject>(leases, namespace, name), now);
}

/**
 * Takes a lease, as soon as it is free or has expired. Two that try at once are told apart by the API server. Expired is what
 * nobody renews while we look: by the times in it alone, a runner whose clock is behind would lose it in the middle of its work.
 * @throws ActionError `conflict` that names the holder where it was not free in time
 */
export async function takeLease(parts: LeaseParts): Promise<TakenLease> {
  const { client, namespace, name, holder, signal, waitSeconds, timing = systemTiming } = parts;
  const started = timing.now();
  let told: string | undefined;
  let seen: { renewTime: string | undefined; at: number } | undefined;
  for (;;) {
    signal.throwIfAborted();
    const found = await client.get<LeaseObject>(leases, namespace, name);
    const now = timing.now();
    let held = heldBy(found, now);
    const { renewTime, holderIdentity } = found?.spec ?? {};
    const isRenewed = seen !== undefined && seen.renewTime !== renewTime;
    if (!seen || isRenewed) seen = { renewTime, at: now };
    // Whoever has not renewed it for so long is gone, however far ahead its clock was.
    if (now - seen.at > durationSeconds * 1000) held = undefined;
    if (!held && holderIdentity !== holder && mayLive(found, now)) {
      if (isRenewed) held = heldBy(found, Date.parse(renewTime ?? ''));
      else if (now - seen.at < watchSeconds * 1000) {
        await timing.pause(watchSeconds * 1000 - (now - seen.at), signal);
        continue;
      }
    }
    if (!held || held.holder === holder) {
      const taken = await write(parts, found, now);
      if (taken) return keepLease(parts, taken, timing);
      // Another was faster.
      continue;
    }
    if (now - started >= waitSeconds * 1000) {
      throw new ActionError('conflict', `${held.holder} is at work on this environment since ${held.since}`, {
        remedy: waitSeconds === 0 ? 'wait for its end, or let this step wait with "lock-timeout"' : 'run this again once it has ended',
      });
    }
    if (told !== held.holder) await parts.onWait?.(held);
    told = held.holder;
    await timing.pause(lookSeconds * 1000, signal);
  }
}

function heldBy(lease: LeaseObject | undefined, now: number): Held | undefined {
  const { holderIdentity: holder, leaseDurationSeconds = durationSeconds, acquireTime, renewTime } = lease?.spec ?? {};
  const renewed = Date.parse(renewTime ?? '');
  // A clock that is not ours: one that is ahead of us says no more than that it is alive.
  if (!holder || Number.isNaN(renewed) || now - renewed > leaseDurationSeconds * 1000) return undefined;
  return { holder, since: acquireTime ?? renewTime ?? '' };
}

/** Its time is over by our clock, and its holder's may be behind that. */
function mayLive(lease: LeaseObject | undefined, now: number): boolean {
  const { holderIdentity, renewTime = '' } = lease?.spec ?? {};
  return Boolean(holderIdentity) && now - Date.parse(renewTime) < surelySeconds * 1000;
}

async function write({ client, namespace, name, holder, labels }: LeaseParts, found: LeaseObject | undefined, now: number) {
  const time = microTime(now);
  const spec = { holderIdentity: holder, leaseDurationSeconds: durationSeconds, acquireTime: time, renewTime: time };
  if (!found) {
    const metadata = { name, namespace, ...(labels ? { labels } : {}) };
    return client.create<LeaseObject>(leases, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata,
      spec: { ...spec, leaseTransitions: 0 },
    });
  }
  const leaseTransitions = (found.spec?.leaseTransitions ?? 0) + 1;
  return client.patch<LeaseObject>(leases, namespace, name, {
    metadata: { resourceVersion: found.metadata.resourceVersion },
    spec: { ...spec, leaseTransitions },
  });
}

function keepLease({ client, namespace, name, holder }: LeaseParts, taken: LeaseObject, timing: Timing): TakenLease {
  const lost = new AbortController();
  const done = new AbortController();
  let current = taken;
  const renew = async (): Promise<void> => {
    while (!done.signal.aborted) {
      await timing.pause(renewSeconds * 1000, done.signal);
      if (done.signal.aborted) return;
      try {
        const patch = { metadata: { resourceVersion: current.metadata.resourceVersion }, spec: { renewTime: microTime(timing.now()) } };
        const written = await client.patch<LeaseObject>(leases, namespace, name, patch);
        const now = written ?? (await client.get<LeaseObject>(leases, namespace, name));
        if (now?.spec?.holderIdentity !== holder) {
          const who = now?.spec?.holderIdentity ?? 'nobody';
          return lost.abort(new ActionError('conflict', `${who} took over this environment: this step was not heard of for too long`));
        }
        current = now;
      } catch (error) {
        // The server is away: whether somebody else has taken it over is seen when it is back.
        if (!(error instanceof ActionError)) return lost.abort(error);
      }
    }
  };
  const renewing = renew();
  return {
    lost: lost.signal,
    async release({ keep = false } = {}) {
      done.abort();
      await renewing;
      if (keep || lost.signal.aborted) return;
      try {
        // Where it changed hands in between, it is not ours to free.
        await client.patch(leases, namespace, name, {
          metadata: { resourceVersion: current.metadata.resourceVersion },
          spec: { holderIdentity: '' },
        });
      } catch (error) {
        // What was done with it is done; the next waits for its time to run out.
        if (!(error instanceof ActionError)) throw error;
      }
    },
  };
}

/** RFC 3339 with microseconds, as the API has it. */
function microTime(now: number): string {
  return new Date(now).toISOString().replace('Z', '000Z');
}
