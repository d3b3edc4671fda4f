import { ActionError } from '@slashtrain/core/action/errors';
import type { MetricRun } from '@slashtrain/core/metrics/metrics';
import type { TrackedRun } from '@slashtrain/core/trackers/tracked';
import { openWandb } from '@slashtrain/core/trackers/wandb';
import { addHistories } from './histories.ts';
import { nothingMeasured } from './measured.ts';
import { asSample, proven } from './proof.ts';
import type { Source } from './source.ts';
import type { TrackerOptions } from './tracker.ts';

/** Runs of a Weights & Biases project, whose group is the run's name. @throws ActionError `input` where no project is named */
export function wandbSource({ subject, run, url, experiments, gates, host }: TrackerOptions): Source {
  const { environment, log, signal } = host;
  const [given, ...more] = experiments;
  const place = given ?? `${environment['WANDB_ENTITY'] ?? ''}/${environment['WANDB_PROJECT'] ?? ''}`;
  const [entity = '', project = '', ...rest] = place.split('/');
  if (entity === '' || project === '' || rest.length > 0 || more.length > 0) {
    throw new ActionError(
      'input',
      `input "experiment" is ${JSON.stringify(experiments.join(', ').slice(0, 100))}; allowed for wandb: ENTITY/PROJECT`,
      {
        remedy: 'set it, or WANDB_ENTITY and WANDB_PROJECT',
      },
    );
  }
  const wandb = openWandb({
    url: url ?? environment['WANDB_BASE_URL'] ?? 'https://api.wandb.ai',
    from: url === undefined ? 'WANDB_BASE_URL' : 'input "tracker-url"',
    entity,
    project,
    environment,
    signal,
    mask: log.mask,
    onRetry: (why, seconds) => log.warning(`${why}; trying again in ${Math.round(seconds)} s`),
  });
  const search = async (filters: object): Promise<TrackedRun[]> => {
    const found: TrackedRun[] = [];
    for await (const page of wandb.searchRuns(filters)) found.push(...page);
    return found;
  };
  const samples = async (runs: TrackedRun[]): Promise<MetricRun[]> => {
    await addHistories(runs, gates, (ids, metric, whole) => wandb.histories(ids, metric, whole));
    return runs.map((one) => asSample('wandb', one));
  };
  const ofCommit = (sha: string): object[] => [{ commit: sha }, { 'config.github_sha.value': sha }];
  return {
    name: 'wandb',
    async measure() {
      const found = await search({ $or: [...ofCommit(subject.sha), ...(run === undefined ? [] : [{ group: run }])] });
      const { runs, excluded } = proven('wandb', found, { ...subject, run });
      return { ...nothingMeasured(), runs: await samples(runs), excluded };
    },
    async at(sha) {
      const found = await search({ $or: ofCommit(sha) });
      return samples(proven('wandb', found, { sha, pipeline: subject.pipeline, notPullRequest: subject.pullRequest }).runs);
    },
    async chosen(choice) {
      const tag = /^tag:(.+)$/u.exec(choice)?.[1];
      if (tag === undefined) return [];
      const [newest] = (await search({ tags: { $in: [tag] } })).filter(
        ({ commit, state }) => commit !== subject.sha && state === 'finished',
      );
      return newest ? samples([newest]) : [];
    },
  };
}
