import type { PodSettings } from '@slashtrain/core/kinds/kind';
import type { Placement } from './prepare.ts';

/** Which run a program is of; without a name, of any of its commit. */
type About = Pick<Placement, 'repositoryUrl' | 'record' | 'artifacts'> & Partial<Pick<Placement, 'name'>>;

/**
 * What a program can read about itself, and what ties its tracker's runs to this one: W&B reads WANDB_…
 * (https://docs.wandb.ai/guides/track/environment-variables/), MLflow the tags of MLFLOW_RUN_CONTEXT. An image has no
 * `.git` from which they could take the commit.
 */
export function environmentOf({ name, repositoryUrl, record, artifacts }: About): Pick<PodSettings, 'ours' | 'offered' | 'tags'> {
  const { repository, pullRequest, sha, pipeline, dataVersion } = record;
  const number = pullRequest === undefined ? undefined : String(pullRequest);
  const ours = {
    SLASHTRAIN_RUN: name,
    SLASHTRAIN_SHA: sha,
    SLASHTRAIN_PIPELINE: pipeline,
    SLASHTRAIN_REPOSITORY: repository.fullName,
    SLASHTRAIN_PULL_REQUEST: number,
    SLASHTRAIN_DATA_VERSION: dataVersion,
    SLASHTRAIN_ARTIFACTS: artifacts,
    WANDB_GIT_COMMIT: sha,
    WANDB_GIT_REMOTE_URL: repositoryUrl,
  };
  const offered = {
    WANDB_NAME: name,
    WANDB_RUN_GROUP: name,
    WANDB_TAGS: ['slashtrain', pipeline, ...(number === undefined ? [] : [`pr-${number}`])].join(','),
    WANDB_NOTES: number === undefined ? `${repositoryUrl}/commit/${sha}` : `${repositoryUrl}/pull/${number}`,
  };
  const tags = {
    'mlflow.source.git.commit': sha,
    'mlflow.source.git.repoURL': repositoryUrl,
    'slashtrain.run': name,
    'slashtrain.pipeline': pipeline,
    'slashtrain.pull-request': number,
    'slashtrain.data-version': dataVersion,
  };
  return { ours: new Map(given(ours)), offered: new Map(given(offered)), tags: Object.fromEntries(given(tags)) };
}

function given(values: Record<string, string | undefined>): [string, string][] {
  return Object.entries(values).flatMap(([key, value]): [string, string][] => (value === undefined ? [] : [[key, value]]));
}
