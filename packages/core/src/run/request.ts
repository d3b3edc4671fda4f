import { createHash } from 'node:crypto';

/** Everything that makes two requests for a run the same or different. */
export interface RequestParts {
  /** GitHub's numeric repository id: a name can change hands. */
  repositoryId: number;
  pullRequest?: number | undefined;
  pipeline: string;
  /** Full commit SHA. */
  sha: string;
  dataVersion?: string | undefined;
  /** As the user gave it, before anything is put into it. */
  manifest: string;
  parameters: ReadonlyMap<string, string>;
  /** The other inputs that change the object: env, queue, deadline, …; only those that were given. */
  inputs: ReadonlyMap<string, string>;
  /**
   * By container or name: the image's repository where its revision label is this SHA (a rebuild of the same commit
   * is the same request), else `repository@digest`.
   */
  images: ReadonlyMap<string, string>;
}

/** The request's identity: 64 hexadecimal digits (SHA-256). The order of maps does not matter. */
export function requestHash(parts: RequestParts): string {
  const sorted = (map: ReadonlyMap<string, string>): [string, string][] => [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const canonical = JSON.stringify([
    'slashtrain-request-1',
    parts.repositoryId,
    parts.pullRequest ?? null,
    parts.pipeline,
    parts.sha,
    parts.dataVersion ?? null,
    parts.manifest,
    sorted(parts.parameters),
    sorted(parts.inputs),
    sorted(parts.images),
  ]);
  return createHash('sha256').update(canonical).digest('hex');
}

/**
 * Who asked for a run: the comment, else the workflow run. All attempts of one workflow run are one asker.
 * `runAttempt` is `GITHUB_RUN_ATTEMPT` of the one who asks now.
 */
export interface Asker {
  /** `comment:<id>` or `workflow:<run id>`. */
  id: string;
  runAttempt: number;
}

export function askerOf(from: { commentId?: number | undefined; runId: number; runAttempt: number }): Asker {
  return { id: from.commentId === undefined ? `workflow:${from.runId}` : `comment:${from.commentId}`, runAttempt: from.runAttempt };
}
