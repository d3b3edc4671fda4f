import type { FaultName } from '@slashtrain/testing/faults/fault';

/** One thing that keeps us from harm, how to take it out, and the test that then fails. */
export interface Defence {
  /** For people and for `--only`. */
  name: string;
  /** The faults of packages/testing/src/faults/fault.ts that it is against. */
  faults?: readonly FaultName[];
  /** The attacks of docs/security.md that it is against, by their numbers. */
  attacks?: readonly number[];
  /** What is taken out, in a few words. */
  what: string;
  /** Below the repository. */
  file: string;
  /** Stands exactly once in the file. */
  find: string;
  replace: string;
  test: {
    /** Below the repository. */
    file: string;
    /** The test's whole name, or its beginning: those of its `describe`, and its own. */
    name: string;
    /** The actions whose bundle it runs. Absent is none. */
    bundles?: readonly string[];
  };
}

/** @returns the text without the defence. @throws Error where what is to be found does not stand there exactly once */
export function without({ name, file, find, replace }: Defence, text: string): string {
  const [before, after, ...more] = text.split(find);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`${name}: in ${file} there must be exactly one ${JSON.stringify(find)}, and there are ${text.split(find).length - 1}`);
  return before + replace + after;
}
