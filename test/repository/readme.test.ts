import { expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { renderMarkdown } from '@slashtrain/testing/pages/markdown';
import { readText, root } from './repository.ts';

/* What a stranger sees first: the README as a page, in a browser. */
const hasChromium = spawnSync('chromium', ['--version']).status === 0;

it('the README shows the picture of a report', () => {
  if (!hasChromium) return void process.stdout.write('skipped: the README in a browser; put chromium on PATH\n');
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-readme-'));
  try {
    const page = join(folder, 'readme.html');
    const tell = `addEventListener('load', () => {
      const seen = [...document.images].map(({ alt, naturalWidth, naturalHeight }) => [alt, naturalWidth, naturalHeight]);
      document.title = JSON.stringify([seen, [...document.querySelectorAll('h2')].map(({ textContent }) => textContent)]);
    })`;
    const head = `<!doctype html><base href="${pathToFileURL(root).href}/"><script>${tell}</script>`;
    writeFileSync(page, `${head}<body>${renderMarkdown(readText('README.md'))}</body>`);
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--allow-file-access-from-files',
      `--user-data-dir=${join(folder, 'profile')}`,
    ];
    const { stdout } = spawnSync('chromium', [...flags, '--dump-dom', pathToFileURL(page).href], { encoding: 'utf8', timeout: 60_000 });
    const [images, headings] = JSON.parse(/<title>(.*?)<\/title>/u.exec(stdout)?.[1]?.replaceAll('&amp;', '&') ?? '[]') as [
      unknown[],
      string[],
    ];
    expect(images).toEqual([['The report in a pull request', expect.any(Number), expect.any(Number)]]);
    for (const [, width, height] of images as [string, number, number][]) expect(Math.min(width, height)).toBeGreaterThan(600);
    expect(headings).toContain('Your first pipeline');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
