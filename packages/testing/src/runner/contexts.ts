import { addressesOf } from '../bundle/environment.ts';
import type { WorkflowEvent } from '../github/events.ts';
import type { RunnerGitHub } from './github.ts';
import type { JobRun, WorkflowRun } from './result.ts';

/** The `github` context (https://docs.github.com/actions/reference/workflows-and-actions/contexts#github-context). */
export function githubContext(
  github: RunnerGitHub,
  run: WorkflowRun,
  event: WorkflowEvent,
  job?: { id: string; token: string; workspace: string },
): Record<string, unknown> {
  const { owner, name, id } = github.repository;
  const { server, api, graphql } = addressesOf(github.url);
  return {
    actor: run.actor,
    triggering_actor: run.triggeringActor ?? run.actor,
    api_url: api,
    graphql_url: graphql,
    server_url: server,
    base_ref: event.baseRef ?? '',
    head_ref: event.headRef ?? '',
    event: event.payload,
    event_name: event.name,
    ref: event.ref,
    ref_name: event.ref.replace(/^refs\/(heads|tags|pull)\//u, ''),
    ref_type: event.ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    repository: `${owner}/${name}`,
    repository_id: String(id),
    repository_owner: owner,
    run_attempt: String(run.attempt),
    run_id: String(run.id),
    run_number: String(run.number),
    sha: event.sha,
    workflow: run.workflow,
    workflow_ref: `${owner}/${name}/${run.file}@${event.ref}`,
    workflow_sha: event.sha,
    ...(job && { job: job.id, token: job.token, workspace: job.workspace }),
  };
}

/** The `needs` context: the jobs that are named, and no others. */
export function needsContext(needs: readonly JobRun[]): Record<string, unknown> {
  const context = Object.create(null) as Record<string, unknown>;
  for (const job of needs) context[job.id] = { result: job.conclusion, outputs: job.outputs };
  return context;
}
