import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { openFor } from '@slashtrain/core/kubernetes/access';
import { rolloutStore } from '@slashtrain/core/rollouts/store';
import { tellWhoAsked } from './answer.ts';
import { deploy } from './deploy.ts';
import type { CommonInputs, DeployInputs, NewInputs, RollbackInputs } from './inputs.ts';
import { planBack, planNew } from './plan.ts';
import { openRegistry } from './registry/open.ts';
import { resume } from './resume.ts';
import { toolsFor } from './tools.ts';

/** What deploy-model works with. */
export interface Parts {
  host: Host;
  context: GitHubContext;
  github: GitHub;
}

/** Puts a proven model into an environment, goes back to an older one, or finishes what another runner left. */
export async function main(inputs: DeployInputs, parts: Parts): Promise<void> {
  const { host } = parts;
  for (const name of ['deployment-id', 'url', 'revision', 'previous-revision']) host.setOutput(name, '');
  host.setOutput('state', 'failure');
  if (inputs.what === 'finish') {
    const client = await openFor(host, inputs);
    return resume(inputs, { ...parts, client, rollouts: rolloutStore(client) });
  }
  await tellWhoAsked(inputs, parts, () => put(inputs, parts));
}

async function put(inputs: CommonInputs & (NewInputs | RollbackInputs), parts: Parts): Promise<void> {
  const { host, context } = parts;
  checkAttempt(inputs.attempt, context);
  const client = await openFor(host, inputs);
  const tools = toolsFor(inputs, host, client, new Map(), inputs.what === 'deploy' && inputs.target === 'kserve');
  const registry = openRegistry(host);
  const all = { inputs, ...parts, client, rollouts: rolloutStore(client), tools, ...(registry ? { registry } : {}) };
  await deploy(inputs.what === 'deploy' ? await planNew(inputs, all) : await planBack(inputs, all), all);
}

// "Re-run failed jobs" leaves out jobs that succeeded, and with them the permission check.
function checkAttempt(attempt: number | undefined, { runAttempt }: GitHubContext): void {
  if (attempt === undefined || attempt === runAttempt) return;
  throw new ActionError(
    'permission',
    `the command was checked in attempt ${attempt} of this workflow run, and this is attempt ${runAttempt}`,
    {
      remedy: 'use "Re-run all jobs", so that chatops-parse looks at person and commit again',
    },
  );
}
