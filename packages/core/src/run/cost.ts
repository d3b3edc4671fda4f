import type { RunRecord } from './record.ts';

/** What so many GPU-hours cost, in the unit of the price; undefined where there is no price. */
export function costOf(gpuHours: number, price: RunRecord['price']): number | undefined {
  return price === undefined ? undefined : Math.round(gpuHours * price.perHour * 1e4) / 1e4;
}

/** The GPU-hours that a run holds at most: so many GPUs until its deadline, in seconds. */
export function mostGpuHours(gpus: number, deadlineSeconds: number): number {
  return Math.round(((gpus * deadlineSeconds) / 3600) * 1e6) / 1e6;
}

/** GPU-hours as people read them: `16`, `2.02`, `0.0031`. */
export function formatGpuHours(hours: number): string {
  return String(Number(hours >= 0.1 ? hours.toFixed(2) : hours.toPrecision(2)));
}

/** A cost as people read it: `12.50 EUR`, `0.0031` where no currency is known. */
export function formatCost(cost: number, price: RunRecord['price']): string {
  const digits = cost >= 0.1 || cost === 0 ? 2 : 4;
  return [cost.toFixed(digits), price?.currency].filter(Boolean).join(' ');
}
