import { describe } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { addDeploymentStatus, createDeployment, type DeploymentState } from '@slashtrain/core/github/deployments';

/** What GitHub shows of a deploy. */
export interface Board {
  readonly id: number;
  say(state: DeploymentState, description: string, url?: string): Promise<void>;
}

/** What a deployment on GitHub says of what is deployed. */
export interface Shown {
  sha: string;
  environment: string;
  name: string;
  description: string;
  payload: Record<string, unknown>;
}

/** Makes the deployment. */
export async function openBoard(github: GitHub, context: GitHubContext, host: Host, shown: Shown): Promise<Board> {
  const { sha, environment, name, description, payload } = shown;
  const id = await createDeployment(github, { sha, environment, task: taskOf(name), description, payload });
  host.setOutput('deployment-id', String(id));
  return boardOf(github, context, id);
}

/** Each deployed thing of an environment has a task of its own. */
export function taskOf(name: string): string {
  return `deploy:${name}`;
}

/** A deployment that is there. */
export function boardOf(github: GitHub, context: GitHubContext, id: number): Board {
  const { owner, repo, serverUrl, runId } = context;
  const logUrl = `${serverUrl}/${owner}/${repo}/actions/runs/${runId}`;
  return {
    id,
    say: (state, description, url) =>
      addDeploymentStatus(github, id, { state, description, logUrl, ...(url === undefined ? {} : { environmentUrl: url }) }),
  };
}

/** Tells GitHub what has happened already: that it cannot be told must not undo it. @returns whether it was told */
export async function tell(host: Host, telling: Promise<unknown>): Promise<boolean> {
  try {
    await telling;
    return true;
  } catch (error) {
    host.log.warning(`GitHub could not be told: ${describe(error)}`);
    return false;
  }
}
