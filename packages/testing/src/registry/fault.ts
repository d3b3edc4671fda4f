import { Transform, type TransformCallback } from 'node:stream';

/**
 * What goes wrong with a request: another answer instead of ours; a connection that breaks at once (0) or after so
 * many bytes of the body (the request's where it sends one, else the answer's); or an answer with one bit turned.
 */
export type Fault = { status: number; headers?: Record<string, string>; body?: string } | { cutAfter: number } | { corrupt: true };

/** Passes so many bytes on, then calls `cut`. */
export function cuttingAfter(bytes: number, cut: () => void): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      const part = chunk.subarray(0, left);
      left -= part.length;
      this.push(part);
      if (left > 0) return done();
      // What was passed on must have left before the connection breaks.
      setImmediate(() => {
        cut();
        done(new Error('cut by a fault'));
      });
    },
  });
}

/** Turns one bit of the first byte. */
export function turningABit(): Transform {
  let isTurned = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      const copy = Buffer.from(chunk);
      if (!isTurned) copy[0] = (copy[0] ?? 0) ^ 1;
      isTurned = true;
      done(null, copy);
    },
  });
}
