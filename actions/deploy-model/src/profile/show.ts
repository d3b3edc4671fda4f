import { mermaidLine } from '@slashtrain/core/charts/mermaid';
import { code, escapeText, table } from '@slashtrain/core/markdown/markdown';
import { formatValue } from '@slashtrain/core/metrics/format';
import { formatSeconds } from '../smoke/percentile.ts';
import type { Profile } from './profile.ts';

/** A profile as markdown: throughput and latency by concurrency, with plots, and what to set. */
export function profileMarkdown({ stages, suggestions, source, problems, pods }: Profile): string {
  const rows = stages.map(({ concurrency, throughput, failed, latency }) => [
    String(concurrency),
    formatValue(throughput, 3),
    ...[latency?.p50, latency?.p95, latency?.p99].map((seconds) => (seconds === undefined ? '–' : formatSeconds(seconds))),
    String(failed),
  ]);
  const plot = (title: string, valueOf: (stage: Profile['stages'][number]) => number): string | undefined =>
    mermaidLine(
      title,
      [{ label: title, points: stages.map((stage) => ({ step: stage.concurrency, value: valueOf(stage) })) }],
      'requests at once',
    );
  const set = suggestions.map(({ container, cores, bytes, requests, limits }) => [
    code(container),
    formatValue(cores, 3),
    `${Math.round(bytes / 1024 / 1024)} MiB`,
    code(`cpu: ${requests.cpu}, memory: ${requests.memory}`),
    code(`memory: ${limits.memory}`),
  ]);
  return [
    `### Profile of ${pods === 1 ? 'one endpoint' : `${pods} endpoints`}`,
    table(['At once', 'Answers a second', 'p50', 'p95', 'p99', 'Failed'], rows, ['right', 'right', 'right', 'right', 'right', 'right']),
    plot('answers a second', ({ throughput }) => throughput),
    plot('p95 in ms', ({ latency }) => (latency?.p95 ?? Number.NaN) * 1000),
    set.length > 0
      ? table(['Container', 'CPUs at most', 'Memory at most', 'Requests to set', 'Limits to set'], set, ['left', 'right', 'right'])
      : undefined,
    source === undefined
      ? `What the pods used is not known: ${escapeText(problems.join('; '))}`
      : `Measured by ${source === 'kubelet' ? "the nodes' kubelets" : 'the metrics API'}; what is to be set is a fifth more than the most that one pod used.`,
  ]
    .filter((part) => part !== undefined)
    .join('\n\n');
}
