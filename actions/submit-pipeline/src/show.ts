import type { Host } from '@slashtrain/core/action/host';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { code, details, fence, table } from '@slashtrain/core/markdown/markdown';
import type { StoredRecord } from '@slashtrain/core/records/store';
import type { Claimed } from './claim.ts';
import type { Plan } from './plan.ts';

/** What was asked for, as a table: for the check and the step summary. */
export function recordMarkdown({ name, namespace, record }: Pick<StoredRecord, 'name' | 'namespace' | 'record'>): string {
  const rows: [string, string][] = [
    ['Run', code(`${namespace}/${name}`)],
    ['Commit', code(record.sha)],
    ['Asked by', code(record.actor)],
    ['Attempt', String(record.attempt)],
    ...record.images.map((image): [string, string] => ['Image', code(image)]),
    ...record.parameters.map((parameter): [string, string] => [`Parameter ${code(parameter.name)}`, code(parameter.value)]),
    ...(record.dataVersion === undefined ? [] : [['Data version', code(record.dataVersion)] as [string, string]]),
  ];
  return table(['', ''], rows);
}

/** The step's summary: what runs now, or what would. */
export async function writeSummary(
  host: Host,
  { plan, object, claimed }: { plan: Plan; object: KubernetesObject; claimed?: Claimed },
): Promise<void> {
  const name = object.metadata.name ?? '';
  const what = claimed ? (claimed.adopted ? 'goes on with a run that was there' : 'submitted') : 'dry run: nothing was submitted';
  host.log.info(`${plan.pipeline}: ${what}: ${claimed?.run ?? `${plan.namespace}/${name}`}`);
  const stored = claimed?.stored ?? { name, namespace: plan.namespace, record: plan.recordFor(1) };
  await host.summarise(
    [
      `### ${plan.pipeline}: ${what}`,
      recordMarkdown(stored),
      details('The object', fence(JSON.stringify(object, undefined, 2), 'json')),
    ].join('\n\n'),
  );
}
