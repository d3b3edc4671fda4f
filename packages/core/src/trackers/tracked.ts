import type { MetricSeries } from '../metrics/metrics.ts';

/** A run as a tracker knows it. All texts are hostile. */
export interface TrackedRun {
  id: string;
  name?: string;
  url?: string;
  /** The commit that it says it trained; any text. */
  commit?: string;
  /** The name of the run that submit-pipeline made it in (`slashtrain.run`). */
  run?: string;
  pipeline?: string;
  pullRequest?: string;
  state: 'running' | 'finished' | 'failed' | 'killed' | 'unknown';
  /** Milliseconds since 1970; 0 where it is not known. */
  startedAt: number;
  parameters: { name: string; value: string }[];
  dataVersion?: string;
  gpu?: string;
  /** Last values, one point each, until histories are read. */
  series: MetricSeries[];
}
