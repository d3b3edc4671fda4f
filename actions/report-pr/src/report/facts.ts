import { formatDuration } from '@slashtrain/core/action/duration';
import { clip, code, escapeText, link, table } from '@slashtrain/core/markdown/markdown';
import type { Links, Story } from '../story.ts';

const mostParameters = 50;

/** What there is to know about the run, a row a fact; what is not known has none. */
export function factsTable(story: Story, links: Links): string {
  const { result, stored, sha, pullRequest, state } = story;
  const record = stored?.record;
  const rows: [fact: string, value: string | undefined][] = [
    ['Commit', link(sha.slice(0, 7), `${links.repository}/commit/${sha}`)],
    ['State', escapeText(state) + (result?.reason === undefined ? '' : ` (${code(result.reason)})`)],
    ['Trained for', duration(result?.runSeconds)],
    ['Waited in the queue', duration(result?.queueSeconds)],
    ['GPU-hours', result && result.gpuHours > 0 ? hundredths(result.gpuHours) : undefined],
    ['Cost', costOf(story)],
    ...(record?.parameters ?? [])
      .slice(0, mostParameters)
      .map(({ name, value }): [string, string] => [`Parameter ${code(clip(name, 60))}`, code(clip(value, 200))]),
    ['Data version', record?.dataVersion === undefined ? undefined : code(clip(record.dataVersion, 200))],
    ...(record?.images ?? []).map((image): [string, string] => ['Image', code(clip(image, 300))]),
    ['Model', lineage(story)],
    ['Run', stored && code(stored.record.run ?? stored.name)],
    ['Attempt', record && record.attempt > 1 ? String(record.attempt) : undefined],
    ['Asked by', record && asker(record.actor, record.asked[0]?.id, pullRequest, links)],
    [
      'Training check',
      record?.checkRunId === undefined ? undefined : link('log and state', `${links.repository}/runs/${record.checkRunId}`),
    ],
    ['Reported by', link('workflow run', links.workflow)],
  ];
  const known = rows.filter((row): row is [string, string] => row[1] !== undefined);
  // GitHub's tables have a header: the first fact is better than an empty line.
  return table(known[0] ?? [], known.slice(1));
}

/** Where a model that the run tells of came from, in one line. */
function lineage({ result, stored, sha }: Story): string | undefined {
  const model = result?.outputs.find(({ name }) => name === 'model-uri')?.value;
  if (model === undefined) return undefined;
  const data = stored?.record.dataVersion;
  return [
    code(clip(model, 200)),
    ...(stored ? [`run ${code(stored.name)}`] : []),
    ...(data === undefined ? [] : [`data ${code(clip(data, 80))}`]),
    `commit ${code(sha.slice(0, 7))}`,
  ].join(' ← ');
}

/** `0.61 EUR`; the currency where the configuration names one. */
export function costOf({ result, stored }: Pick<Story, 'result' | 'stored'>): string | undefined {
  if (result?.cost === undefined) return undefined;
  const currency = stored?.record.price?.currency;
  return hundredths(result.cost) + (currency === undefined ? '' : ` ${escapeText(clip(currency, 20))}`);
}

function duration(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : formatDuration(seconds);
}

export function hundredths(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** @param id `comment:<id>` or `workflow:<run id>`, as records have it */
function asker(actor: string, id: string | undefined, pullRequest: number | undefined, { repository }: Links): string {
  const [kind, number] = id?.split(':') ?? [];
  const where =
    kind === 'comment' && pullRequest !== undefined
      ? ` in ${link('a comment', `${repository}/pull/${pullRequest}#issuecomment-${number}`)}`
      : kind === 'workflow'
        ? ` in ${link('a workflow run', `${repository}/actions/runs/${number}`)}`
        : '';
  return code(actor) + where;
}
