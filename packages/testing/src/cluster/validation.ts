import { invalid, unsupported, type Cause } from './errors.ts';
import { amount } from './quantity.ts';
import type { ResourceType } from './resources.ts';
import type { NewObject } from './store.ts';

type Json = Record<string, unknown>;

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/u;
const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/u;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/u;
const labelName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/u;

// The words of k8s.io/apimachinery/pkg/util/validation, as the real server answers them (test/contract).
const words = {
  subdomain:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  dnsLabel:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  labelValue:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
  labelKey:
    "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
  configKey:
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
  env: "a valid environment variable name must consist only of printable ASCII characters other than '='",
};

const wrong = (field: string, value: unknown, why: string): Cause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
  field,
});
const required = (field: string, why = ''): Cause => ({
  reason: 'FieldValueRequired',
  message: `Required value${why ? `: ${why}` : ''}`,
  field,
});

/** @throws ApiError 422 where there are problems */
export function refuse(type: ResourceType, name: string, causes: Cause[]): void {
  if (causes.length > 0) throw invalid(type, name, causes);
}

/**
 * What the API server refuses in an object.
 * @param metadata as it was given, before the server put its own labels there
 * @throws ApiError 501 for what the embedded cluster cannot run
 */
export function problemsOf(type: ResourceType, object: NewObject, metadata = object.metadata): Cause[] {
  const spec = (object['spec'] ?? {}) as Json;
  const causes = metadataProblems(metadata, type.kind);
  if (type.kind === 'Job') causes.push(...jobProblems(object));
  if (type.kind === 'Pod') causes.push(...podSpecProblems(spec, 'spec'));
  if (type.kind === 'Deployment' || type.kind === 'ReplicaSet') causes.push(...workloadProblems(spec, type.kind));
  if (type.kind === 'Service') causes.push(...serviceProblems(spec));
  if (type.kind === 'ConfigMap' || type.kind === 'Secret') causes.push(...dataProblems(object));
  const seconds = type.kind === 'Lease' ? (spec['leaseDurationSeconds'] as number | undefined) : undefined;
  if (seconds !== undefined && seconds <= 0) causes.push(wrong('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
  return causes;
}

/** Name, labels, annotations and owners. */
function metadataProblems(metadata: NewObject['metadata'], kind: string): Cause[] {
  const causes: Cause[] = [];
  const { name } = metadata;
  if (!name) causes.push(required('metadata.name', 'name or generateName is required'));
  else if (kind === 'Namespace' || kind === 'Service') {
    if (!dnsLabel.test(name)) causes.push(wrong('metadata.name', name, words.dnsLabel));
    if (name.length > 63) causes.push(wrong('metadata.name', name, 'must be no more than 63 bytes'));
  } else {
    if (!subdomain.test(name)) causes.push(wrong('metadata.name', name, words.subdomain));
    if (name.length > 253) causes.push(wrong('metadata.name', name, 'must be no more than 253 characters'));
  }
  causes.push(...labelProblems(metadata['labels'] as Record<string, string> | undefined, 'metadata.labels'));
  const annotations = Object.entries((metadata['annotations'] ?? {}) as Record<string, string>);
  if (annotations.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0) > 256 * 1024) {
    causes.push({ reason: 'FieldValueTooLong', message: 'Too long: may not be more than 262144 bytes', field: 'metadata.annotations' });
  }
  for (const owner of (metadata['ownerReferences'] ?? []) as Json[]) {
    for (const field of ['apiVersion', 'kind', 'name', 'uid']) {
      if (!owner[field]) causes.push(wrong(`metadata.ownerReferences.${field}`, owner[field] ?? '', 'must not be empty'));
    }
  }
  return causes;
}

function labelProblems(labels: Record<string, string> | undefined, field: string): Cause[] {
  const causes: Cause[] = [];
  for (const [name, value] of Object.entries(labels ?? {})) {
    const parts = name.split('/');
    const prefix = parts.length === 2 ? parts[0]! : undefined;
    if (parts.length > 2 || !labelName.test(parts.at(-1)!) || (prefix !== undefined && !subdomain.test(prefix))) {
      causes.push(wrong(field, name, words.labelKey));
    } else if (parts.at(-1)!.length > 63) causes.push(wrong(field, name, 'name part must be no more than 63 bytes'));
    if (value.length > 63) causes.push(wrong(field, value, 'must be no more than 63 bytes'));
    if (!labelValue.test(value)) causes.push(wrong(field, value, words.labelValue));
  }
  return causes;
}

/** @throws ApiError 501 for what the embedded cluster cannot run */
function jobProblems(job: NewObject): Cause[] {
  const spec = job['spec'] as Json;
  const causes: Cause[] = [];
  for (const field of ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished']) {
    const value = spec[field] as number | undefined;
    if (value !== undefined && value < 0) causes.push(wrong(`spec.${field}`, value, 'must be greater than or equal to 0'));
  }
  if (spec['completionMode'] === 'Indexed' && spec['completions'] === undefined) {
    causes.push(required('spec.completions', 'when completion mode is Indexed'));
  }
  const template = spec['template'] as { metadata?: { labels?: Record<string, string> }; spec: Json };
  causes.push(...labelProblems(template.metadata?.labels, 'spec.template.labels'));
  causes.push(...podSpecProblems(template.spec, 'spec.template.spec'));
  if (!['OnFailure', 'Never'].includes(String(template.spec['restartPolicy']))) {
    causes.push(required('spec.template.spec.restartPolicy', 'valid values: "OnFailure", "Never"'));
  }
  if (causes.length === 0) {
    if (spec['manualSelector']) throw unsupported('Jobs with manualSelector');
    for (const field of ['podFailurePolicy', 'successPolicy', 'managedBy']) {
      if (spec[field] !== undefined) throw unsupported(`spec.${field} of Jobs`);
    }
    const perIndex = spec['backoffLimitPerIndex'] !== undefined;
    if (spec['maxFailedIndexes'] !== undefined && !perIndex) throw unsupported('spec.maxFailedIndexes without spec.backoffLimitPerIndex');
    if (perIndex && !(spec['completionMode'] === 'Indexed' && template.spec['restartPolicy'] === 'Never')) {
      throw unsupported('spec.backoffLimitPerIndex of Jobs that are not Indexed, or whose pods restart');
    }
  }
  return causes;
}

/** Of Deployments and ReplicaSets. @throws ApiError 501 for what the embedded cluster cannot run */
function workloadProblems(spec: Json, kind: string): Cause[] {
  const causes: Cause[] = [];
  for (const field of ['replicas', 'minReadySeconds', 'revisionHistoryLimit']) {
    const value = spec[field] as number | undefined;
    if (value !== undefined && value < 0) causes.push(wrong(`spec.${field}`, value, 'must be greater than or equal to 0'));
  }
  const selector = spec['selector'] as { matchLabels?: Record<string, string>; matchExpressions?: unknown } | undefined;
  const template = spec['template'] as { metadata?: { labels?: Record<string, string> }; spec: Json };
  const labels = template.metadata?.labels ?? {};
  if (!selector) causes.push(required('spec.selector'));
  else if (!selector.matchLabels && !selector.matchExpressions) {
    causes.push(wrong('spec.selector', {}, `empty selector is invalid for ${kind.toLowerCase()}`));
  }
  const wanted = Object.entries(selector?.matchLabels ?? {});
  if (!selector || wanted.some(([name, value]) => labels[name] !== value)) {
    causes.push(wrong('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  }
  causes.push(...labelProblems(labels, 'spec.template.labels'));
  causes.push(...podSpecProblems(template.spec, 'spec.template.spec'));
  if (template.spec['restartPolicy'] !== 'Always') {
    const message = `Unsupported value: ${JSON.stringify(template.spec['restartPolicy'])}: supported values: "Always"`;
    causes.push({ reason: 'FieldValueNotSupported', message, field: 'spec.template.spec.restartPolicy' });
  }
  const { rollingUpdate } = (spec['strategy'] ?? {}) as { rollingUpdate?: { maxSurge: unknown; maxUnavailable: unknown } };
  if (rollingUpdate && isZero(rollingUpdate.maxSurge) && isZero(rollingUpdate.maxUnavailable)) {
    const field = 'spec.strategy.rollingUpdate.maxUnavailable';
    causes.push(wrong(field, rollingUpdate.maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  }
  if (causes.length === 0 && selector?.matchExpressions !== undefined) throw unsupported(`spec.selector.matchExpressions of ${kind}s`);
  return causes;
}

const isZero = (value: unknown): boolean => value === 0 || value === '0%';

function serviceProblems(spec: Json): Cause[] {
  const ports = (spec['ports'] ?? []) as Json[];
  if (ports.length === 0) return [required('spec.ports')];
  if (spec['type'] !== 'ClusterIP') throw unsupported(`Services of type ${String(spec['type'])}`);
  return ports.length < 2 ? [] : ports.flatMap((port, index) => (port['name'] ? [] : [required(`spec.ports[${index}].name`)]));
}

/** @throws ApiError 501 for what the embedded cluster cannot run */
function podSpecProblems(spec: Json, path: string): Cause[] {
  const causes: Cause[] = [];
  const containers = (spec['containers'] ?? []) as Json[];
  const init = (spec['initContainers'] ?? []) as Json[];
  const volumes = (spec['volumes'] ?? []) as Json[];
  if (containers.length === 0) causes.push(required(`${path}.containers`));
  const names = new Set<unknown>();
  for (const [field, list] of [
    ['initContainers', init],
    ['containers', containers],
  ] as const) {
    list.forEach((container, index) => {
      const at = `${path}.${field}[${index}]`;
      const name = container['name'] as string | undefined;
      if (!name) causes.push(required(`${at}.name`));
      else if (!dnsLabel.test(name)) causes.push(wrong(`${at}.name`, name, words.dnsLabel));
      else if (names.has(name)) {
        causes.push({ reason: 'FieldValueDuplicate', message: `Duplicate value: ${JSON.stringify(name)}`, field: `${at}.name` });
      }
      names.add(name);
      if (!container['image']) causes.push(required(`${at}.image`));
      causes.push(...containerProblems(container, at, volumes));
    });
  }
  if (causes.length > 0) return causes;
  for (const container of init) {
    if (container['restartPolicy'] !== undefined) throw unsupported('init containers with a restartPolicy (sidecars)');
  }
  for (const volume of volumes) {
    const source = Object.keys(volume).find((name) => name !== 'name');
    if (source !== undefined && source !== 'emptyDir') throw unsupported(`volumes of type ${source} ("${String(volume['name'])}")`);
  }
  for (const field of ['affinity', 'topologySpreadConstraints', 'hostNetwork', 'hostPID', 'ephemeralContainers', 'runtimeClassName']) {
    if (spec[field] !== undefined && spec[field] !== false) throw unsupported(`${field} of pods`);
  }
  return causes;
}

function containerProblems(container: Json, at: string, volumes: Json[]): Cause[] {
  const causes: Cause[] = [];
  ((container['env'] ?? []) as Json[]).forEach((variable, index) => {
    const name = variable['name'] as string | undefined;
    if (!name) causes.push(required(`${at}.env[${index}].name`));
    else if (!/^[ -<>-~]+$/u.test(name)) causes.push(wrong(`${at}.env[${index}].name`, name, words.env));
  });
  ((container['volumeMounts'] ?? []) as Json[]).forEach((mount, index) => {
    if (!volumes.some((volume) => volume['name'] === mount['name'])) {
      const message = `Not found: ${JSON.stringify(mount['name'])}`;
      causes.push({ reason: 'FieldValueNotFound', message, field: `${at}.volumeMounts[${index}].name` });
    }
  });
  const { postStart, preStop } = (container['lifecycle'] ?? {}) as { postStart?: unknown; preStop?: Json };
  if (postStart ?? preStop?.['exec'] ?? preStop?.['httpGet']) throw unsupported('lifecycle hooks other than a preStop that sleeps');
  causes.push(...portProblems((container['ports'] ?? []) as Json[], at), ...probeProblems(container, at));
  const { limits = {}, requests = {} } = (container['resources'] ?? {}) as Record<
    'limits' | 'requests',
    Record<string, string> | undefined
  >;
  for (const [field, map] of [
    ['limits', limits],
    ['requests', requests],
  ] as const) {
    for (const [name, value] of Object.entries(map)) {
      if (!name.includes('/') || Number.isInteger(amount(value))) continue;
      causes.push(wrong(`${at}.resources.${field}[${name}]`, value, 'must be an integer'));
    }
  }
  for (const name of Object.keys(requests)) {
    if (name.includes('/') && limits[name] === undefined) {
      causes.push(required(`${at}.resources.limits`, 'Limit must be set for non overcommitable resources'));
    }
  }
  return causes;
}

function portProblems(ports: Json[], at: string): Cause[] {
  const names = ports.map((port) => port['name']);
  return ports.flatMap((port, index) => [
    ...(port['containerPort'] ? [] : [required(`${at}.ports[${index}].containerPort`)]),
    ...(port['name'] !== undefined && names.indexOf(port['name']) < index
      ? [
          {
            reason: 'FieldValueDuplicate',
            message: `Duplicate value: ${JSON.stringify(port['name'])}`,
            field: `${at}.ports[${index}].name`,
          },
        ]
      : []),
  ]);
}

const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc'];

/** @throws ApiError 501 for probes that the node does not ask */
function probeProblems(container: Json, at: string): Cause[] {
  const causes: Cause[] = [];
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = container[name] as Json | undefined;
    if (!probe) continue;
    const found = handlers.filter((handler) => probe[handler] !== undefined);
    if (found.length === 0) causes.push(required(`${at}.${name}`, 'must specify a handler type'));
    for (const handler of found.slice(1)) {
      const message = 'Forbidden: may not specify more than 1 handler type';
      causes.push({ reason: 'FieldValueForbidden', message, field: `${at}.${name}.${handler}` });
    }
    if (causes.length > 0) continue;
    if (name !== 'readinessProbe') throw unsupported(`${name} of containers`);
    if (found[0] === 'exec' || found[0] === 'grpc') throw unsupported(`readiness probes by ${found[0]}`);
    if ((probe['httpGet'] as Json | undefined)?.['scheme'] === 'HTTPS') throw unsupported('readiness probes by HTTPS');
  }
  return causes;
}

/** Keys and size of a ConfigMap or a Secret. */
function dataProblems(object: NewObject): Cause[] {
  const causes: Cause[] = [];
  let size = 0;
  for (const field of ['data', 'binaryData']) {
    for (const [name, value] of Object.entries((object[field] ?? {}) as Record<string, string>)) {
      if (!/^[-._a-zA-Z0-9]+$/u.test(name)) causes.push(wrong(`${field}[${name}]`, name, words.configKey));
      const encoded = field === 'binaryData' || object['kind'] === 'Secret';
      size += encoded ? Buffer.from(value, 'base64').length : Buffer.byteLength(value);
    }
  }
  const limit = 1024 * 1024;
  if (size > limit) {
    const field = object['kind'] === 'Secret' ? 'data' : '[]';
    causes.push({ reason: 'FieldValueTooLong', message: `Too long: may not be more than ${limit} bytes`, field });
  }
  return causes;
}
