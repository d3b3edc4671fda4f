import { html, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';

/** Markup in which every value was escaped; it nests. */
export type Markup = HtmlEscapedString | Promise<HtmlEscapedString>;

/** Under this name Prettier leaves it alone: within a log every space counts. */
export const markup = html;
export { raw };

/** Markup of a list's items, or of what stands there instead of an empty list. */
export function each<T>(items: readonly T[], show: (item: T) => Markup, empty?: Markup): Markup[] {
  return items.length === 0 && empty !== undefined ? [empty] : items.map(show);
}

export const nothing: Markup = markup``;

/** A time of the store (ISO 8601) or of a run (milliseconds since 1970), for people. */
export function time(at: string | number | undefined): Markup {
  if (at === undefined) return nothing;
  const iso = new Date(at).toISOString();
  return markup`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

export function shortSha(sha: string): string {
  return sha.slice(0, 7);
}
