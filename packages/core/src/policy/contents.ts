import type { KubernetesObject } from '../kinds/kind.ts';
import { comesFrom } from './images.ts';
import { runsPods } from './deadline.ts';
import type { Policy } from './policy.ts';
import type { Findings } from './violation.ts';
import { entries, isFields, kindOf, textOf, type Entry } from './walk.ts';

// https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
const confinedTypes = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']);
const queueNames = new Set(['kueue.x-k8s.io/queue-name', 'scheduling.volcano.sh/queue-name']);

/** Looks at every field of an object by its name, wherever it stands. What is neither absent nor false counts as set. */
export function checkContents(object: KubernetesObject, policy: Policy, findings: Findings): void {
  const queues: string[] = [];
  for (const entry of entries(object)) {
    checkHost(entry, policy, findings);
    checkPrivileges(entry, policy, findings);
    checkImage(entry, policy, findings);
    checkNames(entry, policy, findings);
    checkEmbedded(entry, policy, findings);
    if (isQueue(entry, object)) {
      queues.push(entry.path);
      if (policy.queues && !policy.queues.includes(textOf(entry.value))) {
        findings.add('queues', entry.path, entry.value, `one of ${policy.queues.join(', ')}`);
      }
    }
  }
  if (policy.queues && queues.length === 0 && runsPods(object)) {
    findings.add('queues', 'metadata.labels["kueue.x-k8s.io/queue-name"]', undefined, `one of ${policy.queues.join(', ')}`);
  }
}

/** Text that Argo fills in when it runs: what comes of it cannot be checked before (https://argo-workflows.readthedocs.io/en/latest/variables/). */
function isExpression(value: unknown): boolean {
  return typeof value === 'string' && value.includes('{{');
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

function checkHost({ key, value, path }: Entry, policy: Policy, findings: Findings): void {
  if (!policy.hostPath && key === 'hostPath' && isSet(value)) findings.add('host-path', path, value, 'no hostPath volume');
  if (policy.hostNetwork) return;
  if ((key === 'hostNetwork' || key === 'hostPID' || key === 'hostIPC') && isSet(value)) findings.add('host-network', path, value, 'false');
  if (key === 'hostPort' && isSet(value) && value !== 0) findings.add('host-network', path, value, 'no host port');
}

function checkPrivileges({ key, value, path, parentKey }: Entry, policy: Policy, findings: Findings): void {
  if (parentKey === 'capabilities' && key === 'add' && isSet(value)) {
    const added = Array.isArray(value) ? value.map((name) => textOf(name).replace(/^CAP_/u, '')) : [textOf(value)];
    const others = added.filter((name) => !policy.capabilities.includes(name));
    if (others.length > 0)
      findings.add('capabilities', path, others, policy.capabilities.length > 0 ? policy.capabilities.join(', ') : 'none');
  }
  if (policy.privileged) return;
  const refuse = (allowed: string): void => findings.add('privileged', path, value, allowed);
  if ((key === 'privileged' || key === 'hostProcess') && isSet(value)) refuse('false');
  if (key === 'procMount' && isSet(value) && value !== 'Default') refuse('Default');
  if (
    (parentKey === 'seccompProfile' || parentKey === 'appArmorProfile') &&
    key === 'type' &&
    (value === 'Unconfined' || isExpression(value))
  )
    refuse('RuntimeDefault');
  if (key.startsWith('container.apparmor.security.beta.kubernetes.io/') && (value === 'unconfined' || isExpression(value)))
    refuse('runtime/default');
  if (parentKey === 'seLinuxOptions' && (key === 'user' || key === 'role') && isSet(value) && value !== '') refuse('not set');
  if (parentKey === 'seLinuxOptions' && key === 'type' && !confinedTypes.has(textOf(value ?? ''))) refuse('container_t');
}

function checkImage({ key, value, path, parentKey }: Entry, policy: Policy, findings: Findings): void {
  const { registries } = policy;
  if (!registries) return;
  const allowed = `images from ${registries.join(', ')}`;
  const isImage = (key === 'image' && !isFields(value)) || (parentKey === 'image' && key === 'reference');
  if (isImage && isSet(value) && !(typeof value === 'string' && comesFrom(value, registries))) {
    findings.add('registries', path, value, allowed);
  }
  // KServe runs a model that is an image as a container beside the server.
  if (typeof value === 'string' && /^oci:\/\//iu.test(value) && !comesFrom(value.slice(6), registries)) {
    findings.add('registries', path, value, allowed);
  }
  if (key === 'runtimeEnvYAML' && typeof value === 'string' && /\b(?:image_uri|container)\b/u.test(value)) {
    findings.add('registries', path, value, 'no image in a Ray runtime environment');
  }
}

function checkNames({ key, value, path }: Entry, policy: Policy, findings: Findings): void {
  if ((key === 'serviceAccountName' || key === 'serviceAccount') && isSet(value) && value !== '') {
    if (typeof value !== 'string' || !policy.serviceAccounts.includes(value)) {
      findings.add('service-accounts', path, value, `one of ${policy.serviceAccounts.join(', ')}`);
    }
  }
  if ((key === 'priorityClassName' || key === 'podPriorityClassName') && isSet(value) && value !== '') {
    const { priorityClasses } = policy;
    const fits =
      typeof value === 'string' &&
      (priorityClasses ? priorityClasses.includes(value) : !value.startsWith('system-') && !isExpression(value));
    if (!fits) findings.add('priority-classes', path, value, priorityClasses ? `one of ${priorityClasses.join(', ')}` : 'any but system-…');
  }
}

/** Manifests as text, and templates that are read elsewhere: what is in them cannot be checked. */
function checkEmbedded({ key, value, path, parentKey }: Entry, policy: Policy, findings: Findings): void {
  if (policy.embeddedManifests || !isSet(value)) return;
  const hidden =
    key === 'podSpecPatch' ||
    (parentKey === 'resource' && (key === 'manifest' || key === 'manifestFrom')) ||
    (parentKey === 'trialTemplate' && key === 'configMap');
  if (hidden) findings.add('embedded-manifests', path, value, 'no manifest or patch as text');
}

function isQueue({ key, value, path, parentKey }: Entry, object: KubernetesObject): boolean {
  if (!isSet(value) || value === '') return false;
  if (queueNames.has(key)) return true;
  return key === 'queue' && (parentKey === 'schedulingPolicy' || (path === 'spec.queue' && kindOf(object) === 'Job.batch.volcano.sh'));
}
