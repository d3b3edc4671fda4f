import { ActionError, describe } from '@slashtrain/core/action/errors';
import type { Log } from '@slashtrain/core/action/log';
import { CheckRuns, type CheckText } from '@slashtrain/core/github/checks';
import type { GitHub } from '@slashtrain/core/github/client';
import { fence } from '@slashtrain/core/markdown/markdown';
import type { StoredRecord } from '@slashtrain/core/records/store';
import { trainCheckKey, trainCheckName } from '@slashtrain/core/run/check';
import type { ClaimParts } from './claim.ts';
import type { SubmitInputs } from './inputs.ts';
import { recordMarkdown } from './show.ts';

/** Makes the check `train: <pipeline>` of a record on its commit: queued, until somebody waits for the run. */
export function makeTrainCheck(github: GitHub): ClaimParts['makeCheck'] {
  const checks = new CheckRuns(github);
  return async (stored: StoredRecord, mayExist: boolean): Promise<number> => {
    const key = trainCheckKey(stored);
    const text: CheckText = { title: 'Submitted', summary: recordMarkdown(stored) };
    const earlier = mayExist ? await checks.find(key) : undefined;
    const check = earlier ?? (await checks.create(key, { status: 'queued' }, text));
    return check.id;
  };
}

/** Concludes the check of a run that was refused or cancelled before it was made. */
export function endTrainCheck(github: GitHub, log: Log): ClaimParts['endCheck'] {
  const checks = new CheckRuns(github);
  return async (stored, id, conclusion, error): Promise<void> => {
    const title = conclusion === 'failure' ? `Refused: ${error.code}` : 'Cancelled before it started';
    try {
      await checks.put(
        { ...trainCheckKey(stored), id },
        { conclusion },
        { title, summary: `${refusalMarkdown(error)}\n\n${recordMarkdown(stored)}` },
      );
    } catch (failure) {
      log.warning(`the check of ${stored.name} could not be concluded: ${describe(failure)}`);
    }
  };
}

function refusalMarkdown({ message, remedy }: ActionError): string {
  return `Nothing was submitted.\n\n${fence(message)}${remedy ? `\n\nWhat to do:\n\n${fence(remedy)}` : ''}`;
}

/**
 * Leaves a failed check that says why nothing was submitted, so that the commit is not merely without one.
 * Where that fails as well, the step's own error is still the one to read.
 */
export async function refuseWithCheck(error: unknown, inputs: SubmitInputs, { github, log }: { github: GitHub; log: Log }): Promise<void> {
  if (!(error instanceof ActionError) || inputs.dryRun) return;
  const key = { sha: inputs.sha, name: trainCheckName(inputs.pipeline), externalId: 'refused' };
  try {
    await new CheckRuns(github).create(
      key,
      { conclusion: 'failure' },
      { title: `Refused: ${error.code}`, summary: refusalMarkdown(error) },
    );
  } catch (failure) {
    log.warning(`the refusal could not be shown as a check: ${describe(failure)}`);
  }
}
