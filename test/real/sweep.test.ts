import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { argoWorkflow } from '@slashtrain/core/kinds/argo-workflow';
import { job } from '@slashtrain/core/kinds/job';
import { katibExperiment } from '@slashtrain/core/kinds/katib-experiment';
import { pods } from '@slashtrain/core/kubernetes/client';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import type { BundleResult } from '@slashtrain/testing/bundle/bundle';
import { succeeded } from '../support/steps.ts';
import { Sweeps, sweepText } from '../support/sweeps.ts';

/*
 * Sweeps of the digits as a real cluster runs them: 24 trials as an indexed Job and as a Workflow, one that its budget ends,
 * one that is cancelled in the middle. All of them run at the same time. Katib's controller is not there: its real schema says
 * what it thinks of the Experiment.
 */
let sweeps: Sweeps;
let submitted: Record<'job' | 'workflow' | 'failing' | 'budget' | 'cancelled', BundleResult>;

const few = { parameters: { 'learning-rate': [0.001, 0.03, 0.1, 0.3], hidden: [4, 8, 16] }, seeds: [1, 2] };
const grid = few.parameters['learning-rate'].flatMap((rate) =>
  few.parameters.hidden.flatMap((hidden) => few.seeds.map(() => ({ 'learning-rate': String(rate), hidden: String(hidden) }))),
);

beforeAll(async () => {
  sweeps = await Sweeps.open('real');
  const workflow = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    spec: {
      entrypoint: 'train',
      serviceAccountName: 'default',
      templates: [
        {
          name: 'train',
          inputs: { parameters: ['learning-rate', 'hidden', 'seed'].map((name) => ({ name })) },
          container: {
            image: 'train',
            command: ['node', 'train.js', '--epochs=1'],
            args: ['learning-rate', 'hidden', 'seed'].map((name) => `--${name}={{inputs.parameters.${name}}}`),
          },
        },
      ],
    },
  };
  // What Argo's executor reports its results with: https://argo-workflows.readthedocs.io/en/latest/workflow-rbac/
  const rules = [{ apiGroups: ['argoproj.io'], resources: ['workflowtaskresults'], verbs: ['create', 'patch'] }];
  const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' };
  const metadata = { name: 'executor', namespace: sweeps.namespace };
  const roleRef = { apiGroup: rbac.group, kind: 'Role', name: 'executor' };
  const subjects = [{ kind: 'ServiceAccount', name: 'default', namespace: sweeps.namespace }];
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  await sweeps.client.create({ ...rbac, plural: 'roles', kind: 'Role' }, { apiVersion, kind: 'Role', metadata, rules });
  await sweeps.client.create(
    { ...rbac, plural: 'rolebindings', kind: 'RoleBinding' },
    { apiVersion, kind: 'RoleBinding', metadata, roleRef, subjects },
  );

  const submit = (pipeline: string, sweep: Record<string, unknown>, inputs: Record<string, string> = {}): Promise<BundleResult> =>
    succeeded(sweeps.submit({ pipeline, sweep: sweepText(sweep), parameters: 'epochs: 1', ...inputs }));
  const many = { parameters: { hidden: { min: 1, max: 100, int: true } }, 'max-trials': 100, parallel: 1 };
  const [asJob, asWorkflow, failing, budget, cancelled] = await Promise.all([
    submit('by-job', few),
    submit('by-workflow', few, { manifest: `${JSON.stringify(workflow)}\n\n`, parameters: '' }),
    // Two that fail at once, and some that would go on for an hour.
    submit(
      'failing',
      { parameters: { 'learning-rate': ['none', 'bad', 0.1, 0.03], hidden: [4] }, seeds: [1], parallel: 3, 'max-failed': 1 },
      { manifest: `${JSON.stringify(workflow).replace('--epochs=1', '--epochs=5000')}\n\n`, parameters: '' },
    ),
    submit('budget', { ...many, budget: { 'trial-hours': 35 / 3600 } }),
    submit('cancelled', { ...few, parallel: 1 }, { parameters: 'epochs: 5000' }),
  ]);
  submitted = { job: asJob, workflow: asWorkflow, failing, budget, cancelled };
});
afterAll(() => sweeps.close());

/** Waits for a sweep, and takes its best setting, as the example's workflow does. */
async function ended(of: keyof typeof submitted, pipeline: string): Promise<{ wait: BundleResult; best: Record<string, string> }> {
  const run = submitted[of].outputs['run'] ?? '';
  const wait = await succeeded(sweeps.run('wait-for-run', { run, logs: 'failed' }));
  const metrics = await succeeded(sweeps.run('fetch-metrics', { run, ...sweeps.which, pipeline }));
  return { wait, best: JSON.parse(metrics.outputs['best-parameters'] ?? '') as Record<string, string> };
}

/** The setting with the best mean over its seeds. */
function bestOf(values: ReadonlyMap<number, number>): Record<string, string> | undefined {
  const means = grid.map((setting, index) => ({
    setting,
    mean: ((values.get(index - (index % 2)) ?? 0) + (values.get(index - (index % 2) + 1) ?? 0)) / 2,
  }));
  return means.toSorted((a, b) => b.mean - a.mean)[0]?.setting;
}

it('ends what is cancelled in the middle: one object, and all its pods', async () => {
  const { name = '', run = '' } = submitted.cancelled.outputs;
  const selector = { labelSelector: `batch.kubernetes.io/job-name=${name}` };
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((done) => (begin = done));
  const waiting = sweeps.start('wait-for-run', { run }, (line) => {
    if (line.includes('slashtrain trial')) begin();
  });
  await begun;
  await succeeded(sweeps.run('cancel-runs', { 'pr-number': String(sweeps.pull), pipeline: 'cancelled', grace: '1s' }));
  expect((await waiting.result).outputs['state']).toBe('cancelled');
  expect(await sweeps.client.get(job.resource, sweeps.namespace, name)).toBeUndefined();
  const left = await sweeps.client.list(pods, sweeps.namespace, selector);
  expect(left.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)).toEqual([]);
});

it('finds the best of 24 trials of one indexed Job, though the runner that waits is killed', async () => {
  const { name = '', run = '' } = submitted.job.outputs;
  const killed = sweeps.start('wait-for-run', { run });
  // From its first line on it waits.
  killed.process.stdout?.once('data', () => killed.kill());
  await killed.result;
  const { wait, best } = await ended('job', 'by-job');
  expect(wait.outputs['state']).toBe('succeeded');
  const values = await sweeps.byHand(`batch.kubernetes.io/job-name=${name}`, 'accuracy');
  expect(values.size).toBe(24);
  expect(best).toEqual(bestOf(values));
});

it('finds the same with a Workflow', async () => {
  const { name = '' } = submitted.workflow.outputs;
  const { wait, best } = await ended('workflow', 'by-workflow');
  expect(wait.outputs['state']).toBe('succeeded');
  const values = await sweeps.byHand(`workflows.argoproj.io/workflow=${name}`, 'accuracy');
  expect(values.size).toBe(24);
  expect(best).toEqual(bestOf(values));
  expect((await sweeps.client.list(argoWorkflow.resource, sweeps.namespace)).items).toHaveLength(2);
});

it('stops a Workflow when more trials have failed than may, though the first runner was killed', async () => {
  const { run = '', name = '' } = submitted.failing.outputs;
  const killed = sweeps.start('wait-for-run', { run });
  killed.process.stdout?.once('data', () => killed.kill());
  await killed.result;
  const wait = await sweeps.run('wait-for-run', { run, logs: 'failed' });
  expect([wait.code, wait.outputs['state'], wait.outputs['reason']]).toEqual([1, 'failed', 'crash']);
  expect(wait.outputs['message']).toContain('2 of 4 trials failed; at most 1 may, and what was left was stopped');
  const stored = await recordStore(sweeps.client).get(sweeps.namespace, name);
  const { trials = [] } = (await recordStore(sweeps.client).readMetrics(stored!)) ?? {};
  expect(trials.map(({ state }) => state)).toEqual([
    'failed',
    'failed',
    expect.not.stringMatching(/failed/u),
    expect.not.stringMatching(/failed/u),
  ]);
});

it('is stopped by its budget, and the best of what had ended counts', async () => {
  const { name = '' } = submitted.budget.outputs;
  const { wait, best } = await ended('budget', 'budget');
  expect(wait.outputs['message']).toMatch(/^stopped by its budget of \S+ trial-hours, after \d+ of 100 trials had ended$/u);
  const trials = (await recordStore(sweeps.client).get(sweeps.namespace, name))?.record.sweep?.trials ?? [];
  const values = await sweeps.byHand(`batch.kubernetes.io/job-name=${name}`, 'accuracy');
  const { trials: kept = [] } =
    (await recordStore(sweeps.client).readMetrics((await recordStore(sweeps.client).get(sweeps.namespace, name))!)) ?? {};
  const done = kept.filter(({ state }) => state === 'succeeded').map(({ index }) => index);
  expect(done.length).toBeGreaterThan(0);
  expect(done.length).toBeLessThan(100);
  const top = done.toSorted((a, b) => (values.get(b) ?? 0) - (values.get(a) ?? 0))[0] ?? -1;
  expect(best).toEqual({ hidden: trials[top]?.[0] });
});

it.each([
  ['bayes', { parameters: { 'learning-rate': { min: 0.001, max: 0.3, log: true }, hidden: [4, 8] } }],
  [
    'hyperband',
    { parameters: { 'learning-rate': { min: 0.001, max: 0.3 }, epochs: { min: 1, max: 9, int: true } }, resource: 'epochs', parallel: 9 },
  ],
])('Katib’s own schema takes the Experiment of method %s', async (method, change) => {
  const text = sweepText({ method, ...change });
  const checked = await succeeded(sweeps.submit({ pipeline: method, sweep: text, 'dry-run': 'true' }));
  expect(checked.stdout).toContain('dry run: nothing was submitted');
  expect((await sweeps.client.list(katibExperiment.resource, sweeps.namespace)).items).toEqual([]);
});
