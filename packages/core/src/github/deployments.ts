import { ActionError } from '../action/errors.ts';
import type { GitHub } from './client.ts';

/** What GitHub shows of a deployment (https://docs.github.com/rest/deployments/statuses#create-a-deployment-status). */
export type DeploymentState = 'queued' | 'in_progress' | 'success' | 'failure' | 'error' | 'inactive';

/** A deployment to be made. */
export interface NewDeployment {
  /** The deployed commit in full. */
  sha: string;
  environment: string;
  /** Which thing of the environment: others are not touched by it. At most 128 characters. */
  task: string;
  /** One line for people. Cut to what GitHub takes. */
  description: string;
  payload: Record<string, unknown>;
}

/** One status of it. */
export interface DeploymentStatus {
  state: DeploymentState;
  /** One line for people. Cut to what GitHub takes. */
  description: string;
  /** Where the deployed thing answers; left out where it is no address of the web. */
  environmentUrl?: string;
  /** Where its log is. */
  logUrl?: string;
}

// Of a deployment and of a status alike.
const longestDescription = 140;
const statusTries = 3;

/**
 * Makes a deployment. GitHub would merge the default branch into a branch, and refuse while one of the commit's checks, ours
 * among them, is not green: both are switched off (https://docs.github.com/rest/deployments/deployments#create-a-deployment).
 * After a lost answer it looks for it, before it makes another: one that nobody knows of stays pending.
 * @returns its id
 */
export async function createDeployment(github: GitHub, deployment: NewDeployment): Promise<number> {
  try {
    return await makeDeployment(github, deployment);
  } catch (error) {
    if (!(error instanceof ActionError) || error.code !== 'unreachable') throw error;
    return (await findDeployment(github, deployment)) ?? (await makeDeployment(github, deployment));
  }
}

/** The newest deployment with this very payload, which names the deploy. */
async function findDeployment(github: GitHub, { sha, environment, task, payload }: NewDeployment): Promise<number | undefined> {
  const { data } = await github.rest.repos.listDeployments({ ...github.at, sha, environment, task, per_page: 10 });
  const wanted = JSON.stringify(payload);
  return data.find((one) => (typeof one.payload === 'string' ? one.payload : JSON.stringify(one.payload)) === wanted)?.id;
}

async function makeDeployment(github: GitHub, deployment: NewDeployment): Promise<number> {
  const { sha, environment, task, description, payload } = deployment;
  const { data } = await github.rest.repos.createDeployment({
    ...github.at,
    ref: sha,
    environment,
    task,
    description: cut(description),
    payload,
    auto_merge: false,
    required_contexts: [],
  });
  // 202 is GitHub's word for a merge instead, which auto_merge: false rules out.
  if (!('id' in data)) throw new Error(`GitHub made no deployment: ${data.message ?? ''}`);
  return data.id;
}

/**
 * Adds a status. Earlier deployments of the environment stay as they are: GitHub's own `auto_inactive` would deactivate
 * those of other things that are deployed to the same environment. Where GitHub does not answer it is sent again, since a
 * deployment would be left as queued otherwise, and the same status twice says the same.
 */
export async function addDeploymentStatus(github: GitHub, id: number, status: DeploymentStatus): Promise<void> {
  const { state, description, environmentUrl, logUrl } = status;
  const isWeb = environmentUrl !== undefined && /^https?:\/\//u.test(environmentUrl);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await github.rest.repos.createDeploymentStatus({
        ...github.at,
        deployment_id: id,
        state,
        description: cut(description),
        ...(isWeb ? { environment_url: environmentUrl } : {}),
        ...(logUrl === undefined ? {} : { log_url: logUrl }),
        auto_inactive: false,
      });
      return;
    } catch (error) {
      if (!(error instanceof ActionError) || error.code !== 'unreachable' || attempt === statusTries) throw error;
    }
  }
}

function cut(text: string): string {
  const characters = [...text.replace(/\s+/gu, ' ').trim()];
  return characters.length <= longestDescription ? characters.join('') : `${characters.slice(0, longestDescription - 1).join('')}…`;
}
