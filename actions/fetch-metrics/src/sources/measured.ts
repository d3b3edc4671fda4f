import { describe } from '@slashtrain/core/action/errors';
import type { ExcludedRun, MetricRun } from '@slashtrain/core/metrics/metrics';
import type { Source } from './source.ts';

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
  /** The parameters of a sweep's best setting. Hostile text. */
  best?: { name: string; value: string }[];
  /** Why the metrics cannot be judged, such as a run that failed. */
  unfit?: string;
}

export function nothingMeasured(): Measured {
  return { runs: [], excluded: [], notes: [], problems: [] };
}

/** All sources at once. One that fails is a problem, and what the others gave stands. */
export async function measureAll(sources: readonly Pick<Source, 'name' | 'measure'>[]): Promise<Measured> {
  const all = await Promise.all(
    sources.map(async ({ name, measure }) => {
      try {
        return await measure();
      } catch (error) {
        return { ...nothingMeasured(), problems: [`the source ${name} could not be read: ${describe(error)}`] };
      }
    }),
  );
  const best = all.find((one) => one.best !== undefined)?.best;
  const unfit = all.find((one) => one.unfit !== undefined)?.unfit;
  return {
    runs: all.flatMap(({ runs }) => runs),
    excluded: all.flatMap(({ excluded }) => excluded),
    notes: all.flatMap(({ notes }) => notes),
    problems: all.flatMap(({ problems }) => problems),
    ...(best && { best }),
    ...(unfit === undefined ? {} : { unfit }),
  };
}
