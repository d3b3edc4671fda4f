import { join } from 'node:path';
import { formatDuration } from '@slashtrain/core/action/duration';
import { ActionError, messageOf } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { backendFor } from '@slashtrain/core/backend/open';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { openFor } from '@slashtrain/core/kubernetes/access';
import { recordOfRun, recordsFor } from '@slashtrain/core/records/find';
import { kindsOfRecords } from '@slashtrain/core/kinds/registry';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import type { StoredRecord } from '@slashtrain/core/records/store';
import { resultLine, resultMarkdown } from '@slashtrain/core/run/result-text';
import { isEnded } from '@slashtrain/core/run/state';
import { hasTrials } from '@slashtrain/core/sweep/sweep';
import { awaitRun, type Awaited } from './await-run.ts';
import { concludeCheck, updateCheck } from './check.ts';
import { Follower } from './follow.ts';
import { groupsOf } from './groups.ts';
import { LogFile } from './log-file.ts';
import type { WaitInputs } from './inputs.ts';
import { writeOutputs } from './outputs.ts';
import { ProgressReporter } from './reporter.ts';

/** What wait-for-run works with. */
export interface Parts {
  host: Host;
  context: GitHubContext;
  github: GitHub;
}

/** Waits for a run's end and tells it: in the log, as outputs, in the record and on the check. */
export async function main(inputs: WaitInputs, { host, context, github }: Parts): Promise<void> {
  const { log } = host;
  const client = await openFor(host, inputs);
  const records = recordStore(client);
  const stored =
    inputs.run === undefined
      ? (await recordsFor(queryOf(inputs, context, client.namespace), records, client))[0]
      : await recordOfRun(inputs.run, records, client);
  checkIdentity(stored, inputs, context);
  const backend = await backendFor(client, [stored.record], {
    host,
    kfp: inputs.kfp,
    argo: inputs.argo,
    kfpRetries: inputs.kfpRetries,
    kinds: await kindsOfRecords([stored.record]),
    // A bookmark a minute says that the watch is alive; the look beneath it may be rarer than the client's own.
    watch: { checkSeconds: 600 },
  });
  log.info(`run ${stored.record.run ?? stored.name} of ${stored.record.sha}, attempt ${stored.record.attempt}`);

  const file = join(host.temp, `${stored.name}.log`);
  // A full disk costs the file, not the wait.
  const lines = new LogFile(file, (error) => log.warning(`the log file is incomplete: ${messageOf(error)}`));
  const follower = new Follower({
    log,
    run: stored.name,
    show: inputs.logs === 'all',
    write: (text) => lines.add(text),
    byPod: hasTrials(stored.record.sweep),
  });
  const reporter = new ProgressReporter({
    say: (line) => log.info(line),
    update: (title, result) => updateCheck(github, stored, title, result),
    now: host.now,
  });
  const { record } = stored;
  const awaited: Awaited =
    isEnded(record.state) && record.result
      ? { why: 'ended', stored, result: record.result }
      : await awaitRun(stored, inputs, { host, records, backend, follower, reporter });
  lines.close();

  const { result } = awaited;
  writeOutputs(host, result, file);
  if (isEnded(result.state)) await concludeCheck(github, awaited.stored, result, log);
  for (const { title, lines: shown } of groupsOf(stored.name, result, follower.gathered, inputs.logs)) {
    log.startGroup(title);
    log.info(shown.join('\n'));
    log.endGroup();
  }
  log.info(resultLine(result));
  await host.summarise(`### ${stored.record.pipeline}: ${result.state}\n\n${resultMarkdown(stored.name, awaited.stored.record, result)}`);
  judge(awaited, inputs);
}

function queryOf(inputs: WaitInputs, context: GitHubContext, namespace: string): Parameters<typeof recordsFor>[0] {
  const { pullRequest, sha, pipeline } = inputs;
  return {
    namespace,
    repositoryId: context.repositoryId,
    pipeline,
    ...(sha === undefined ? {} : { sha }),
    ...(pullRequest === undefined ? {} : { pullRequest }),
  };
}

/** A run of another repository or commit is refused: what it says would be told of the wrong one. */
function checkIdentity({ name, record }: StoredRecord, inputs: WaitInputs, context: GitHubContext): void {
  if (record.repository.id !== context.repositoryId) {
    throw new ActionError(
      'mismatch',
      `the run ${name} belongs to the repository ${record.repository.fullName}, and this workflow to ${context.owner}/${context.repo}`,
    );
  }
  if (inputs.sha !== undefined && record.sha !== inputs.sha) {
    throw new ActionError('mismatch', `the run ${name} trained ${record.sha}, and input "sha" is ${inputs.sha}`);
  }
  if (record.run === undefined) {
    throw new ActionError('run-failed', `the run ${name} was never made${record.refusal ? `: ${record.refusal}` : ''}`, {
      remedy: 'run submit-pipeline again',
    });
  }
}

/** @throws ActionError where the step must fail */
function judge({ why, result }: Awaited, inputs: WaitInputs): void {
  const runs = `the run ${result.run}`;
  if (why === 'timeout' || why === 'queue-timeout') {
    if (inputs.onTimeout === 'detach') return;
    const [did, within, raise] =
      why === 'timeout'
        ? ['end', inputs.timeout, 'raise input "timeout", or set on-timeout: detach']
        : ['start', inputs.queueTimeout, 'raise input "queue-timeout"'];
    const become = result.state === 'cancelled' ? 'it was stopped' : 'it goes on';
    // What it waited for is what has to be mended.
    const cause = result.reason && result.message ? ` (${result.reason}: ${result.message})` : '';
    throw new ActionError('timeout', `${runs} did not ${did} within ${formatDuration(within ?? 0)}${cause}; ${become}`, {
      remedy: cause && result.remedy ? result.remedy : raise,
    });
  }
  if (why === 'signal')
    throw new ActionError('cancelled', `the workflow was cancelled; ${runs} ${result.state === 'cancelled' ? 'was stopped' : 'goes on'}`);
  if (result.state === 'succeeded') return;
  throw new ActionError(
    result.state === 'cancelled' ? 'cancelled' : 'run-failed',
    `${runs} ${resultLine(result)}`,
    result.remedy ? { remedy: result.remedy } : {},
  );
}
