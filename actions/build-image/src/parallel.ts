/** All of it, a few at once. After a failure nothing new is begun, and what goes on is waited for. */
export async function inParallel<T>(work: readonly (() => Promise<T>)[], atOnce: number): Promise<T[]> {
  const results: T[] = [];
  const failures: unknown[] = [];
  const queue = work.entries();
  const worker = async (): Promise<void> => {
    for (const [index, task] of queue) {
      if (failures.length > 0) return;
      try {
        results[index] = await task();
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, work.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
