import type { Pod } from '../kubernetes/pod.ts';

/**
 * The small outputs of a run: what its containers that ended well wrote to their termination message
 * (https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/). A JSON object gives an
 * output for each of its keys, any other text one with the container's name. Of several the latest counts.
 * @param pods oldest first
 */
export function outputsOf(pods: readonly Pod[]): { name: string; value: string }[] {
  const outputs = new Map<string, string>();
  for (const pod of pods) {
    for (const { name, state } of pod.status?.containerStatuses ?? []) {
      if (state?.terminated?.exitCode !== 0 || !state.terminated.message) continue;
      for (const [key, value] of read(name, state.terminated.message)) outputs.set(key, value);
    }
  }
  return [...outputs].map(([name, value]) => ({ name, value }));
}

/** The same of each pod by itself, by its name; pods without outputs are left out. */
export function outputsByPod(pods: readonly Pod[]): Map<string, { name: string; value: string }[]> {
  return new Map(pods.map((pod) => [pod.metadata.name ?? '', outputsOf([pod])] as const).filter(([, outputs]) => outputs.length > 0));
}

function read(container: string, message: string): [string, string][] {
  let data: unknown;
  try {
    data = JSON.parse(message);
  } catch {
    // Plain text, as most write it.
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return [[container, message.replace(/\r?\n$/u, '')]];
  return Object.entries(data).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
}
