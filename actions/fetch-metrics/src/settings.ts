import type { LoadedConfig } from '@slashtrain/core/config/load';
import type { NoBaseline, PlacedGate } from '@slashtrain/core/metrics/metrics';
import { readBaseline, type BaselineChoice, type FetchInputs } from './inputs.ts';

/** What decides, beside the numbers. */
export interface Settings {
  gates: readonly PlacedGate[];
  baseline: BaselineChoice;
  noBaseline: NoBaseline;
}

/**
 * The workflow's inputs, and for what they leave open the configuration of the default branch. It is read even where nothing
 * is left open: `no-baseline: fail` there must hold. A pull request's own files are never asked.
 */
export async function readSettings(inputs: FetchInputs, pipelineName: string, { config }: LoadedConfig): Promise<Settings> {
  const pipeline = config.pipelines.get(pipelineName);
  const { gates } = inputs;
  const own = pipeline?.baseline;
  return {
    gates: gates ? (await import('./gates/read.ts')).readGates(gates.text, gates.where) : (pipeline?.gates ?? []),
    baseline:
      inputs.baseline ??
      (own === undefined
        ? { choice: 'auto' }
        : readBaseline(own, `pipelines.${pipelineName}.baseline in ${config.file ?? 'the configuration'}`)),
    noBaseline: pipeline?.noBaseline ?? 'pass',
  };
}
