/** Where in Python's text a line ends: what is open there goes on in the next line. */
export interface Place {
  /** The quotes of a text that is open, or nothing. */
  quote: string;
  /** Brackets that are open. */
  depth: number;
  /** Whether the line ends in a backslash. */
  isContinued: boolean;
}

export const start: Place = { quote: '', depth: 0, isContinued: false };

/** Whether a statement begins here: `%` is an operator elsewhere, and `!` stands in texts. */
export function isStatement({ quote, depth, isContinued }: Place): boolean {
  return quote === '' && depth === 0 && !isContinued;
}

/** Reads a line of Python as far as it takes to know what is open at its end. */
export function after(line: string, before: Place): Place {
  let { quote, depth } = before;
  let at = 0;
  while (at < line.length) {
    const char = line[at] ?? '';
    if (quote !== '') {
      if (char === '\\') at += 2;
      else if (line.startsWith(quote, at)) {
        at += quote.length;
        quote = '';
      } else at += 1;
      continue;
    }
    if (char === '#') return { quote, depth, isContinued: false };
    if (char === '"' || char === "'") {
      quote = line.startsWith(char.repeat(3), at) ? char.repeat(3) : char;
      at += quote.length;
      continue;
    }
    if ('([{'.includes(char)) depth += 1;
    if (')]}'.includes(char)) depth = Math.max(0, depth - 1);
    at += 1;
  }
  const isContinued = /(?:^|[^\\])(?:\\\\)*\\$/u.test(line);
  // A text in single quotes ends with its line.
  return { quote: quote.length === 1 && !isContinued ? '' : quote, depth, isContinued: isContinued && quote.length !== 3 };
}
