import type { ExcludedRun, MetricRun } from '@slashtrain/core/metrics/metrics';

/** What a source gave. */
export interface Measured {
  /** One run a sample; none where nothing was measured. */
  runs: MetricRun[];
  /** Runs that were found and do not count. */
  excluded: ExcludedRun[];
  /** What a reader must know, such as what was left out. Hostile text. */
  notes: string[];
  /** What could not be read at all: the verdict is no pass then. Hostile text. */
  problems: string[];
  /** Why the metrics cannot be judged, such as a run that failed. */
  unfit?: string;
}

export function nothingMeasured(): Measured {
  return { runs: [], excluded: [], notes: [], problems: [] };
}
