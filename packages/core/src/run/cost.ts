import type { RunRecord } from './record.ts';

/** What so many GPU-hours cost, in the unit of the price; undefined where there is no price. */
export function costOf(gpuHours: number, price: RunRecord['price']): number | undefined {
  return price === undefined ? undefined : Math.round(gpuHours * price.perHour * 1e4) / 1e4;
}

/** A cost as people read it: `12.50 EUR`, `0.0031` where no currency is known. */
export function formatCost(cost: number, price: RunRecord['price']): string {
  const digits = cost >= 0.1 || cost === 0 ? 2 : 4;
  return [cost.toFixed(digits), price?.currency].filter(Boolean).join(' ');
}
