import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import type { RunResult } from '@slashtrain/core/run/result';

/** Sets all outputs and writes the result file. An output that is not known is the empty text. */
export function writeOutputs(host: Host, result: RunResult, logFile: string): void {
  const file = join(host.temp, `result-${result.pipeline}-${result.attempt}.json`);
  let written = file;
  try {
    writeFileSync(file, `${JSON.stringify(host.log.scrub?.(result) ?? result, undefined, 2)}\n`);
  } catch (error) {
    // The end is still to be told on the check; who reports it reads the record where there is no file.
    rmSync(file, { force: true });
    host.log.warning(`the result file is missing: ${messageOf(error)}`);
    written = '';
  }
  const values: Record<string, string> = {
    run: result.run,
    state: result.state,
    reason: result.reason ?? '',
    message: result.message ?? '',
    'result-file': written,
    outputs: JSON.stringify(Object.fromEntries(result.outputs.map(({ name, value }) => [name, value]))),
    duration: result.runSeconds === undefined ? '' : String(result.runSeconds),
    'queue-time': result.queueSeconds === undefined ? '' : String(result.queueSeconds),
    'gpu-hours': String(result.gpuHours),
    cost: result.cost === undefined ? '' : String(result.cost),
    'log-file': logFile,
  };
  for (const [name, value] of Object.entries(values)) host.setOutput(name, value);
}
