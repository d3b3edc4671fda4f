import { ActionError } from '@slashtrain/core/action/errors';
import type { Gate, MetricRun } from '@slashtrain/core/metrics/metrics';
import { openMlflow, quoted, type Mlflow } from '@slashtrain/core/trackers/mlflow';
import type { TrackedRun } from '@slashtrain/core/trackers/tracked';
import { addHistories } from './histories.ts';
import { nothingMeasured } from './measured.ts';
import { asSample, proven, type Wanted } from './proof.ts';
import type { Source } from './source.ts';
import type { TrackerOptions } from './tracker.ts';

const commitTag = 'mlflow.source.git.commit';
const runTag = 'slashtrain.run';

/** Runs of an MLflow server. @throws ActionError `input` where no server is named */
export function mlflowSource({ subject, run, url, experiments, gates, host }: TrackerOptions): Source {
  const { environment, log, signal } = host;
  const address = url ?? environment['MLFLOW_TRACKING_URI'];
  if (address === undefined || address === '') {
    throw new ActionError('input', 'input "tracker-url" is empty, and MLFLOW_TRACKING_URI is not set', {
      remedy: 'name the MLflow server: tracker-url: https://mlflow.example.com',
    });
  }
  const from = url === undefined ? 'MLFLOW_TRACKING_URI' : 'input "tracker-url"';
  const onRetry = (why: string, seconds: number): void => log.warning(`${why}; trying again in ${Math.round(seconds)} s`);
  const mlflow = openMlflow({ url: address, from, environment, signal, onRetry, mask: log.mask });
  let ids: Promise<string[]> | undefined;
  const search = async (tag: string, value: string): Promise<TrackedRun[]> => {
    ids ??= mlflow.experimentIds(experiments);
    const found: TrackedRun[] = [];
    const filter = `tags.\`${tag}\` = ${quoted(value)}`;
    for await (const page of mlflow.searchRuns({ experimentIds: await ids, filter, orderBy: ['attributes.start_time DESC'] }))
      found.push(...page);
    return found;
  };
  const samples = async (found: readonly TrackedRun[], wanted: Wanted): Promise<MetricRun[]> => {
    const { runs } = proven('mlflow', found, wanted);
    await withHistories(mlflow, runs, gates);
    return runs.map((one) => asSample('mlflow', one));
  };
  return {
    name: 'mlflow',
    async measure() {
      const both = await Promise.all([search(commitTag, subject.sha), run === undefined ? [] : search(runTag, run)]);
      const found = [...new Map(both.flat().map((one) => [one.id, one])).values()];
      const { runs, excluded } = proven('mlflow', found, { ...subject, run });
      const notes = await withHistories(mlflow, runs, gates);
      return { ...nothingMeasured(), runs: runs.map((one) => asSample('mlflow', one)), excluded, notes };
    },
    at: async (sha) => samples(await search(commitTag, sha), { sha, pipeline: subject.pipeline, notPullRequest: subject.pullRequest }),
    async chosen(choice) {
      if (choice.startsWith('models:')) {
        const one = await mlflow.run((await mlflow.modelRun(choice)).runId);
        await withHistories(mlflow, [one], gates);
        return [asSample('mlflow', one)];
      }
      const [, tag = '', value = 'true'] = /^tag:([^=]+)(?:=(.*))?$/u.exec(choice) ?? [];
      const found = (await search(tag, value)).filter(({ commit, state }) => commit !== subject.sha && state === 'finished');
      const newest = found[0];
      if (!newest) return [];
      if (newest.commit === undefined || newest.run === undefined) {
        await withHistories(mlflow, [newest], gates);
        return [asSample('mlflow', newest)];
      }
      return samples(found, {
        sha: newest.commit,
        pipeline: newest.pipeline ?? subject.pipeline,
        run: newest.run,
        notPullRequest: subject.pullRequest,
      });
    },
  };
}

function withHistories(mlflow: Mlflow, runs: TrackedRun[], gates: readonly Gate[]): Promise<string[]> {
  return addHistories(runs, gates, (ids, metric, whole) => mlflow.histories(ids, metric, whole));
}
