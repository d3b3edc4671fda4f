/**
 * What kind of thing went wrong. Stable: workflows and tests may compare it.
 *
 * - `input`: an input of the action is missing or not allowed
 * - `config`: `.github/slashtrain.yml` is not valid
 * - `manifest`: the submitted manifest cannot be used
 * - `policy`: a rule of the configuration forbids it
 * - `permission`: a token or a person lacks a right
 * - `not-found`: something that was named does not exist
 * - `conflict`: something else stands where ours should be
 * - `mismatch`: two things that must belong to the same commit do not
 * - `unreachable`: a server did not answer, or not as such a server does
 * - `timeout`: it took longer than was allowed
 * - `build-failed`: a builder of images ended badly
 * - `run-failed`: the training itself ended badly
 * - `gate-failed`: the metrics did not pass
 * - `cancelled`: somebody cancelled
 * - `unsupported`: known, but not done by this version
 * - `internal`: a defect of ours
 */
export type ErrorCode =
  | 'input'
  | 'config'
  | 'manifest'
  | 'policy'
  | 'permission'
  | 'not-found'
  | 'conflict'
  | 'mismatch'
  | 'unreachable'
  | 'timeout'
  | 'build-failed'
  | 'run-failed'
  | 'gate-failed'
  | 'cancelled'
  | 'unsupported'
  | 'internal';

/** Extra facts of an {@link ActionError}. */
export interface ErrorDetails {
  /** What to do about it, as one sentence for the person who reads the log. */
  remedy?: string;
  cause?: unknown;
}

/**
 * An error that a person can act on: `message` says what is wrong and where, `remedy` what to do.
 * Everything else that is thrown counts as a defect of ours.
 */
export class ActionError extends Error {
  override readonly name = 'ActionError';
  readonly code: ErrorCode;
  readonly remedy: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.remedy = details.remedy;
  }
}

/** The message of anything that was thrown, an `Error` or not. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name;
  return String(thrown);
}

/**
 * One line for the log: message, remedy, and each cause that adds words of its own.
 * `missing permission "checks: write"; add it under permissions: in the job (caused by: …)`
 */
export function describe(thrown: unknown): string {
  let text = messageOf(thrown);
  if (thrown instanceof ActionError && thrown.remedy) text += `; ${thrown.remedy}`;
  const seen = new Set<unknown>([thrown]);
  let cause = thrown instanceof Error ? thrown.cause : undefined;
  while (cause !== undefined && !seen.has(cause)) {
    seen.add(cause);
    const words = messageOf(cause);
    if (!text.includes(words)) text += ` (caused by: ${words})`;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return text;
}
