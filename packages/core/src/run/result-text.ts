import { formatDuration } from '../action/duration.ts';
import { code, details, escapeText, fence, table } from '../markdown/markdown.ts';
import type { RunRecord } from './record.ts';
import type { RunResult } from './result.ts';
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
