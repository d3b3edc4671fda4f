import { StringDecoder } from 'node:string_decoder';

/**
 * Splits a stream of bytes into lines, each with its line feed, one batch a chunk. The last line of all may lack it.
 * A line longer than `longest` characters is given out in pieces, so that no stream can fill the memory.
 */
export async function* splitLines(stream: AsyncIterable<Buffer>, longest = 64 * 1024 * 1024): AsyncGenerator<string[]> {
  const decoder = new StringDecoder('utf8');
  // What has no end yet, as it came: put together with every chunk, a line of 20 MB would be copied some hundred times.
  let rest: string[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const text = decoder.write(chunk);
    const end = text.lastIndexOf('\n') + 1;
    if (end > 0) {
      const lines = linesOf(text, end);
      if (length > 0) lines[0] = [...rest, lines[0]].join('');
      rest = [];
      length = 0;
      yield lines;
    }
    if (end < text.length) {
      rest.push(end > 0 ? text.slice(end) : text);
      length += text.length - end;
    }
    if (length > longest) {
      yield [rest.join('')];
      rest = [];
      length = 0;
    }
  }
  const last = rest.join('') + decoder.end();
  if (last) yield [last];
}

function linesOf(text: string, whole: number): string[] {
  const lines: string[] = [];
  for (let start = 0; start < whole;) {
    const end = text.indexOf('\n', start) + 1;
    lines.push(text.slice(start, end));
    start = end;
  }
  return lines;
}
