import type { components } from '@octokit/openapi-types';
import { repositoryUrl, type Urls } from '../http/api.ts';
import { fullName, type CheckAnnotation, type CheckRun, type CheckSuite, type RepositoryData, type Status } from '../store.ts';
import { nodeId, showAccount, showApp } from './account.ts';

type Schemas = components['schemas'];

export function showCheckRun(urls: Urls, repository: RepositoryData, run: CheckRun): Schemas['check-run'] {
  const url = `${repositoryUrl(urls, repository)}/check-runs/${run.id}`;
  const html = `${urls.server}/${fullName(repository)}`;
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId('CheckRun', run.id),
    head_sha: run.headSha,
    external_id: run.externalId,
    url,
    html_url: `${html}/runs/${run.id}`,
    // Where nothing is said: https://docs.github.com/rest/checks/runs#create-a-check-run
    details_url: run.detailsUrl || (run.app.slug === 'github-actions' ? `${html}/runs/${run.id}` : `${urls.server}/apps/${run.app.slug}`),
    status: run.status,
    conclusion: (run.conclusion ?? null) as Schemas['check-run']['conclusion'],
    started_at: run.startedAt ?? null,
    completed_at: run.completedAt ?? null,
    output: {
      title: run.output.title ?? null,
      summary: run.output.summary ?? null,
      text: run.output.text ?? null,
      annotations_count: run.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: run.suiteId },
    app: showApp(urls, run.app),
    pull_requests: [...repository.issues.values()]
      .filter((issue) => issue.state === 'open' && issue.pull?.head.sha === run.headSha && issue.pull.head.repositoryId === repository.id)
      .map(({ id, number, pull }) => ({
        id,
        number,
        url: `${repositoryUrl(urls, repository)}/pulls/${number}`,
        head: { ref: pull?.head.ref ?? '', sha: pull?.head.sha ?? '', repo: reference(urls, repository) },
        base: { ref: pull?.base.ref ?? '', sha: pull?.base.sha ?? '', repo: reference(urls, repository) },
      })),
  };
}

export function showAnnotation(
  urls: Urls,
  repository: RepositoryData,
  run: CheckRun,
  annotation: CheckAnnotation,
): Schemas['check-annotation'] {
  const { path, startLine, endLine, startColumn, endColumn, level, message, title, rawDetails } = annotation;
  return {
    path,
    start_line: startLine,
    end_line: endLine,
    start_column: startColumn ?? null,
    end_column: endColumn ?? null,
    annotation_level: level,
    title: title ?? null,
    message,
    raw_details: rawDetails ?? null,
    blob_href: `${urls.server}/${fullName(repository)}/blob/${run.headSha}/${path}`,
  };
}

function reference(urls: Urls, repository: RepositoryData): { id: number; url: string; name: string } {
  return { id: repository.id, url: repositoryUrl(urls, repository), name: repository.name };
}

/** Its state is made of its runs: unfinished while one is, failed when one is. */
export function showCheckSuite(urls: Urls, repository: RepositoryData, suite: CheckSuite): Partial<Schemas['check-suite']> {
  const runs = [...repository.checkRuns.values()].filter((run) => run.suiteId === suite.id);
  const done = runs.length > 0 && runs.every((run) => run.status === 'completed');
  const failed = runs.find((run) => run.conclusion !== 'success' && run.conclusion !== 'neutral' && run.conclusion !== 'skipped');
  return {
    id: suite.id,
    node_id: nodeId('CheckSuite', suite.id),
    head_sha: suite.headSha,
    status: done ? 'completed' : 'queued',
    conclusion: done ? (failed?.conclusion ?? 'success') : null,
    url: `${repositoryUrl(urls, repository)}/check-suites/${suite.id}`,
    app: showApp(urls, suite.app),
    latest_check_runs_count: runs.length,
  };
}

export function showStatus(urls: Urls, repository: RepositoryData, status: Status): Schemas['status'] {
  return {
    url: `${repositoryUrl(urls, repository)}/statuses/${status.sha}`,
    avatar_url: null,
    id: status.id,
    node_id: nodeId('StatusContext', status.id),
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    creator: showAccount(urls, status.creator),
  };
}
