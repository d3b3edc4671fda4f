import type { Fields } from './fields.ts';
import type { PodTemplate } from './kind.ts';

/** Ends each pod `seconds` after its own start, by its kubelet, whatever a controller does. */
export function limitPods(templates: readonly PodTemplate[], seconds: number): void {
  for (const { template } of templates) template.spec = { ...template.spec, activeDeadlineSeconds: seconds };
}

/** Raises `ttlSecondsAfterFinished` to at least `seconds`. */
export function keepFor(fields: Fields, seconds: number): void {
  const { ttlSecondsAfterFinished: own } = fields;
  fields['ttlSecondsAfterFinished'] = Math.max(typeof own === 'number' ? own : 0, seconds);
}
