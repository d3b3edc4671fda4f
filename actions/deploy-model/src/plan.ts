import { ActionError } from '@slashtrain/core/action/errors';
import { fetchFromDefaultBranch, loadConfig } from '@slashtrain/core/config/load';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { parseReference } from '@slashtrain/core/run/reference';
import { chooseBack } from './history.ts';
import type { CommonInputs, NewInputs, RollbackInputs } from './inputs.ts';
import type { DeployParts, Plan } from './parts.ts';
import { prove } from './prove.ts';
import { checkServingPolicy, targetFor } from './targets/make.ts';
import type { Candidate } from './types.ts';

/** What the run of a commit becomes. */
export async function planNew(inputs: NewInputs & CommonInputs, parts: DeployParts): Promise<Plan> {
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
export async function planBack(inputs: RollbackInputs & CommonInputs, { host, context, client, rollouts }: DeployParts): Promise<Plan> {
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

/** `1a2b3c4-mi8z3k2q`: the commit, and the millisecond: two deploys of a commit in one second are two holders of the lease. */
function newRevision(sha: string, now: number): string {
  return `${sha.slice(0, 7)}-${Math.floor(now).toString(36)}`;
}
