import { describe, expect, it } from '@jest/globals';
import { argoWorkflow } from './argo-workflow.ts';
import type { Container, KubernetesObject } from './kind.ts';

const image = 'ghcr.io/acme/digits:1';

function workflow(spec: Record<string, unknown>): KubernetesObject {
  return { apiVersion: 'argoproj.io/v1alpha1', kind: 'Workflow', metadata: { name: 'digits' }, spec };
}

/** Every kind of template that has containers of the user's, and two that have none. */
function everyTemplate(): KubernetesObject {
  return workflow({
    entrypoint: 'main',
    templates: [
      { name: 'main', dag: { tasks: [{ name: 'train', template: 'train' }] } },
      { name: 'train', container: { image, args: ['a'] }, sidecars: [{ name: 'proxy', image: 'proxy' }] },
      { name: 'judge', script: { image, source: 'x' }, initContainers: [{ name: 'fetch', image: 'fetch' }] },
      {
        name: 'both',
        containerSet: {
          containers: [
            { name: 'one', image },
            { name: 'main', image },
          ],
        },
      },
      { name: 'wait', suspend: {} },
    ],
  });
}

const settings = {
  labels: { team: 'ml' },
  ours: new Map([['SLASHTRAIN_SHA', 'abc']]),
  offered: new Map<string, string>(),
  given: [],
  tags: {},
  secrets: ['keys'],
  nodeSelector: { gpu: 'a100' },
  tolerations: [{ key: 'gpu', operator: 'Exists' }],
  serviceAccount: 'trainer',
  priorityClass: 'low',
};

describe('the pods of a Workflow', () => {
  it("come of its templates with containers, each container by its own name or its template's", () => {
    const pods = argoWorkflow.podTemplates(everyTemplate());
    expect(pods.map(({ path, template }) => [path, (template.spec?.containers ?? []).map(({ name }) => name)])).toEqual([
      ['spec.templates[1]', ['train', 'proxy']],
      ['spec.templates[2]', ['judge']],
      ['spec.templates[3]', ['one', 'main']],
    ]);
  });

  it('get settings in place, where Argo has them', () => {
    const object = everyTemplate();
    argoWorkflow.setPods?.(object, settings);
    const env = expect.arrayContaining([{ name: 'SLASHTRAIN_SHA', value: 'abc' }]);
    const envFrom = [{ secretRef: { name: 'keys' } }];
    const pod = {
      metadata: { labels: { team: 'ml' } },
      nodeSelector: { gpu: 'a100' },
      tolerations: [{ key: 'gpu', operator: 'Exists' }],
      serviceAccountName: 'trainer',
      priorityClassName: 'low',
    };
    expect(object['spec']).toEqual({
      entrypoint: 'main',
      templates: [
        { name: 'main', dag: { tasks: [{ name: 'train', template: 'train' }] } },
        {
          name: 'train',
          ...pod,
          container: { image, args: ['a'], env, envFrom },
          sidecars: [{ name: 'proxy', image: 'proxy', env, envFrom }],
        },
        {
          name: 'judge',
          ...pod,
          script: { image, source: 'x', env, envFrom },
          initContainers: [{ name: 'fetch', image: 'fetch', env, envFrom }],
        },
        {
          name: 'both',
          ...pod,
          containerSet: {
            containers: [
              { name: 'one', image, env, envFrom },
              { name: 'main', image, env, envFrom },
            ],
          },
        },
        { name: 'wait', suspend: {} },
      ],
    });
  });

  it('get resources where one asks for an accelerator, and where there is but one', () => {
    const asking = everyTemplate();
    const [, train] = (asking['spec'] as { templates: { container: Record<string, unknown> }[] }).templates;
    if (train) train.container['resources'] = { limits: { 'nvidia.com/gpu': 1 } };
    argoWorkflow.setPods?.(asking, { ...settings, resources: { gpus: 4 } });
    expect(JSON.stringify(asking).match(/"nvidia.com\/gpu":\d/gu)).toEqual(['"nvidia.com/gpu":4']);
    expect(() => argoWorkflow.setPods?.(everyTemplate(), { ...settings, resources: { gpus: 4 } })).toThrow(
      'the Workflow has several templates, and none asks for an accelerator',
    );
    const single = workflow({ templates: [{ name: 'train', container: { image } }] });
    argoWorkflow.setPods?.(single, { ...settings, resources: { gpus: 4 } });
    expect(single['spec']).toHaveProperty('templates.0.container.resources.limits', { 'nvidia.com/gpu': 4 });
  });

  it('get images in place', () => {
    const object = everyTemplate();
    for (const { template } of argoWorkflow.podTemplates(object)) {
      for (const container of template.spec?.containers ?? []) if (container.image === image) container.image = 'pinned';
    }
    expect(JSON.stringify(object)).not.toContain(image);
    expect(JSON.stringify(object).match(/"pinned"/gu)).toHaveLength(4);
  });

  it('are reached through defaults where they are in a WorkflowTemplate', () => {
    const object = workflow({ workflowTemplateRef: { name: 'digits' } });
    argoWorkflow.setPods?.(object, settings);
    const container = {
      env: expect.arrayContaining([{ name: 'SLASHTRAIN_SHA', value: 'abc' }]),
      envFrom: [{ secretRef: { name: 'keys' } }],
    };
    expect(object['spec']).toEqual({
      workflowTemplateRef: { name: 'digits' },
      podMetadata: { labels: { team: 'ml' } },
      templateDefaults: { container, script: container },
      nodeSelector: { gpu: 'a100' },
      tolerations: [{ key: 'gpu', operator: 'Exists' }],
      serviceAccountName: 'trainer',
      podPriorityClassName: 'low',
    });
  });

  it('keep their image there, which cannot be set from here', () => {
    const [pod] = argoWorkflow.podTemplates(workflow({ workflowTemplateRef: { name: 'digits' } }));
    const [container] = pod?.template.spec?.containers as [Container];
    expect(() => (container.image = 'x')).toThrow('the image of a template that is on the cluster cannot be set');
  });

  it('are found by a label, without those of the controller', () => {
    expect(argoWorkflow.podSelector(workflow({}))).toBe('workflows.argoproj.io/workflow=digits');
    expect([...(argoWorkflow.helperContainers ?? [])]).toEqual(['init', 'wait']);
  });
});

describe('what is put into a Workflow', () => {
  it('has its deadline on itself: the controller gives it to the pods', () => {
    const object = everyTemplate();
    argoWorkflow.setDeadline(object, 3600);
    expect(object['spec']).toHaveProperty('activeDeadlineSeconds', 3600);
  });

  it.each([
    [undefined, { secondsAfterCompletion: 86_400 }],
    [{ secondsAfterCompletion: 60 }, { secondsAfterCompletion: 86_400 }],
    [
      { secondsAfterCompletion: 100_000, secondsAfterFailure: 60, secondsAfterSuccess: 1_000_000 },
      { secondsAfterCompletion: 100_000, secondsAfterFailure: 86_400, secondsAfterSuccess: 1_000_000 },
    ],
  ])('stays at least as long as asked, however it ends: %j', (ttlStrategy, expected) => {
    const object = workflow(ttlStrategy ? { ttlStrategy } : {});
    argoWorkflow.setTtl(object, 86_400);
    expect(object['spec']).toHaveProperty('ttlStrategy', expected);
  });

  it('is refused without a spec', () => {
    const object = { ...workflow({}), spec: 'x' };
    expect(() => argoWorkflow.podTemplates(object)).toThrow('the Workflow has no "spec"');
  });
});

const given = (values: Record<string, string>): Map<string, string> => new Map(Object.entries(values));

describe('parameters of a Workflow', () => {
  const own = (): KubernetesObject =>
    workflow({
      arguments: {
        artifacts: [{ name: 'data' }],
        parameters: [
          { name: 'epochs', value: 3, description: 'how long' },
          { name: 'lr', valueFrom: { configMapKeyRef: { name: 'rates', key: 'lr' } } },
          { name: 'size', default: 's', enum: ['s', 'm'] },
        ],
      },
    });

  it('replace values, whereever they came from, and leave the others', () => {
    const object = own();
    argoWorkflow.setParameters(object, given({ lr: '0.1', size: 'm' }));
    expect(object['spec']).toEqual({
      arguments: {
        artifacts: [{ name: 'data' }],
        parameters: [
          { name: 'epochs', value: 3, description: 'how long' },
          { name: 'lr', value: '0.1' },
          { name: 'size', value: 'm', enum: ['s', 'm'] },
        ],
      },
    });
  });

  it.each<[string, Record<string, string>, string, string | undefined]>([
    ['a name that it does not have', { epoch: '1' }, 'names "epoch", which the Workflow does not have', 'it has epochs, lr, size'],
    ['an expression', { lr: '{{=1+1}}' }, 'the parameter "lr" holds "{{", which Argo would evaluate', 'pass a value without it'],
    ['a value that is not among those it allows', { size: 'xl' }, 'the parameter "size" is "xl"; allowed: s, m', undefined],
  ])('are refused: %s', (_, values, message, remedy) => {
    expect(() => argoWorkflow.setParameters(own(), given(values))).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), ...(remedy ? { remedy } : {}) }),
    );
  });

  it('have no defaults in an annotation', () => {
    const object = { ...own(), metadata: { annotations: { 'slashtrain.dev/parameters': 'epochs: 1' } } };
    expect(() => argoWorkflow.setParameters(object, new Map())).toThrow('a Workflow has the annotation slashtrain.dev/parameters');
  });

  it('are refused where one has no value', () => {
    const object = workflow({ arguments: { parameters: [{ name: 'data' }] } });
    expect(() => argoWorkflow.setParameters(object, new Map())).toThrow('parameter "data" has no value');
  });

  const template = (kind: string, parameters: object[]): KubernetesObject => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind,
    metadata: { name: 'digits' },
    spec: { entrypoint: 'main', arguments: { parameters }, templates: [{ name: 'main', container: { image } }] },
  });

  it.each([
    ['WorkflowTemplate', {}],
    ['ClusterWorkflowTemplate', { clusterScope: true }],
  ])('are those of its %s, as the cluster has it', (kind, scope) => {
    const object = workflow({ workflowTemplateRef: { name: 'digits', ...scope }, arguments: { parameters: [{ name: 'lr', value: '1' }] } });
    const found = [template(kind, [{ name: 'epochs' }, { name: 'lr' }])];
    expect(() => argoWorkflow.setParameters(structuredClone(object), given({ x: '1' }), found)).toThrow(
      expect.objectContaining({ remedy: 'it has epochs, lr' }),
    );
    expect(() => argoWorkflow.setParameters(structuredClone(object), new Map(), found)).toThrow('parameter "epochs" has no value');
    argoWorkflow.setParameters(object, given({ epochs: '5' }), found);
    expect(object['spec']).toHaveProperty('arguments.parameters', [
      { name: 'lr', value: '1' },
      { name: 'epochs', value: '5' },
    ]);
  });

  it('are taken as they are where the template was not read', () => {
    const object = workflow({ workflowTemplateRef: { name: 'digits' } });
    argoWorkflow.setParameters(object, given({ epochs: '5' }));
    expect(object['spec']).toHaveProperty('arguments.parameters', [{ name: 'epochs', value: '5' }]);
  });
});
