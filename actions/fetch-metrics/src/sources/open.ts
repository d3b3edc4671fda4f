import type { Gate } from '@slashtrain/core/metrics/metrics';
import type { FetchInputs } from '../inputs.ts';
import type { Parts } from '../main.ts';
import type { OpenSubject } from '../subject.ts';
import type { Measured } from './measured.ts';
import type { Source, SourceName } from './source.ts';
import type { TrackerOptions } from './tracker.ts';

/** Opens the sources of the input `source`, in its order. Each is loaded only where it is asked for. */
export async function openSources(inputs: FetchInputs, opened: OpenSubject, gates: readonly Gate[], { host }: Parts): Promise<Source[]> {
  const { subject, stored, cluster } = opened;
  const tracker: TrackerOptions = {
    subject,
    run: opened.runName,
    url: inputs.trackerUrl,
    experiments: inputs.experiments,
    gates,
    host,
  };
  const open: Record<SourceName, () => Promise<Source>> = {
    run: async () => {
      const { readRun } = await import('./run.ts');
      // openSubject refuses a source that needs records where there are none.
      return { name: 'run', measure: () => readRun(stored!, opened.siblings ?? [], cluster!.records) };
    },
    files: async () => {
      const { readFiles } = await import('./files.ts');
      return { name: 'files', measure: () => readFiles(inputs.files, host.workspace, subject) };
    },
    mlflow: async () => judged((await import('./mlflow.ts')).mlflowSource(tracker), opened),
    wandb: async () => judged((await import('./wandb.ts')).wandbSource(tracker), opened),
    katib: async () => judged((await import('./katib.ts')).katibSource(cluster!.client, stored!), opened),
    prometheus: async () => (await import('./prometheus.ts')).prometheusSource(tracker, inputs.queries),
  };
  return Promise.all(inputs.sources.map((name) => open[name]()));
}

/** What a tracker has of a run that did not end well is not what it would have come to. */
async function judged(source: Source, { stored }: OpenSubject): Promise<Source> {
  if (!stored) return source;
  const { unfitness } = await import('./run.ts');
  const unfit = unfitness(stored);
  if (unfit === undefined) return source;
  return { ...source, measure: async (): Promise<Measured> => ({ ...(await source.measure()), unfit }) };
}
