import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Status } from '../run/state.ts';
import { katibExperiment } from './katib-experiment.ts';
import type { KubernetesObject } from './kind.ts';

/*
 * Experiments out of upstream's own files (https://github.com/kubeflow/katib/tree/v0.19.0/examples/v1beta1): as people write them, and
 * as Katib told them while they ran and at their end.
 */
const { written, told } = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/katib-experiments.json'), 'utf8')) as {
  written: Record<string, object>;
  told: Record<string, { spec: object; status: object }>;
};

const experiment = (parts: object | undefined): KubernetesObject => ({
  apiVersion: 'kubeflow.org/v1beta1',
  kind: 'Experiment',
  metadata: { name: 'upstream' },
  ...structuredClone(parts),
});

const genotype =
  "Genotype(normal=[[('separable_convolution_3x3',0),('dilated_convolution_3x3',1)],[('dilated_convolution_3x3',2),('dilated_convolution_5x5',1)],[('dilated_convolution_5x5',2),('separable_convolution_3x3',3)]],normal_concat=range(2,5),reduce=[[('separable_convolution_3x3',1),('separable_convolution_3x3',0)],[('max_pooling_3x3',2),('max_pooling_3x3',1)],[('max_pooling_3x3',2),('max_pooling_3x3',3)]],reduce_concat=range(2,5))";

describe('an Experiment as Katib told it', () => {
  it.each<[string, Status, unknown]>([
    ['sdk/nas-with-darts.ipynb, cell 11', { state: 'running', progress: 0, startedAt: '2021-10-05T23:49:49Z' }, []],
    ['sdk/cmaes-and-resume-policies.ipynb, cell 16', { state: 'running', progress: 0, startedAt: '2023-01-06T14:28:28Z' }, []],
    [
      'sdk/nas-with-darts.ipynb, cell 19',
      {
        state: 'succeeded',
        progress: 1,
        message: 'ExperimentMaxTrialsReached: Experiment has succeeded because max trial count has reached',
        startedAt: '2021-10-05T23:49:49Z',
        endedAt: '2021-10-05T23:54:31Z',
      },
      [
        { name: 'best-trial', value: 'darts-example-n4fpnxlm' },
        { name: 'parameter-algorithm-settings', value: expect.stringContaining("'w_momentum': 0.9") },
        { name: 'parameter-search-space', value: expect.stringContaining('max_pooling_3x3') },
        { name: 'parameter-num-layers', value: '2' },
        // Its strategy is "max", which is "unavailable" of what is no number.
        { name: 'metric-Best-Genotype', value: genotype },
      ],
    ],
  ])('in %s', (cell, status, outputs) => {
    const seen = experiment(told[cell]);
    expect(katibExperiment.status(seen)).toEqual(status);
    expect(katibExperiment.outputs?.(seen)).toEqual(outputs);
  });
});

describe('an Experiment as it is written', () => {
  const inTrial = 'spec.trialTemplate.trialSpec';
  it.each<[string, string[]]>([
    ['hp-tuning/random.yaml', ['spec.template']],
    ['metrics-collector/metrics-collection-strategy.yaml', ['spec.template']],
    ['kubeflow-training-operator/mpijob-horovod.yaml', ['spec.mpiReplicaSpecs.Launcher.template', 'spec.mpiReplicaSpecs.Worker.template']],
    [
      'kubeflow-training-operator/pytorchjob-mnist.yaml',
      ['spec.pytorchReplicaSpecs.Master.template', 'spec.pytorchReplicaSpecs.Worker.template'],
    ],
    ['kubeflow-training-operator/tfjob-mnist-with-summaries.yaml', ['spec.tfReplicaSpecs.Worker.template']],
    [
      'kubeflow-training-operator/xgboostjob-lightgbm.yaml',
      ['spec.xgbReplicaSpecs.Master.template', 'spec.xgbReplicaSpecs.Worker.template'],
    ],
  ])('in %s has pods that are known, and keeps what Katib puts in', (file, paths) => {
    const made = experiment({ spec: written[file] });
    const before = JSON.stringify(katibExperiment.podTemplates(made).map(({ template }) => template));
    expect(before).toContain('${trialParameters.');
    expect(katibExperiment.podTemplates(made).map(({ path }) => path)).toEqual(paths.map((path) => `${inTrial}.${path}`));
    katibExperiment.setParameters(made, new Map());
    expect(JSON.stringify(katibExperiment.podTemplates(made).map(({ template }) => template))).toBe(before);
  });

  it.each<[string, string]>([
    ['kubeflow-trainer/trainjob-pytorch.yaml', '"trainer.kubeflow.org/v1alpha1" "TrainJob", whose pods are not known'],
    ['argo/argo-workflow.yaml', '"argoproj.io/v1alpha1" "Workflow", whose pods are not known'],
    ['tekton/pipeline-run.yaml', '"tekton.dev/v1beta1" "PipelineRun", whose pods are not known'],
    ['trial-template/trial-configmap-source.yaml', 'takes its trials from a ConfigMap'],
  ])('in %s is refused, and why', (file, message) => {
    expect(() => katibExperiment.podTemplates(experiment({ spec: written[file] }))).toThrow(message);
  });
});
