import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { splitLines } from './lines.ts';

async function collect(chunks: Buffer[], longest?: number): Promise<string[]> {
  const lines: string[] = [];
  async function* stream(): AsyncGenerator<Buffer> {
    yield* chunks;
  }
  for await (const batch of splitLines(stream(), longest)) lines.push(...batch);
  return lines;
}

describe('lines of a stream', () => {
  it('are whole wherever the chunks end, in the middle of a character too', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\n', 'é', '€', '😀', '\r') });
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat({ max: 7 })), async (whole, sizes) => {
        const bytes = Buffer.from(whole);
        const chunks: Buffer[] = [];
        let at = 0;
        for (const size of sizes) chunks.push(bytes.subarray(at, (at += size)));
        chunks.push(bytes.subarray(at));
        const lines = await collect(chunks);
        expect(lines.join('')).toBe(whole);
        expect(lines.slice(0, -1).every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1)).toBe(true);
      }),
    );
  });

  it('may be of 20 MB, with carriage returns alone in them', async () => {
    const progress = 'epoch 1: 50 %\r'.repeat(1_500_000);
    const bytes = Buffer.from(`first\n${progress}\nlast`);
    const chunks = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, index) =>
      bytes.subarray(index * 65_536, (index + 1) * 65_536),
    );
    const lines = await collect(chunks);
    expect(lines.length).toBe(3);
    expect(lines[1] === `${progress}\n`).toBe(true);
  });

  it('come in pieces where one is longer than allowed', async () => {
    expect(await collect([Buffer.from('aaaa'), Buffer.from('bbbb'), Buffer.from('c\nd')], 6)).toEqual(['aaaabbbb', 'c\n', 'd']);
  });
});
