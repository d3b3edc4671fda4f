import { randomInt } from 'node:crypto';
import { asText } from './objects.ts';
import type { NewObject } from './store.ts';

type Json = Record<string, unknown>;

// Without vowels and what looks alike, as k8s.io/apimachinery/pkg/util/rand.
const letters = 'bcdfghjklmnpqrstvwxz2456789';

/** A name of `generateName`: five letters behind at most 58 of the base. */
export function generateName(base: string): string {
  return base.slice(0, 58) + Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
}

const fill = (object: Json, defaults: Json): void => {
  for (const [name, value] of Object.entries(defaults)) object[name] ??= value;
};

/** What the API server puts into a Job that does not say otherwise. */
export function defaultJob(job: NewObject, uid: string): void {
  const spec = (job['spec'] ??= {}) as Json;
  // https://kubernetes.io/docs/concepts/workloads/controllers/job/#backoff-limit-per-index
  const backoffLimit = spec['backoffLimitPerIndex'] === undefined ? 6 : 2 ** 31 - 1;
  fill(spec, { parallelism: 1, backoffLimit, completionMode: 'NonIndexed', suspend: false, manualSelector: false });
  fill(spec, { podReplacementPolicy: 'TerminatingOrFailed' });
  // Without both, `completions` stays open: a work queue.
  if (spec['parallelism'] === 1) fill(spec, { completions: 1 });
  const own = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': job.metadata.name,
    'controller-uid': uid,
    'job-name': job.metadata.name,
  };
  spec['selector'] = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } };
  job.metadata['labels'] = { ...(job.metadata['labels'] as Json | undefined), ...own };
  const template = (spec['template'] ??= {}) as Json;
  const metadata = (template['metadata'] ??= {}) as Json;
  metadata['labels'] = { ...(metadata['labels'] as Json | undefined), ...own };
  const podSpec = (template['spec'] ??= {}) as Json;
  defaultPodSpec(podSpec);
  job['status'] = {};
}

/** What the API server and its admission put into a Pod. */
export function defaultPod(pod: NewObject): void {
  const spec = (pod['spec'] ??= {}) as Json;
  defaultPodSpec(spec);
  fill(spec, { restartPolicy: 'Always', enableServiceLinks: true, preemptionPolicy: 'PreemptLowerPriority', priority: 0 });
  fill(spec, { serviceAccountName: 'default' });
  fill(spec, { serviceAccount: spec['serviceAccountName'] });
  for (const container of containersOf(spec)) {
    const resources = container['resources'] as { limits?: Json; requests?: Json };
    // A limit without a request is the request as well.
    if (resources.limits) resources.requests = { ...resources.limits, ...resources.requests };
  }
  const tolerations = (spec['tolerations'] ??= []) as Json[];
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    if (!tolerations.some((toleration) => toleration['key'] === key)) {
      tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
    }
  }
  const gates = (spec['schedulingGates'] as unknown[] | undefined)?.length;
  pod['status'] = {
    phase: 'Pending',
    qosClass: 'BestEffort',
    ...(gates
      ? {
          conditions: [
            {
              type: 'PodScheduled',
              status: 'False',
              reason: 'SchedulingGated',
              message: 'Scheduling is blocked due to non-empty scheduling gates',
              lastProbeTime: null,
              lastTransitionTime: null,
            },
          ],
        }
      : {}),
  };
}

const containersOf = (spec: Json): Json[] => [...((spec['initContainers'] ?? []) as Json[]), ...((spec['containers'] ?? []) as Json[])];

function defaultPodSpec(spec: Json): void {
  fill(spec, { dnsPolicy: 'ClusterFirst', schedulerName: 'default-scheduler', securityContext: {}, terminationGracePeriodSeconds: 30 });
  for (const container of containersOf(spec)) {
    const image = asText(container['image']);
    const latest = !image.includes('@') && !/:(?!latest$)[^/]+$/u.test(image);
    fill(container, { imagePullPolicy: latest ? 'Always' : 'IfNotPresent', resources: {} });
    fill(container, { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' });
    for (const port of (container['ports'] ?? []) as Json[]) fill(port, { protocol: 'TCP' });
    for (const name of ['readinessProbe', 'livenessProbe', 'startupProbe']) {
      const probe = container[name] as Json | undefined;
      if (!probe) continue;
      fill(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
      const get = probe['httpGet'] as Json | undefined;
      if (get) fill(get, { path: '/', scheme: 'HTTP' });
    }
  }
}

/** What the API server puts into a Deployment, and the same of a ReplicaSet. */
function defaultDeployment(object: NewObject): void {
  const spec = (object['spec'] ??= {}) as Json;
  const strategy = (spec['strategy'] ??= {}) as Json;
  fill(strategy, { type: 'RollingUpdate' });
  if (strategy['type'] === 'RollingUpdate') fill((strategy['rollingUpdate'] ??= {}) as Json, { maxSurge: '25%', maxUnavailable: '25%' });
  fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
  object['status'] ??= {};
  defaultTemplate(spec);
}

function defaultReplicaSet(object: NewObject): void {
  const spec = (object['spec'] ??= {}) as Json;
  fill(spec, { replicas: 1 });
  object['status'] ??= { replicas: 0 };
  defaultTemplate(spec);
}

function defaultTemplate(spec: Json): void {
  const template = (spec['template'] ??= {}) as Json;
  const podSpec = (template['spec'] ??= {}) as Json;
  defaultPodSpec(podSpec);
  fill(podSpec, { restartPolicy: 'Always' });
}

function defaultService(object: NewObject): void {
  const spec = (object['spec'] ??= {}) as Json;
  fill(spec, { type: 'ClusterIP', sessionAffinity: 'None', internalTrafficPolicy: 'Cluster' });
  fill(spec, { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
  // An address as a real cluster gives one out. Nothing answers at it here.
  fill(spec, { clusterIP: `10.96.${randomInt(1, 255)}.${randomInt(1, 255)}` });
  fill(spec, { clusterIPs: [spec['clusterIP']] });
  for (const port of (spec['ports'] ?? []) as Json[]) {
    fill(port, { protocol: 'TCP' });
    fill(port, { targetPort: port['port'] });
  }
  object['status'] ??= { loadBalancer: {} };
}

/** What the API server puts into objects of other types. */
export function defaultOther(kind: string, object: NewObject): void {
  if (kind === 'Deployment') defaultDeployment(object);
  if (kind === 'ReplicaSet') defaultReplicaSet(object);
  if (kind === 'Service') defaultService(object);
  if (kind === 'Secret') {
    object['type'] ??= 'Opaque';
    const plain = object['stringData'] as Record<string, string> | undefined;
    if (plain) {
      const encoded = Object.entries(plain).map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
      object['data'] = { ...(object['data'] as Json | undefined), ...Object.fromEntries(encoded) };
      delete object['stringData'];
    }
  }
  if (kind === 'Namespace') {
    object['spec'] ??= { finalizers: ['kubernetes'] };
    object['status'] = { phase: 'Active' };
    object.metadata['labels'] = { ...(object.metadata['labels'] as Json | undefined), 'kubernetes.io/metadata.name': object.metadata.name };
  }
}
