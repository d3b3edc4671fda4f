import { describe, expect, it } from '@jest/globals';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { demandOf } from '@slashtrain/core/policy/gpus';
import type { RunSweep } from '@slashtrain/core/sweep/sweep';
import { readManifest } from '../manifest.ts';
import type { Source } from '../source.ts';
import { planSweep, withinBudget, type PlannedSweep } from './plan.ts';
import { readSweep } from './read.ts';

function source(text: string): Source {
  return { ...readManifest({ text, file: 'train.yaml' }), text, file: 'train.yaml' };
}

function sweep(more = ''): string {
  return `method: grid\nmetric: accuracy\ngoal: maximize\nmax-trials: 4\nparallel: 2\n${more}\nparameters: { lr: [0.1, 0.2], batch: [8, 16] }`;
}

function plan(manifest: string, text = sweep(), given: [string, string][] = []): PlannedSweep {
  return planSweep(source(manifest), readSweep(text, 'sweep.yaml'), new Map(given));
}

const job = (spec = '', container = ''): string => `
apiVersion: batch/v1
kind: Job
metadata: { name: digits }
spec:
  backoffLimit: 0
  ${spec}
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: train
          image: digits
          command: [node, train.js, --lr, $(params.lr), --batch, $(params.batch), --epochs, $(params.epochs)]
          ${container}
        - { name: beside, image: proxy }
`;

describe('a Job', () => {
  it('becomes one indexed Job, whose containers find their settings by their index', () => {
    const { source: made, sweep: recorded, parameters } = plan(job());
    const spec = made.object['spec'] as Record<string, unknown>;
    const { template, ...rest } = spec;
    expect(rest).toEqual({ completions: 4, parallelism: 2, completionMode: 'Indexed', backoffLimitPerIndex: 0, maxFailedIndexes: 1 });
    const [train, beside] = (template as { spec: { containers: { command?: string[]; args?: string[]; env?: unknown }[] } }).spec
      .containers;
    expect(train?.command?.slice(0, 2)).toEqual(['node', '--import']);
    expect(train?.args).toEqual(['train.js', '--lr', '$(params.lr)', '--batch', '$(params.batch)', '--epochs', '$(params.epochs)']);
    expect(train?.env).toEqual([
      { name: 'SLASHTRAIN_TRIALS', valueFrom: { configMapKeyRef: { name: 'slashtrain-trials', key: 'trials' } } },
    ]);
    expect(beside).toEqual({ name: 'beside', image: 'proxy' });
    expect(made.helpers?.map(({ object, goesWithRun }) => [object['data'], goesWithRun])).toEqual([
      [{ trials: 'lr\tbatch\n0.1\t8\n0.1\t16\n0.2\t8\n0.2\t16' }, true],
    ]);
    expect(recorded).toEqual({
      method: 'grid',
      metric: 'accuracy',
      direction: 'higher',
      on: 'last',
      parameters: ['lr', 'batch'],
      trials: [
        ['0.1', '8'],
        ['0.1', '16'],
        ['0.2', '8'],
        ['0.2', '16'],
      ],
      maxTrials: 4,
      parallel: 2,
      maxFailed: 1,
    });
    expect([...parameters]).toEqual([
      ['lr', '$(params.lr)'],
      ['batch', '$(params.batch)'],
    ]);
  });

  it('keeps what its own text says of a trial that fails', () => {
    const { source: made } = plan(job('backoffLimitPerIndex: 2'), sweep('max-failed: 0'));
    expect(made.object['spec']).toMatchObject({ backoffLimitPerIndex: 2, maxFailedIndexes: 0 });
  });

  it('whose program reads the table itself has it, and no launcher', () => {
    const text = job().replaceAll(/, --lr.*batch\)/gu, '');
    const { source: made, parameters } = plan(text, sweep('launcher: none'));
    const { containers } = (made.object['spec'] as { template: { spec: { containers: { command?: string[]; env?: unknown[] }[] } } })
      .template.spec;
    expect(containers[0]?.command).toEqual(['node', 'train.js', '--epochs', '$(params.epochs)']);
    expect(containers.map(({ env }) => env?.length)).toEqual([1, 1]);
    expect(parameters.size).toBe(0);
  });

  it.each<[string, string, string, [string, string][]?]>([
    [job('completions: 3'), sweep(), 'the Job has completions: 3, and in a sweep each of its pods is a trial'],
    [job().replace('Never', 'OnFailure'), sweep(), `the Job's pods have restartPolicy: "OnFailure"; allowed in a sweep: Never`],
    [job().replace('$(params.batch)', '"16"'), sweep(), 'the sweep has the parameter "batch", which the manifest has no place for'],
    [job().replace('$(params.batch)', '8'), sweep(), '"command" of the container "train" is no list of texts'],
    [job(), sweep('launcher: none'), 'the manifest has $(params.lr), and with launcher: none nobody puts'],
    [job(), sweep(), 'input "parameters" gives "lr", which the sweep tries by itself', [['lr', '1']]],
    [job(), sweep('seeds: [1, 2]').replace('4', '8'), 'the sweep has the parameter "seed", which the manifest has no place for'],
  ])('%s is refused for %j', (manifest, text, message, given = []) => {
    expect(() => plan(manifest, text, given)).toThrow(message);
  });

  it('of another kind is refused', () => {
    const train = 'apiVersion: trainer.kubeflow.org/v1alpha1\nkind: TrainJob\nspec: {}';
    expect(() => plan(train)).toThrow('a sweep by method: grid of a TrainJob');
  });
});

const workflow = (template = ''): string => `
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  entrypoint: train
  arguments: { parameters: [{ name: epochs, value: "3" }] }
  templates:
    - name: train
      inputs: { parameters: [{ name: lr }, { name: batch }, { name: epochs }, { name: data, value: v1 }] }
      ${template || 'container: { image: digits, args: ["{{inputs.parameters.lr}}"] }'}
`;

describe('a Workflow', () => {
  it('runs its entrypoint once for each trial', () => {
    const spec = plan(workflow()).source.object['spec'] as Record<string, unknown>;
    const [train, fan] = spec['templates'] as [Record<string, unknown>, { steps: Record<string, unknown>[][] }];
    expect([spec['entrypoint'], spec['parallelism']]).toEqual(['slashtrain-sweep', 2]);
    expect(train['metadata']).toEqual({ labels: { 'slashtrain.dev/trial': '{{inputs.parameters.slashtrain-trial}}' } });
    const { withParam, ...step } = fan.steps[0]?.[0] ?? {};
    expect(step).toEqual({
      name: 'trial',
      template: 'train',
      arguments: {
        parameters: [
          { name: 'lr', value: '{{item.lr}}' },
          { name: 'batch', value: '{{item.batch}}' },
          { name: 'slashtrain-trial', value: '{{item.slashtrain-trial}}' },
          { name: 'epochs', value: '{{workflow.parameters.epochs}}' },
        ],
      },
    });
    expect((JSON.parse(String(withParam)) as unknown[])[3]).toEqual({ lr: '0.2', batch: '16', 'slashtrain-trial': '3' });
  });

  it.each([
    [workflow('steps: []'), sweep(), 'the entrypoint "train" of the Workflow is no container of its own'],
    [workflow().replace('{ name: lr }, ', ''), sweep(), 'the sweep has the parameter "lr", which is no input of the template "train"'],
    [workflow(), sweep().replace('0.2', '"{{=1+1}}"'), 'a value of the sweep holds "{{", which Argo would evaluate'],
  ])('%s is refused', (manifest, text, message) => {
    expect(() => plan(manifest, text)).toThrow(message);
  });
});

describe('with Katib', () => {
  const bayes = `method: bayes\nseed: 5\nmetric: accuracy\ngoal: maximize\non: best\nmax-trials: 12\nparallel: 3\nparameters:\n  lr: { min: 0.001, max: 0.1, log: true }\n  batch: { min: 8, max: 64, int: true }`;
  it('a Job becomes the trial of an Experiment', () => {
    const { source: made, sweep: recorded } = plan(job(), bayes);
    const { spec } = made.object as KubernetesObject & { spec: Record<string, unknown> };
    expect(made.kind.resource.kind).toBe('Experiment');
    expect(spec).toMatchObject({
      objective: { type: 'maximize', objectiveMetricName: 'accuracy', metricStrategies: [{ name: 'accuracy', value: 'max' }] },
      algorithm: { algorithmName: 'bayesianoptimization', algorithmSettings: [{ name: 'random_state', value: '5' }] },
      maxTrialCount: 12,
      parallelTrialCount: 3,
      maxFailedTrialCount: 3,
      parameters: [
        { name: 'lr', parameterType: 'double', feasibleSpace: { min: '0.001', max: '0.1', distribution: 'logUniform' } },
        { name: 'batch', parameterType: 'int', feasibleSpace: { min: '8', max: '64' } },
      ],
      trialTemplate: {
        primaryContainerName: 'train',
        trialParameters: [
          { name: 'p0', reference: 'lr' },
          { name: 'p1', reference: 'batch' },
        ],
      },
    });
    const { containers } = (
      spec['trialTemplate'] as { trialSpec: { spec: { template: { spec: { containers: { command: string[] }[] } } } } }
    ).trialSpec.spec.template.spec;
    expect(containers[0]?.command.slice(2)).toEqual([
      '--lr',
      '${trialParameters.p0}',
      '--batch',
      '${trialParameters.p1}',
      '--epochs',
      '$(params.epochs)',
    ]);
    expect([recorded.trials, recorded.maxTrials]).toEqual([[], 12]);
  });

  it.each([
    ['epochs: "1"\\nlr: "2"', { 'slashtrain.dev/parameters': 'epochs: "1"\n' }],
    ['lr: "2"', {}],
  ])('takes the defaults %s of what is swept out', (defaults, expected) => {
    const annotated = job().replace(
      '{ name: digits }',
      `{ annotations: { slashtrain.dev/parameters: ${JSON.stringify(defaults).replaceAll('\\\\', '\\')} } }`,
    );
    expect(plan(annotated, bayes).source.object.metadata.annotations).toEqual(expected);
  });

  it('reads the metrics by a pattern', () => {
    const { spec } = plan(job(), bayes).source.object as KubernetesObject & {
      spec: { metricsCollectorSpec: { source: { filter: { metricsFormat: [string] } } } };
    };
    const pattern = new RegExp(spec.metricsCollectorSpec.source.filter.metricsFormat[0], 'u');
    const found = pattern.exec('slashtrain-metric {"name":"accuracy","value":-9.3e-2,"step":5}');
    expect(found?.slice(1)).toEqual(['accuracy', '-9.3e-2']);
  });

  const hyperband = bayes.replace('bayes', 'hyperband').replace('batch:', 'epochs:').replace('min: 8, max: 64', 'min: 1, max: 9');
  it('hyperband has its resource', () => {
    const { spec } = plan(job().replace('$(params.batch)', '"8"'), `${hyperband}\nresource: epochs`.replace('parallel: 3', 'parallel: 9'))
      .source.object as KubernetesObject & { spec: { algorithm: unknown } };
    expect(spec.algorithm).toEqual({
      algorithmName: 'hyperband',
      algorithmSettings: [
        { name: 'resource_name', value: 'epochs' },
        { name: 'eta', value: '3' },
        { name: 'r_l', value: '9' },
      ],
    });
  });

  it.each([
    [job(), `${bayes}\nseeds: [1]`, '"seeds" with method: bayes'],
    [job(), bayes.replace('best', 'mean'), '"on: mean" with Katib'],
    [job(), bayes.replace('log: true', 'count: 3'), 'parameters.lr has "count", which Katib has no word for'],
    [job(), bayes.replace('batch', 'width'), 'the sweep has the parameter "width", which the manifest has no place for'],
    [job(), `${hyperband}\nresource: epochs`, 'hyperband with epochs up to 9 and eta 3 needs parallel: 9, and it is 3'],
  ])('%s with %s is refused', (manifest, text, message) => {
    expect(() => plan(manifest, text)).toThrow(message);
  });
});

describe('a budget', () => {
  const gpus = 'resources: { limits: { nvidia.com/gpu: 2 } }';
  const facts = (container: string, more: Partial<Parameters<typeof withinBudget>[1]> = {}): Parameters<typeof withinBudget>[1] => ({
    object: plan(job('', container)).source.object,
    gpuResources: [],
    pricePerHour: undefined,
    deadline: undefined,
    ...more,
  });
  const recorded = (budget: NonNullable<RunSweep['budget']>, text = sweep()): RunSweep => ({ ...plan(job(), text).sweep, budget });

  it.each<[string, NonNullable<RunSweep['budget']>, Parameters<typeof withinBudget>[1], number | undefined]>([
    ['GPU-hours', { unit: 'gpu-hours', amount: 2 }, facts(gpus), 1800],
    ['money', { unit: 'cost', amount: 6 }, facts(gpus, { pricePerHour: 3 }), 1800],
    ['hours of trials', { unit: 'trial-hours', amount: 0.01 }, facts(''), 18],
    ['what is more than the deadline leaves', { unit: 'trial-hours', amount: 1 }, facts('', { deadline: 60 }), undefined],
  ])('in %s ends the sweep before it can be used up', (_, budget, known, seconds) => {
    expect(withinBudget(recorded(budget), known).budget?.seconds).toBe(seconds);
    const { gpus: held } = demandOf(known.object);
    if (budget.unit === 'gpu-hours') expect((held * (seconds ?? 0)) / 3600).toBeLessThanOrEqual(budget.amount);
  });

  it('of an Experiment lets as many trials start as can use it up', () => {
    const katib: RunSweep = { ...recorded({ unit: 'gpu-hours', amount: 10 }), trials: [], maxTrials: 12 };
    const { maxTrials, parallel, budget } = withinBudget(katib, facts(gpus, { deadline: 3600 }));
    expect([maxTrials, parallel, budget]).toEqual([5, 2, { unit: 'gpu-hours', amount: 10 }]);
  });

  it.each<[NonNullable<RunSweep['budget']>, Parameters<typeof withinBudget>[1], string]>([
    [{ unit: 'gpu-hours', amount: 1 }, facts(''), 'the sweep has a budget of gpu-hours, and its trials ask for no GPU'],
    [{ unit: 'cost', amount: 1 }, facts(gpus), 'the sweep has a budget of cost, and no price is known'],
    [{ unit: 'trial-hours', amount: 0.0001 }, facts(''), `the sweep's budget is too small: it would end after 0.18 seconds`],
  ])('%j is refused', (budget, known, message) => {
    expect(() => withinBudget(recorded(budget), known)).toThrow(message);
  });
});
