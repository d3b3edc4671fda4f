import { gunzipSync, gzipSync } from 'node:zlib';
import { ActionError } from '../action/errors.ts';
import type { KubernetesObject, Resource } from '../kinds/kind.ts';
import { configMaps, type KubernetesClient } from '../kubernetes/client.ts';
import { labels, managedBy } from '../run/record.ts';
import { deployLabels, isActive, rolloutName, rolloutStates, type Rollout, type StoredRollout } from './rollout.ts';

interface Holder extends KubernetesObject {
  binaryData?: Record<string, string>;
  data?: Record<string, string>;
}

/** Which rollouts. All that is given must match. */
export interface RolloutQuery {
  repositoryId: number;
  environment?: string;
  name?: string;
  /** Only those that are not finished. */
  active?: boolean;
}

/** The rollouts of one cluster: found by label and believed by content. */
export interface RolloutStore {
  get(namespace: string, name: string): Promise<StoredRollout | undefined>;
  /** Newest first. */
  find(namespace: string, query: RolloutQuery): Promise<StoredRollout[]>;
  /** @throws ActionError `conflict` where the name is taken, `unsupported` where it is too large to be kept */
  create(namespace: string, rollout: Rollout): Promise<StoredRollout>;
  /** Writes `change(rollout)` if the version is still the one read. @returns undefined where it is not */
  update(stored: StoredRollout, change: (rollout: Rollout) => Rollout): Promise<StoredRollout | undefined>;
  delete(stored: StoredRollout): Promise<void>;
}

const secrets: Resource = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret' };
const key = 'rollout.json.gz';
// https://kubernetes.io/docs/concepts/configuration/configmap/: 1 MiB with metadata.
const largest = 900 * 1024;
const largestUnpacked = 64 * 1024 * 1024;

export function rolloutStore(client: KubernetesClient): RolloutStore {
  const resourceOf = (kind: StoredRollout['in']): Resource => (kind === 'Secret' ? secrets : configMaps);
  // What cannot be read may be nobody's: a job without the right to Secrets has only deploys without them.
  const listSecrets = async (namespace: string, labelSelector: string): Promise<Holder[]> => {
    try {
      return (await client.list<Holder>(secrets, namespace, { labelSelector })).items;
    } catch (error) {
      if (error instanceof ActionError && error.code === 'permission') return [];
      throw error;
    }
  };

  return {
    async get(namespace, name) {
      const found = read(await client.get<Holder>(configMaps, namespace, name), 'ConfigMap');
      if (found) return found;
      return read(await client.get<Holder>(secrets, namespace, name), 'Secret');
    },

    async find(namespace, { repositoryId, environment, name, active }) {
      const selector = [
        `${labels.managedBy}=${managedBy}`,
        `${deployLabels.rollout}${active ? '=active' : ''}`,
        ...(name === undefined ? [] : [`${deployLabels.deployed}=${name}`]),
      ].join(',');
      const maps = (await client.list<Holder>(configMaps, namespace, { labelSelector: selector })).items;
      const found = [
        ...maps.map((one) => read(one, 'ConfigMap')),
        ...(await listSecrets(namespace, selector)).map((one) => read(one, 'Secret')),
      ];
      return found
        .filter((one): one is StoredRollout => one !== undefined)
        .filter(
          ({ rollout }) =>
            rollout.repository.id === repositoryId &&
            (environment === undefined || rollout.environment === environment) &&
            (name === undefined || rollout.name === name) &&
            (!active || isActive(rollout)),
        )
        .toSorted((a, b) => Date.parse(b.rollout.createdAt) - Date.parse(a.rollout.createdAt));
    },

    async create(namespace, rollout) {
      const kind = holdsSecret(rollout) ? 'Secret' : 'ConfigMap';
      const name = rolloutName(rollout);
      const made = await client.create<Holder>(resourceOf(kind), {
        apiVersion: 'v1',
        kind,
        metadata: { name, namespace, labels: labelsOf(rollout) },
        ...dataOf(kind, rollout),
      });
      if (!made) throw new ActionError('conflict', `a ${kind} "${name}" exists in namespace ${namespace}; nothing was changed`);
      return read(made, kind) ?? cannotRead(namespace, name);
    },

    async update(stored, change) {
      const { namespace, name, resourceVersion, in: kind } = stored;
      const rollout = change(structuredClone(stored.rollout));
      const written = await client.patch<Holder>(resourceOf(kind), namespace, name, {
        metadata: { resourceVersion, labels: labelsOf(rollout) },
        ...dataOf(kind, rollout),
      });
      return written && (read(written, kind) ?? cannotRead(namespace, name));
    },

    async delete({ namespace, name, uid, in: kind }) {
      await client.delete(resourceOf(kind), namespace, name, { uid });
    },
  };
}

/** Writes a change whatever the version is: again and again on what stands there then. @throws ActionError `not-found` where it is gone */
export async function change(rollouts: RolloutStore, stored: StoredRollout, how: (rollout: Rollout) => Rollout): Promise<StoredRollout> {
  let now = stored;
  for (;;) {
    const written = await rollouts.update(now, how);
    if (written) return written;
    const read = await rollouts.get(stored.namespace, stored.name);
    if (!read) throw new ActionError('not-found', `the rollout "${stored.name}" in namespace ${stored.namespace} was deleted`);
    now = read;
  }
}

function labelsOf(rollout: Rollout): Record<string, string> {
  return {
    [labels.managedBy]: managedBy,
    [deployLabels.rollout]: isActive(rollout) ? 'active' : 'ended',
    [deployLabels.deployed]: rollout.name,
  };
}

function holdsSecret({ saved, applied }: Rollout): boolean {
  return [...saved.objects, ...applied].some(({ kind, apiVersion }) => kind === 'Secret' && apiVersion === 'v1');
}

function dataOf(kind: StoredRollout['in'], rollout: Rollout): Partial<Holder> {
  const packed = gzipSync(JSON.stringify(rollout));
  if (packed.length > largest) {
    throw new ActionError(
      'unsupported',
      `what is deployed takes ${packed.length} bytes to keep, compressed, and a ${kind} holds ${largest}; without it there is no way back`,
    );
  }
  const data = { [key]: packed.toString('base64') };
  return kind === 'Secret' ? { data } : { binaryData: data };
}

function read(object: Holder | undefined, kind: StoredRollout['in']): StoredRollout | undefined {
  const { namespace, name, uid, resourceVersion } = object?.metadata ?? {};
  const text = (kind === 'Secret' ? object?.data : object?.binaryData)?.[key];
  if (!namespace || !name || !uid || !resourceVersion || text === undefined) return undefined;
  const rollout = unpack(text);
  // A name that is not its content's is somebody's copy.
  return rollout && rolloutName(rollout) === name ? { namespace, name, uid, resourceVersion, in: kind, rollout } : undefined;
}

function unpack(text: string): Rollout | undefined {
  let value: Partial<Rollout> | null;
  try {
    value = JSON.parse(gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: largestUnpacked }).toString('utf8')) as Partial<Rollout>;
  } catch {
    // No gzip, a bomb, or no JSON: not ours.
    return undefined;
  }
  const isText = (one: unknown): boolean => typeof one === 'string';
  const valid =
    value?.version === 1 &&
    typeof value.repository?.id === 'number' &&
    [value.environment, value.name, value.target, value.revision, value.sha, value.run, value.pipeline, value.createdAt].every(isText) &&
    rolloutStates.some((state) => state === value.state) &&
    typeof value.deploymentId === 'number' &&
    Array.isArray(value.saved?.objects) &&
    Array.isArray(value.saved.absent) &&
    Array.isArray(value.applied) &&
    Array.isArray(value.inputs);
  return valid ? (value as Rollout) : undefined;
}

function cannotRead(namespace: string, name: string): never {
  throw new ActionError('internal', `the rollout "${name}" in namespace ${namespace} was written and is not valid`);
}
