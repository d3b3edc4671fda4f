import { ActionError, messageOf, type ErrorCode } from '../action/errors.ts';
import { acceptedPermissions, permissionFor } from './permissions.ts';

/** What octokit throws, by shape: an instance check would tie us to one copy of its class. */
interface RequestFailure extends Error {
  status: number;
  request: { method: string; url: string };
  response?: { headers: Record<string, string | undefined>; data: unknown };
}

function isRequestFailure(error: unknown): error is RequestFailure {
  return error instanceof Error && typeof (error as Partial<RequestFailure>).status === 'number';
}

/** GitHub's answer to a request that failed: its status and its words; undefined where there was no answer. */
export function answerOf(error: unknown): { status: number; message: string } | undefined {
  const failure = error instanceof ActionError ? error.cause : error;
  if (!isRequestFailure(failure) || failure.response === undefined) return undefined;
  const { data } = failure.response;
  const message = typeof data === 'object' && data !== null && 'message' in data ? String(data.message) : messageOf(failure);
  return { status: failure.status, message };
}

/** Whether GitHub answered 404. */
export function isNotFound(error: unknown): boolean {
  return answerOf(error)?.status === 404;
}

/** What a failed request means to the person who reads the log. `route` is octokit's template of it. */
export function toActionError(error: unknown, route: string): unknown {
  if (error instanceof ActionError || !isRequestFailure(error)) return error;
  const { method, url } = error.request;
  const request = `${method} ${url}`;
  const answer = answerOf(error);
  const fail = (code: ErrorCode, message: string, remedy?: string): ActionError =>
    new ActionError(code, message, { cause: error, ...(remedy === undefined ? {} : { remedy }) });
  if (answer === undefined) {
    return fail(
      'unreachable',
      `GitHub did not answer ${request}: ${messageOf(error)}`,
      'look at https://www.githubstatus.com and run the job again',
    );
  }
  const { status } = answer;
  const said = `GitHub answered ${status} to ${request}: ${messageOf(error)}`;
  if (status === 401) return fail('permission', said, 'the token is wrong or has expired: a GITHUB_TOKEN ends with its job');
  if (status === 429 || isRateLimit(error))
    return fail('unreachable', said, `its rate limit opens ${resetOf(error)}; run the job again then`);
  if (status === 403) return fail('permission', ...forbidden(error, said, method, route));
  if (status === 404) {
    const scope = permissionFor(method, route);
    return fail(
      'not-found',
      said,
      `check the name; without ${scope ? `"${scope}"` : 'the permission'} a private repository looks like this too`,
    );
  }
  if (status === 409) return fail('conflict', said);
  if (status === 400 || status === 413 || status === 422) return fail('input', said);
  return fail(status >= 500 ? 'unreachable' : 'internal', said);
}

function forbidden(error: RequestFailure, said: string, method: string, route: string): [string, string?] {
  if (!/^Resource not accessible by/u.test(answerOf(error)?.message ?? '')) return [said];
  const scopes = acceptedPermissions(error.response?.headers['x-accepted-github-permissions']) ?? permissionFor(method, route);
  if (scopes === undefined) return [said, 'the token lacks a permission; add it under permissions: in the job'];
  return [
    `missing permission "${scopes}" (${said})`,
    "add it under permissions: in the job; a fork's pull_request gets a read-only token whatever is written there",
  ];
}

function isRateLimit(error: RequestFailure): boolean {
  return error.response?.headers['x-ratelimit-remaining'] === '0' || /secondary rate limit|rate limit exceeded/iu.test(error.message);
}

function resetOf(error: RequestFailure): string {
  const { 'retry-after': after, 'x-ratelimit-reset': reset } = error.response?.headers ?? {};
  if (after) return `in ${after} s`;
  return reset && error.response?.headers['x-ratelimit-remaining'] === '0'
    ? `at ${new Date(Number(reset) * 1000).toISOString()}`
    : 'in about a minute';
}
