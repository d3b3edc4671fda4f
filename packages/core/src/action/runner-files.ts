import * as core from '@actions/core';
import { statSync, truncateSync } from 'node:fs';
import { ActionError, messageOf } from './errors.ts';
import type { Host } from './host.ts';
import type { Log } from './log.ts';

/** What a step writes for the runner: outputs, state and summary, in files whose disk may be full. */
export type RunnerFiles = Pick<Host, 'setOutput' | 'saveState' | 'summarise'> & {
  /**
   * Writes what could not be written before: the disk may have room by now.
   * @throws ActionError that names the outputs which the next steps do not get
   */
  settle(): void;
};

/**
 * A disk that is full costs what is written there, and never interrupts what the action is in the middle of: a rollout, a run that
 * is made and not noted. What was lost is written once more at the end, and fails the step then. Half an entry is taken back, since the
 * runner reads none of a file that has one (https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#multiline-strings).
 */
export function runnerFiles(environment: NodeJS.ProcessEnv, log: Log): RunnerFiles {
  const lost = new Map<string, () => void>();
  const write = (what: string, file: string | undefined, append: () => void): void => {
    lost.delete(what);
    try {
      whole(file, append);
    } catch (error) {
      if (lost.size === 0) log.warning(`${what} cannot be written now: ${messageOf(error)}`);
      lost.set(what, append);
    }
  };
  return {
    setOutput: (name, value) =>
      write(`output "${name}"`, environment['GITHUB_OUTPUT'], () => core.setOutput(name, log.scrub?.(value) ?? value)),
    saveState: (name, value) => write(`state "${name}"`, environment['GITHUB_STATE'], () => core.saveState(name, value)),
    summarise: async (markdown) => {
      if (!environment['GITHUB_STEP_SUMMARY']) return;
      try {
        await core.summary.addRaw(log.scrub?.(markdown) ?? markdown, true).write();
      } catch (error) {
        core.summary.emptyBuffer();
        log.warning(`the step's summary is missing: ${messageOf(error)}`);
      }
    },
    settle() {
      let failure: unknown;
      for (const [what, append] of lost) {
        const file = environment[what.startsWith('state') ? 'GITHUB_STATE' : 'GITHUB_OUTPUT'];
        try {
          whole(file, append);
          lost.delete(what);
        } catch (error) {
          failure = error;
        }
      }
      if (lost.size === 0) return;
      throw new ActionError('internal', `the runner does not get ${[...lost.keys()].join(', ')}: ${messageOf(failure)}`, {
        remedy: 'make room on its disk and run this step again; what it did is done, and is found',
        cause: failure,
      });
    },
  };
}

/** Any writing that failed for want of room, in words that a person can act on; everything else as it is. */
export function asFullDisk(error: unknown): unknown {
  const { code } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new ActionError('internal', `the runner's disk is full: ${messageOf(error)}`, {
    remedy: 'make room on it and run this step again',
    cause: error,
  });
}

function whole(file: string | undefined, append: () => void): void {
  const before = file ? statSync(file, { throwIfNoEntry: false }) : undefined;
  try {
    append();
  } catch (error) {
    if (file && before?.isFile()) truncateSync(file, before.size);
    throw error;
  }
}
