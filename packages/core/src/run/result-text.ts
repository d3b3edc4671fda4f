import { formatDuration } from '../action/duration.ts';
import { code, details, escapeText, fence, link, table } from '../markdown/markdown.ts';
import type { RunRecord } from './record.ts';
import { formatCost, formatGpuHours } from './cost.ts';
import type { PodResult, RunResult } from './result.ts';
import { isEnded } from './state.ts';

/** One line about a result: `succeeded in 2 min`, `failed after 10 s (crash): container trainer ended with exit code 1`. */
export function resultLine(result: RunResult): string {
  const how = result.state === 'succeeded' ? 'in' : 'after';
  const time = result.runSeconds === undefined ? '' : ` ${how} ${formatDuration(result.runSeconds)}`;
  const reason = result.reason ? ` (${result.reason})` : '';
  return `${result.state}${time}${reason}${result.message ? `: ${result.message}` : ''}`;
}

/** The text of the check run and of the step summary. Everything that comes from the cluster is escaped. */
export function resultMarkdown(name: string, record: RunRecord, result: RunResult): string {
  const rows: [string, string][] = [
    // With kind and namespace, as kubectl wants to be asked.
    ['Run', code(result.run === '' ? name : result.run.replace(/@[^@]*$/u, ''))],
    ...pageRow(record),
    ['Commit', code(record.sha)],
    ['State', escapeText(resultLine({ ...result, message: '' }))],
    ...cancelledBy(record, result),
    ...timeline(result).map(({ phase, seconds }): [string, string] => [phase, formatDuration(seconds)]),
    ...costRows(record, result),
    ...record.images.map((image): [string, string] => ['Image', code(image)]),
    ...record.parameters.map(({ name: parameter, value }): [string, string] => [`Parameter ${code(parameter)}`, code(value)]),
  ];
  const parts = [table(['', ''], rows)];
  if (result.message) parts.push(`**What happened:** ${escapeText(result.message)}`);
  if (result.remedy) {
    const again = result.retryable ? ' Trying again may help: the same commit can succeed.' : '';
    parts.push(`**What to do:** ${escapeText(result.remedy)}.${again}`);
  }
  if (result.pods.length > 0) parts.push(details(`${result.pods.length} ${result.pods.length === 1 ? 'pod' : 'pods'}`, podTable(result)));
  if (result.state !== 'succeeded' && isEnded(result.state) && result.logTail.length > 0) {
    parts.push(`**The last ${result.logTail.length} log lines:**`, fence(result.logTail.join('\n')));
  }
  return parts.join('\n\n');
}

/** A row with the run's page, where it has one. */
export function pageRow({ url }: Pick<RunRecord, 'url'>): [string, string][] {
  if (url === undefined || !/^https?:\/\//u.test(url)) return [];
  return [['Page', link(url, url)]];
}

/** How long a run was in each phase so far, in seconds. */
export function timeline(result: RunResult, now = Date.now()): { phase: string; seconds: number }[] {
  const { createdAt, startedAt, endedAt, pods } = result;
  const scheduledAt = pods.flatMap((pod) => pod.scheduledAt ?? []).toSorted()[0];
  // A pod that had its node before another pod's image came: the run waits for whichever is first.
  const gotNode = scheduledAt !== undefined && (startedAt === undefined || scheduledAt <= startedAt) ? scheduledAt : startedAt;
  const until = endedAt ?? new Date(now).toISOString();
  const phases: [string, string, string | undefined][] = [
    ['Queued', createdAt, gotNode],
    ['Pulling images, starting', gotNode ?? '', startedAt],
    ['Running', startedAt ?? '', endedAt],
  ];
  return phases.flatMap(([phase, from, to]) =>
    from === '' ? [] : [{ phase, seconds: Math.max(0, (Date.parse(to ?? until) - Date.parse(from)) / 1000) }],
  );
}

function cancelledBy({ cancel }: RunRecord, { state }: RunResult): [string, string][] {
  return cancel && state === 'cancelled' ? [['Cancelled by', escapeText(`${cancel.by}: ${cancel.why}`)]] : [];
}

function costRows({ price }: RunRecord, { gpuHours, cost, state }: RunResult): [string, string][] {
  if (gpuHours === 0 && cost === undefined) return [];
  const sofar = isEnded(state) ? '' : ' so far';
  const rows: [string, string][] = [[`GPU-hours${sofar}`, formatGpuHours(gpuHours)]];
  if (cost !== undefined && price)
    rows.push([
      `Cost${sofar}`,
      escapeText(`${formatCost(cost, price)} (${price.accelerator} at ${formatCost(price.perHour, price)} an hour)`),
    ]);
  return rows;
}

// So many fit into a check run's summary, whatever their names.
const mostPods = 100;

function podTable(result: RunResult): string {
  const isBad = (pod: PodResult): boolean => pod.phase === 'Failed' || pod.containers.some(({ exitCode }) => (exitCode ?? 0) !== 0);
  const pods = result.pods.toSorted((a, b) => Number(isBad(b)) - Number(isBad(a)));
  const hasRanks = pods.some(({ rank }) => rank !== undefined);
  const hasGpus = pods.some(({ gpus }) => gpus > 0);
  const rows = pods
    .slice(0, mostPods)
    .map((pod) => [
      code(pod.name),
      ...(hasRanks ? [String(pod.rank ?? '–')] : []),
      escapeText(pod.phase),
      escapeText(pod.node ?? '–'),
      ...(hasGpus ? [String(pod.gpus)] : []),
      ranFor(pod),
      pod.containers
        .map(({ name, exitCode, reason, restarts }) =>
          escapeText(
            `${name}: ${reason ?? 'running'}${exitCode === undefined ? '' : ` (${exitCode})`}${restarts > 0 ? `, ${restarts} restart${restarts === 1 ? '' : 's'}` : ''}`,
          ),
        )
        .join('<br>'),
    ]);
  const head = ['Pod', ...(hasRanks ? ['Rank'] : []), 'Phase', 'Node', ...(hasGpus ? ['GPUs'] : []), 'Ran for', 'Containers'];
  const more = pods.length > mostPods ? `\n\n${pods.length - mostPods} more pods are in the result file.` : '';
  return table(head, rows) + more;
}

function ranFor({ startedAt, endedAt }: PodResult): string {
  if (startedAt === undefined) return '–';
  return endedAt === undefined ? 'still runs' : formatDuration((Date.parse(endedAt) - Date.parse(startedAt)) / 1000);
}
