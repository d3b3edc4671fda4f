import { setTimeout as pause } from 'node:timers/promises';
import { ActionError, messageOf } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import type { SlashtrainConfig } from '@slashtrain/core/config/types';
import type { GitHub } from '@slashtrain/core/github/client';
import { pullRequestsOf, readCommit } from '@slashtrain/core/github/commits';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { readPullRequest } from '@slashtrain/core/github/pull-request';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { checkIdentity, recordOfRun, recordsFor } from '@slashtrain/core/records/find';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { parseImageName } from '@slashtrain/core/registry/image-name';
import { actionCredentials, readImage, Registries } from '@slashtrain/core/registry/registries';
import type { RolloutStore } from '@slashtrain/core/rollouts/store';
import { judge, type Facts, type Proven } from './guard.ts';
import type { CommonInputs, NewInputs } from './inputs.ts';

/** What proving works with. */
export interface ProveParts {
  host: Host;
  context: GitHubContext;
  github: GitHub;
  client: KubernetesClient;
  records: RecordStore;
  rollouts: RolloutStore;
  config: SlashtrainConfig;
}

/** A run whose model may be deployed. */
export interface ProvenRun extends Proven {
  stored: StoredRecord;
  /** Run reference. */
  run: string;
  pullRequest?: number;
  image?: string;
  modelUri?: string;
  /** Looks once more whether the pull request's head is still this one. @throws ActionError `mismatch` */
  recheck(): Promise<void>;
}

/** The label that says which commit an image was built from (https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md). */
const revisionLabel = 'org.opencontainers.image.revision';

/** Finds the record of what is to be deployed, and everything that has to fit it. */
export async function prove(inputs: NewInputs & CommonInputs, parts: ProveParts): Promise<ProvenRun> {
  const { client, records, config, context } = parts;
  const named = await pullRequestOf(inputs, parts);
  const sha = named?.head ?? inputs.sha;
  const stored =
    inputs.run === undefined
      ? (
          await recordsFor(
            { namespace: client.namespace, repositoryId: context.repositoryId, sha, pipeline: inputs.pipeline },
            records,
            client,
          )
        )[0]
      : await recordOfRun(inputs.run, records, client);
  const { record } = stored;
  // GitHub names none for a fork's commit; the record knows.
  const pullRequest = named ?? (record.pullRequest === undefined ? undefined : await headOf(record.pullRequest, parts.github));
  checkIdentity(stored, { pullRequest: record.pullRequest === undefined ? undefined : pullRequest?.number }, context);
  const from = inputs.promote === undefined ? undefined : await promoted(inputs, inputs.promote, record.sha, parts);
  const image = imageOf(inputs, from?.image, record.images);
  const modelUri = inputs.modelUri ?? from?.modelUri ?? record.result?.outputs.find(({ name }) => name === 'model-uri')?.value;
  const isMerge = pullRequest !== undefined && inputs.sha !== pullRequest.head && pullRequest.merged;
  const facts: Facts = {
    sha: inputs.sha,
    ...(pullRequest ? { pullRequest } : {}),
    ...(isMerge ? { tree: (await readCommit(parts.github, inputs.sha)).tree } : {}),
    record,
    ...(image === undefined ? {} : { image: await labelOf(image, record.images, parts, inputs.token) }),
  };
  const proven = judge(facts, {
    allowInconclusive: inputs.allowInconclusive,
    noBaseline: config.pipelines.get(record.pipeline)?.noBaseline ?? 'pass',
    ...(inputs.force === undefined ? {} : { force: inputs.force }),
  });
  return {
    ...proven,
    stored,
    run: record.run ?? inputs.run ?? '',
    ...(record.pullRequest === undefined ? {} : { pullRequest: record.pullRequest }),
    ...(image === undefined ? {} : { image }),
    ...(modelUri === undefined ? {} : { modelUri }),
    recheck: () => recheck(facts, parts.github),
  };
}

/** The pull request that a commit is of: by number, else as GitHub names it, of a merge too. */
async function pullRequestOf({ pullRequest: number, sha }: NewInputs, { github }: ProveParts): Promise<Facts['pullRequest']> {
  if (number !== undefined) {
    const { head, merged } = await readPullRequest(github, number);
    // A number is no proof that this commit is its merge.
    if (head.sha === sha || !merged) return { number, head: head.sha, merged: false };
  }
  const all = (await pullRequestsOf(github, sha)).filter((one) => number === undefined || one.number === number);
  const found = all.find(({ headSha }) => headSha === sha) ?? all.find(({ mergeCommitSha, mergedAt }) => mergeCommitSha === sha && mergedAt) ?? all.find(({ mergedAt }) => mergedAt); // prettier-ignore
  if (found) return { number: found.number, head: found.headSha, merged: found.mergedAt !== null };
  if (number === undefined) return undefined;
  throw new ActionError('mismatch', `GitHub does not name #${number} for the commit ${sha}`, {
    remedy: 'pass pr-number and sha from the same step',
  });
}

async function headOf(number: number, github: GitHub): Promise<NonNullable<Facts['pullRequest']>> {
  const { head } = await readPullRequest(github, number);
  return { number, head: head.sha, merged: false };
}

async function recheck({ pullRequest }: Facts, github: GitHub): Promise<void> {
  if (!pullRequest || pullRequest.merged) return;
  const { head } = await readPullRequest(github, pullRequest.number);
  if (head.sha === pullRequest.head) return;
  throw new ActionError(
    'mismatch',
    `the head of #${pullRequest.number} is ${head.sha} by now, and ${pullRequest.head} was to be deployed`,
    {
      remedy: 'look at the new commit and give the command again',
    },
  );
}

/** What another environment runs goes on as it is: the same image, the same model. */
async function promoted(
  inputs: NewInputs,
  environment: string,
  sha: string,
  { rollouts, client, context }: ProveParts,
): Promise<{ image?: string; modelUri?: string }> {
  const found = await rollouts.find(client.namespace, { repositoryId: context.repositoryId, environment });
  // In one namespace the two have names of their own.
  const deployed = found
    .map(({ rollout }) => rollout)
    .filter(({ state, pipeline }) => state === 'deployed' && pipeline === inputs.pipeline);
  const current = deployed.find(({ name }) => name === inputs.name) ?? deployed[0];
  if (!current) {
    throw new ActionError('not-found', `nothing of ${inputs.pipeline} is deployed to "${environment}" in namespace ${client.namespace}`, {
      remedy: `deploy it there first: environment: ${environment}`,
    });
  }
  if (current.sha !== sha) {
    throw new ActionError('mismatch', `"${environment}" runs ${current.sha}, and ${sha} was to go on to "${inputs.environment}"`, {
      remedy: `deploy ${sha} to "${environment}" first`,
    });
  }
  return {
    ...(current.image === undefined ? {} : { image: current.image }),
    ...(current.modelUri === undefined ? {} : { modelUri: current.modelUri }),
  };
}

function imageOf(
  { image, modelFormat, target, manifest, promote }: NewInputs,
  from: string | undefined,
  ofRun: readonly string[],
): string | undefined {
  if (image !== undefined && from !== undefined && image !== from) {
    throw new ActionError('mismatch', `"${promote ?? ''}" runs ${from}, and input "image" is ${image}`, {
      remedy: 'leave "image" out: it goes on as it is',
    });
  }
  const known = image ?? from;
  if (known !== undefined) return known;
  // A runtime of KServe's loads the model by itself; a manifest says what it needs.
  if (modelFormat !== undefined) return undefined;
  if (ofRun.length === 1) return ofRun[0];
  if (target === 'command' || manifest !== undefined) return undefined;
  throw new ActionError(
    'input',
    ofRun.length === 0
      ? 'the run names no image, and input "image" was not given'
      : `the run has ${ofRun.length} images, and input "image" was not given`,
    {
      // prettier-ignore
      remedy: 'pass the image that serves: image: ${{ steps.image.outputs.image }}',
    },
  );
}

async function labelOf(
  image: string,
  ofRun: readonly string[],
  { host, context }: ProveParts,
  token: string,
): Promise<NonNullable<Facts['image']>> {
  const { environment, log, signal } = host;
  const common = { name: image, ofRun: ofRun.includes(image) };
  const registries = new Registries({
    credentials: actionCredentials({ environment, token, actor: context.actor }),
    mask: (secret) => log.mask(secret),
    environment,
    signal: AbortSignal.any([signal, AbortSignal.timeout(15_000)]),
    wait: (milliseconds, stop) => pause(milliseconds / 4, undefined, stop ? { signal: stop } : {}),
  });
  try {
    const { tag: _, ...name } = parseImageName(image, 'the image');
    const { config } = await readImage(registries, name);
    const revision = config.config?.Labels?.[revisionLabel];
    return { ...common, ...(revision === undefined ? {} : { revision }) };
  } catch (error) {
    signal.throwIfAborted();
    return { ...common, unread: messageOf(error) };
  }
}
