import type { BundleResult } from '@slashtrain/testing/bundle/bundle';

/** Waits for a step that must succeed; where it does not, its log is the error. */
export async function succeeded(step: Promise<BundleResult>): Promise<BundleResult> {
  const result = await step;
  if (result.code !== 0) throw new Error(`the step ended with ${result.code}:\n${result.stdout}${result.stderr}`);
  return result;
}
