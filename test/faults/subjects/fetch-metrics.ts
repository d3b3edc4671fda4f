import { unique } from '../../support/targets.ts';
import { bundleOf, succeeded, unless, whereOf, type Subject } from '../subject.ts';
import { pullRequest } from './pulls.ts';
import { recordOf, trained } from './records.ts';

const gates = '- { metric: accuracy, direction: higher, max-regression: "0" }';

export const fetchRun: Subject = {
  name: 'fetch-metrics',
  traffic: { github: { reads: 3, writes: 0, streams: 0 }, kubernetes: { reads: 5, writes: 2, streams: 0 } },
  async prepare(place) {
    const { world, namespace } = place;
    const { pull, stored } = await trained(place, 0.7);
    const inputs = { sha: pull.sha, 'pr-number': String(pull.number), pipeline: 'digits', gates, ...whereOf(place) };
    return {
      run: bundleOf(place, 'fetch-metrics', { contents: 'read', 'pull-requests': 'read' }, inputs),
      judge: async (told) => {
        const record = await recordOf(place, stored.name);
        const { verdict } = told.result.outputs;
        return [
          ...unless(
            verdict === undefined || verdict === '' || verdict === 'fail' || verdict === 'error',
            `the verdict is ${verdict ?? ''}, and the model is worse`,
          ),
          ...unless(
            record?.verdict === undefined || record.verdict === 'fail' || record.verdict === 'error',
            `the record says ${record?.verdict ?? ''}`,
          ),
          ...unless(!succeeded(told) || record?.verdict === verdict, `it says ${verdict ?? ''}, and the record ${record?.verdict ?? ''}`),
          ...unless(told.is === 'disturbed' || verdict === 'fail', `the verdict is ${verdict ?? ''}`),
          ...unless((await world.records.get(namespace, stored.name)) !== undefined, 'the record is gone'),
        ];
      },
    };
  },
};

export const fetchMlflow: Subject = {
  name: 'fetch-metrics of MLflow',
  traffic: { mlflow: { reads: 3, writes: 0, streams: 0 } },
  async prepare(place) {
    const { world, repository, ways } = place;
    const base = repository.commit({ files: { 'a.txt': 'base' } });
    const pull = pullRequest(place);
    const experiment = unique('digits');
    const name = unique('digits-pr1');
    const of = (sha: string, value: number, run: string): Parameters<typeof world.mlflow.log>[0][number] => ({
      experiment,
      context: { 'mlflow.source.git.commit': sha, 'slashtrain.pipeline': 'digits', 'slashtrain.run': run },
      metrics: { accuracy: [[1, value]] },
    });
    await world.mlflow.log([of(base, 0.9, 'digits-base'), of(pull.sha, 0.7, name)]);
    const inputs = {
      source: 'mlflow',
      'tracker-url': ways.mlflow,
      experiment,
      sha: pull.sha,
      'pr-number': String(pull.number),
      pipeline: 'digits',
      gates,
      run: `jobs.batch/ml/${name}@00000000-0000-4000-8000-000000000000`,
    };
    return {
      run: bundleOf(place, 'fetch-metrics', { contents: 'read', 'pull-requests': 'read' }, inputs),
      judge: (told) => {
        const { verdict } = told.result.outputs;
        return Promise.resolve([
          ...unless(
            verdict === undefined || verdict === '' || verdict === 'fail' || verdict === 'error',
            `the verdict is ${verdict ?? ''}, and the model is worse`,
          ),
          ...unless(!succeeded(told) || verdict !== undefined, 'it ended well without a verdict'),
          ...unless(told.is === 'disturbed' || verdict === 'fail', `the verdict is ${verdict ?? ''}`),
        ]);
      },
    };
  },
};
