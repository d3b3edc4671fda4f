import type { getOctokit } from '@actions/github';

type Octokit = ReturnType<typeof getOctokit>;

/** GitHub itself gives up after 10 s (https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#timeouts). */
const patienceMilliseconds = 30_000;

/**
 * A plugin for octokit, to be the first of all, so that the others see what it throws and try again. Octokit takes a body that breaks
 * off for an empty one with the answer's status, hence for "nothing there"
 * (https://github.com/octokit/request.js/blob/v10.0.7/src/fetch-wrapper.ts, getResponseData), and waits 5 minutes for an answer that
 * does not come. Both are lost answers here: an error without a response.
 */
export function wholeAnswers(octokit: Pick<Octokit, 'hook'>): Record<string, never> {
  /** The caller's own signal by request, since a request that is tried again keeps what was set at first. */
  const own = new WeakMap<object, AbortSignal | undefined>();
  octokit.hook.wrap('request', async (send, options) => {
    if (!own.has(options)) own.set(options, (options.request as { signal?: AbortSignal } | undefined)?.signal);
    const late = AbortSignal.timeout(patienceMilliseconds);
    const given = own.get(options);
    // In place: what is passed to `send` reaches only the innermost hook, which is not this one.
    options.request = { ...options.request, signal: given ? AbortSignal.any([given, late]) : late };
    const response = await Promise.resolve(send(options)).catch((error: unknown) => {
      throw asLimit(error);
    });
    if (isWhole(response)) return response;
    const words = late.aborted ? `no answer within ${patienceMilliseconds / 1000} s` : 'the answer broke off';
    throw Object.assign(new Error(words), { status: 502, request: options });
  });
  return {};
}

/**
 * Every 429 is a limit that is waited for; the throttling plugin knows one by GitHub's words for it alone, and a proxy has others
 * (https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately).
 */
function asLimit(error: unknown): unknown {
  if (error instanceof Error && (error as { status?: unknown }).status === 429 && !/\bsecondary rate\b/iu.test(error.message))
    error.message += ' (a secondary rate limit)';
  return error;
}

/** @param data undefined, an empty text or buffer, or a text where JSON was promised: what octokit makes of a body that broke off */
function isWhole({ status, headers, data }: { status: number; headers: Record<string, unknown>; data: unknown }): boolean {
  if (status === 204 || status === 205 || status === 304 || String(headers['content-length'] ?? '') === '0') return true;
  if (data === undefined || data === '') return false;
  if (data instanceof ArrayBuffer) return data.byteLength > 0;
  return typeof data !== 'string' || !String(headers['content-type']).includes('json');
}
