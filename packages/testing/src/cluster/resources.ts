import type { Resource } from '@slashtrain/core/kinds/kind';

/** A resource that the embedded API server has. */
export interface ResourceType extends Resource {
  singular: string;
  shortNames?: string[];
  namespaced: boolean;
  /** `status` is a subresource: what is written elsewhere does not touch it. */
  status?: boolean;
  /** Counts changes of `spec` in `metadata.generation`. */
  generation?: boolean;
  /** The name of its class in `@kubernetes/client-node`, whose attribute map tells its fields. */
  model: string;
  verbs?: string[];
}

const core = { group: '', version: 'v1', namespaced: true } as const;
const usual = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

export const types = {
  namespaces: {
    ...core,
    plural: 'namespaces',
    singular: 'namespace',
    shortNames: ['ns'],
    kind: 'Namespace',
    namespaced: false,
    status: true,
    model: 'V1Namespace',
  },
  nodes: {
    ...core,
    plural: 'nodes',
    singular: 'node',
    shortNames: ['no'],
    kind: 'Node',
    namespaced: false,
    status: true,
    model: 'V1Node',
  },
  pods: {
    ...core,
    plural: 'pods',
    singular: 'pod',
    shortNames: ['po'],
    kind: 'Pod',
    status: true,
    generation: true,
    model: 'V1Pod',
  },
  configMaps: { ...core, plural: 'configmaps', singular: 'configmap', shortNames: ['cm'], kind: 'ConfigMap', model: 'V1ConfigMap' },
  secrets: { ...core, plural: 'secrets', singular: 'secret', kind: 'Secret', model: 'V1Secret' },
  services: { ...core, plural: 'services', singular: 'service', shortNames: ['svc'], kind: 'Service', status: true, model: 'V1Service' },
  serviceAccounts: {
    ...core,
    plural: 'serviceaccounts',
    singular: 'serviceaccount',
    shortNames: ['sa'],
    kind: 'ServiceAccount',
    model: 'V1ServiceAccount',
  },
  events: { ...core, plural: 'events', singular: 'event', shortNames: ['ev'], kind: 'Event', model: 'CoreV1Event' },
  jobs: {
    group: 'batch',
    version: 'v1',
    namespaced: true,
    plural: 'jobs',
    singular: 'job',
    kind: 'Job',
    status: true,
    generation: true,
    model: 'V1Job',
  },
  deployments: {
    group: 'apps',
    version: 'v1',
    namespaced: true,
    plural: 'deployments',
    singular: 'deployment',
    shortNames: ['deploy'],
    kind: 'Deployment',
    status: true,
    generation: true,
    model: 'V1Deployment',
  },
  replicaSets: {
    group: 'apps',
    version: 'v1',
    namespaced: true,
    plural: 'replicasets',
    singular: 'replicaset',
    shortNames: ['rs'],
    kind: 'ReplicaSet',
    status: true,
    generation: true,
    model: 'V1ReplicaSet',
  },
  leases: {
    group: 'coordination.k8s.io',
    version: 'v1',
    namespaced: true,
    plural: 'leases',
    singular: 'lease',
    kind: 'Lease',
    model: 'V1Lease',
  },
  selfSubjectAccessReviews: {
    group: 'authorization.k8s.io',
    version: 'v1',
    namespaced: false,
    plural: 'selfsubjectaccessreviews',
    singular: 'selfsubjectaccessreview',
    kind: 'SelfSubjectAccessReview',
    model: 'V1SelfSubjectAccessReview',
    verbs: ['create'],
  },
} satisfies Record<string, ResourceType>;

export const allTypes: readonly ResourceType[] = Object.values(types);

export const verbsOf = (type: ResourceType): string[] => type.verbs ?? usual;

export const apiVersionOf = (type: Resource): string => (type.group === '' ? type.version : `${type.group}/${type.version}`);

/** Groups that every real API server has and this one does not; of others it is true that the cluster has no such group. */
export const unsupportedGroups = new Set([
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'authentication.k8s.io',
  'autoscaling',
  'certificates.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);
