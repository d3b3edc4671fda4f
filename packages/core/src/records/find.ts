import { ActionError } from '../action/errors.ts';
import type { GitHubContext } from '../github/context.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { parseReference } from '../run/reference.ts';
import type { RecordQuery, RecordStore, StoredRecord } from './store.ts';

/** The newest first: by creation, then by attempt. */
export function newestFirst(records: readonly StoredRecord[]): StoredRecord[] {
  return records.toSorted((a, b) => Date.parse(b.record.createdAt) - Date.parse(a.record.createdAt) || b.record.attempt - a.record.attempt);
}

/**
 * The record of a run reference.
 * @throws ActionError `not-found` that names server and context, `mismatch` where the name is another run's by now
 */
export async function recordOfRun(
  run: string,
  records: RecordStore,
  client: Pick<KubernetesClient, 'server' | 'context'>,
): Promise<StoredRecord> {
  const { namespace, name } = parseReference(run);
  const stored = await records.get(namespace, name);
  if (!stored) {
    throw new ActionError('not-found', `no record of the run ${run} on ${client.server} (context ${client.context})`, {
      remedy: 'check that kubeconfig and kube-context are those of submit-pipeline',
    });
  }
  if (stored.record.run !== run) {
    throw new ActionError('mismatch', `the run ${run} was replaced by another run: ${stored.record.run ?? 'one that is being made'}`);
  }
  return stored;
}

/**
 * The records that match, newest first, at least one.
 * @throws ActionError `not-found` that names what was asked, server and context
 */
export async function recordsFor(
  query: RecordQuery & { namespace: string },
  records: RecordStore,
  client: Pick<KubernetesClient, 'server' | 'context'>,
): Promise<[StoredRecord, ...StoredRecord[]]> {
  const { namespace, ...parts } = query;
  const [newest, ...others] = newestFirst(await records.find(namespace, parts));
  if (newest) return [newest, ...others];
  const of = [
    parts.pipeline === undefined ? '' : ` of pipeline "${parts.pipeline}"`,
    parts.pullRequest === undefined ? '' : ` for #${parts.pullRequest}`,
    parts.sha === undefined ? '' : ` at ${parts.sha}`,
  ].join('');
  throw new ActionError('not-found', `no run${of} in namespace "${namespace}" on ${client.server} (context ${client.context})`, {
    remedy: 'run submit-pipeline first, or pass its output "run"',
  });
}

/** What a step was told to work on; what it was not told is not compared. */
export interface Expected {
  sha?: string | undefined;
  pullRequest?: number | undefined;
  pipeline?: string | undefined;
}

/**
 * A run of another repository, commit, pull request or pipeline is refused: what it says would be told of the wrong one.
 * @throws ActionError `mismatch` with both
 */
export function checkIdentity({ name, record }: StoredRecord, expected: Expected, context: GitHubContext): void {
  const refuse = (theirs: string, ours: string): never => {
    throw new ActionError('mismatch', `the run ${name} ${theirs}, and ${ours}`, {
      remedy: 'pass run, sha, pr-number and pipeline from the same step',
    });
  };
  if (record.repository.id !== context.repositoryId) {
    refuse(`belongs to the repository ${record.repository.fullName}`, `this workflow to ${context.owner}/${context.repo}`);
  }
  if (expected.sha !== undefined && expected.sha !== record.sha) refuse(`trained ${record.sha}`, `input "sha" is ${expected.sha}`);
  if (expected.pullRequest !== undefined && expected.pullRequest !== record.pullRequest) {
    refuse(
      record.pullRequest === undefined ? 'belongs to no pull request' : `belongs to #${record.pullRequest}`,
      `input "pr-number" is ${expected.pullRequest}`,
    );
  }
  if (expected.pipeline !== undefined && expected.pipeline !== record.pipeline) {
    refuse(`belongs to the pipeline "${record.pipeline}"`, `input "pipeline" is "${expected.pipeline}"`);
  }
}
