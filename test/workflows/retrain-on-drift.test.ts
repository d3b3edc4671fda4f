import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Issue } from '@slashtrain/testing/github/store';
import type { WorkflowRun } from '@slashtrain/testing/runner/result';
import { openDigits, type DigitsWorld } from '../support/digits.ts';
import { filesOf } from '../support/targets.ts';

/*
 * examples/retrain-on-drift through the runner, beside the training of examples/digits. Prometheus is answers of the documented
 * form (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries).
 */
let world: DigitsWorld;
let prometheus: Server;
/** What production measures by the name of the series; undefined refuses the query. */
let measured: { predictions_right_total: string; feature_drift_psi: string } | undefined;
const queries: string[] = [];

beforeAll(async () => {
  prometheus = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://prometheus').searchParams.get('query') ?? '';
    queries.push(query);
    const value = query.includes('feature_drift_psi') ? measured?.feature_drift_psi : measured?.predictions_right_total;
    const body =
      value === undefined
        ? { status: 'error', errorType: 'bad_data', error: 'no' }
        : { status: 'success', data: { resultType: 'vector', result: [{ metric: {}, value: [1_700_000_000, value] }] } };
    response.writeHead(value === undefined ? 400 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((done) => prometheus.listen(0, '127.0.0.1', done));
  world = await openDigits();
  world.settings.vars['PROMETHEUS_URL'] = `http://127.0.0.1:${(prometheus.address() as AddressInfo).port}`;
  world.repository.commit({ branch: 'main', files: filesOf('examples/retrain-on-drift') });
});
afterAll(async () => {
  await world.close();
  prometheus.close();
});

async function morning(): Promise<WorkflowRun> {
  const [run] = await world.workflows.dispatch(world.repository.events.schedule('23 5 * * *'));
  if (!run) throw new Error('the schedule started no workflow');
  return run;
}
const jobs = (run: WorkflowRun): Record<string, string | undefined> => Object.fromEntries(run.jobs.map((job) => [job.id, job.conclusion]));
const issues = (): Issue[] => [...world.repository.data.issues.values()].filter(({ pull }) => pull === undefined);

it('a deployed model that drifts is told in an issue and trained again, until it is good', async () => {
  const sha = world.repository.head();
  measured = { predictions_right_total: '0.96', feature_drift_psi: '0.04' };
  expect(jobs(await morning())).toEqual({ look: 'success', train: 'skipped' });
  expect(issues()).toEqual([]);
  expect(queries).toEqual([expect.stringContaining('[1d])) / (sum('), 'max(feature_drift_psi{model="digits"})']);

  measured = { predictions_right_total: '0.95', feature_drift_psi: '0.31' };
  const drifted = await morning();
  expect(jobs(drifted)).toEqual({ look: 'success', train: 'success' });
  expect(drifted.jobs.find(({ id }) => id === 'train')?.steps.map(({ conclusion }) => conclusion)).toEqual(Array(5).fill('success'));
  expect(issues()).toMatchObject([{ state: 'open', title: 'digits in production: Does not pass', body: expect.stringContaining('0.31') }]);
  // Of the training alone: production says nothing about the commit.
  expect(world.repository.checks(sha).map(({ name, conclusion }) => [name, conclusion])).toEqual([
    ['train: digits', 'success'],
    ['metrics: digits', 'success'],
  ]);

  // The next morning's is another run, since production may have moved on; the issue stays the one.
  measured = { predictions_right_total: '0.85', feature_drift_psi: '0.31' };
  expect(jobs(await morning())).toEqual({ look: 'success', train: 'success' });
  expect(issues()).toMatchObject([{ state: 'open', body: expect.stringContaining('0.85') }]);
  const trained = world.repository.checks(sha).filter(({ name }) => name === 'train: digits');
  expect(trained.map(({ conclusion }) => conclusion)).toEqual(['success', 'success']);

  measured = undefined;
  expect(jobs(await morning())).toEqual({ look: 'success', train: 'skipped' });
  expect(issues()).toMatchObject([{ state: 'open', title: 'digits in production: Could not be judged' }]);

  measured = { predictions_right_total: '0.96', feature_drift_psi: '0.05' };
  expect(jobs(await morning())).toEqual({ look: 'success', train: 'skipped' });
  expect(issues()).toMatchObject([{ state: 'closed' }]);
  expect(world.github.requests.filter(({ status }) => status === 401 || status === 403 || status === 501)).toEqual([]);
}, 240_000);
