// What is shorter stands in many a text by chance: it would take words out of reports that are no secret.
const usual = 8;

/**
 * Takes secrets out of texts that leave this process other than by the log, which the runner masks: comments, checks, summaries and
 * outputs show what they are given. Also in the forms in which they are seen by accident or on purpose: base64 at any place of a longer
 * text, URL-encoded, as JSON, in hexadecimal digits and reversed.
 */
export class Scrubber {
  readonly #forms = new Set<string>();
  readonly #shortest: number;
  /** The longest first, so that no end of one is left standing. */
  #sorted: string[] = [];

  /** @param shortest characters of what is taken out; what is shorter stays */
  constructor(shortest = usual) {
    this.#shortest = shortest;
  }

  add(secret: string): void {
    const texts = [secret.trim(), ...secret.split(/\r?\n/u).map((line) => line.trim())];
    for (const text of texts) for (const form of text.length < this.#shortest ? [] : formsOf(text, this.#shortest)) this.#forms.add(form);
    this.#sorted = [...this.#forms].sort((a, b) => b.length - a.length);
  }

  clean(text: string): string {
    return this.#sorted.reduce((now, form) => (now.includes(form) ? now.replaceAll(form, '***') : now), text);
  }

  /** The same for all texts in a value of JSON. What holds none is given back as it is. */
  cleanAll<T>(value: T): T {
    if (this.#sorted.length === 0) return value;
    if (typeof value === 'string') return this.clean(value) as T;
    if (Array.isArray(value)) return value.map((one: unknown) => this.cleanAll(one)) as T;
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.cleanAll(one as unknown)])) as T;
  }
}

/** A text and what it is encoded as, each long enough to be told from others. */
export function formsOf(text: string, shortest = usual): string[] {
  const bytes = Buffer.from(text, 'utf8');
  // Within a longer text base64 begins at one of three places, and its ends depend on what stands beside it.
  const anywhere = [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/u, '');
    const cut = (bytes.length + shift) % 3 === 0 ? whole.length : whole.length - 1;
    return whole.slice(shift === 0 ? 0 : shift + 1, cut);
  });
  const forms = [
    text,
    bytes.toString('base64'),
    bytes.toString('base64url'),
    ...anywhere,
    ...anywhere.map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    encodeURIComponent(text.toWellFormed()),
    JSON.stringify(text).slice(1, -1),
    [...text].reverse().join(''),
  ];
  return [...new Set(forms)].filter((form) => form.length >= shortest);
}
