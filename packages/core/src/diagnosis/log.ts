import type { Reason } from '../run/state.ts';

/** What a program's last lines say about its end. */
export interface LogFinding {
  reason: Reason;
  /** The line that says it, and which rank where that is known. Hostile text. */
  message: string;
  remedy?: string;
  retryable?: boolean;
}

interface LogRule {
  reason: Reason;
  pattern: RegExp;
  remedy?: string;
  retryable?: boolean;
}

/** By weight: of several the first counts, since memory that ran out on one rank shows as a lost collective on the others. */
const rules: readonly LogRule[] = [
  // https://docs.nvidia.com/deploy/xid-errors: 48, 63, 64, 94, 95 memory, 74 NVLink, 79 fallen off the bus, 119, 120 its firmware.
  {
    reason: 'gpu-fault',
    pattern: /NVRM: Xid [^:]*\([^)]*\): (48|63|64|74|79|94|95|119|120)\b|uncorrectable ECC error|GPU has fallen off the bus/u,
  },
  {
    reason: 'cuda-memory',
    pattern:
      /(CUDA|HIP) out of memory|OutOfMemoryError|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|hipErrorOutOfMemory|RESOURCE_EXHAUSTED: (Out of memory|OOM)/u,
  },
  {
    reason: 'gpu-fault',
    pattern: /NVRM: Xid [^:]*\([^)]*\): (13|31|43)\b|CUDA error: an illegal memory access|device-side assert triggered/u,
    remedy:
      'look for an index out of range or a custom kernel that writes where it must not (CUDA_LAUNCH_BLOCKING=1 shows the line); this is likely the program, not the GPU',
    retryable: false,
  },
  {
    reason: 'nccl',
    pattern:
      /Watchdog caught collective operation timeout|NCCL error|unhandled (cuda|system) error|nccl(System|Internal|Remote|UnhandledCuda)Error|DistBackendError/u,
  },
];

/**
 * Reads the last lines of a training's log: GPU memory, collectives, GPU faults, else the exception that ended it.
 * @param lines without line ends; hostile text
 */
export function readLog(lines: readonly string[]): LogFinding | undefined {
  for (const { pattern, ...rule } of rules) {
    const index = lines.findIndex((line) => pattern.test(line));
    const line = lines[index];
    if (line === undefined) continue;
    const rank = (rule.reason === 'nccl' ? /\brank ?(\d{1,6})\b/iu.exec(line)?.[1] : undefined) ?? rankOf(line);
    return { ...rule, message: withRank(rank, withoutRank(line)) };
  }
  const exception = lastException(lines);
  return exception === undefined ? undefined : { reason: 'crash', message: exception };
}

function withRank(rank: string | undefined, text: string): string {
  return rank === undefined ? text : `rank ${rank} failed first: ${text}`;
}

/** The exception that ended a Python, JavaScript or Java program, as its own one line. */
function lastException(lines: readonly string[]): string | undefined {
  const plain = lines.map(withoutRank);
  const told = (index: number): string | undefined => (index < 0 ? undefined : withRank(rankOf(lines[index] ?? ''), plain[index] ?? ''));
  const python = plain.findLastIndex((line) => line.startsWith('Traceback (most recent call last):'));
  const named = /^[\p{L}_][\p{L}\p{N}_.]*(Error|Exception|Interrupt|Exit|Warning|Iteration)\b(:|$)/u;
  // Python writes the exception after the indented frames; a chained one has a traceback of its own.
  if (python >= 0)
    return told(plain.findIndex((line, index) => index > python && (named.test(line) || /^[\p{L}_][\p{L}\p{N}_.]*: /u.test(line))));
  // V8 and the JVM write the frames after it.
  const frame = plain.findIndex((line) => /^\s+at \S/u.test(line));
  return plain
    .slice(0, Math.max(0, frame))
    .findLast((line) => /^(Uncaught )?(Exception in thread .*|[\p{L}_][\p{L}\p{N}_.]*(Error|Exception)\b.*)/u.test(line));
}

function rankOf(line: string): string | undefined {
  return /^\[(?:rank|default)(\d{1,6})\]:/u.exec(line)?.[1];
}

/** torchrun and PyTorch put the rank before a line: `[rank3]: ` or `[rank3]:[E1121 …] `. */
function withoutRank(line: string): string {
  return line.replace(/^\[(?:rank|default)\d+\]: ?/u, '');
}
