import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { readConfig } from '../config/read.ts';
import type { KubernetesObject } from '../kinds/kind.ts';
import { checkPolicy, checkSubmitted } from './check.ts';
import { demandOf, parseQuantity } from './gpus.ts';
import { comesFrom, repositoryOf } from './images.ts';
import { defaultPolicy } from './policy.ts';
import { describeViolation, refuseViolations } from './violation.ts';

const file = '.github/slashtrain.yml';
const object = (text: string): KubernetesObject => parse(text) as KubernetesObject;
const policyOf = (text: string) => readConfig(`policy: ${text}\n`, file).policy;

/** A Job whose pod has `spec` besides one container with `container`. */
function job(spec = '', container = '', own = ''): KubernetesObject {
  return object(
    `{apiVersion: batch/v1, kind: Job, metadata: {name: digits, namespace: ml}, spec: {${own}template: {spec: {${spec}containers: [{name: train, image: ghcr.io/acme/digits@sha256:0, ${container}}]}}}}`,
  );
}

const found = (document: KubernetesObject, policy = defaultPolicy): string[] =>
  checkPolicy([document], policy, { namespace: 'ml' }).map(({ rule, path }) => `${rule} ${path}`);

describe('without a configuration', () => {
  it('a plain Job may run', () => {
    expect(found(job())).toEqual([]);
  });

  const pod = 'spec.template.spec';
  it.each([
    [
      'a privileged container',
      job('', 'securityContext: {privileged: true}'),
      `privileged ${pod}.containers[0].securityContext.privileged`,
    ],
    [
      'a privileged one by a text',
      job('', 'securityContext: {privileged: "yes"}'),
      `privileged ${pod}.containers[0].securityContext.privileged`,
    ],
    [
      'a privileged init container',
      job('initContainers: [{name: a, securityContext: {privileged: true}}], '),
      `privileged ${pod}.initContainers[0].securityContext.privileged`,
    ],
    [
      'a host process',
      job('securityContext: {windowsOptions: {hostProcess: true}}, '),
      `privileged ${pod}.securityContext.windowsOptions.hostProcess`,
    ],
    ['an unmasked /proc', job('', 'securityContext: {procMount: Unmasked}'), `privileged ${pod}.containers[0].securityContext.procMount`],
    ['no seccomp', job('securityContext: {seccompProfile: {type: Unconfined}}, '), `privileged ${pod}.securityContext.seccompProfile.type`],
    ['an SELinux type', job('securityContext: {seLinuxOptions: {type: spc_t}}, '), `privileged ${pod}.securityContext.seLinuxOptions.type`],
    ['a host path', job('volumes: [{name: a, hostPath: {path: /}}], '), `host-path ${pod}.volumes[0].hostPath`],
    ['the host’s network', job('hostNetwork: true, '), `host-network ${pod}.hostNetwork`],
    ['the host’s processes', job('hostPID: true, '), `host-network ${pod}.hostPID`],
    ['the host’s IPC', job('hostIPC: true, '), `host-network ${pod}.hostIPC`],
    ['a host port', job('', 'ports: [{containerPort: 80, hostPort: 80}]'), `host-network ${pod}.containers[0].ports[0].hostPort`],
    [
      'an added capability',
      job('', 'securityContext: {capabilities: {add: [SYS_ADMIN]}}'),
      `capabilities ${pod}.containers[0].securityContext.capabilities.add`,
    ],
    ['another service account', job('serviceAccountName: admin, '), `service-accounts ${pod}.serviceAccountName`],
    ['another service account, the old field', job('serviceAccount: admin, '), `service-accounts ${pod}.serviceAccount`],
    [
      'seccomp by an expression of Argo',
      job("securityContext: {seccompProfile: {type: '{{workflow.parameters.x}}'}}, "),
      `privileged ${pod}.securityContext.seccompProfile.type`,
    ],
    ['a priority by an expression of Argo', job("priorityClassName: '{{=x}}', "), `priority-classes ${pod}.priorityClassName`],
    ['a system priority', job('priorityClassName: system-node-critical, '), `priority-classes ${pod}.priorityClassName`],
    [
      'another namespace',
      object('{apiVersion: batch/v1, kind: Job, metadata: {name: a, namespace: kube-system}}'),
      'namespaces metadata.namespace',
    ],
    ['another kind', object('{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: a}}'), 'kinds kind'],
    ['a kind of the same name in another group', object('{apiVersion: evil.dev/v1, kind: Job, metadata: {name: a}}'), 'kinds kind'],
    ['a list that holds others', object('{apiVersion: v1, kind: List, metadata: {name: a}, items: []}'), 'kinds kind'],
    [
      'an object within an object',
      object(
        '{apiVersion: kubeflow.org/v1beta1, kind: Experiment, metadata: {name: a}, spec: {trialTemplate: {trialSpec: {apiVersion: v1, kind: Pod, spec: {}}}}}',
      ),
      'kinds spec.trialTemplate.trialSpec.kind',
    ],
    [
      'an Argo template of a manifest as text',
      object(
        '{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: a}, spec: {templates: [{resource: {action: create, manifest: "kind: Pod"}}]}}',
      ),
      'embedded-manifests spec.templates[0].resource.manifest',
    ],
    [
      'an Argo patch as text',
      object(`{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: a}, spec: {podSpecPatch: '{"hostPID": true}'}}`),
      'embedded-manifests spec.podSpecPatch',
    ],
    [
      'an Argo step',
      object(
        '{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: a}, spec: {templates: [{script: {securityContext: {privileged: true}}}]}}',
      ),
      'privileged spec.templates[0].script.securityContext.privileged',
    ],
  ])('refuses %s', (_, document, expected) => {
    expect(found(document)).toEqual([expected]);
  });

  it('looks into a kind that nobody knows', () => {
    const rule = { ...defaultPolicy, kinds: ['Training.acme.dev'] };
    const hidden = object('{apiVersion: acme.dev/v1, kind: Training, metadata: {name: a}, spec: {a: [{b: {c: {hostPID: true}}}]}}');
    expect(found(hidden, rule)).toEqual(['host-network spec.a[0].b.c.hostPID']);
  });

  it('leaves the text in a ConfigMap alone', () => {
    expect(found(object('{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {privileged: "true", image: x}}'))).toEqual([]);
  });

  it('lets false and absent fields pass', () => {
    expect(
      found(
        job(
          'hostNetwork: false, hostPID: null, serviceAccountName: default, ',
          'securityContext: {privileged: false, capabilities: {drop: [ALL]}}',
        ),
      ),
    ).toEqual([]);
  });
});

describe('with a configuration', () => {
  it.each<[string, string, KubernetesObject, string[]]>([
    ['registries', '{registries: [ghcr.io/acme]}', job(), []],
    [
      'registries elsewhere',
      '{registries: [ghcr.io/acme-evil, docker.io/library]}',
      job(),
      ['registries spec.template.spec.containers[0].image'],
    ],
    [
      'registries and an image volume',
      '{registries: [ghcr.io/acme]}',
      job('volumes: [{name: a, image: {reference: evil.dev/a}}], '),
      ['registries spec.template.spec.volumes[0].image.reference'],
    ],
    [
      'registries and a model that is an image',
      '{registries: [ghcr.io/acme], kinds: [InferenceService.serving.kserve.io]}',
      object(
        '{apiVersion: serving.kserve.io/v1beta1, kind: InferenceService, metadata: {name: a}, spec: {predictor: {model: {storageUri: "oci://evil.dev/m"}}}}',
      ),
      ['registries spec.predictor.model.storageUri'],
    ],
    ['allowed service accounts', '{service-accounts: [trainer]}', job('serviceAccountName: trainer, '), []],
    ['allowed capabilities', '{capabilities: [IPC_LOCK]}', job('', 'securityContext: {capabilities: {add: [CAP_IPC_LOCK]}}'), []],
    ['allowed host paths', '{host-path: true}', job('volumes: [{name: a, hostPath: {path: /}}], '), []],
    ['namespaces', '{namespaces: [team]}', job(), ['namespaces metadata.namespace']],
    ['a queue that is lacking', '{queues: [ml]}', job(), ['queues metadata.labels["kueue.x-k8s.io/queue-name"]']],
    ['a deadline that is lacking', '{require-deadline: true}', job(), ['require-deadline spec.activeDeadlineSeconds']],
    [
      'a deadline that nobody enforces',
      '{require-deadline: true}',
      object(
        '{apiVersion: kubeflow.org/v1, kind: PyTorchJob, spec: {activeDeadlineSeconds: 60, runPolicy: {activeDeadlineSeconds: 60}, pytorchReplicaSpecs: {Worker: {template: {spec: {containers: [{name: a, image: b}]}}}}}}',
      ),
      ['require-deadline spec.activeDeadlineSeconds'],
    ],
    [
      'a deadline on all pods, which are made anew',
      '{require-deadline: true}',
      object(
        '{apiVersion: kubeflow.org/v1, kind: PyTorchJob, spec: {pytorchReplicaSpecs: {Worker: {template: {spec: {activeDeadlineSeconds: 60, containers: [{name: a, image: b}]}}}}}}',
      ),
      ['require-deadline spec.activeDeadlineSeconds'],
    ],
    [
      'a deadline on all pods, which are not made anew',
      '{require-deadline: true}',
      object(
        '{apiVersion: kubeflow.org/v1, kind: PyTorchJob, spec: {pytorchReplicaSpecs: {Worker: {restartPolicy: Never, template: {spec: {activeDeadlineSeconds: 60, containers: [{name: a, image: b}]}}}}}}',
      ),
      [],
    ],
    [
      'a deadline on all pods and on the run',
      '{require-deadline: true, max-deadline: 1m}',
      object(
        '{apiVersion: kubeflow.org/v1, kind: PyTorchJob, spec: {runPolicy: {activeDeadlineSeconds: 60}, pytorchReplicaSpecs: {Worker: {template: {spec: {activeDeadlineSeconds: 60, containers: [{name: a, image: b}]}}}}}}',
      ),
      [],
    ],
    [
      'a longer deadline on the run than on its pods',
      '{max-deadline: 1m}',
      object(
        '{apiVersion: kubeflow.org/v1, kind: PyTorchJob, spec: {runPolicy: {activeDeadlineSeconds: 3600}, pytorchReplicaSpecs: {Worker: {template: {spec: {activeDeadlineSeconds: 60, containers: [{name: a, image: b}]}}}}}}',
      ),
      ['max-deadline spec.activeDeadlineSeconds'],
    ],
    [
      'a deadline on each trial',
      '{require-deadline: true}',
      object(
        '{apiVersion: kubeflow.org/v1beta1, kind: Experiment, spec: {trialTemplate: {trialSpec: {apiVersion: batch/v1, kind: Job, spec: {activeDeadlineSeconds: 60, template: {spec: {containers: [{name: a, image: b}]}}}}}}}',
      ),
      [],
    ],
    [
      'a deadline on the pods of a trial that makes them anew',
      '{require-deadline: true}',
      object(
        '{apiVersion: kubeflow.org/v1beta1, kind: Experiment, spec: {trialTemplate: {trialSpec: {apiVersion: kubeflow.org/v1, kind: PyTorchJob, spec: {pytorchReplicaSpecs: {Worker: {template: {spec: {activeDeadlineSeconds: 60, containers: [{name: a, image: b}]}}}}}}}}}',
      ),
      ['require-deadline spec.activeDeadlineSeconds'],
    ],
    ['a deadline on the pod', '{require-deadline: true}', job('activeDeadlineSeconds: 60, '), []],
    [
      'a deadline too long',
      '{max-deadline: 1h}',
      job('', '', 'activeDeadlineSeconds: 3601, '),
      ['max-deadline spec.activeDeadlineSeconds'],
    ],
    ['too many GPUs', '{max-gpus: 3}', job('', 'resources: {limits: {nvidia.com/gpu: 2}}', 'parallelism: 2, '), ['max-gpus spec']],
    ['GPUs enough', '{max-gpus: 4}', job('', 'resources: {limits: {nvidia.com/gpu: 2}}', 'parallelism: 2, '), []],
    ['GPU hours without a deadline', '{max-gpu-hours: 100}', job('', 'resources: {limits: {nvidia.com/gpu: 1}}'), ['max-gpu-hours spec']],
    [
      'too many GPU hours',
      '{max-gpu-hours: 7}',
      job('', 'resources: {limits: {nvidia.com/gpu: 8}}', 'activeDeadlineSeconds: 3600, '),
      ['max-gpu-hours spec'],
    ],
    ['no GPU, no hours', '{max-gpu-hours: 0}', job(), []],
  ])('%s', (_, policy, document, expected) => {
    expect(found(document, policyOf(policy))).toEqual(expected);
  });

  it('adds the GPUs of several objects up', () => {
    const two = job('', 'resources: {limits: {nvidia.com/gpu: 2}}');
    expect(checkPolicy([two, two], policyOf('{max-gpus: 3}'))).toHaveLength(1);
  });

  it('says where each rule stands', () => {
    const [gpus, host] = checkPolicy([job('hostPID: true, ', 'resources: {limits: {nvidia.com/gpu: 8}}')], policyOf('{max-gpus: 4}')).sort(
      (a, b) => (a.rule < b.rule ? 1 : -1),
    );
    expect(describeViolation(gpus!)).toBe(
      'Job/digits: spec is 8; allowed: at most 4 GPUs in all (rule "max-gpus", .github/slashtrain.yml: policy.max-gpus)',
    );
    expect(describeViolation(host!)).toBe('Job/digits: spec.template.spec.hostPID is true; allowed: false (rule "host-network", default)');
    expect(() => refuseViolations([gpus!, host!])).toThrow(
      expect.objectContaining({ code: 'policy', message: expect.stringContaining('hostPID') as unknown }),
    );
    expect(() => refuseViolations([])).not.toThrow();
  });
});

describe('what poses as ours', () => {
  it.each([
    [
      'a label',
      '{apiVersion: v1, kind: ConfigMap, metadata: {labels: {slashtrain.dev/state: succeeded}}}',
      'metadata.labels["slashtrain.dev/state"]',
    ],
    [
      'an annotation',
      '{apiVersion: v1, kind: ConfigMap, metadata: {annotations: {slashtrain.dev/record-uid: x}}}',
      'metadata.annotations["slashtrain.dev/record-uid"]',
    ],
    [
      'a manager',
      '{apiVersion: v1, kind: ConfigMap, metadata: {labels: {app.kubernetes.io/managed-by: slashtrain}}}',
      'metadata.labels["app.kubernetes.io/managed-by"]',
    ],
    [
      'a label of the pods',
      '{apiVersion: batch/v1, kind: Job, spec: {template: {metadata: {labels: {slashtrain.dev/sha: x}}}}}',
      'spec.template.metadata.labels["slashtrain.dev/sha"]',
    ],
  ])('%s', (_, text, path) => {
    expect(checkSubmitted([object(text)])).toMatchObject([{ rule: 'claims', path }]);
  });

  it('is not a manifest that names the defaults of its parameters, unless it hides them elsewhere', () => {
    const own = '{metadata: {annotations: {slashtrain.dev/parameters: "epochs: 10"}}}';
    expect(checkSubmitted([object(own)])).toEqual([]);
    expect(checkSubmitted([object(`{spec: {template: ${own}}}`)])).toHaveLength(1);
  });

  it('is not another manager', () => {
    expect(checkSubmitted([object('{apiVersion: v1, kind: ConfigMap, metadata: {labels: {app.kubernetes.io/managed-by: helm}}}')])).toEqual(
      [],
    );
  });
});

describe('the GPUs of', () => {
  const gpu = (count: number | string): string => `resources: {limits: {nvidia.com/gpu: ${count}}}`;
  const template = (count: number): string => `template: {spec: {containers: [{name: a, ${gpu(count)}}]}}`;
  it.each<[string, string, number]>([
    ['a Job', `{apiVersion: batch/v1, kind: Job, spec: {parallelism: 4, completions: 2, ${template(2)}}}`, 4],
    [
      'a JobSet',
      `{apiVersion: jobset.x-k8s.io/v1alpha2, kind: JobSet, spec: {replicatedJobs: [{replicas: 2, template: {spec: {parallelism: 3, ${template(1)}}}}]}}`,
      6,
    ],
    [
      'a PyTorchJob',
      `{apiVersion: kubeflow.org/v1, kind: PyTorchJob, spec: {pytorchReplicaSpecs: {Master: {replicas: 1, ${template(8)}}, Worker: {replicas: 3, ${template(8)}}}}}`,
      32,
    ],
    [
      'an elastic PyTorchJob',
      `{apiVersion: kubeflow.org/v1, kind: PyTorchJob, spec: {elasticPolicy: {minReplicas: 1, maxReplicas: 10}, pytorchReplicaSpecs: {Worker: {replicas: 1, ${template(2)}}}}}`,
      20,
    ],
    [
      'a TrainJob',
      `{apiVersion: trainer.kubeflow.org/v1alpha1, kind: TrainJob, spec: {trainer: {numNodes: 3, resourcesPerNode: {limits: {nvidia.com/gpu: 4}}}}}`,
      12,
    ],
    [
      'a TrainJob that leaves the GPUs to its runtime',
      '{apiVersion: trainer.kubeflow.org/v1alpha1, kind: TrainJob, spec: {trainer: {numNodes: 3, resourcesPerNode: {limits: {cpu: 4}}}}}',
      Infinity,
    ],
    [
      'a TrainJob without GPUs',
      '{apiVersion: trainer.kubeflow.org/v1alpha1, kind: TrainJob, spec: {trainer: {numNodes: 3, resourcesPerNode: {limits: {nvidia.com/gpu: 0}}}}}',
      0,
    ],
    ['a TrainJob by its runtime', '{apiVersion: trainer.kubeflow.org/v1alpha1, kind: TrainJob, spec: {runtimeRef: {name: a}}}', Infinity],
    [
      'a RayJob',
      `{apiVersion: ray.io/v1, kind: RayJob, spec: {rayClusterSpec: {headGroupSpec: {${template(1)}}, workerGroupSpecs: [{replicas: 1, maxReplicas: 3, numOfHosts: 2, ${template(2)}}]}}}`,
      13,
    ],
    ['a Volcano Job', `{apiVersion: batch.volcano.sh/v1alpha1, kind: Job, spec: {tasks: [{replicas: 3, ${template(2)}}]}}`, 6],
    [
      'an Experiment',
      `{apiVersion: kubeflow.org/v1beta1, kind: Experiment, spec: {parallelTrialCount: 4, trialTemplate: {trialSpec: {spec: {${template(2)}}}}}}`,
      8,
    ],
    [
      'a Workflow',
      `{apiVersion: argoproj.io/v1alpha1, kind: Workflow, spec: {entrypoint: a, templates: [{name: a, dag: {tasks: [{template: b}]}}, {name: b, container: {${gpu(2)}}}]}}`,
      2,
    ],
    [
      'a Workflow that fans out',
      `{apiVersion: argoproj.io/v1alpha1, kind: Workflow, spec: {entrypoint: a, templates: [{name: a, steps: [[{template: b, withParam: x}]]}, {name: b, container: {${gpu(2)}}}]}}`,
      Infinity,
    ],
    [
      'a Workflow that fans out within a bound',
      `{apiVersion: argoproj.io/v1alpha1, kind: Workflow, spec: {parallelism: 5, entrypoint: a, templates: [{name: a, steps: [[{template: b, withParam: x}]]}, {name: b, container: {${gpu(2)}}}]}}`,
      10,
    ],
    ['a Workflow from a template', '{apiVersion: argoproj.io/v1alpha1, kind: Workflow, spec: {workflowTemplateRef: {name: a}}}', Infinity],
    [
      'a divided GPU',
      `{apiVersion: batch/v1, kind: Job, spec: {template: {spec: {containers: [{resources: {limits: {nvidia.com/mig-1g.5gb: 3}}}]}}}}`,
      3,
    ],
    [
      'a share of one',
      `{apiVersion: batch/v1, kind: Job, spec: {template: {spec: {containers: [{resources: {limits: {nvidia.com/gpu: 1, nvidia.com/gpumem: 8000}}}]}}}}`,
      1,
    ],
    ['a quantity in thousands', `{apiVersion: batch/v1, kind: Job, spec: {template: {spec: {containers: [{${gpu('1k')}}]}}}}`, 1000],
    ['no quantity', `{apiVersion: batch/v1, kind: Job, spec: {template: {spec: {containers: [{${gpu('many')}}]}}}}`, Infinity],
    [
      'init containers, which come first',
      `{apiVersion: batch/v1, kind: Job, spec: {template: {spec: {initContainers: [{${gpu(4)}}], containers: [{${gpu(2)}}, {${gpu(1)}}]}}}}`,
      4,
    ],
    [
      'a claim',
      '{apiVersion: batch/v1, kind: Job, spec: {template: {spec: {resourceClaims: [{name: gpu}], containers: [{name: a}]}}}}',
      Infinity,
    ],
    [
      'nothing',
      '{apiVersion: batch/v1, kind: Job, spec: {template: {spec: {containers: [{resources: {limits: {cpu: 64, memory: 1Ti}}}]}}}}',
      0,
    ],
  ])('%s', (_, text, gpus) => {
    expect(demandOf(object(text)).gpus).toBe(gpus);
  });

  it('a sweep count for each of its rounds in GPU hours', () => {
    const sweep = object(
      `{apiVersion: kubeflow.org/v1beta1, kind: Experiment, spec: {parallelTrialCount: 4, maxTrialCount: 40, trialTemplate: {trialSpec: {spec: {${template(2)}}}}}}`,
    );
    expect(demandOf(sweep)).toEqual({ gpus: 8, gpuRounds: 80 });
  });

  it('a resource that the configuration names as an accelerator', () => {
    const own = object(
      '{apiVersion: batch/v1, kind: Job, spec: {template: {spec: {containers: [{resources: {limits: {acme.dev/chip: 2}}}]}}}}',
    );
    expect(demandOf(own).gpus).toBe(0);
    expect(demandOf(own, ['acme.dev/chip']).gpus).toBe(2);
  });
});

it.each([
  [2, 2],
  ['2', 2],
  ['1.5', 1.5],
  ['500m', 0.5],
  ['1e3', 1000],
  ['1Ki', 1024],
  ['-1', undefined],
  [-1, undefined],
  ['', undefined],
  [true, undefined],
])('the quantity %p is %p', (value, expected) => {
  expect(parseQuantity(value)).toBe(expected);
});

it.each([
  ['nginx', 'docker.io/library/nginx'],
  ['nginx:1.27', 'docker.io/library/nginx'],
  ['acme/digits@sha256:abc', 'docker.io/acme/digits'],
  ['docker.io/nginx', 'docker.io/library/nginx'],
  ['index.docker.io/nginx', 'docker.io/library/nginx'],
  ['GHCR.io/acme/a/b:x', 'ghcr.io/acme/a/b'],
  ['localhost:5000/a', 'localhost:5000/a'],
  ['localhost/a', 'localhost/a'],
  ['ghcr.io/acme/{{inputs.parameters.image}}', undefined],
  ['ghcr.io/acme/x:{{inputs.parameters.tag}}', 'ghcr.io/acme/x'],
  ['ghcr.io/acme/../evil', undefined],
  ['ghcr.io//acme', undefined],
  ['Acme/digits', undefined],
  [' ghcr.io/acme/x', undefined],
  ['', undefined],
])('the image %p is in %p', (image, expected) => {
  expect(repositoryOf(image)).toBe(expected);
});

it.each([
  ['ghcr.io/acme/x', ['ghcr.io/acme'], true],
  ['ghcr.io/acme', ['ghcr.io/acme'], true],
  ['ghcr.io/acme-evil/x', ['ghcr.io/acme'], false],
  ['ghcr.io.evil.dev/acme/x', ['ghcr.io'], false],
  ['evil.dev/ghcr.io/acme/x', ['ghcr.io/acme'], false],
  ['ghcr.io:443/acme/x', ['ghcr.io'], false],
])('%s from %j: %p', (image, registries, expected) => {
  expect(comesFrom(image, registries)).toBe(expected);
});
