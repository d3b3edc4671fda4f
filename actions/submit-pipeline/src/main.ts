import { setTimeout as pause } from 'node:timers/promises';
import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { kubernetesBackend } from '@slashtrain/core/backend/kubernetes';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { openFor } from '@slashtrain/core/kubernetes/access';
import { checkPolicy, checkSubmitted } from '@slashtrain/core/policy/check';
import { refuseViolations } from '@slashtrain/core/policy/violation';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { parseReference } from '@slashtrain/core/run/reference';
import { makeTrainCheck, refuseWithCheck } from './check.ts';
import { claim, type Claimed } from './claim.ts';
import { readCommit } from './commit.ts';
import type { SubmitInputs } from './inputs.ts';
import { readManifest } from './manifest.ts';
import { planRun, type Plan } from './plan.ts';
import { writeSummary } from './show.ts';

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
  const client = await openFor(host, inputs);
  const backend = kubernetesBackend(client, { log: host.log });
  const plan = await orRefuse(inputs, parts, async () => {
    const commit = await readCommit(inputs, github);
    const manifest = readManifest(commit.manifest);
    const made = planRun(inputs, { context, commit, manifest, defaultNamespace: client.namespace, now: host.now() });
    const object = made.objectFor(1);
    host.setOutput('manifest-file', made.save(host.temp, object));
    refuseViolations([
      ...checkSubmitted([manifest.object]),
      ...checkPolicy([object], commit.config.policy, { namespace: inputs.namespace ?? client.namespace }),
    ]);
    await backend.check(made.kind, object);
    return made;
  });
  const object = plan.objectFor(1);
  if (inputs.dryRun) return writeSummary(host, { plan, object });

  const claimed = await claim(plan, {
    records: recordStore(client),
    backend,
    makeCheck: makeTrainCheck(github),
    now: host.now,
    pause: (milliseconds) => pause(milliseconds, undefined, { signal: host.signal }),
  });
  setOutputs(host, claimed);
  await writeSummary(host, { plan, object, claimed });
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

async function orRefuse(inputs: SubmitInputs, { github, host }: Parts, make: () => Promise<Plan>): Promise<Plan> {
  try {
    return await make();
  } catch (error) {
    await refuseWithCheck(error, inputs, { github, log: host.log });
    throw error;
  }
}

function setOutputs(host: Host, { stored, run, adopted }: Claimed): void {
  const { name, namespace, uid } = parseReference(run);
  host.setOutput('run', run);
  host.setOutput('name', name);
  host.setOutput('namespace', namespace);
  host.setOutput('uid', uid);
  host.setOutput('adopted', String(adopted));
  host.setOutput('check-run-id', String(stored.record.checkRunId ?? ''));
}
