import type { Kind, KubernetesObject } from '@slashtrain/core/kinds/kind';
import { costOf, formatCost, formatGpuHours, mostGpuHours } from '@slashtrain/core/run/cost';
import type { RunRecord } from '@slashtrain/core/run/record';
import type { RunResult } from '@slashtrain/core/run/result';

/** What ending a run gives back. */
export interface Saved {
  /** Number of GPUs that its pods held or waited for. */
  gpus: number;
  /** What they had been held for. */
  usedGpuHours: number;
  /** The most that they would have been held for still; absent where no deadline is known. */
  gpuHours?: number;
}

/**
 * What ending a run saves: what its GPUs could have been held for until the deadline that its pods have.
 * @param object the run as it was before its end
 */
export function savedBy(result: RunResult, object: KubernetesObject | undefined, kind: Kind | undefined): Saved {
  const gpus = result.pods.reduce((sum, pod) => sum + (pod.endedAt === undefined ? pod.gpus : 0), 0);
  const deadlines = object && kind ? kind.podTemplates(object).flatMap(({ template }) => template.spec?.activeDeadlineSeconds ?? []) : [];
  const saved: Saved = { gpus, usedGpuHours: result.gpuHours };
  if (deadlines.length === 0) return saved;
  const left = Math.max(0, Math.max(...deadlines) - (result.runSeconds ?? 0));
  return { ...saved, gpuHours: mostGpuHours(gpus, left) };
}

/** `frees 4 GPUs, held for 1.5 GPU-hours; saves up to 6.5 GPU-hours (13.00 EUR)`; nothing where no GPU is in it. */
export function savedWords({ gpus, usedGpuHours, gpuHours }: Saved, price: RunRecord['price']): string | undefined {
  if (gpus === 0) return undefined;
  const freed = `frees ${gpus} ${gpus === 1 ? 'GPU' : 'GPUs'}, held for ${formatGpuHours(usedGpuHours)} GPU-hours`;
  if (gpuHours === undefined) return freed;
  const cost = costOf(gpuHours, price);
  return `${freed}; saves up to ${formatGpuHours(gpuHours)} GPU-hours${cost === undefined ? '' : ` (${formatCost(cost, price)})`}`;
}
