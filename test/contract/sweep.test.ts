import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { job } from '@slashtrain/core/kinds/job';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { succeeded } from '../support/steps.ts';
import { Sweeps, sweepText } from '../support/sweeps.ts';

/*
 * A sweep through the bundles, as examples/sweep calls them, on the embedded cluster; test/real/sweep.test.ts has the real one.
 */
describe('a sweep', () => {
  let sweeps: Sweeps;
  beforeAll(async () => {
    sweeps = await Sweeps.open('embedded');
  });
  afterAll(() => sweeps.close());

  it('runs as one Job, reports the best setting, and /train best trains it with a report of its own', async () => {
    const asked = sweepText({ parameters: { 'learning-rate': ['0.0001', '0.1', 'none'], hidden: [4, 16] }, 'max-failed': 2 });
    const submitted = await succeeded(sweeps.submit({ sweep: asked, parameters: 'epochs: 1' }));
    const { run = '', name = '' } = submitted.outputs;
    const { items: jobs } = await sweeps.client.list(job.resource, sweeps.namespace);
    expect(jobs).toHaveLength(1);
    // A re-run of the same step adopts what is there.
    const wait = await succeeded(sweeps.run('wait-for-run', { run, logs: 'failed' }));
    expect(wait.outputs).toMatchObject({ state: 'succeeded', message: '2 of 6 trials failed; at most 2 may' });

    const metrics = await succeeded(sweeps.run('fetch-metrics', { run, ...sweeps.which, pipeline: 'digits-sweep' }));
    const values = await sweeps.byHand(`batch.kubernetes.io/job-name=${name}`, 'accuracy');
    const [best] = [...values].toSorted(([, a], [, b]) => b - a);
    const trials = ['0.0001', '0.1', 'none'].flatMap((rate) => ['4', '16'].map((hidden) => ({ 'learning-rate': rate, hidden })));
    expect(values.size).toBe(4);
    const parameters = metrics.outputs['best-parameters'] ?? '';
    expect(JSON.parse(parameters)).toEqual(trials[best?.[0] ?? -1]);
    expect((JSON.parse(metrics.outputs['metrics'] ?? '{}') as Record<string, unknown>)['accuracy']).toEqual({ candidate: best?.[1] });

    await succeeded(
      sweeps.run('report-pr', { run, ...sweeps.which, pipeline: 'digits-sweep', 'metrics-file': metrics.outputs['metrics-file'] ?? '' }),
    );
    const [report = ''] = sweeps.reports();
    for (const text of [
      'Best setting:',
      '4 of 6 trials ended well',
      '2 failed (at most 2 may)',
      '2 × `crash`: container train exited with code 2 (trial 4, 5)',
    ]) {
      expect(report).toContain(text);
    }

    const trained = await succeeded(sweeps.submit({ pipeline: 'digits', parameters }));
    const found = await recordStore(sweeps.client).get(sweeps.namespace, trained.outputs['name'] ?? '');
    expect(found?.record.parameters).toEqual(Object.entries(trials[best?.[0] ?? -1] ?? {}).map(([key, value]) => ({ name: key, value })));
    await succeeded(sweeps.run('wait-for-run', { run: trained.outputs['run'] ?? '' }));
    await succeeded(sweeps.run('report-pr', { run: trained.outputs['run'] ?? '', ...sweeps.which, pipeline: 'digits' }));
    expect(sweeps.reports()).toHaveLength(2);
    expect(sweeps.repository.checks(sweeps.sha).map((check) => check.name)).toEqual([
      'train: digits-sweep',
      'metrics: digits-sweep',
      'train: digits',
      'metrics: digits',
    ]);
  });

  it('reads the results of 1,000 trials in at most 10 requests', async () => {
    const run = await sweeps.seedTrials('thousand', 1000);
    const before = sweeps.target.cluster!.requests.length;
    const inputs = { run, ...sweeps.which, pipeline: 'thousand' };
    const metrics = await succeeded(sweeps.run('fetch-metrics', inputs));
    expect(metrics.outputs['best-parameters']).toBe('{"learning-rate":"0.7"}');
    expect(sweeps.target.cluster!.requests.length - before).toBeLessThanOrEqual(10);
    await succeeded(sweeps.run('report-pr', { ...inputs, 'metrics-file': metrics.outputs['metrics-file'] ?? '' }));
    expect(sweeps.reports().at(-1)).toContain('1000 of 1000 trials ended well');
  });

  it.each([
    ['a grid beyond the limit', { parameters: { hidden: { min: 1, max: 1e9, int: true } } }, 'the grid has 1,000,000,000 points'],
    ['an empty space', { parameters: { hidden: [] } }, 'parameters.hidden is empty: there is nothing to try'],
    ['a parameter of nobody', { parameters: { width: [1] } }, 'the sweep has the parameter "width", which the manifest has no place for'],
  ])('refuses %s, with nothing but a failed check', async (_, change, message) => {
    const before = await sweeps.client.list(job.resource, sweeps.namespace);
    const refused = await sweeps.submit({ sweep: sweepText(change) });
    expect([refused.code, refused.annotations.map((one) => one.message).join()]).toEqual([1, expect.stringContaining(message)]);
    expect((await sweeps.client.list(job.resource, sweeps.namespace)).items).toHaveLength(before.items.length);
  });
});
