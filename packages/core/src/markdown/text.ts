// Moves the cursor or colours text: noise in markdown.
// eslint-disable-next-line no-control-regex -- they are what it looks for
const ansi = /\u001b\[[0-9;?]*[ -/]*[@-~]/gu;
// Controls, marks that turn the direction of text, line and paragraph separators, and the invisible tag characters:
// with them a name can look like another one.
// eslint-disable-next-line no-control-regex -- they are what it looks for
const hidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu;
const space = /[\t-\r\u0085\u2028\u2029]+/gu;

/** Hostile text on one line, without what cannot be seen: white space becomes a space, other hidden characters `�`. */
export function oneLine(text: string): string {
  return text.toWellFormed().replace(ansi, '').replace(space, ' ').replace(hidden, '�');
}

/** Hostile text with its line feeds and tabs, without what else cannot be seen. */
export function lines(text: string): string {
  return text
    .toWellFormed()
    .replace(ansi, '')
    .replace(/\r\n?|[\u0085\u2028\u2029]/gu, '\n')
    .replace(hidden, '�');
}

/** As {@link clip}, but of a long text both ends stay: names of slices differ at their ends. */
export function clipMiddle(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = text.slice(-Math.floor(limit / 2));
  return clip(text.slice(0, -end.length), limit - end.length) + (end.isWellFormed() ? end : end.slice(1));
}

/** At most `limit` characters, with `…` where something is missing. Never half a surrogate pair. */
export function clip(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const cut = text.slice(0, limit - 1);
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`;
}
