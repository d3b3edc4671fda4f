import { digitsFiles } from '@slashtrain/testing/demo/example';
import type { Progress } from '@slashtrain/testing/runner/result';
import { openWorld, type World } from './world.ts';

/** examples/digits, with everything that its workflow needs. */
export type DigitsWorld = World;

export function openDigits(onProgress?: (progress: Progress) => void): Promise<DigitsWorld> {
  return openWorld({ files: digitsFiles(), ...(onProgress && { onProgress }) });
}
