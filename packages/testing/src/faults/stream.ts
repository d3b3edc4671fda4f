import { Transform, type TransformCallback } from 'node:stream';
import type { FaultName } from './fault.ts';

/** What a stream that is struck may do to its connection. */
export interface StreamHands {
  /** Resets the connection, once what was written has left. */
  reset(): void;
  /** Sends bytes that are no chunk. */
  garble(): void;
}

/** A 410 as the API server sends it within a watch (https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses). */
const expired = `${JSON.stringify({
  type: 'ERROR',
  object: {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'too old resource version',
    reason: 'Expired',
    code: 410,
  },
})}\n`;

/**
 * Passes a stream of lines on until `after` of them, then does what the fault is.
 * @param isWatch a watch's lines are events, which may be doubled or come late; a log's are not
 */
export function striking(fault: FaultName, after: number, isWatch: boolean, hands: StreamHands): Transform {
  let rest = '';
  let lines = 0;
  let isOver = false;
  let held: string | undefined;
  const act = (line: string): string => {
    switch (fault) {
      case 'half':
        isOver = true;
        setImmediate(hands.reset);
        return line.slice(0, Math.floor(line.length / 2));
      case 'stall':
        isOver = true;
        return '';
      case 'length':
        isOver = true;
        setImmediate(hands.garble);
        return line;
      case 'gone':
        isOver = true;
        setImmediate(hands.reset);
        return isWatch ? line + expired : line;
      case 'duplicate':
        return isWatch ? line + line : line;
      case 'reorder': {
        if (!isWatch || line.includes('"BOOKMARK"')) return line;
        // The older one once more after the newer: what a list from a lagging server looks like.
        const late = held === undefined ? '' : held;
        held = line;
        return line + late;
      }
      default:
        isOver = true;
        setImmediate(hands.reset);
        return line;
    }
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      if (isOver) return done();
      rest += chunk.toString('latin1');
      const whole = rest.split('\n');
      rest = whole.pop() ?? '';
      let passed = '';
      for (const text of whole) {
        if (isOver) break;
        lines += 1;
        passed += lines >= after ? act(`${text}\n`) : `${text}\n`;
      }
      done(null, Buffer.from(passed, 'latin1'));
    },
    flush(done: TransformCallback) {
      // A stream that stalls does not end either.
      if (isOver) return;
      done(null, Buffer.from(rest, 'latin1'));
    },
  });
}

/** Passes everything on in pieces, one each few milliseconds. */
export function dribbling(pieces: number, milliseconds: number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      const size = Math.max(1, Math.ceil(chunk.length / pieces));
      const next = (from: number): void => {
        if (from >= chunk.length) return done();
        this.push(chunk.subarray(from, from + size));
        setTimeout(next, milliseconds, from + size);
      };
      next(0);
    },
  });
}
