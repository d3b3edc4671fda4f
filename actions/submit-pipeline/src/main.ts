import { setTimeout as pause } from 'node:timers/promises';
import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { backendFor } from '@slashtrain/core/backend/open';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { kindsWith, type Kinds } from '@slashtrain/core/kinds/registry';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { checkPolicy, checkSubmitted } from '@slashtrain/core/policy/check';
import { refuseViolations } from '@slashtrain/core/policy/violation';
import { workflowPages } from '@slashtrain/core/backend/argo-inputs';
import { runPages } from '@slashtrain/core/backend/kfp/pages';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { parseReference, type RunReference } from '@slashtrain/core/run/reference';
import { endTrainCheck, makeTrainCheck, refuseWithCheck } from './check.ts';
import { claim, type Claimed } from './claim.ts';
import { checkOnServer, openCluster, type Cluster } from './cluster.ts';
import { readCommit } from './commit.ts';
import { kindsOf } from './generate/discover.ts';
import { helperStore } from './helper-store.ts';
import { imagesOf, imageSources, labelReader } from './images.ts';
import type { SubmitInputs } from './inputs.ts';
import type { ManifestSource } from './manifest.ts';
import { setPipeline } from './kfp/settings.ts';
import { planRun, type Plan } from './plan.ts';
import { readReferenced } from './references.ts';
import { warnOfNoDeadline, writeSummary, type Told } from './show.ts';
import { acceleratorOf, sourceOf, type Source } from './source.ts';
import type { PlannedSweep } from './sweep/plan.ts';

/** What submit-pipeline works with. */
export interface Parts {
  host: Host;
  context: GitHubContext;
  github: GitHub;
}

/** Starts a run for a commit, once. What is not allowed leaves nothing but a failed check. */
export async function main(inputs: SubmitInputs, parts: Parts): Promise<void> {
  const { host, context, github } = parts;
  checkAttempt(inputs, context);
  const cluster = await openCluster(inputs, host);
  const { plan, kinds, told } = await orRefuse(inputs, parts, () => planAndCheck(inputs, cluster, parts));
  const object = plan.objectFor(1);
  warnOfNoDeadline(host, plan.asTheyRun(1)[0], told);
  if (inputs.dryRun || !cluster.client) return writeSummary(host, { plan, object, told });

  const claimed = await claim(plan, {
    records: recordStore(cluster.client),
    backend: await backendFor(cluster.client, [plan.recordFor(1)], { host, kinds, kfp: inputs.kfp }),
    pageOf: pagesOf(inputs),
    helpers: helperStore(cluster.client),
    makeCheck: makeTrainCheck(github),
    endCheck: endTrainCheck(github, host.log),
    now: host.now,
    pause: (milliseconds) => pause(milliseconds, undefined, { signal: host.signal }),
  });
  setOutputs(host, claimed);
  await writeSummary(host, { plan, object, claimed, told });
}

interface Planned {
  plan: Plan;
  kinds: Kinds;
  told: Told;
}

/** What will be asked for, once nobody has anything against it. */
async function planAndCheck(inputs: SubmitInputs, { client, ...none }: Cluster, parts: Parts): Promise<Planned> {
  const { host, context, github } = parts;
  const commit = await readCommit(inputs, github);
  const kinds = await kindsWith(commit.config.kinds);
  const whole = await sourceOf(inputs, commit, kinds, client && kindsOf(client, host.log));
  // A sweep's code is loaded only where one is asked for.
  const swept = commit.sweep && (await sweepOf(whole, commit.sweep, inputs));
  const source = await referenced(swept?.source ?? whole, inputs, client);
  const read = labelReader({ ...host, token: inputs.token, actor: context.actor });
  setPipeline(source, inputs, context);
  const plan = planRun(inputs, {
    context,
    commit,
    source,
    accelerator: acceleratorOf(inputs, commit.config),
    swept,
    asked: commit.sweep?.text,
    images: await imageSources(imagesOf(inputs), inputs.sha, read, host.log),
    defaultNamespace: client?.namespace ?? 'default',
    now: host.now(),
  });
  const object = plan.objectFor(1);
  host.setOutput('manifest-file', plan.save(host.temp, 1));
  refuseViolations([
    // As it came: a sweep puts a label of ours on its trials.
    ...checkSubmitted([whole.object, ...(whole.helpers ?? []).map((helper) => helper.object)]),
    ...checkPolicy(plan.asTheyRun(1), commit.config.policy, { namespace: inputs.namespace ?? client?.namespace ?? 'default' }),
  ]);
  if (client) {
    for (const helper of plan.helpersFor(1)) await helperStore(client).check(helper);
    const backend = await backendFor(client, [plan.recordFor(1)], { host, kinds, kfp: inputs.kfp });
    await checkOnServer(client, backend, plan.kind, object);
  }
  const unread = client ? [] : (source.kind.elsewhere?.missing(source.object, []) ?? []);
  const unchecked = [
    ...('why' in none ? [`fields, quota and rights, which the API server checks: ${none.why}`] : []),
    ...(inputs.dryRun ? ['whether the token has "checks: write", since a dry run makes no check'] : []),
    ...unread.map(({ resource, name }) => `what the ${resource.kind} "${name}" holds, which is on the cluster`),
  ];
  return {
    plan,
    kinds,
    told: { why: source.why, notes: swept?.notes ?? [], unchecked, gpuResources: commit.config.policy.gpuResources ?? [] },
  };
}

async function sweepOf(source: Source, { text, file }: ManifestSource, { parameters }: SubmitInputs): Promise<PlannedSweep> {
  const [{ planSweep }, { readSweep }] = await Promise.all([import('./sweep/plan.ts'), import('./sweep/read.ts')]);
  return planSweep(source, readSweep(text, file), parameters);
}

async function referenced(source: Source, inputs: SubmitInputs, client: KubernetesClient | undefined): Promise<Source> {
  if (!client) return source;
  return {
    ...source,
    found: await readReferenced(source, client, inputs.namespace ?? source.object.metadata.namespace ?? client.namespace),
  };
}

// "Re-run failed jobs" leaves out jobs that succeeded, and with them the permission check.
function checkAttempt({ attempt }: SubmitInputs, { runAttempt }: GitHubContext): void {
  if (attempt === undefined || attempt === runAttempt) return;
  throw new ActionError(
    'permission',
    `the command was checked in attempt ${attempt} of this workflow run, and this is attempt ${runAttempt}`,
    {
      remedy: 'use "Re-run all jobs", so that chatops-parse looks at person and commit again',
    },
  );
}

async function orRefuse<T>(inputs: SubmitInputs, { github, host }: Parts, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    await refuseWithCheck(error, inputs, { github, log: host.log });
    throw error;
  }
}

/** Where people look at a run that has a page. */
function pagesOf({ kfp, argo }: SubmitInputs): (run: RunReference) => string | undefined {
  const pages = [...(kfp ? [runPages(kfp)] : []), ...(argo ? [workflowPages(argo)] : [])];
  return (run) => pages.map((page) => page(run)).find((url) => url !== undefined);
}

function setOutputs(host: Host, { stored, run, adopted }: Claimed): void {
  const { name, namespace, uid } = parseReference(run);
  host.setOutput('run', run);
  host.setOutput('name', name);
  host.setOutput('namespace', namespace);
  host.setOutput('uid', uid);
  host.setOutput('run-url', stored.record.url ?? '');
  host.setOutput('adopted', String(adopted));
  host.setOutput('check-run-id', String(stored.record.checkRunId ?? ''));
}
