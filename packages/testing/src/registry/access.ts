import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { errorReply, jsonReply, type Reply } from './reply.ts';

/** Who may do what. */
export interface AccessOptions {
  /** `basic` as a plain registry with htpasswd has it; `bearer` with a token server of our own at `/token`. */
  kind: 'basic' | 'bearer';
  users: Record<string, string>;
  /** Whether a user (undefined: nobody) may; without it every user may do everything, and nobody may do anything. */
  may?: (user: string | undefined, action: 'pull' | 'push' | 'delete', repository: string) => boolean;
  /** Users by the tokens that stand for them, as cloud registries give them to credential helpers. */
  identityTokens?: Record<string, string>;
  /** How long a token lives, in seconds; 300 without it. */
  tokenSeconds?: number;
}

/** The access rules of https://distribution.github.io/distribution/spec/auth/token/, with tokens that only we can make. */
export class Access {
  readonly #options: AccessOptions;
  readonly #key = randomBytes(32);
  /** Tokens made before are no good once this is raised. */
  #generation = 0;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Lets every token made so far expire. */
  expireTokens(): void {
    this.#generation++;
  }

  /** The answer to `GET /token`. */
  token(headers: IncomingHttpHeaders, url: URL): Reply {
    const user = this.#login(headers.authorization);
    if (headers.authorization !== undefined && user === undefined) return errorReply('UNAUTHORIZED', 'authentication required');
    return jsonReply(this.#grant(user, url.searchParams.getAll('scope')));
  }

  /** The answer to `POST /token`, which containerd and BuildKit ask first (https://distribution.github.io/distribution/spec/auth/oauth/). */
  oauthToken(form: URLSearchParams): Reply {
    const { users, identityTokens = {} } = this.#options;
    const of = (table: Record<string, string>, name: string | null): string | undefined =>
      name !== null && Object.hasOwn(table, name) ? table[name] : undefined;
    const name = form.get('username');
    const password = of(users, name);
    const isUser = form.get('grant_type') === 'password' && password !== undefined && form.get('password') === password;
    const user = form.get('grant_type') === 'refresh_token' ? of(identityTokens, form.get('refresh_token')) : isUser ? name : undefined;
    if (user === undefined || user === null) return errorReply('UNAUTHORIZED', 'authentication required');
    const { token, ...rest } = this.#grant(user, form.getAll('scope').join(' ').split(' '));
    return jsonReply({ access_token: token, ...rest });
  }

  #grant(user: string | undefined, scopes: readonly string[]): { token: string; expires_in: number } {
    const granted = scopes.flatMap((scope) => {
      const [type, repository = '', actions = ''] = scope.split(':');
      if (type !== 'repository') return [];
      return actions
        .split(',')
        .filter((action) => this.#may(user, action, repository))
        .map((action) => `${repository}:${action}`);
    });
    const seconds = this.#options.tokenSeconds ?? 300;
    const payload = Buffer.from(JSON.stringify({ granted, generation: this.#generation, until: Date.now() + seconds * 1000 })).toString(
      'base64url',
    );
    return { token: `${payload}.${this.#sign(payload)}`, expires_in: seconds };
  }

  /** The refusal of a request, or undefined where it may go on. */
  refusal(headers: IncomingHttpHeaders, needs?: { repository: string; action: 'pull' | 'push' | 'delete' }): Reply | undefined {
    const { kind } = this.#options;
    const denied = 'requested access to the resource is denied';
    if (kind === 'basic') {
      const user = this.#login(headers.authorization);
      if (user === undefined)
        return errorReply('UNAUTHORIZED', 'authentication required', { 'www-authenticate': 'Basic realm="registry"' });
      return !needs || this.#may(user, needs.action, needs.repository) ? undefined : errorReply('DENIED', denied);
    }
    const granted = headers.authorization?.startsWith('Bearer ') ? this.#read(headers.authorization.slice(7)) : undefined;
    if (granted && (!needs || granted.includes(`${needs.repository}:${needs.action}`))) return undefined;
    const scope = needs ? `,scope="repository:${needs.repository}:${needs.action === 'push' ? 'pull,push' : needs.action}"` : '';
    const realm = `Bearer realm="http://${headers.host ?? ''}/token",service="slashtrain"${scope}`;
    return granted
      ? errorReply('DENIED', denied, { 'www-authenticate': `${realm},error="insufficient_scope"` })
      : errorReply('UNAUTHORIZED', 'authentication required', { 'www-authenticate': realm });
  }

  #login(header: string | undefined): string | undefined {
    const [, encoded] = /^Basic (.+)$/u.exec(header ?? '') ?? [];
    if (encoded === undefined) return undefined;
    const text = Buffer.from(encoded, 'base64').toString('utf8');
    const user = text.slice(0, text.indexOf(':'));
    return Object.hasOwn(this.#options.users, user) && this.#options.users[user] === text.slice(user.length + 1) ? user : undefined;
  }

  #may(user: string | undefined, action: string, repository: string): boolean {
    if (action !== 'pull' && action !== 'push' && action !== 'delete') return false;
    return this.#options.may?.(user, action, repository) ?? user !== undefined;
  }

  #sign(payload: string): string {
    return createHmac('sha256', this.#key).update(payload).digest('base64url');
  }

  #read(token: string): string[] | undefined {
    const [payload = '', signature = ''] = token.split('.');
    const expected = Buffer.from(this.#sign(payload));
    const got = Buffer.from(signature);
    if (got.length !== expected.length || !timingSafeEqual(got, expected)) return undefined;
    const { granted, generation, until } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as {
      granted: string[];
      generation: number;
      until: number;
    };
    return generation === this.#generation && until > Date.now() ? granted : undefined;
  }
}
