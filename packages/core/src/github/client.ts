import { getOctokit } from '@actions/github';
import { retry } from '@octokit/plugin-retry';
import { throttling } from '@octokit/plugin-throttling';
import Bottleneck from 'bottleneck/light.js';
import { randomUUID } from 'node:crypto';
import type { Log } from '../action/log.ts';
import type { GitHubContext } from './context.ts';
import { toActionError } from './failures.ts';
import { wholeAnswers } from './whole.ts';

type Octokit = ReturnType<typeof getOctokit>;

/** One repository on one GitHub, as one token sees it. What fails is an ActionError that names the request. */
export interface GitHub {
  readonly rest: Octokit['rest'];
  readonly graphql: Octokit['graphql'];
  readonly paginate: Octokit['paginate'];
  /** `owner` and `repo`, to be spread into a request's parameters. */
  readonly at: { readonly owner: string; readonly repo: string };
  /** GitHub's numeric id: a name can change hands. */
  readonly repositoryId: number;
  /** e.g. `https://github.com` */
  readonly serverUrl: string;
  readonly log: Log;
}

export interface GitHubOptions {
  /** A GITHUB_TOKEN or an App's installation token. It is masked here. */
  token: string;
  context: Pick<GitHubContext, 'owner' | 'repo' | 'repositoryId' | 'apiUrl' | 'serverUrl'>;
  log: Log;
  /** From its abort on nothing is waited for or tried again: 5 seconds are left. */
  signal?: AbortSignal;
  /** The longest wait for a rate limit, in seconds. A token's hour may be longer than anybody wants to wait. */
  patience?: number;
  /** Milliseconds that count as a second of waiting. Tests make it short. */
  second?: number;
  /** The shortest time between two writes, in milliseconds; 0 for an action that writes a handful of times. */
  betweenWrites?: number;
}

/**
 * Opens GitHub's API.
 *
 * - Reads, and writes that may be sent twice (PATCH, PUT, DELETE), are tried again after 1, 4 and 9 seconds at 5xx, lost
 *   connections, answers that break off, and 30 seconds without one. A POST is not: its answer may have been lost after it was done.
 * - A rate limit (403 or 429 with `retry-after` or an exhausted `x-ratelimit-remaining`) is waited for, up to `patience`,
 *   since a refused request was not done
 *   (https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately).
 */
export function openGitHub(options: GitHubOptions): GitHub {
  const { token, context, log, signal, patience = 120, second = 1000, betweenWrites = 0 } = options;
  log.mask(token);
  const limited = (kind: string) => (retryAfter: number, request: object, _octokit: unknown, retryCount: number) => {
    const wait = retryAfter <= patience && retryCount < 3 && !signal?.aborted;
    log.warning(`GitHub's ${kind} is reached at ${nameOf(request)}; it opens in ${retryAfter} s${wait ? ', waiting' : ''}`);
    return wait;
  };
  const spacing = (): Bottleneck.Group => new Bottleneck.Group({ maxConcurrent: 1, minTime: betweenWrites });
  const octokit = getOctokit(
    token,
    {
      baseUrl: context.apiUrl,
      userAgent: 'slashtrain',
      log: { debug: log.debug, info: log.debug, warn: log.warning, error: log.debug },
      retry: { doNotRetry: [400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 451], retryAfterBaseValue: second },
      throttle: {
        id: randomUUID(),
        onRateLimit: limited('rate limit'),
        onSecondaryRateLimit: limited('secondary rate limit'),
        retryAfterBaseValue: second,
        fallbackSecondaryRateRetryAfter: 60,
        // One write after the other is enough for most, the plugin's 1 and 3 seconds between are not needed.
        write: spacing(),
        notifications: spacing(),
      },
    },
    wholeAnswers,
    throttling,
    retry,
  );
  octokit.hook.before('request', (request) => {
    const once = request.method === 'POST' && request.url !== '/graphql';
    if (once || signal?.aborted) request.request = { ...request.request, retries: 0 };
    // Comments, checks and statuses show what they are given.
    const given = Object.entries(request).filter(([name]) => !ownOptions.has(name));
    if (request.method !== 'GET') Object.assign(request, log.scrub?.(Object.fromEntries(given)));
  });
  // Registered last, hence outermost: it sees what is left after all attempts.
  octokit.hook.wrap('request', async (send, request) => {
    try {
      return await send(request);
    } catch (error) {
      throw toActionError(error, request.url);
    }
  });
  return {
    rest: octokit.rest,
    graphql: octokit.graphql,
    paginate: octokit.paginate,
    at: { owner: context.owner, repo: context.repo },
    repositoryId: context.repositoryId,
    serverUrl: context.serverUrl,
    log,
  };
}

/** What of a request's options is Octokit's own; the rest are the parameters of the endpoint. */
const ownOptions = new Set(['method', 'url', 'baseUrl', 'headers', 'request', 'mediaType']);

function nameOf(request: object): string {
  const { method, url } = request as { method: string; url: string };
  return `${method} ${url}`;
}
