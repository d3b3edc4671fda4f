import { numberParam, page, type RepositoryCall, type Routes } from '../http/api.ts';
import { flag, oneOf, requiredText, text, texts } from '../http/fields.ts';
import { notFound, Refusal, validationFailed } from '../http/refusal.ts';
import { characters } from '../changes.ts';
import { latestRuns, tryMerge } from '../protection.ts';
import { resolve, type Deployment, type DeploymentStatus, type RepositoryData } from '../store.ts';
import { showDeployment, showDeploymentStatus } from '../views/deployment.ts';

const states = ['error', 'failure', 'inactive', 'in_progress', 'queued', 'pending', 'success'] as const;

export function deploymentRoutes(routes: Routes): void {
  routes.repository('POST', '/deployments', ['deployments=write'], 'deployments/deployments#create-a-deployment', (call) => {
    const { body, repository, store, token, urls } = call;
    const ref = requiredText(body, 'ref');
    const sha = resolve(repository, ref);
    if (sha === undefined)
      throw validationFailed({ resource: 'Deployment', code: 'custom', field: 'ref', message: `No ref found for: ${ref}` });
    const merged = flag(body, 'auto_merge', true) ? autoMerge(call, ref, sha) : undefined;
    if (merged !== undefined) return { status: 202, json: { message: merged } };
    checkContexts(repository, ref, sha, texts(body, 'required_contexts'));
    const environment = text(body, 'environment') ?? 'production';
    const deployment: Deployment = {
      id: store.nextId(),
      sha,
      ref,
      task: text(body, 'task') ?? 'deploy',
      environment,
      description: text(body, 'description') ?? '',
      payload: body['payload'] ?? '',
      transient: flag(body, 'transient_environment', false),
      production: flag(body, 'production_environment', environment === 'production'),
      creator: token.app.bot,
      app: token.app,
      createdAt: store.time(),
      updatedAt: store.time(),
      statuses: [],
    };
    repository.deployments.set(deployment.id, deployment);
    return { status: 201, json: showDeployment(urls, repository, deployment) };
  });

  routes.repository('GET', '/deployments', ['deployments=read'], 'deployments/deployments#list-deployments', (call) => {
    const { query, repository, urls } = call;
    const wanted = (['sha', 'ref', 'task', 'environment'] as const).map((name) => [name, query.get(name)] as const);
    const items = [...repository.deployments.values()]
      .filter((one) => wanted.every(([name, value]) => value === null || value === 'none' || one[name] === value))
      .toReversed();
    return page(call, items, (one) => showDeployment(urls, repository, one));
  });

  routes.repository('GET', '/deployments/:id', ['deployments=read'], 'deployments/deployments#get-a-deployment', (call) => ({
    status: 200,
    json: showDeployment(call.urls, call.repository, deploymentAt(call)),
  }));

  // An active one cannot be deleted: https://docs.github.com/rest/deployments/deployments#delete-a-deployment
  routes.repository('DELETE', '/deployments/:id', ['deployments=write'], 'deployments/deployments#delete-a-deployment', (call) => {
    const deployment = deploymentAt(call);
    const isOnly = call.repository.deployments.size === 1;
    if (!isOnly && deployment.statuses.at(-1)?.state !== 'inactive')
      throw new Refusal(422, 'We cannot delete an active deployment unless it is the only deployment in a given environment.');
    call.repository.deployments.delete(deployment.id);
    return { status: 204 };
  });

  routes.repository('GET', '/deployments/:id/statuses', ['deployments=read'], 'deployments/statuses#list-deployment-statuses', (call) => {
    const deployment = deploymentAt(call);
    return page(call, deployment.statuses.toReversed(), (one) => showDeploymentStatus(call.urls, call.repository, deployment, one));
  });

  routes.repository(
    'POST',
    '/deployments/:id/statuses',
    ['deployments=write'],
    'deployments/statuses#create-a-deployment-status',
    (call) => {
      const { body, repository, store, token, urls } = call;
      const deployment = deploymentAt(call);
      const state = oneOf(body, 'state', states);
      if (state === undefined) throw validationFailed({ resource: 'DeploymentStatus', code: 'missing_field', field: 'state' });
      const description = text(body, 'description') ?? '';
      if (characters(description) > 140)
        throw validationFailed({
          resource: 'DeploymentStatus',
          code: 'custom',
          field: 'description',
          message: 'description is too long (maximum is 140 characters)',
        });
      const status: DeploymentStatus = {
        id: store.nextId(),
        state,
        description,
        environment: text(body, 'environment') ?? deployment.environment,
        environmentUrl: text(body, 'environment_url') ?? '',
        logUrl: text(body, 'log_url') ?? text(body, 'target_url') ?? '',
        creator: token.app.bot,
        createdAt: store.time(),
      };
      deployment.statuses.push(status);
      deployment.environment = status.environment;
      deployment.updatedAt = status.createdAt;
      if (state === 'success' && flag(body, 'auto_inactive', true)) deactivateOthers(call, deployment, status);
      return { status: 201, json: showDeploymentStatus(urls, repository, deployment, status) };
    },
  );

  routes.repository(
    'GET',
    '/deployments/:id/statuses/:status',
    ['deployments=read'],
    'deployments/statuses#get-a-deployment-status',
    (call) => {
      const deployment = deploymentAt(call);
      const id = numberParam(call, 'status');
      const status = deployment.statuses.find((one) => one.id === id);
      if (!status) throw notFound();
      return { status: 200, json: showDeploymentStatus(call.urls, call.repository, deployment, status) };
    },
  );
}

function deploymentAt(call: RepositoryCall): Deployment {
  const deployment = call.repository.deployments.get(numberParam(call, 'id'));
  if (!deployment) throw notFound();
  return deployment;
}

/**
 * A branch that is behind the default branch is merged up first; GitHub then answers 202 and makes no deployment, or 409 where that
 * conflicts (https://docs.github.com/rest/deployments/deployments#create-a-deployment). Of a SHA there is no branch to merge into.
 */
function autoMerge({ repository }: RepositoryCall, ref: string, sha: string): string | undefined {
  const base = repository.refs.get(`refs/heads/${repository.defaultBranch}`) ?? '';
  if (repository.git.between(sha, base).length === 0) return undefined;
  if (!repository.refs.has(`refs/heads/${ref}`) || tryMerge(repository, sha, base) === undefined)
    throw new Refusal(409, `Conflict merging ${repository.defaultBranch} into ${ref}.`);
  return `Auto-merged ${repository.defaultBranch} into ${ref} on deployment.`;
}

/** Everything that was reported on the commit must be a success, unless the request names less. */
function checkContexts(repository: RepositoryData, ref: string, sha: string, required: string[] | undefined): void {
  const reported = new Map<string, boolean>();
  for (const status of repository.statuses) if (status.sha === sha) reported.set(status.context, status.state === 'success');
  for (const run of latestRuns(repository, sha)) reported.set(run.name, run.conclusion === 'success');
  if ((required ?? [...reported.keys()]).some((context) => !reported.get(context))) {
    throw new Refusal(409, `Conflict: Commit status checks failed for ${ref}.`, {
      errors: [{ resource: 'Deployment', field: 'required_contexts', code: 'invalid' }],
    });
  }
}

/** https://docs.github.com/rest/deployments/deployments#inactive-deployments: neither transient nor production ones of the same environment. */
function deactivateOthers({ repository, store }: RepositoryCall, deployment: Deployment, status: DeploymentStatus): void {
  for (const other of repository.deployments.values()) {
    const active = other.statuses.at(-1)?.state === 'success';
    if (other === deployment || other.environment !== deployment.environment || other.transient || other.production || !active) continue;
    other.statuses.push({ ...status, id: store.nextId(), state: 'inactive', description: '' });
  }
}
