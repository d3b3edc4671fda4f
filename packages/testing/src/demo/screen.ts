import { stripVTControlCharacters, styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** A stream that may be a terminal. */
export type Output = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

/** Where the demo writes: a terminal, or a file that gets no colours and no line twice. */
export class Screen {
  readonly #stream: Output;
  readonly #isColoured: boolean;
  /** What stands on the last line and will be written over. */
  #draft = '';

  constructor(stream: Output, environment: NodeJS.ProcessEnv) {
    this.#stream = stream;
    // https://no-color.org
    this.#isColoured = stream.isTTY === true && !environment['NO_COLOR'];
  }

  style(style: Style, text: string): string {
    return this.#isColoured ? styleText(style, text, { validateStream: false }) : text;
  }

  line(text = ''): void {
    this.#erase();
    this.#stream.write(`${text}\n`);
  }

  /** Shows what goes on now, until the next line; nothing where lines cannot be written over. */
  draft(text: string): void {
    if (!this.#stream.isTTY) return;
    // A terminal that does not know its width says 0.
    const width = this.#stream.columns || 80;
    const cut = stripVTControlCharacters(text).slice(0, width - 1);
    if (cut === this.#draft) return;
    this.#erase();
    this.#draft = cut;
    this.#stream.write(this.style('dim', cut));
  }

  #erase(): void {
    if (this.#draft === '') return;
    this.#stream.write('\r\u001b[2K');
    this.#draft = '';
  }
}
