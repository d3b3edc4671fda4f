import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { fetchFromDefaultBranch, loadConfig } from '@slashtrain/core/config/load';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { openFor } from '@slashtrain/core/kubernetes/access';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { parseReference } from '@slashtrain/core/run/reference';
import { takeLease } from '@slashtrain/core/rollouts/lease';
import { isActive, leaseName, type StoredRollout } from '@slashtrain/core/rollouts/rollout';
import { change, rolloutStore } from '@slashtrain/core/rollouts/store';
import { kindsFor } from './targets/kinds/index.ts';
import { advance, deploy, holderFor, TakenBack } from './deploy.ts';
import { takeBack } from './finish.ts';
import { chooseBack } from './history.ts';
import type { CommonInputs, DeployInputs, FinishInputs, NewInputs, RollbackInputs } from './inputs.ts';
import type { Advance, DeployParts, Plan } from './parts.ts';
import { checkServingPolicy, targetFor } from './plan.ts';
import { prove } from './prove.ts';
import { openRegistry } from './registry/open.ts';
import { toolsFor } from './tools.ts';
import type { Candidate } from './types.ts';

/** What deploy-model works with. */
export interface Parts {
  host: Host;
  context: GitHubContext;
  github: GitHub;
}

/** Puts a proven model into an environment, goes back to an older one, or finishes what another runner left. */
export async function main(inputs: DeployInputs, parts: Parts): Promise<void> {
  const { host, context, github } = parts;
  for (const name of ['deployment-id', 'url', 'revision', 'previous-revision']) host.setOutput(name, '');
  host.setOutput('state', 'failure');
  if (inputs.what !== 'finish') checkAttempt(inputs.attempt, context);
  const client = await openFor(host, inputs);
  const rollouts = rolloutStore(client);
  if (inputs.what === 'finish') return finish(inputs, { ...parts, client, rollouts });

  const onKServe = inputs.what === 'deploy' && inputs.target === 'kserve';
  const tools = toolsFor(inputs, host, client, new Map(), onKServe);
  const registry = openRegistry(host);
  const all: DeployParts = { inputs, host, context, github, client, rollouts, tools, ...(registry ? { registry } : {}) };
  const plan = inputs.what === 'deploy' ? await planNew(inputs, all) : await planBack(inputs, all);
  await deploy(plan, all);
}

/** What the run of a commit becomes. */
async function planNew(inputs: NewInputs & CommonInputs, parts: DeployParts): Promise<Plan> {
  const { host, context, github, client, rollouts } = parts;
  const { config } = await loadConfig(fetchFromDefaultBranch(github));
  const proven = await prove(inputs, { ...parts, rollouts, records: recordStore(client), config });
  const { record } = proven.stored;
  const { sha, run, image, pullRequest } = proven;
  const found: Candidate = {
    name: inputs.name,
    namespace: client.namespace,
    environment: inputs.environment,
    sha,
    run,
    record,
    ...(image === undefined ? {} : { image }),
    ...(proven.modelUri === undefined ? {} : { modelUri: proven.modelUri }),
    revision: newRevision(sha, host.now()),
  };
  // To register a model is a write, which a dry run does not do.
  const registered = inputs.dryRun ? undefined : await parts.registry?.resolve(found);
  const candidate = registered?.modelUri === undefined ? found : { ...found, modelUri: registered.modelUri };
  const { modelUri } = candidate;
  const target = await targetFor(inputs, candidate, github);
  return {
    about: {
      target: target.name,
      revision: candidate.revision,
      sha,
      run,
      pipeline: record.pipeline,
      actor: context.triggeringActor,
      ...(pullRequest === undefined ? {} : { pullRequest }),
      ...(image === undefined ? {} : { image }),
      ...(modelUri === undefined ? {} : { modelUri }),
      ...(record.verdict === undefined ? {} : { verdict: record.verdict }),
      ...(proven.forced && inputs.force !== undefined ? { forced: inputs.force } : {}),
    },
    objects: (before) => {
      const objects = target.objects(before);
      checkServingPolicy(objects, config.policy, client.namespace);
      return objects;
    },
    canary: target.canary,
    candidate,
    notes: proven.notes,
    recheck: proven.recheck,
  };
}

/** An older deploy, exactly as it was applied then. */
async function planBack(inputs: RollbackInputs & CommonInputs, { host, context, client, rollouts }: DeployParts): Promise<Plan> {
  const { environment, name, to } = inputs;
  const { rollout } = chooseBack(await rollouts.find(client.namespace, { repositoryId: context.repositoryId, environment, name }), to);
  const { target, sha, run, pipeline, revision: backTo, pullRequest, image, modelUri, verdict } = rollout;
  const { record } = (await recordStore(client).get(client.namespace, parseReference(run).name)) ?? {};
  const stranger = rollout.applied.find(({ metadata }) => metadata.namespace !== client.namespace);
  if (stranger)
    throw new ActionError(
      'conflict',
      `the record of ${backTo} holds an object of namespace ${stranger.metadata.namespace ?? ''}; it is not applied`,
    );
  const revision = newRevision(sha, host.now());
  const deployed = { ...(image === undefined ? {} : { image }), ...(modelUri === undefined ? {} : { modelUri }) };
  return {
    about: {
      target,
      revision,
      backTo,
      sha,
      run,
      pipeline,
      actor: context.triggeringActor,
      ...(pullRequest === undefined ? {} : { pullRequest }),
      ...deployed,
      ...(verdict === undefined ? {} : { verdict }),
    },
    ...(record ? { candidate: { name, namespace: client.namespace, environment, sha, run, record, revision, ...deployed } } : {}),
    objects: () => rollout.applied,
    canary: 'it goes back all at once',
    notes: [`back to ${backTo}, which was deployed ${rollout.createdAt}`],
  };
}

/** Finishes what a runner that is gone left: what was there before comes back. */
async function finish(inputs: FinishInputs & CommonInputs, parts: Parts & Pick<DeployParts, 'client' | 'rollouts'>): Promise<void> {
  const { host, context, client, rollouts } = parts;
  const { log } = host;
  const stored = await rollouts.get(client.namespace, inputs.rollout);
  if (!stored) {
    throw new ActionError('not-found', `there is no rollout "${inputs.rollout}" in namespace ${client.namespace} on ${client.server}`, {
      remedy: 'pass an entry of the output "rollouts" of sync-runs',
    });
  }
  const { rollout } = stored;
  if (rollout.repository.id !== context.repositoryId) {
    throw new ActionError('mismatch', `the rollout ${inputs.rollout} belongs to the repository ${rollout.repository.fullName}`);
  }
  host.setOutput('deployment-id', String(rollout.deploymentId));
  host.setOutput('previous-revision', rollout.previous ?? '');
  if (!isActive(rollout)) {
    host.setOutput('state', rollout.state === 'deployed' ? 'success' : 'failure');
    host.setOutput('revision', rollout.state === 'deployed' ? rollout.revision : (rollout.previous ?? ''));
    return log.info(`${inputs.rollout} is finished: ${rollout.state}`);
  }
  const registry = rollout.registry && openRegistry(host);
  // Who still works on it renews the lease: then it is not ours.
  const lease = await takeLease({
    client,
    namespace: client.namespace,
    name: leaseName(rollout),
    holder: holderFor(rollout.repository.fullName, rollout.name, `${rollout.revision}, finished by run ${context.runId}`),
    signal: host.signal,
    waitSeconds: 0,
  });
  const signal = AbortSignal.any([host.signal, lease.lost]);
  try {
    // A canary whose pause is over goes on; what was cut off goes back.
    if (rollout.state === 'canary') return await goOn(stored, inputs, { ...parts, signal });
    const { message, restored } = await takeBack(stored, 'its runner was lost', {
      ...parts,
      ...(registry ? { registry } : {}),
      inputs,
      signal,
      timeout: inputs.timeout,
    });
    host.setOutput('revision', restored ? (rollout.previous ?? '') : rollout.revision);
    log.info(message);
    if (!restored) throw new ActionError('run-failed', message);
  } finally {
    await lease.release();
  }
}

async function goOn(
  stored: StoredRollout,
  inputs: FinishInputs & CommonInputs,
  parts: Parts & Pick<Advance, 'client' | 'rollouts' | 'signal'>,
): Promise<void> {
  const { host, client, rollouts, context } = parts;
  const { rollout } = stored;
  const kept = new Map(rollout.inputs.map(({ name, value }) => [name, value]));
  const tools = toolsFor(inputs, host, client, kept, rollout.target === 'kserve');
  const kinds = await kindsFor([...rollout.applied, ...(rollout.extras ?? [])], inputs.readiness, client);
  const query = { repositoryId: context.repositoryId, environment: rollout.environment, name: rollout.name };
  const all = (await rollouts.find(client.namespace, query)).filter(({ uid }) => uid !== stored.uid);
  // From here on a runner that is lost leaves something to be taken back.
  const begun = await change(rollouts, stored, (one) => ({ ...one, state: 'started' }));
  host.saveState('rollout', begun.name);
  host.setOutput('revision', rollout.revision);
  try {
    await advance(begun, all, { ...parts, inputs, tools, kinds, notes: [] });
  } catch (error) {
    throw error instanceof TakenBack ? error.cause : error;
  }
}

/** `1a2b3c4-mi8z3k2q`: the commit, and the millisecond: two deploys of a commit in one second are two holders of the lease. */
function newRevision(sha: string, now: number): string {
  return `${sha.slice(0, 7)}-${Math.floor(now).toString(36)}`;
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
