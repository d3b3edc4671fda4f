import { formatDuration } from '@slashtrain/core/action/duration';
import { code, details, escapeText, fence, table } from '@slashtrain/core/markdown/markdown';
import type { RunRecord } from '@slashtrain/core/run/record';
import type { RunResult } from '@slashtrain/core/run/result';
import { isEnded, type Status } from '@slashtrain/core/run/state';

/** One line about a run that goes on: `running for 2 min`, `queued (no-gpu): no node has 4 free GPUs`. */
export function progressLine(status: Status, sinceSeconds: number): string {
  const reason = status.reason ? ` (${status.reason})` : '';
  const progress = status.progress === undefined ? '' : `, ${Math.round(status.progress * 100)} % done`;
  const words = status.message ? `: ${status.message}` : '';
  return `${status.state}${reason} for ${formatDuration(sinceSeconds)}${progress}${words}`;
}

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
    ['Run', code(name)],
    ['Commit', code(record.sha)],
    ['State', escapeText(resultLine({ ...result, message: '' }))],
    ['Waited in the queue', result.queueSeconds === undefined ? '–' : formatDuration(result.queueSeconds)],
    ...(result.gpuHours > 0 ? [['GPU-hours', String(result.gpuHours)] as [string, string]] : []),
    ...record.images.map((image): [string, string] => ['Image', code(image)]),
    ...record.parameters.map(({ name: parameter, value }): [string, string] => [`Parameter ${code(parameter)}`, code(value)]),
  ];
  const parts = [table(['', ''], rows)];
  if (result.message) parts.push(`**What happened:** ${escapeText(result.message)}`);
  if (result.remedy) parts.push(`**What to do:** ${escapeText(result.remedy)}`);
  if (result.pods.length > 0) parts.push(details(`${result.pods.length} ${result.pods.length === 1 ? 'pod' : 'pods'}`, podTable(result)));
  if (result.state !== 'succeeded' && isEnded(result.state) && result.logTail.length > 0) {
    parts.push(`**The last ${result.logTail.length} log lines:**`, fence(result.logTail.join('\n')));
  }
  return parts.join('\n\n');
}

function podTable(result: RunResult): string {
  const rows = result.pods.map((pod) => [
    code(pod.name),
    escapeText(pod.phase),
    escapeText(pod.node ?? '–'),
    pod.containers
      .map(({ name, exitCode, reason, restarts }) =>
        escapeText(
          `${name}: ${reason ?? 'running'}${exitCode === undefined ? '' : ` (${exitCode})`}${restarts > 0 ? `, ${restarts} restarts` : ''}`,
        ),
      )
      .join('<br>'),
  ]);
  return table(['Pod', 'Phase', 'Node', 'Containers'], rows);
}
