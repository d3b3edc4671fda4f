import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ActionError } from '@slashtrain/core/action/errors';
import type { Accelerator } from '@slashtrain/core/config/types';
import type { GitHubContext } from '@slashtrain/core/github/context';
import type { Kind, KubernetesObject } from '@slashtrain/core/kinds/kind';
import { containersOf } from '@slashtrain/core/kinds/pods';
import { ruleOf } from '@slashtrain/core/kinds/registry';
import { runName, runSuffix, type NameParts } from '@slashtrain/core/run/name';
import type { RunRecord } from '@slashtrain/core/run/record';
import { askerOf, requestHash } from '@slashtrain/core/run/request';
import type { ClaimRequest } from './claim.ts';
import type { Commit } from './commit.ts';
import { withHelpers, type PlannedHelper } from './helpers.ts';
import { identifyingInputs, type SubmitInputs } from './inputs.ts';
import { prepare, resourcesOf } from './prepare.ts';
import type { Source } from './source.ts';
import { withinBudget, type BudgetFacts, type PlannedSweep } from './sweep/plan.ts';

/** What a plan is made from, beside the inputs. */
export interface Sources {
  context: GitHubContext;
  commit: Commit;
  source: Source;
  accelerator: Accelerator | undefined;
  /** What is swept, where something is: its source is `source`. */
  swept: Pick<PlannedSweep, 'sweep' | 'parameters'> | undefined;
  /** The sweep as it was given, which is a part of the request. */
  asked: string | undefined;
  /** The images of the request, each by its repository or digest. */
  images: ReadonlyMap<string, string>;
  /** The context's namespace. */
  defaultNamespace: string;
  /** Milliseconds since 1970. */
  now: number;
}

/** A request that is ready to be claimed. */
export interface Plan extends ClaimRequest {
  pipeline: string;
  sha: string;
  helpersFor(attempt: number): PlannedHelper[];
  /** The objects of an attempt as they will run, with what they refer to on the cluster: for the policy. */
  asTheyRun(attempt: number): [KubernetesObject, ...KubernetesObject[]];
  /** Writes the objects of an attempt as JSON into `folder`: the run, or a List where there are others. @returns the file's path */
  save(folder: string, attempt: number): string;
}

/** Says what will be asked for: who asks for which run, under which names. Does nothing yet. */
export function planRun(inputs: SubmitInputs, sources: Sources): Plan {
  const { context, commit, source, accelerator } = sources;
  const { kind } = source;
  const rule = ruleOf(kind, commit.config.kinds);
  const asker = askerOf({ commentId: inputs.commentId, runId: context.runId, runAttempt: context.runAttempt });
  const request = requestHash({
    repositoryId: context.repositoryId,
    pullRequest: inputs.pullRequest,
    pipeline: inputs.pipeline,
    sha: inputs.sha,
    dataVersion: inputs.dataVersion,
    manifest: source.text,
    parameters: inputs.parameters,
    inputs: new Map([...identifyingInputs(inputs), ...(sources.asked === undefined ? [] : [['sweep', sources.asked] as const])]),
    images: sources.images,
  });
  const namespace = namespaceOf(inputs, sources);
  const namePartsFor = (attempt: number): NameParts => {
    const { pipeline, pullRequest, sha } = inputs;
    return { pipeline, pullRequest, sha, request, attempt };
  };
  const nameFor = (attempt: number): string => runName(namePartsFor(attempt), kind.nameLimit);
  const documentsFor = (attempt: number): ReturnType<typeof withHelpers> =>
    withHelpers(
      { object: source.object, kind, helpers: source.helpers ?? [] },
      { name: nameFor(attempt), suffix: runSuffix(namePartsFor(attempt)), namespace },
    );
  const base = {
    repository: { id: context.repositoryId, fullName: `${context.owner}/${context.repo}` },
    ...(inputs.pullRequest === undefined ? {} : { pullRequest: inputs.pullRequest }),
    sha: inputs.sha,
    pipeline: inputs.pipeline,
    ...(inputs.dataVersion === undefined ? {} : { dataVersion: inputs.dataVersion }),
  };
  const repositoryUrl = `${context.serverUrl}/${base.repository.fullName}`;
  const artifactsFor = (name: string): { artifacts?: string } =>
    inputs.artifacts === undefined ? {} : { artifacts: `${inputs.artifacts}/${name}` };
  // A generated object has them where they belong.
  const resources = source.why === undefined ? resourcesOf(inputs.pods, accelerator) : undefined;
  const draft = (attempt: number, deadlineSeconds: number | undefined): KubernetesObject => {
    const name = nameFor(attempt);
    const { images, pods, queue, ttl: ttlSeconds } = inputs;
    const parameters = new Map([...inputs.parameters, ...(sources.swept?.parameters ?? [])]);
    return prepare(
      { ...source, object: documentsFor(attempt).run },
      { parameters, images, pods, accelerator, resources, queue, deadlineSeconds, ttlSeconds },
      { name, namespace, record: base, repositoryUrl, ...artifactsFor(name), isShared: inputs.kfpSettings.pipeline !== undefined },
    );
  };
  const sweep = sources.swept && withinBudget(sources.swept.sweep, { object: draft(1, inputs.deadline), ...budgetFacts(inputs, sources) });
  const objectFor = (attempt: number): KubernetesObject => {
    const object = draft(attempt, sweep?.budget?.seconds ?? inputs.deadline);
    if (sweep?.trials.length === 0)
      Object.assign(object['spec'] as object, { maxTrialCount: sweep.maxTrials, parallelTrialCount: sweep.parallel });
    return object;
  };
  const joined = (object: KubernetesObject): KubernetesObject => (source.found && kind.elsewhere?.joined(object, source.found)) ?? object;
  const helpersFor = (attempt: number): PlannedHelper[] => documentsFor(attempt).helpers;
  const recordFor = (attempt: number): RunRecord => ({
    version: 1,
    ...base,
    tree: commit.tree,
    request,
    asked: [asker],
    attempt,
    actor: context.triggeringActor,
    createdAt: new Date(sources.now).toISOString(),
    images: imagesOf(joined(objectFor(attempt)), kind),
    parameters: [...inputs.parameters].map(([name, value]) => ({ name, value })),
    ...artifactsFor(nameFor(attempt)),
    ...priceOf(inputs, accelerator),
    ...(sweep ? { sweep } : {}),
    kind: { plural: kind.resource.plural, group: kind.resource.group, ...(rule ? { rule } : {}) },
    state: 'queued',
  });
  return {
    pipeline: inputs.pipeline,
    sha: inputs.sha,
    namespace,
    kind,
    asker,
    again: inputs.again,
    recordFor,
    nameFor,
    objectFor,
    helpersFor,
    asTheyRun: (attempt) => [joined(objectFor(attempt)), ...helpersFor(attempt).map(({ object }) => object)],
    save: (folder, attempt) => {
      const run = objectFor(attempt);
      const helpers = helpersFor(attempt).map(({ object }) => object);
      const all = helpers.length > 0 ? { apiVersion: 'v1', kind: 'List', items: [...helpers, run] } : run;
      const file = join(folder, `${nameFor(attempt)}.json`);
      writeFileSync(file, `${JSON.stringify(all, undefined, 2)}\n`);
      return file;
    },
  };
}

function budgetFacts({ deadline }: SubmitInputs, { commit, accelerator }: Sources): Omit<BudgetFacts, 'object'> {
  return { deadline, gpuResources: commit.config.policy.gpuResources ?? [], pricePerHour: accelerator?.pricePerHour };
}

function priceOf({ pods }: SubmitInputs, accelerator: Accelerator | undefined): Pick<RunRecord, 'price'> {
  if (pods.accelerator === undefined || accelerator?.pricePerHour === undefined) return {};
  return { price: { perHour: accelerator.pricePerHour, accelerator: pods.accelerator } };
}

function namespaceOf(inputs: SubmitInputs, { source, defaultNamespace }: Sources): string {
  const own = source.object.metadata.namespace;
  if (inputs.namespace !== undefined && own !== undefined && own !== inputs.namespace) {
    throw new ActionError(
      'input',
      `input "namespace" is ${JSON.stringify(inputs.namespace)} and ${source.file} says ${JSON.stringify(own)}`,
      {
        remedy: 'take one of them out',
      },
    );
  }
  return inputs.namespace ?? own ?? defaultNamespace;
}

function imagesOf(object: KubernetesObject, kind: Kind): string[] {
  const images = kind.podTemplates(object).flatMap(({ template }) => containersOf(template).map(({ image }) => image));
  return [...new Set(images.filter((image) => image !== undefined))];
}
