import { describe, expect, it } from '@jest/globals';
import { acceptedPermissions, permissionFor } from './permissions.ts';

describe('permissionFor', () => {
  it.each([
    ['POST', '/repos/{owner}/{repo}/check-runs', 'checks: write'],
    ['GET', '/repos/{owner}/{repo}/commits/{ref}/check-runs', 'checks: read'],
    ['GET', '/repos/{owner}/{repo}/commits/{ref}/status', 'statuses: read'],
    ['POST', '/repos/{owner}/{repo}/statuses/{sha}', 'statuses: write'],
    ['GET', '/repos/{owner}/{repo}/commits/{commit_sha}/pulls', 'pull-requests: read'],
    ['GET', '/repos/{owner}/{repo}/commits', 'contents: read'],
    ['GET', '/repos/{owner}/{repo}/git/commits/{commit_sha}', 'contents: read'],
    ['GET', '/repos/{owner}/{repo}/contents/{path}', 'contents: read'],
    ['PUT', '/repos/{owner}/{repo}/contents/{path}', 'contents: write'],
    ['POST', '/repos/{owner}/{repo}/issues/{issue_number}/comments', 'pull-requests: write'],
    ['PATCH', '/repos/{owner}/{repo}/issues/comments/{comment_id}', 'pull-requests: write'],
    ['POST', '/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions', 'pull-requests: write'],
    ['POST', '/repos/{owner}/{repo}/issues', 'issues: write'],
    ['GET', '/repos/{owner}/{repo}/pulls/{pull_number}', 'pull-requests: read'],
    ['POST', '/repos/{owner}/{repo}/deployments/{deployment_id}/statuses', 'deployments: write'],
    ['GET', '/repos/{owner}/{repo}/deployments', 'deployments: read'],
    ['GET', '/repos/{owner}/{repo}/actions/runs/{run_id}', 'actions: read'],
    ['POST', '/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches', 'actions: write'],
    ['POST', '/repos/{owner}/{repo}/dispatches', 'contents: write'],
    ['GET', '/repos/{owner}/{repo}', undefined],
  ])('%s %s needs %s', (method, route, scope) => {
    expect(permissionFor(method, route)).toBe(scope);
  });
});

describe('acceptedPermissions', () => {
  it.each([
    ['checks=write', 'checks: write'],
    ['issues=write; pull_requests=write', 'issues: write" or "pull-requests: write'],
    ['contents=write,workflows=write', 'contents: write, workflows: write'],
    ['', undefined],
    [undefined, undefined],
  ])('%s', (header, scopes) => {
    expect(acceptedPermissions(header)).toBe(scopes);
  });
});
