import { ActionError } from '../action/errors.ts';
import type { Credentials } from './credentials.ts';
import { readBody, type Exchange } from './http.ts';

/** What a request needs: `pull`, or `pull` and `push`, on one repository. */
export interface Scope {
  repository: string;
  actions: readonly ('pull' | 'push' | 'delete')[];
}

/** One way in that a `WWW-Authenticate` header offers. */
export interface Challenge {
  /** lower case */
  scheme: string;
  parameters: Map<string, string>;
}

/** Reads a `WWW-Authenticate` header; several headers arrive joined by commas. https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1 */
export function parseChallenges(header: string | undefined): Challenge[] {
  const challenges: Challenge[] = [];
  for (const [, scheme, name, quoted, bare] of (header ?? '').matchAll(
    /([A-Za-z][\w-]*)(?=\s+[A-Za-z][\w-]*\s*=|\s*(?:,|$))(?!\s*=)|([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gu,
  )) {
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    else
      challenges.at(-1)?.parameters.set((name ?? '').toLowerCase(), quoted === undefined ? (bare ?? '') : quoted.replace(/\\(.)/gu, '$1'));
  }
  return challenges;
}

/** `repository:owner/image:pull,push` */
export function formatScope(scope: Scope): string {
  return `repository:${scope.repository}:${scope.actions.join(',')}`;
}

function covers(scopes: readonly Scope[], wanted: readonly Scope[]): boolean {
  return wanted.every(({ repository, actions }) =>
    scopes.some((scope) => scope.repository === repository && actions.every((action) => scope.actions.includes(action))),
  );
}

/** What {@link Authorizer} needs. */
export interface AuthorizerOptions {
  registry: string;
  address: URL;
  credentials: Credentials | undefined;
  exchange: Exchange;
  mask: (secret: string) => void;
  now?: () => number;
  signal?: AbortSignal | undefined;
}

/**
 * Makes the `Authorization` header of one registry: Basic, or a Bearer token of the token server that the registry
 * names, one for each set of scopes (https://distribution.github.io/distribution/spec/auth/token/). Tokens are
 * fetched before they expire, and again when the registry says 401.
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens = new Map<string, { scopes: readonly Scope[]; fetching: Promise<{ token: string; until: number }> }>();
  #challenge: Challenge | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    const { credentials, mask } = options;
    if (!credentials) return;
    if ('identityToken' in credentials) mask(credentials.identityToken);
    else if (credentials.password !== '') {
      mask(credentials.password);
      mask(basic(credentials.username, credentials.password));
    }
  }

  /** Whether anybody's credentials were found. */
  get isKnown(): boolean {
    return this.#options.credentials !== undefined;
  }

  /** The header for these scopes, or undefined as long as the registry has not asked for one. */
  async header(scopes: readonly Scope[]): Promise<string | undefined> {
    if (!this.#challenge) return undefined;
    if (this.#challenge.scheme === 'basic') {
      const { credentials } = this.#options;
      return credentials && 'password' in credentials ? `Basic ${basic(credentials.username, credentials.password)}` : undefined;
    }
    const key = scopes.map(formatScope).sort().join(' ');
    const now = this.#options.now ?? Date.now;
    // Who may push may pull: another token is another request to wait for.
    const found = [...this.#tokens.values()].find((one) => covers(one.scopes, scopes));
    const kept = found && (await found.fetching);
    if (kept && kept.until > now()) return `Bearer ${kept.token}`;
    // Nothing is awaited from the look until it is kept, so that requests at once share one token.
    const fetching = this.#fetchToken(this.#challenge, scopes);
    this.#tokens.set(key, { scopes, fetching });
    // A failed one is not kept: the next request asks anew.
    fetching.catch(() => this.#tokens.delete(key));
    return `Bearer ${(await fetching).token}`;
  }

  /**
   * Takes in a 401: what the registry asks for now, and that the token that was used is no good.
   * @param used the header that was refused; another request may have brought a better token meanwhile
   * @returns whether a new try makes sense
   */
  async challenged(header: string | undefined, used: string | undefined): Promise<boolean> {
    const offered = parseChallenges(header);
    const challenge = offered.find(({ scheme }) => scheme === 'bearer') ?? offered.find(({ scheme }) => scheme === 'basic');
    if (!challenge) return false;
    if (challenge.scheme === 'basic' && !(this.#options.credentials && 'password' in this.#options.credentials)) return false;
    this.#challenge = challenge;
    for (const [key, { fetching }] of used === undefined ? [] : [...this.#tokens]) {
      const kept = await fetching.catch(() => undefined);
      if (kept && `Bearer ${kept.token}` === used && this.#tokens.get(key)?.fetching === fetching) this.#tokens.delete(key);
    }
    return true;
  }

  async #fetchToken(challenge: Challenge, scopes: readonly Scope[]): Promise<{ token: string; until: number }> {
    const { registry, address, credentials, exchange, mask, now = Date.now, signal } = this.#options;
    const realm = challenge.parameters.get('realm') ?? '';
    const url = URL.canParse(realm) ? new URL(realm) : undefined;
    // The registry names the server that gets our password: never in clear text, unless the registry itself is local.
    if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && address.protocol === 'http:')))
      throw new ActionError(
        'unreachable',
        `the registry ${registry} sends logins to ${JSON.stringify(realm.slice(0, 200))}, which is no https address`,
      );
    const service = challenge.parameters.get('service');
    const wanted = scopes.map(formatScope);
    const fields = new URLSearchParams();
    if (service !== undefined) fields.set('service', service);
    const headers: Record<string, string> = { accept: 'application/json' };
    let body: Buffer | undefined;
    if (credentials && 'identityToken' in credentials) {
      // https://distribution.github.io/distribution/spec/auth/oauth/
      fields.set('grant_type', 'refresh_token');
      fields.set('client_id', 'slashtrain');
      fields.set('refresh_token', credentials.identityToken);
      fields.set('scope', wanted.join(' '));
      body = Buffer.from(fields.toString());
      headers['content-type'] = 'application/x-www-form-urlencoded';
      headers['content-length'] = String(body.length);
    } else {
      for (const scope of wanted) fields.append('scope', scope);
      for (const [name, value] of fields) url.searchParams.append(name, value);
      if (credentials) headers['authorization'] = `Basic ${basic(credentials.username, credentials.password)}`;
    }
    const asked = now();
    const answer = await exchange({ method: body ? 'POST' : 'GET', url, headers, ...(body ? { body } : {}), signal });
    const text = (await readBody(answer, 1024 * 1024)).toString('utf8');
    if (answer.status === 401 || answer.status === 403)
      throw new ActionError(
        'permission',
        `the token server ${url.host} of the registry ${registry} refused ${credentials ? 'the login' : 'to let anybody in'} for ${wanted.join(' and ')}`,
        {
          remedy: credentials ? 'check the user and the password, and that they have not expired' : loginRemedy(registry),
        },
      );
    if (answer.status !== 200)
      throw new ActionError('unreachable', `the token server ${url.host} of the registry ${registry} answered ${answer.status}`);
    const { token, access_token, expires_in } = parseToken(text);
    const value = token || access_token;
    if (typeof value !== 'string' || !/^[\x21-\x7e]+$/u.test(value))
      throw new ActionError('unreachable', `the token server ${url.host} of the registry ${registry} answered without a token`);
    mask(value);
    const seconds = typeof expires_in === 'number' && expires_in > 0 ? expires_in : 60;
    // Renewed when nine tenths of its time are over, so that it does not expire on the way.
    return { token: value, until: asked + seconds * 900 };
  }
}

/** What to do where a registry knows nobody of us. */
export function loginRemedy(registry: string): string {
  return registry === 'ghcr.io'
    ? 'pass "token" and give the job "packages: write", or log in before this step with docker/login-action'
    : 'log in before this step (docker/login-action), or give "username" and "password"';
}

function basic(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
}

function parseToken(text: string): { token?: unknown; access_token?: unknown; expires_in?: unknown } {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    // The text may hold the token: it is not quoted.
    return {};
  }
}
