import { tmpdir } from 'node:os';
import { steadyNow } from './clock.ts';
import { ActionError, describe } from './errors.ts';
import type { Host, Story } from './host.ts';
import { Inputs } from './inputs.ts';
import { workflowLog } from './log.ts';
import { asFullDisk, runnerFiles } from './runner-files.ts';

/**
 * Runs an action once: makes its {@link Host}, turns the first SIGINT or SIGTERM into an abort, and turns whatever
 * is thrown into one error line and exit code 1. The only place of an action that touches `process`.
 *
 * The runner sends SIGINT, SIGTERM 7.5 s later, and kills 2.5 s after that
 * (https://docs.github.com/actions/reference/workflows-and-actions/workflow-cancellation), so a story has 5 s to end truthfully.
 */
export async function enter(story: Story): Promise<void> {
  const log = workflowLog(process.stdout);
  // What spaces GitHub's requests (bottleneck) reckons with this: a clock that is set back by an hour would hold up the next for an hour.
  Date.now = steadyNow;
  const stop = new AbortController();
  let lastMoment: NodeJS.Timeout | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) return;
    stop.abort(new ActionError('cancelled', `the runner sent ${signal}`));
    // Whatever does not answer by then: a truthful line is better than being killed without one.
    lastMoment = setTimeout(() => {
      log.error('the runner asked for the end and something still did not answer; what was being done may or may not have happened');
      process.exit(1);
    }, 5000).unref();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const environment = process.env;
  const { settle, ...files } = runnerFiles(environment, log);
  const host: Host = {
    inputs: new Inputs(environment),
    environment,
    log,
    workspace: environment['GITHUB_WORKSPACE'] ?? process.cwd(),
    temp: environment['RUNNER_TEMP'] ?? tmpdir(),
    signal: stop.signal,
    now: steadyNow,
    ...files,
  };
  const fail = (thrown: unknown): void => {
    const error = asFullDisk(thrown);
    log.error(describe(error));
    // A person can act on an ActionError; of anything else we want to know where it came from.
    if (!(error instanceof ActionError) && error instanceof Error && error.stack) log.info(error.stack);
    process.exitCode = 1;
  };
  try {
    await story(host);
  } catch (error) {
    fail(error);
  }
  try {
    settle();
  } catch (error) {
    fail(error);
  }
  clearTimeout(lastMoment);
  process.off('SIGINT', onSignal);
  process.off('SIGTERM', onSignal);
}
