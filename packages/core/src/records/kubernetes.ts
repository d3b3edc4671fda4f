import { ActionError } from '../action/errors.ts';
import type { KubernetesObject } from '../kinds/kind.ts';
import { configMaps, type KubernetesClient } from '../kubernetes/client.ts';
import type { RunMetrics } from '../metrics/metrics.ts';
import { labels, managedBy, recordLabels, type RunRecord } from '../run/record.ts';
import { packMetrics, unpackMetrics } from './pack.ts';
import type { RecordQuery, RecordStore, StoredRecord } from './store.ts';
import { readRecord } from './validate.ts';

interface ConfigMap extends KubernetesObject {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

const recordKey = 'record';
const metricsKey = 'metrics.json.gz';

/**
 * The records of one cluster: a ConfigMap each, JSON under `data.record`, labels kept in step with it. Labels are for
 * finding alone; what counts is the content, if it is valid. Writes are merge patches that hold for one resourceVersion.
 */
export function recordStore(client: KubernetesClient): RecordStore {
  const read = (object: ConfigMap | undefined): StoredRecord | undefined => {
    const text = object?.data?.[recordKey];
    const { namespace, name, uid, resourceVersion } = object?.metadata ?? {};
    const record = text === undefined ? undefined : readRecord(text);
    if (!record || !namespace || !name || !uid || !resourceVersion) return undefined;
    return { namespace, name, uid, resourceVersion, record };
  };

  return {
    async get(namespace, name) {
      return read(await client.get<ConfigMap>(configMaps, namespace, name));
    },

    async find(namespace, query) {
      const { items } = await client.list<ConfigMap>(configMaps, namespace, { labelSelector: selectorOf(query) });
      return items
        .map(read)
        .filter((stored): stored is StoredRecord => stored !== undefined && matches(stored.record, query))
        .toSorted((a, b) => compare(a.record.createdAt, b.record.createdAt) || a.record.attempt - b.record.attempt);
    },

    async create(namespace, name, record) {
      const made = await client.create<ConfigMap>(configMaps, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace, labels: recordLabels(record) },
        data: { [recordKey]: JSON.stringify(record) },
      });
      return made && (read(made) ?? cannotRead(namespace, name));
    },

    async update(stored, change) {
      const { namespace, name, resourceVersion, record: old } = stored;
      const record = change(structuredClone(old));
      const gone = Object.keys(recordLabels(old)).filter((key) => !(key in recordLabels(record)));
      const written = await client.patch<ConfigMap>(configMaps, namespace, name, {
        metadata: { resourceVersion, labels: { ...Object.fromEntries(gone.map((key) => [key, null])), ...recordLabels(record) } },
        data: { [recordKey]: JSON.stringify(record) },
      });
      return written && (read(written) ?? cannotRead(namespace, name));
    },

    async delete({ namespace, name, uid }) {
      // Its metrics go with it: they are owned by it.
      await client.delete(configMaps, namespace, name, { uid });
    },

    async writeMetrics(stored, metrics, gated) {
      const { namespace, name, uid } = stored;
      const binaryData = { [metricsKey]: packMetrics(metrics, gated).toString('base64') };
      const metadata = {
        name: metricsName(name),
        namespace,
        // Without the other labels: it is no record.
        labels: { [labels.managedBy]: managedBy },
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid }],
      };
      const made = await client.create<ConfigMap>(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, binaryData });
      if (made) return;
      const { labels: ours, ownerReferences } = metadata;
      await client.patch(configMaps, namespace, metricsName(name), { metadata: { labels: ours, ownerReferences }, binaryData });
    },

    async readMetrics({ namespace, name, uid }): Promise<RunMetrics | undefined> {
      const object = await client.get<ConfigMap>(configMaps, namespace, metricsName(name));
      const text = object?.binaryData?.[metricsKey];
      // Another record's, or a stranger's of the same name.
      if (text === undefined || !object?.metadata.ownerReferences?.some((owner) => owner.uid === uid)) return undefined;
      return unpackMetrics(Buffer.from(text, 'base64'));
    },
  };
}

function metricsName(name: string): string {
  return `${name}-metrics`;
}

function selectorOf({ repositoryId, pullRequest, sha, pipeline }: RecordQuery): string {
  return [
    `${labels.managedBy}=${managedBy}`,
    `${labels.repository}=${repositoryId}`,
    ...(pullRequest === undefined ? [] : [`${labels.pullRequest}=${pullRequest}`]),
    ...(sha === undefined ? [] : [`${labels.sha}=${sha}`]),
    ...(pipeline === undefined ? [] : [`${labels.pipeline}=${pipeline}`]),
  ].join(',');
}

function matches(record: RunRecord, { repositoryId, pullRequest, sha, pipeline }: RecordQuery): boolean {
  return (
    record.repository.id === repositoryId &&
    (pullRequest === undefined || record.pullRequest === pullRequest) &&
    (sha === undefined || record.sha === sha) &&
    (pipeline === undefined || record.pipeline === pipeline)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function cannotRead(namespace: string, name: string): never {
  throw new ActionError('internal', `the record "${name}" in namespace ${namespace} was written and is not valid`);
}
