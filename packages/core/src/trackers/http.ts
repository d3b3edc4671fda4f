import { ActionError, messageOf } from '../action/errors.ts';
import { following, nodeExchange, persistent, readBody, type HttpAnswer, type Patience } from '../registry/http.ts';
import { parsePythonJson } from '../metrics/lines.ts';

/** A server that answers with JSON. */
export interface JsonClient {
  /** @throws ActionError that names the tracker, what was asked and what it answered */
  get(path: string, query?: Iterable<[string, string]>): Promise<unknown>;
  /** A POST that only reads, hence may be sent again. */
  post(path: string, body: unknown): Promise<unknown>;
  /** A DELETE with a body; what is gone already is for the caller to know. */
  delete(path: string, body: unknown): Promise<unknown>;
  /** e.g. `https://mlflow.example.com` */
  readonly url: string;
}

export interface JsonClientOptions extends Patience {
  /** As people know it: `MLflow`. */
  tracker: string;
  /** @example `https://mlflow.example.com/base` */
  url: string;
  /** Where the URL came from, for errors: `MLFLOW_TRACKING_URI`. */
  from: string;
  headers?: Record<string, string>;
  /** What to set where it refuses us: `MLFLOW_TRACKING_TOKEN`. */
  credentials: string;
  environment?: NodeJS.ProcessEnv;
}

const cutTries = 3;
const largestAnswer = 256 * 1024 * 1024;

/**
 * Opens a tracker. 429, 5xx and lost connections are tried again, up to five times, as `Retry-After` says; what identifies us is
 * sent to that server alone.
 */
export function openJson(options: JsonClientOptions): JsonClient {
  const { tracker, headers = {}, environment = {}, signal } = options;
  const base = parseUrl(options);
  const exchange = following(persistent(nodeExchange(environment), options));
  const send = async (method: string, path: string, query: Iterable<[string, string]>, body?: unknown): Promise<unknown> => {
    const url = new URL(`${base.pathname.replace(/\/$/u, '')}${path}`, base);
    for (const [name, value] of query) url.searchParams.append(name, value);
    const what = `${method} ${url.origin}${url.pathname}`;
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const all = {
      accept: 'application/json',
      ...headers,
      ...(payload && { 'content-type': 'application/json', 'content-length': String(payload.length) }),
    };
    for (let attempt = 1; ; attempt++) {
      let answer: HttpAnswer | undefined;
      try {
        answer = await exchange({ method, url, headers: all, ...(payload && { body: payload }), signal });
        return parse(answer, await readBody(answer, largestAnswer), what, options);
      } catch (error) {
        if (error instanceof ActionError) throw error;
        // It broke off in the middle of an answer: what was asked for only reads, so it is asked again.
        if (answer !== undefined && attempt < cutTries && !signal?.aborted) continue;
        throw new ActionError('unreachable', `${tracker} did not answer ${what}: ${messageOf(error)}`, {
          remedy: `check ${options.from}, and that this runner can reach it`,
          cause: error,
        });
      }
    }
  };
  return {
    get: (path, query = []) => send('GET', path, query),
    post: (path, body) => send('POST', path, [], body),
    delete: (path, body) => send('DELETE', path, [], body),
    url: `${base.origin}${base.pathname.replace(/\/$/u, '')}`,
  };
}

function parseUrl({ tracker, url, from }: JsonClientOptions): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') || parsed.username !== '' || parsed.password !== '') {
    throw new ActionError('input', `${from} is no URL of ${tracker}; allowed: http(s)://host[:port][/path], without a name or password`);
  }
  return parsed;
}

function parse({ status, headers }: HttpAnswer, bytes: Buffer, what: string, { tracker, credentials }: JsonClientOptions): unknown {
  const text = bytes.toString('utf8');
  const isHtml = String(headers['content-type']).includes('html') || /^\s*<(!doctype|html)/iu.test(text);
  let data: unknown;
  let problem: unknown;
  try {
    data = parsePythonJson(text);
  } catch (error) {
    problem = error;
  }
  if (status === 401 || status === 403) {
    throw new ActionError('permission', `${tracker} answered ${what} with ${status}${wordsOf(data)}`, {
      remedy: `set ${credentials} for the step, with the right to read`,
    });
  }
  if (status < 200 || status >= 300) {
    throw new ActionError(status === 404 ? 'not-found' : 'unreachable', `${tracker} answered ${what} with ${status}${wordsOf(data)}`);
  }
  if (problem === undefined) return data;
  const words = isHtml
    ? 'a page (HTML), not JSON: it may be a sign-in page or a proxy'
    : `${bytes.length} bytes that are no JSON, or half of it`;
  throw new ActionError('unreachable', `${tracker} answered ${what} with ${words}`, { cause: problem });
}

/** A server's own words, where it has some. Hostile text. */
function wordsOf(data: unknown): string {
  if (typeof data !== 'object' || data === null) return '';
  const { message, error } = data as { message?: unknown; error?: unknown };
  const words = message ?? error;
  return typeof words === 'string' && words !== '' ? `: ${words.slice(0, 300)}` : '';
}

/**
 * A client whose answers may have any shape: what it breaks on is an answer that is not the documented one, and is told as that.
 * @param client whose methods give promises or async iterables
 */
export function understanding<T extends object>(tracker: string, url: string, client: T): T {
  const told = (error: unknown): unknown => {
    if (error instanceof ActionError || !(error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError))
      return error;
    return new ActionError('unreachable', `${url} does not answer as ${tracker} does: ${messageOf(error)}`, {
      remedy: `check that this is ${tracker}, and which version`,
      cause: error,
    });
  };
  const kept = async (given: Promise<unknown>): Promise<unknown> => {
    try {
      return await given;
    } catch (error) {
      throw told(error);
    }
  };
  async function* walked(given: AsyncIterable<unknown>): AsyncGenerator {
    try {
      yield* given;
    } catch (error) {
      throw told(error);
    }
  }
  const guarded = Object.entries(client).map(([name, value]: [string, unknown]) => {
    if (typeof value !== 'function') return [name, value] as const;
    const call = (...args: unknown[]): unknown => {
      const given = (value as (...all: unknown[]) => unknown).apply(client, args);
      if (given instanceof Promise) return kept(given);
      return typeof given === 'object' && given !== null && Symbol.asyncIterator in given ? walked(given as AsyncIterable<unknown>) : given;
    };
    return [name, call] as const;
  });
  return Object.fromEntries(guarded) as T;
}
