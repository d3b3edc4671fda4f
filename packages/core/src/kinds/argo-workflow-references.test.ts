import { describe, expect, it } from '@jest/globals';
import { checkPolicy } from '../policy/check.ts';
import { demandOf } from '../policy/gpus.ts';
import { defaultPolicy } from '../policy/policy.ts';
import { joined, missing } from './argo-workflow-references.ts';
import type { KubernetesObject } from './kind.ts';

const object = (kind: string, name: string, spec: Record<string, unknown>): KubernetesObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind,
  metadata: { name },
  spec,
});
const names = (list: ReturnType<typeof missing>): string[] => list.map(({ resource, name }) => `${resource.plural}/${name}`);
const gpu = (count: number): object => ({ resources: { limits: { 'nvidia.com/gpu': count } } });

// A workflow of one template of its own and tasks from two others, one of which goes on to a third.
const dag = object('Workflow', 'digits', {
  entrypoint: 'main',
  hooks: { exit: { templateRef: { name: 'common', template: 'bye' } } },
  templates: [
    {
      name: 'main',
      dag: {
        tasks: [
          { name: 'own', template: 'own' },
          { name: 'train', templateRef: { name: 'training', template: 'train', clusterScope: true } },
        ],
      },
    },
    { name: 'own', container: {} },
  ],
});
const common = object('WorkflowTemplate', 'common', { templates: [{ name: 'bye', container: gpu(1) }] });
const training = object('ClusterWorkflowTemplate', 'training', {
  templates: [
    { name: 'train', steps: [[{ name: 'a', template: 'fit' }], [{ name: 'b', templateRef: { name: 'common', template: 'bye' } }]] },
    { name: 'fit', container: gpu(4) },
  ],
});

describe('what a Workflow refers to', () => {
  it('is read until nothing is missing', () => {
    expect(names(missing(dag, []))).toEqual(['workflowtemplates/common', 'clusterworkflowtemplates/training']);
    expect(names(missing(dag, [training]))).toEqual(['workflowtemplates/common']);
    expect(missing(dag, [training, common])).toEqual([]);
  });

  it('is refused where its name is an expression', () => {
    const hidden = object('Workflow', 'x', { workflowTemplateRef: { name: '{{workflow.parameters.template}}' } });
    expect(() => missing(hidden, [])).toThrow('refers to a template named "{{workflow.parameters.template}}"');
  });

  it('is written in for the policy, with names that cannot meet', () => {
    const { templates } = joined(dag, [training, common])['spec'] as { templates: { name: string }[] };
    expect(templates.map(({ name }) => name)).toEqual(['main', 'own', 'cluster/training/train', 'cluster/training/fit', 'common/bye']);
    expect(JSON.stringify(templates)).not.toContain('templateRef');
    expect(templates[2]).toHaveProperty('steps', [
      [{ name: 'a', template: 'cluster/training/fit' }],
      [{ name: 'b', template: 'common/bye' }],
    ]);
    expect(demandOf(joined(dag, [training, common]))).toMatchObject({ gpus: Infinity });
  });

  it('counts: GPUs of a WorkflowTemplate are known', () => {
    const run = object('Workflow', 'x', { workflowTemplateRef: { name: 'digits' }, activeDeadlineSeconds: 60 });
    const template = object('WorkflowTemplate', 'digits', { entrypoint: 'a', templates: [{ name: 'a', container: gpu(2) }] });
    expect(demandOf(run)).toMatchObject({ gpus: Infinity });
    expect(demandOf(joined(run, [template]))).toEqual({ gpus: 2, gpuRounds: 2 });
  });

  it('is held to the policy, wherever it stands', () => {
    const run = object('Workflow', 'x', { workflowTemplateRef: { name: 'digits' }, volumes: [{ name: 'a', emptyDir: {} }] });
    const template = object('WorkflowTemplate', 'digits', {
      serviceAccountName: 'admin',
      volumes: [{ name: 'host', hostPath: { path: '/' } }],
      templates: [{ name: 'a', container: { securityContext: { privileged: true } } }],
    });
    expect(checkPolicy([joined(run, [template])], defaultPolicy).map(({ rule, path }) => `${rule} ${path}`)).toEqual([
      'host-path spec.volumes[1].hostPath',
      'service-accounts spec.serviceAccountName',
      'privileged spec.templates[0].container.securityContext.privileged',
    ]);
    expect(checkPolicy([run], defaultPolicy)).toEqual([]);
  });

  it('gives way to the run, as it does in Argo', () => {
    const run = object('Workflow', 'x', { workflowTemplateRef: { name: 'digits' }, serviceAccountName: 'default' });
    const template = object('WorkflowTemplate', 'digits', { serviceAccountName: 'admin', templates: [] });
    expect(checkPolicy([joined(run, [template])], defaultPolicy)).toEqual([]);
  });
});
