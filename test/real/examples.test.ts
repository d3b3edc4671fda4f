import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { argoWorkflow } from '@slashtrain/core/kinds/argo-workflow';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { trainJob } from '@slashtrain/core/kinds/train-job';
import { pytorchJob } from '@slashtrain/core/kinds/training-operator';
import { openPlace } from '@slashtrain/testing/demo/place';
import { startMlflow, type FakeMlflow } from '@slashtrain/testing/trackers/mlflow';
import { RealKinds } from '../support/kinds.ts';
import { findPython, pushPythonImage } from '../support/python.ts';
import { filesOf, unique } from '../support/targets.ts';
import { conclusions, openWorld, said, type World } from '../support/world.ts';

/*
 * The examples that need an operator, through our runner on a real cluster. There is neither a GPU nor PyTorch: the examples'
 * commands, kinds and nodes are as they stand, torchrun is a program that prints two metrics, and nobody asks for a GPU.
 */
const real = await RealKinds.open('examples');
const found = findPython();
const has = {
  argo: await real.has([argoWorkflow.resource, 'Argo Workflows']),
  trainer: await real.has([trainJob.resource, 'Kubeflow Trainer']),
  operator: await real.has([pytorchJob.resource, 'the training operator']),
  kserve: await real.has([
    { group: 'serving.kserve.io', version: 'v1beta1', plural: 'inferenceservices', kind: 'InferenceService' },
    'KServe',
  ]),
};
const { group, version } = trainJob.resource;
const runtimes: Resource = { group, version, plural: 'clustertrainingruntimes', kind: 'ClusterTrainingRuntime' };
const runtime = unique('examples');
const torchrun = `#!/usr/local/bin/python3
import os, sys
if os.environ.get('PET_NODE_RANK', '0') == '0':
    epochs = int(sys.argv[sys.argv.index('--epochs') + 1])
    print('slashtrain-metric {"name": "accuracy", "value": 0.9, "step": %d}' % epochs, flush=True)
print('node', os.environ.get('PET_NODE_RANK'), 'of', os.environ.get('PET_NNODES'), 'with', sys.argv[1], flush=True)
`;
let base: string;
let mlflow: FakeMlflow;

beforeAll(async () => {
  base = `${real.target.registry}/${unique('examples')}/python:3`;
  if (found) {
    const files = { ...found.files, 'usr/local/bin/torchrun': { content: torchrun, mode: 0o755 } };
    await pushPythonImage(base, { ...found, files });
  }
  mlflow = await startMlflow();
  if (!has.trainer) return;
  const node = { name: 'node', image: base };
  const template = { spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [node] } } } };
  const labels = { 'trainer.kubeflow.org/trainjob-ancestor-step': 'trainer' };
  await real.client.create<KubernetesObject>(runtimes, {
    apiVersion: `${group}/${version}`,
    kind: runtimes.kind,
    metadata: { name: runtime },
    spec: {
      mlPolicy: { numNodes: 1, torch: {} },
      template: { spec: { replicatedJobs: [{ name: 'node', template: { metadata: { labels }, ...template } }] } },
    },
  });
});
afterAll(async () => {
  if (has.trainer) await real.client.delete(runtimes, '', runtime);
  await mlflow.close();
  await real.target.close();
});

type Files = ReturnType<typeof filesOf>;

async function inExample(name: string, change: (files: Files) => void, tell: (world: World) => Promise<void>): Promise<void> {
  const files = filesOf(`examples/${name}`);
  change(files);
  const { kubeconfig, context, registry } = real.target;
  const world: World = await openWorld({
    files,
    name: unique(name),
    // A namespace of its own: every small GitHub numbers its repositories from one.
    place: await openPlace({ once: true, real: { kubeconfig, context, registry, base } }),
    vars: { MLFLOW_TRACKING_URI: mlflow.url },
    onProgress: (progress) => {
      if (progress.type !== 'step-ended' || progress.step.id !== 'submit') return;
      const context = { 'mlflow.source.git.commit': world.repository.head('topic'), 'slashtrain.run': progress.step.outputs['name'] ?? '' };
      void mlflow.log([{ experiment: 'patterns', context, metrics: { accuracy: [[2, 0.91]], loss: [[2, 0.3]] }, status: 'FINISHED' }]);
    },
  });
  try {
    await tell(world);
  } finally {
    await world.close();
  }
}

/** Takes a place out of a file of the example, where it stands. */
function replace(files: Files, path: string, ...changes: [what: string | RegExp, by: string][]): void {
  let text = String(files[path]);
  for (const [what, by] of changes) {
    const changed = text.replaceAll(what, by);
    if (changed === text) throw new Error(`${path} has no ${String(what)}`);
    text = changed;
  }
  files[path] = Buffer.from(text);
}

async function trained(world: World, comment = '/train epochs=2'): Promise<{ number: number; log: string }> {
  const { number } = world.open({ 'NOTES.md': 'a\n' });
  const run = await world.say(number, comment);
  const log = run.jobs.flatMap(({ steps }) => steps.flatMap(({ lines }) => lines)).join('\n');
  if (run.conclusion !== 'success') throw new Error(`${said(run)}\n${log}`);
  return { number, log };
}
const report = ({ repository }: World, number: number): string => repository.comments(number).at(-1)?.body ?? '';

if (found && has.argo)
  it('argo-dag trains three seeds and reports what they come to together', async () => {
    await inExample(
      'argo-dag',
      () => undefined,
      async (world) => {
        const { number, log } = await trained(world);
        expect([...new Set(log.match(/seed \d: accuracy/gu))].sort()).toEqual(['seed 1: accuracy', 'seed 2: accuracy', 'seed 3: accuracy']);
        expect(report(world, number)).toContain('spread');
      },
    );
  });

const pytorch: [kind: string, there: boolean, change: (files: Files) => void][] = [
  ['trainjob', has.trainer, (files) => replace(files, 'pipelines/trainjob.yaml', ['torch-distributed', runtime])],
  [
    'pytorchjob',
    has.operator,
    (files) =>
      replace(files, '.github/workflows/slashtrain.yml', ['manifest: pipelines/trainjob.yaml', 'manifest: pipelines/pytorchjob.yaml']),
  ],
];
if (found)
  it('pytorch-gpu trains on two nodes, by either operator, with what MLflow has of the run', async () => {
    const all = pytorch.map(([kind, there, change]) => {
      const withoutGpus = (files: Files): void => {
        change(files);
        replace(files, '.github/workflows/slashtrain.yml', [/ +accelerator: a100\n/gu, '']);
        replace(files, `pipelines/${kind}.yaml`, ['nvidia.com/gpu: 1', 'nvidia.com/gpu: 0']);
      };
      return there
        ? inExample('pytorch-gpu', withoutGpus, async (world) => {
            const { number, log } = await trained(world);
            expect(log).toContain('node 0 of 2 with train.py');
            // A worker waits for its master by an image that cannot be pulled here: https://github.com/kubeflow/training-operator/blob/v1.9.3/pkg/config/config.go
            if (kind === 'trainjob') expect(log).toContain('node 1 of 2 with train.py');
            // MLflow comes before the program's own lines.
            expect(report(world, number)).toContain('0.91');
            expect(report(world, number)).toContain('loss');
          })
        : Promise.resolve();
    });
    await Promise.all(all);
  });

if (found && has.kserve)
  it('kserve-canary is deployed as its README says for KServe in Standard mode', async () => {
    const standard = (files: Files): void =>
      replace(files, '.github/workflows/slashtrain.yml', ['mode: knative', 'mode: standard\n      timeout: 90s'], [/ +canary: .*\n/gu, '']);
    await inExample('kserve-canary', standard, async (world) => {
      const { number } = await trained(world);
      const run = await world.say(number, '/deploy environment=staging');
      const log = run.jobs.flatMap(({ steps }) => steps.flatMap(({ lines }) => lines)).join('\n');
      if (run.conclusion !== 'success') throw new Error(`${said(run)}\n${log}`);
      expect(conclusions(run)['deploy / deploy']).toBe('success');
    });
  });
