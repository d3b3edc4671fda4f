import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '@slashtrain/core/action/host';
import { formatMetricsFile } from '@slashtrain/core/metrics/file';
import { jsonNumber } from '@slashtrain/core/metrics/lines';
import type { MetricRow } from '@slashtrain/core/metrics/rows';
import type { MetricsFile } from '@slashtrain/core/metrics/metrics';

// GitHub takes 1 MB of outputs a job: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idoutputs
const largestOutput = 200_000;

/** Writes the metrics file and sets all outputs. */
export function writeOutputs(host: Host, file: MetricsFile, rows: readonly MetricRow[], markdown: string): void {
  const path = join(host.temp, `metrics-${file.pipeline}-${file.sha.slice(0, 12)}.json`);
  writeFileSync(path, formatMetricsFile(file));
  host.setOutput('metrics-file', path);
  host.setOutput('verdict', file.verdict);
  host.setOutput('best-run', file.candidates[0]?.id ?? '');
  host.setOutput('best-parameters', file.best ? jsonOf(file.best) : '');
  host.setOutput('metrics', metricsJson(host, rows));
  host.setOutput('markdown', markdown);
}

function jsonOf(parameters: readonly { name: string; value: string }[]): string {
  // No prototype: a parameter may be called __proto__.
  const all = Object.create(null) as Record<string, string>;
  for (const { name, value } of parameters) all[name] = value;
  return JSON.stringify(all);
}

function metricsJson(host: Host, rows: readonly MetricRow[]): string {
  // No prototype: a metric may be called __proto__.
  const all = Object.create(null) as Record<string, unknown>;
  let size = 0;
  let left = 0;
  for (const { name, candidate, baseline, gates } of rows) {
    const entry = {
      ...(candidate && { candidate: jsonNumber(candidate.last) }),
      ...(baseline && { baseline: jsonNumber(baseline.last) }),
      ...(gates[0] && { outcome: gates[0].outcome }),
    };
    size += JSON.stringify([name, entry]).length;
    if (size > largestOutput) left++;
    else all[name] = entry;
  }
  if (left > 0) host.log.warning(`the output "metrics" lacks ${left} metrics, which do not fit into it; the metrics file has them`);
  return JSON.stringify(all);
}
