import { markup, type Markup } from './markup.ts';

export interface Page {
  title: string;
  /** The way from the start: what is shown and where it leads. */
  path: readonly { name: string; to?: string }[];
  body: Markup;
  /** Something on it is still going on: it is loaded again every two seconds. */
  live?: boolean;
}

/** A whole page. */
export function layout({ title, path, body, live = false }: Page): Markup {
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        ${live ? markup`<meta http-equiv="refresh" content="2" />` : ''}
        <title>${title}</title>
        <link rel="icon" href="/-/icon.svg" />
        <link rel="stylesheet" href="/-/vendor/github-markdown.css" />
        <link rel="stylesheet" href="/-/page.css" />
        <script type="module" src="/-/page.js"></script>
      </head>
      <body>
        <header class="top">
          <nav aria-label="Where this is">
            ${path.map(({ name, to }) => (to === undefined ? markup`<span aria-current="page">${name}</span>` : markup`<a href="${to}">${name}</a><span class="slash" aria-hidden="true">/</span>`))}
          </nav>
          <p>A small GitHub on this machine. Nothing here has left it.</p>
        </header>
        <main>${body}</main>
      </body>
    </html>`;
}
