import type { Usage } from './usage.ts';

/** What to set for a container. */
export interface Suggestion {
  container: string;
  /** The most that any pod of it used. */
  cores: number;
  bytes: number;
  requests: { cpu: string; memory: string };
  limits: { memory: string };
}

/**
 * Requests and limits by what was used at most, with a fifth more: CPU in steps of 50m, memory in steps of 32Mi. The limit of memory
 * is its request, since memory cannot be taken back; CPU needs none, since what is short is shared by the requests
 * (https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/).
 */
export function suggest(looks: readonly (readonly Usage[])[]): Suggestion[] {
  const most = new Map<string, { cores: number; bytes: number }>();
  for (const { container, cores, bytes } of looks.flat()) {
    const before = most.get(container);
    most.set(container, { cores: Math.max(cores, before?.cores ?? 0), bytes: Math.max(bytes, before?.bytes ?? 0) });
  }
  return [...most].map(([container, { cores, bytes }]) => {
    const memory = `${roundUp((bytes * 1.2) / 1024 / 1024, 32)}Mi`;
    return { container, cores, bytes, requests: { cpu: `${roundUp(cores * 1.2 * 1000, 50)}m`, memory }, limits: { memory } };
  });
}

function roundUp(value: number, step: number): number {
  return Math.max(step, Math.ceil(value / step) * step);
}
