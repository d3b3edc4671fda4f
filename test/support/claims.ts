import { job } from '@slashtrain/core/kinds/job';
import { runLabels, type RunRecord } from '@slashtrain/core/run/record';
import type { Asker } from '@slashtrain/core/run/request';
import type { ClaimRequest } from '../../actions/submit-pipeline/src/claim.ts';

/** What is asked for. */
export interface Asked {
  namespace: string;
  /** The runs are called so, and by their attempt. */
  name: string;
  pullRequest: number;
  sha: string;
  /** The request's hash. */
  request: string;
  asker: Asker;
  again?: boolean;
  /** Milliseconds since 1970, asked when a record is made. */
  now?: () => number;
}

/** A claim of a Job of the digits. It is suspended, so that nothing runs and nothing ends by itself. */
export function claimOf({ namespace, name, pullRequest, sha, request, asker, again = false, now = Date.now }: Asked): ClaimRequest {
  const base = { repository: { id: 7, fullName: 'acme/digits' }, pullRequest, sha, pipeline: 'digits' };
  const nameFor = (attempt: number): string => `${name}-${attempt}`;
  return {
    namespace,
    kind: job,
    asker,
    again,
    nameFor,
    recordFor: (attempt): RunRecord => ({
      version: 1,
      ...base,
      tree: 'b'.repeat(40),
      request,
      asked: [asker],
      attempt,
      actor: 'ada',
      createdAt: new Date(now()).toISOString(),
      images: [],
      parameters: [],
      kind: { plural: 'jobs', group: 'batch' },
      state: 'queued',
    }),
    objectFor: (attempt) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: nameFor(attempt), namespace, labels: runLabels(base) },
      spec: suspendedJob,
    }),
  };
}

/** The spec of a Job that waits for ever. */
export const suspendedJob = {
  suspend: true,
  template: { spec: { restartPolicy: 'Never', containers: [{ name: 'train', image: 'digits' }] } },
};
