import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { maskedCrc32c } from '../../actions/fetch-metrics/src/sources/events/crc32c.ts';
import { Curves } from '../../actions/fetch-metrics/src/sources/events/curves.ts';
import { readEvents } from '../../actions/fetch-metrics/src/sources/events/read.ts';

/*
 * Event files of 100 MB: our reader and TensorBoard's own, in MB/s, in turn. Measures, and asserts nothing.
 *   pip install tensorboard
 *   node test/bench/events.ts --python PYTHON [--megabytes N] [--runs N]
 */
const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    megabytes: { type: 'string', default: '100' },
    runs: { type: 'string', default: '3' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'slashtrain-events-'));
const file = join(folder, 'events.out.tfevents.1.host');
writeFileSync(file, makeEvents(Number(values.megabytes) * 1e6));
const size = statSync(file).size / 1e6;

const program = `
import sys, time
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
start = time.perf_counter()
count = sum(len(event.summary.value) for event in LegacyEventFileLoader(sys.argv[1]).Load())
print(time.perf_counter() - start, count)
`;
const results: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
for (let round = 0; round < Number(values.runs); round++) {
  const start = performance.now();
  const curves = new Curves();
  await readEvents(file, curves);
  const points = curves.series().reduce((sum, one) => sum + one.points.length, 0);
  results.ours.push(size / ((performance.now() - start) / 1000));
  const { stdout, stderr, status } = spawnSync(values.python, ['-c', program, file], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const [seconds = 0, count = 0] = stdout.trim().split(' ').map(Number);
  if (count !== points) throw new Error(`ours read ${points} values, TensorBoard ${count}`);
  results.theirs.push(size / seconds);
}
rmSync(folder, { recursive: true });
const median = (all: number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
console.log(
  `${Math.round(size)} MB of scalars: ours ${Math.round(median(results.ours))} MB/s, TensorBoard ${Math.round(median(results.theirs))} MB/s, ÷ ${(median(results.ours) / median(results.theirs)).toFixed(2)}; RSS ${Math.round(process.memoryUsage().rss / 1e6)} MB`,
);

/** Events with one simple value each, of ten tags. */
function makeEvents(bytes: number): Buffer {
  const chunks: Buffer[] = [];
  for (let step = 0, total = 0; total < bytes; step++) {
    const tag = Buffer.from(`train/some_metric_${step % 10}`);
    const number = Buffer.alloc(5);
    number[0] = 0x15;
    number.writeFloatLE(1 / (step + 1), 1);
    const value = Buffer.concat([Buffer.from([0x0a, tag.length]), tag, number]);
    const summary = Buffer.concat([Buffer.from([0x0a, value.length]), value]);
    const time = Buffer.alloc(9);
    time[0] = 0x09;
    time.writeDoubleLE(1.7e9 + step, 1);
    const data = Buffer.concat([time, Buffer.from([0x10, ...varint(Math.floor(step / 10))]), Buffer.from([0x2a, summary.length]), summary]);
    const record = Buffer.alloc(data.length + 16);
    record.writeUInt32LE(data.length, 0);
    record.writeUInt32LE(maskedCrc32c(record, 0, 8), 8);
    data.copy(record, 12);
    record.writeUInt32LE(maskedCrc32c(data, 0, data.length), 12 + data.length);
    chunks.push(record);
    total += record.length;
  }
  return Buffer.concat(chunks);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}
