import type { components } from '@octokit/openapi-types';
import { repositoryUrl, type Urls } from '../http/api.ts';
import type { Deployment, DeploymentStatus, RepositoryData } from '../store.ts';
import { nodeId, showAccount, showApp } from './account.ts';

type Schemas = components['schemas'];

export function showDeployment(urls: Urls, repository: RepositoryData, deployment: Deployment): Schemas['deployment'] {
  const url = `${repositoryUrl(urls, repository)}/deployments/${deployment.id}`;
  return {
    url,
    id: deployment.id,
    node_id: nodeId('Deployment', deployment.id),
    sha: deployment.sha,
    ref: deployment.ref,
    task: deployment.task,
    payload: deployment.payload as Schemas['deployment']['payload'],
    original_environment: deployment.environment,
    environment: deployment.environment,
    description: deployment.description,
    creator: showAccount(urls, deployment.creator),
    created_at: deployment.createdAt,
    updated_at: deployment.updatedAt,
    statuses_url: `${url}/statuses`,
    repository_url: repositoryUrl(urls, repository),
    transient_environment: deployment.transient,
    production_environment: deployment.production,
    performed_via_github_app: deployment.app ? showApp(urls, deployment.app) : null,
  };
}

export function showDeploymentStatus(
  urls: Urls,
  repository: RepositoryData,
  deployment: Deployment,
  status: DeploymentStatus,
): Schemas['deployment-status'] {
  const url = `${repositoryUrl(urls, repository)}/deployments/${deployment.id}`;
  return {
    url: `${url}/statuses/${status.id}`,
    id: status.id,
    node_id: nodeId('DeploymentStatus', status.id),
    state: status.state,
    creator: showAccount(urls, status.creator),
    description: status.description,
    environment: status.environment,
    target_url: status.logUrl,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    deployment_url: url,
    repository_url: repositoryUrl(urls, repository),
    environment_url: status.environmentUrl,
    log_url: status.logUrl,
  };
}
