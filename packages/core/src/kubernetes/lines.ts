import { StringDecoder } from 'node:string_decoder';

/**
 * Splits a stream of bytes into lines, each with its line feed, one batch a chunk. The last line of all may lack it.
 * A line longer than `longest` characters is given out in pieces, so that no stream can fill the memory.
 */
export async function* splitLines(stream: AsyncIterable<Buffer>, longest = 64 * 1024 * 1024): AsyncGenerator<string[]> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const text = rest + decoder.write(chunk);
    const end = text.lastIndexOf('\n');
    rest = text.slice(end + 1);
    if (end >= 0) yield linesOf(text.slice(0, end + 1));
    if (rest.length > longest) {
      yield [rest];
      rest = '';
    }
  }
  rest += decoder.end();
  if (rest) yield [rest];
}

function linesOf(text: string): string[] {
  const lines: string[] = [];
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start) + 1;
    lines.push(text.slice(start, end));
    start = end;
  }
  return lines;
}
