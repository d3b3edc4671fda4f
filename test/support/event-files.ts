import { closeSync, openSync, writeSync } from 'node:fs';
import { maskedCrc32c } from '../../actions/fetch-metrics/src/sources/events/crc32c.ts';

/** Records that are written at once. */
const together = 10_000;

/**
 * Writes an event file of at least so many bytes: events with one simple value each, of ten tags
 * (https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto). It is never in memory as a whole.
 */
export function writeEventFile(path: string, bytes: number): void {
  const file = openSync(path, 'w');
  for (let step = 0, total = 0; total < bytes;) {
    const records: Buffer[] = [];
    for (let size = total; records.length < together && size < bytes; step += 1) {
      const record = recordOf(step);
      records.push(record);
      size += record.length;
    }
    total += writeSync(file, Buffer.concat(records));
  }
  closeSync(file);
}

function recordOf(step: number): Buffer {
  const tag = Buffer.from(`train/some_metric_${step % 10}`);
  const number = Buffer.alloc(5);
  number[0] = 0x15;
  number.writeFloatLE(1 / (step + 1), 1);
  const value = Buffer.concat([Buffer.from([0x0a, tag.length]), tag, number]);
  const time = Buffer.alloc(9);
  time[0] = 0x09;
  time.writeDoubleLE(1.7e9 + step, 1);
  const at = Buffer.from([0x10, ...varint(Math.floor(step / 10))]);
  const data = Buffer.concat([time, at, Buffer.from([0x2a, value.length + 2, 0x0a, value.length]), value]);
  const record = Buffer.alloc(data.length + 16);
  record.writeUInt32LE(data.length, 0);
  record.writeUInt32LE(maskedCrc32c(record, 0, 8), 8);
  data.copy(record, 12);
  record.writeUInt32LE(maskedCrc32c(data, 0, data.length), 12 + data.length);
  return record;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}
