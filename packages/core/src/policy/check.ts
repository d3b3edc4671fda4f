import type { KubernetesObject } from '../kinds/kind.ts';
import { defaultsAnnotation } from '../kinds/parameters.ts';
import { labels, managedBy } from '../run/record.ts';
import { deadlineOf, isServing, runsPods } from './deadline.ts';
import { demandOf } from './gpus.ts';
import { defaultPolicy, type Policy } from './policy.ts';
import { checkContents } from './contents.ts';
import { Findings, type Violation } from './violation.ts';
import { entries, join, kindOf } from './walk.ts';

// A manifest's own defaults of its parameters, which are taken out before it is sent anywhere.
const defaults = join('metadata.annotations', defaultsAnnotation);

/**
 * Looks for what a submitted document must not claim: a `slashtrain.dev/` label or annotation, or to be managed by
 * Slashtrain, anywhere in it. It could pose as a record. Give it the documents as they came: the final object carries
 * our own labels.
 */
export function checkSubmitted(documents: readonly KubernetesObject[]): Violation[] {
  return documents.flatMap((document) => {
    const findings = new Findings(defaultPolicy, document);
    for (const { key, value, path } of entries(document)) {
      if (key.startsWith('slashtrain.dev/') && path !== defaults)
        findings.add('claims', path, value, 'no name that begins with slashtrain.dev/');
      if (key === labels.managedBy && value === managedBy) findings.add('claims', path, value, `anything but ${managedBy}`);
    }
    return findings.list;
  });
}

/**
 * Compares the objects that are about to be sent to a cluster, complete with all that inputs put into them, with the policy.
 * Fields are found wherever they stand, so that a kind we do not know hides nothing.
 * @param context.namespace the one that the workflow names: allowed where the policy names none
 */
export function checkPolicy(objects: readonly KubernetesObject[], policy: Policy, context: { namespace?: string } = {}): Violation[] {
  const violations: Violation[] = [];
  const total = { gpus: 0, hours: 0 };
  for (const object of objects) {
    const findings = new Findings(policy, object);
    checkKind(object, policy, context, findings);
    if (kindOf(object) !== 'ConfigMap') checkContents(object, policy, findings);
    if (runsPods(object)) checkDemand(object, policy, total, findings);
    violations.push(...findings.list);
  }
  return violations;
}

function checkKind(object: KubernetesObject, policy: Policy, context: { namespace?: string }, findings: Findings): void {
  const allowed = `one of ${policy.kinds.join(', ')}`;
  if (!policy.kinds.includes(kindOf(object))) findings.add('kinds', 'kind', kindOf(object), allowed);
  const namespaces = policy.namespaces ?? (context.namespace === undefined ? undefined : [context.namespace]);
  const namespace = object.metadata?.namespace ?? context.namespace;
  if (namespaces && namespace !== undefined && !namespaces.includes(namespace)) {
    findings.add('namespaces', 'metadata.namespace', namespace, `one of ${namespaces.join(', ')}`);
  }
  // A Katib trial is a whole object inside another. References have neither metadata nor spec.
  for (const { value, path } of entries(object)) {
    const inner = value as KubernetesObject | null;
    if (typeof inner !== 'object' || inner === null || typeof inner.kind !== 'string' || typeof inner.apiVersion !== 'string') continue;
    if (inner.metadata === undefined && inner['spec'] === undefined) continue;
    if (!policy.kinds.includes(kindOf(inner))) findings.add('kinds', `${path}.kind`, kindOf(inner), allowed);
    const other = inner.metadata?.namespace;
    if (namespaces && other !== undefined && !namespaces.includes(other)) {
      findings.add('namespaces', `${path}.metadata.namespace`, other, `one of ${namespaces.join(', ')}`);
    }
  }
}

function checkDemand(object: KubernetesObject, policy: Policy, total: { gpus: number; hours: number }, findings: Findings): void {
  const { gpus, gpuRounds, unbounded } = demandOf(object, policy.gpuResources);
  total.gpus += gpus;
  if (policy.maxGpus !== undefined && total.gpus > policy.maxGpus) {
    findings.add('max-gpus', 'spec', total.gpus, unbounded ?? `at most ${policy.maxGpus} GPUs in all`);
  }
  if (isServing(object)) return;
  const deadline = deadlineOf(object);
  if (policy.requireDeadline && deadline === undefined)
    findings.add('require-deadline', 'spec.activeDeadlineSeconds', undefined, 'a deadline');
  if (policy.maxDeadlineSeconds !== undefined && (deadline ?? Infinity) > policy.maxDeadlineSeconds) {
    findings.add('max-deadline', 'spec.activeDeadlineSeconds', deadline, `at most ${policy.maxDeadlineSeconds} seconds`);
  }
  if (policy.maxGpuHours === undefined || gpus === 0) return;
  total.hours += deadline === undefined ? Infinity : (gpuRounds * deadline) / 3600;
  if (total.hours > policy.maxGpuHours) {
    const allowed = `at most ${policy.maxGpuHours} GPU hours${deadline === undefined ? ', so a deadline is needed' : ''}`;
    findings.add('max-gpu-hours', 'spec', total.hours, unbounded ? `${allowed}: ${unbounded}` : allowed);
  }
}
