import { describe, expect, it } from '@jest/globals';
import { ActionError } from '../action/errors.ts';
import type { Container, PodResources, PodSettings, PodTemplate } from './kind.ts';
import { setPods, setResources, variablesFor } from './pods.ts';

const settings = (more: Partial<PodSettings> = {}): PodSettings => ({
  labels: {},
  ours: new Map([['SLASHTRAIN_RUN', 'digits-1']]),
  offered: new Map([['WANDB_NAME', 'digits-1']]),
  given: [],
  tags: { 'slashtrain.run': 'digits-1' },
  secrets: [],
  ...more,
});
const templates = (...containers: Container[][]): PodTemplate[] =>
  containers.map((list, index) => ({ path: `spec.worker${index}`, template: { spec: { containers: list } } }));

describe('variables', () => {
  const tags = '{"slashtrain.run":"digits-1"}';
  const ours = { name: 'SLASHTRAIN_RUN', value: 'digits-1' };
  const name = { name: 'WANDB_NAME', value: 'digits-1' };
  const context = { name: 'MLFLOW_RUN_CONTEXT', value: tags };
  const secret = { name: 'MLFLOW_RUN_CONTEXT', valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } };

  it.each<[string, Container['env'], PodSettings['given'], Container['env']]>([
    [
      'come before what refers to them',
      [{ name: 'OUT', value: '/out/$(SLASHTRAIN_RUN)' }],
      [],
      [ours, name, context, { name: 'OUT', value: '/out/$(SLASHTRAIN_RUN)' }],
    ],
    ['that are ours stay ours', [{ name: 'SLASHTRAIN_RUN', value: 'other' }], [], [ours, name, context]],
    [
      'that are offered give way to its own',
      [{ name: 'WANDB_NAME', value: 'mine' }],
      [],
      [ours, context, { name: 'WANDB_NAME', value: 'mine' }],
    ],
    [
      'that are offered give way to given ones',
      undefined,
      [{ name: 'WANDB_NAME', value: 'mine' }],
      [ours, context, { name: 'WANDB_NAME', value: 'mine' }],
    ],
    [
      'that are given stand where its own stood',
      [
        { name: 'A', value: '1' },
        { name: 'B', value: '$(A)' },
      ],
      [{ name: 'A', value: '2' }],
      [ours, name, context, { name: 'A', value: '2' }, { name: 'B', value: '$(A)' }],
    ],
    [
      'with tags of its own have both',
      [{ name: 'MLFLOW_RUN_CONTEXT', value: '{"team":"a"}' }],
      [],
      [ours, name, { name: 'MLFLOW_RUN_CONTEXT', value: '{"team":"a","slashtrain.run":"digits-1"}' }],
    ],
    ['with tags of a Secret keep those', [secret], [], [ours, name, secret]],
    [
      'with tags that are no object keep those',
      [{ name: 'MLFLOW_RUN_CONTEXT', value: '[' }],
      [],
      [ours, name, { name: 'MLFLOW_RUN_CONTEXT', value: '[' }],
    ],
  ])('%s', (_, own, given, expected) => {
    expect(variablesFor(own, settings({ given }))).toEqual(expected);
  });
});

describe('pods', () => {
  it('get labels, nodes, tolerations, account, priority and Secrets beside what they have', () => {
    const toleration = { key: 'nvidia.com/gpu', operator: 'Exists' };
    const [one] = templates([{ name: 'a', envFrom: [{ secretRef: { name: 'own' } }] }]);
    one!.template.spec!['tolerations'] = [toleration];
    one!.template.spec!['nodeSelector'] = { zone: 'b' };
    const more = {
      labels: { a: 'b' },
      nodeSelector: { gpu: 'a100' },
      tolerations: [toleration, { key: 'x' }],
      serviceAccount: 'trainer',
      priorityClass: 'low',
      secrets: ['own', 'wandb'],
    };
    setPods([one!], settings(more));
    expect(one!.template).toMatchObject({
      metadata: { labels: { a: 'b' } },
      spec: {
        nodeSelector: { zone: 'b', gpu: 'a100' },
        tolerations: [toleration, { key: 'x' }],
        serviceAccountName: 'trainer',
        priorityClassName: 'low',
        containers: [{ envFrom: [{ secretRef: { name: 'own' } }, { secretRef: { name: 'wandb' } }] }],
      },
    });
  });

  const gpu = (count: number | string): Container => ({ name: 'train', resources: { limits: { 'nvidia.com/gpu': count } } });
  it.each<[string, Container[][], (string | number | undefined)[]]>([
    ['the only container', [[{ name: 'a' }]], [2]],
    ['the only one of each pod', [[{ name: 'a' }], [{ name: 'b' }]], [2, 2]],
    ['those that ask already', [[{ name: 'sidecar' }, gpu(1)], [{ name: 'b' }]], [undefined, 2, undefined]],
  ])('give GPUs to %s', (_, containers, expected) => {
    const all = templates(...containers);
    setPods(all, settings({ resources: { gpus: 2 } }));
    expect(all.flatMap(({ template }) => template.spec?.containers?.map(({ resources }) => resources?.limits?.['nvidia.com/gpu']))).toEqual(
      expected,
    );
  });

  it('leave the launcher out', () => {
    const all = templates([{ name: 'mpi' }], [{ name: 'mpi' }]);
    all[0]!.path = 'spec.mpiReplicaSpecs.Launcher.template';
    setPods(all, settings({ resources: { gpus: 2 } }));
    expect(all.map(({ template }) => template.spec?.containers?.[0]?.resources)).toEqual([undefined, { limits: { 'nvidia.com/gpu': 2 } }]);
  });

  it('are refused where nobody can say which container is meant', () => {
    const act = (): void => setPods(templates([{ name: 'a' }, { name: 'b' }]), settings({ resources: { gpus: 1 } }));
    expect(act).toThrow(ActionError);
    expect(act).toThrow(/the pod at spec\.worker0 has several containers/u);
  });
});

describe('resources', () => {
  const own = { limits: { 'nvidia.com/gpu': '4', cpu: '8' }, requests: { cpu: '2', 'nvidia.com/gpu': '4' } };
  it.each<[string, Container['resources'], PodResources, Container['resources']]>([
    [
      'CPU and memory, requested and the limit',
      undefined,
      { cpu: '2', memory: '4Gi' },
      { requests: { cpu: '2', memory: '4Gi' }, limits: { cpu: '2', memory: '4Gi' } },
    ],
    ['another number of what it has', own, { gpus: 2 }, { limits: { 'nvidia.com/gpu': 2, cpu: '8' }, requests: { cpu: '2' } }],
    [
      'as many of another accelerator',
      own,
      { gpuResource: 'amd.com/gpu' },
      { limits: { 'amd.com/gpu': '4', cpu: '8' }, requests: { cpu: '2' } },
    ],
    ['one of an accelerator', undefined, { gpuResource: 'amd.com/gpu' }, { limits: { 'amd.com/gpu': 1 } }],
    ['none', { limits: { 'nvidia.com/gpu': 1 } }, { gpus: 0 }, {}],
    ['nothing new', own, {}, own],
  ])('%s', (_, resources, given, expected) => {
    const container: Container = { name: 'a', ...(resources ? { resources } : {}) };
    setResources(container, given);
    expect(container.resources).toEqual(expected);
  });
});
