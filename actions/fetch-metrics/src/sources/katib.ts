import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { ExcludedRun, MetricRun } from '@slashtrain/core/metrics/metrics';
import { summariseAll } from '@slashtrain/core/metrics/summary';
import type { StoredRecord } from '@slashtrain/core/records/store';
import { parseReference } from '@slashtrain/core/run/reference';
import { nothingMeasured, type Measured } from './measured.ts';
import { valueIn } from './readings.ts';
import type { Source } from './source.ts';

/** A trial, as its type says (https://github.com/kubeflow/katib/blob/v0.19.0/pkg/apis/controller/trials/v1beta1/trial_types.go). */
interface Trial extends KubernetesObject {
  spec?: { parameterAssignments?: { name: string; value: string }[] };
  status?: {
    conditions?: { type: string; status: string; reason?: string }[];
    observation?: { metrics?: { name: string; latest: string; min: string; max: string }[] };
  };
}

const trials = { group: 'kubeflow.org', version: 'v1beta1', plural: 'trials', kind: 'Trial' };

/** The trials of a Katib experiment that is the run itself: each that succeeded is a sample. */
export function katibSource(client: Pick<KubernetesClient, 'list'>, stored: StoredRecord): Source {
  return {
    name: 'katib',
    async measure() {
      const run = stored.record.run;
      if (run === undefined) return nothingMeasured();
      const { namespace, name } = parseReference(run);
      const { items } = await client.list<Trial>(trials, namespace, { labelSelector: `katib.kubeflow.org/experiment=${name}` });
      return readTrials(items, stored);
    },
  };
}

/** Trials as samples; observations are texts. */
export function readTrials(items: readonly Trial[], { record }: StoredRecord): Measured {
  const measured = nothingMeasured();
  for (const { metadata, spec, status } of items) {
    const id = metadata.name ?? '';
    const ended = status?.conditions?.findLast((condition) => condition.status === 'True')?.type;
    if (ended !== 'Succeeded' && ended !== 'EarlyStopped') {
      const excluded: ExcludedRun = { id, source: 'katib', reason: ended === undefined ? 'it has not started' : `it is ${ended}` };
      measured.excluded.push(excluded);
      continue;
    }
    const metrics: MetricRun['metrics'] = [];
    for (const one of status?.observation?.metrics ?? []) {
      const [last, min, max] = [one.latest, one.min, one.max].map((text) => numberIn(text)) as [number, number, number];
      const [summary] = summariseAll([{ name: one.name, points: [{ step: 0, value: last }] }]);
      if (summary) metrics.push({ ...summary, min, max });
    }
    if (metrics.length === 0) measured.excluded.push({ id, source: 'katib', reason: 'it has no observation' });
    else {
      measured.runs.push({
        id,
        source: 'katib',
        sha: record.sha,
        ...(record.pullRequest === undefined ? {} : { pullRequest: record.pullRequest }),
        parameters: [...record.parameters, ...(spec?.parameterAssignments ?? []).map(({ name, value }) => ({ name, value }))],
        metrics,
      });
    }
  }
  return measured;
}

/** Where a trial logged no number, Katib says `unavailable`. */
function numberIn(text: string): number {
  return valueIn(text) ?? (text.trim() === '' ? Number.NaN : Number(text));
}
