import { parseDuration } from '../action/duration.ts';
import { defaultPolicy, type Policy, type PolicyRule } from '../policy/policy.ts';
import type { Accelerator, KindRule } from './types.ts';

/** The section `policy`, as the schema lets it through. */
interface PolicyData {
  kinds?: string[];
  namespaces?: string[];
  'service-accounts'?: string[];
  queues?: string[];
  'priority-classes'?: string[];
  registries?: string[];
  'max-gpus'?: number;
  'max-gpu-hours'?: number;
  'max-deadline'?: string;
  'require-deadline'?: boolean;
  privileged?: boolean;
  'host-path'?: boolean;
  'host-network'?: boolean;
  capabilities?: string[];
  'embedded-manifests'?: boolean;
}

/** The policy of a file. Kinds that the file has rules for are allowed unless it lists the kinds itself. */
export function readPolicy(
  section: Record<string, unknown> | undefined,
  file: string,
  accelerators: readonly Accelerator[],
  kinds: readonly KindRule[],
): Policy {
  const data = (section ?? {}) as PolicyData;
  return {
    kinds: data.kinds ?? [...defaultPolicy.kinds, ...kinds.map((rule) => rule.kind)],
    ...(data.namespaces === undefined ? {} : { namespaces: data.namespaces }),
    serviceAccounts: data['service-accounts'] ?? defaultPolicy.serviceAccounts,
    ...(data.queues === undefined ? {} : { queues: data.queues }),
    ...(data['priority-classes'] === undefined ? {} : { priorityClasses: data['priority-classes'] }),
    ...(data.registries === undefined ? {} : { registries: data.registries }),
    ...(data['max-gpus'] === undefined ? {} : { maxGpus: data['max-gpus'] }),
    ...(data['max-gpu-hours'] === undefined ? {} : { maxGpuHours: data['max-gpu-hours'] }),
    ...(data['max-deadline'] === undefined ? {} : { maxDeadlineSeconds: parseDuration(data['max-deadline'], 'policy.max-deadline') }),
    requireDeadline: data['require-deadline'] ?? defaultPolicy.requireDeadline,
    privileged: data.privileged ?? defaultPolicy.privileged,
    hostPath: data['host-path'] ?? defaultPolicy.hostPath,
    hostNetwork: data['host-network'] ?? defaultPolicy.hostNetwork,
    capabilities: data.capabilities ?? defaultPolicy.capabilities,
    embeddedManifests: data['embedded-manifests'] ?? defaultPolicy.embeddedManifests,
    gpuResources: accelerators.map((accelerator) => accelerator.resource),
    given: new Set(Object.keys(data) as PolicyRule[]),
    file,
  };
}
