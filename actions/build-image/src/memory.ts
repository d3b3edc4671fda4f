/** Bytes that pass through as a handful of buffers, whatever V8 does. */
const little = 16 * 1024 * 1024;

/**
 * To be called before so many bytes pass through. They do as short-lived buffers, and V8 lets the space of young objects grow with
 * them, to some 40 MB that nothing needs: kept at its first size, the peak was at most 118 MB in ten runs of 2 GB, and 157 MB in runs
 * of 1 GB where it grew. Loaded only here, since that takes 3 ms that a build of one changed line does not have to wait.
 */
export async function prepareFor(bytes: number): Promise<void> {
  if (bytes <= little) return;
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--semi-space-growth-factor=1');
}
