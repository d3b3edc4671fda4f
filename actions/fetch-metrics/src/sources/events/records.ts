import { open } from 'node:fs/promises';
import { maskedCrc32c } from './crc32c.ts';

const chunkBytes = 4 * 1024 * 1024;
const largestRecord = 256 * 1024 * 1024;

/** How a file of records ended: `whole`, or in the middle of a record, or at one whose checksum is wrong, after so many bytes. */
export type Ending = { how: 'whole' | 'cut' | 'corrupt'; bytes: number };

/**
 * Reads a TFRecord file: length (u64), its masked CRC32C, data, its masked CRC32C
 * (https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details). A file that is still written ends in the
 * middle of a record.
 * @param each is given a buffer and where in it the record's data is; the buffer is used again after it returns
 */
export async function readRecords(path: string, each: (buffer: Buffer, from: number, to: number) => void): Promise<Ending> {
  const file = await open(path);
  try {
    let buffer = Buffer.allocUnsafe(chunkBytes);
    let kept = 0;
    let done = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, kept, buffer.length - kept, null);
      const end = kept + bytesRead;
      const { next, needs } = takeRecords(buffer.subarray(0, end), each);
      done += next;
      if (needs === 'corrupt' || needs > largestRecord) return { how: 'corrupt', bytes: done };
      kept = end - next;
      if (bytesRead === 0) return { how: kept === 0 ? 'whole' : 'cut', bytes: done };
      const target = needs > buffer.length ? Buffer.allocUnsafe(needs) : buffer;
      buffer.copy(target, 0, next, end);
      buffer = target;
    }
  } finally {
    await file.close();
  }
}

/** Gives all records that are whole. @returns where the next begins, and how many bytes it needs */
function takeRecords(
  buffer: Buffer,
  each: (buffer: Buffer, from: number, to: number) => void,
): { next: number; needs: number | 'corrupt' } {
  let next = 0;
  while (next + 12 <= buffer.length) {
    if (buffer.readUInt32LE(next + 8) !== maskedCrc32c(buffer, next, next + 8)) return { next, needs: 'corrupt' };
    const length = buffer.readUInt32LE(next) + buffer.readUInt32LE(next + 4) * 2 ** 32;
    const from = next + 12;
    const to = from + length;
    if (to + 4 > buffer.length) return { next, needs: length + 16 };
    if (buffer.readUInt32LE(to) !== maskedCrc32c(buffer, from, to)) return { next, needs: 'corrupt' };
    each(buffer, from, to);
    next = to + 4;
  }
  return { next, needs: 12 };
}
