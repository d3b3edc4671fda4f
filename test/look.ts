import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { fit } from '@slashtrain/core/markdown/fit';
import { commentLimit } from '@slashtrain/core/github/comments';
import { startGitHub } from '@slashtrain/testing/github/github';
import { withPages } from '@slashtrain/testing/pages/pages';
import { earlierRuns, links, stories } from '../actions/report-pr/src/report/examples.ts';
import { reportSections } from '../actions/report-pr/src/report/report.ts';

/*
 * Pictures of every report that people meet, each as a comment on a page like GitHub's: light, dark, narrow, and with all
 * that is folded unfolded. For looking at; nothing compares them.
 *   node test/look.ts --into FOLDER [--chromium PROGRAM] [STORY...]
 */
const { values, positionals } = parseArgs({
  options: { into: { type: 'string' }, chromium: { type: 'string', default: 'chromium' } },
  allowPositionals: true,
});
if (values.into === undefined) throw new Error('--into is needed: the folder to write to');
const into = resolve(values.into);
mkdirSync(into, { recursive: true });

const looks = {
  light: { width: 1000, scheme: 'light', unfold: false },
  dark: { width: 1000, scheme: 'dark', unfold: false },
  narrow: { width: 390, scheme: 'light', unfold: false },
  open: { width: 1000, scheme: 'light', unfold: true },
} as const;

const unknown = positionals.filter((name) => !(name in stories));
if (unknown.length > 0) throw new Error(`no story is ${unknown.join(', ')}; there are ${Object.keys(stories).join(', ')}`);
const github = await startGitHub({ pages: withPages([]) });
const browser = await startBrowser(values.chromium);
try {
  const repository = github.createRepository({ owner: 'acme', name: 'digits', files: { 'train.py': '1' } });
  for (const [name, story] of Object.entries(stories)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const branch = name.replaceAll(' ', '-');
    repository.commit({ branch, files: { 'train.py': name }, message: 'Change the training' });
    const number = repository.openPullRequest({ head: branch, title: 'Change the training', author: 'ada', body: '' });
    const sections = reportSections(story, name === 'worse' ? earlierRuns : [], links, { charts: 'mermaid', command: '/train' });
    repository.comment(number, 'github-actions[bot]', fit(sections, commentLimit, 'characters').text);
    for (const [look, how] of Object.entries(looks)) {
      const file = join(into, `${branch}-${look}.png`);
      writeFileSync(file, await browser.picture(`${github.url}/acme/digits/pull/${number}`, how));
      console.log(file);
    }
  }
} finally {
  await browser.close();
  await github.close();
}

interface Browser {
  picture(url: string, how: { width: number; scheme: string; unfold: boolean }): Promise<Buffer>;
  close(): Promise<void>;
}

/** Chromium without a window, by its own protocol (https://chromedevtools.github.io/devtools-protocol/). */
async function startBrowser(program: string): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'slashtrain-look-'));
  const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic'];
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', ...quiet, `--user-data-dir=${profile}`, '--remote-debugging-port=0'];
  const child = spawn(program, [...flags, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  let address: string | undefined;
  for await (const line of createInterface({ input: child.stderr })) {
    address = /^DevTools listening on (ws:\/\/\S+)$/u.exec(line)?.[1];
    if (address !== undefined) break;
  }
  if (address === undefined) throw new Error(`${program} did not start`);
  child.stderr.resume();
  const targets = (await (await fetch(`http://${new URL(address).host}/json/list`)).json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? '');
  await new Promise((done, fail) => {
    socket.onopen = done;
    socket.onerror = () => fail(new Error(`${program} takes no orders`));
  });
  const open = new Map<number, (answer: { result?: unknown; error?: { message: string } }) => void>();
  socket.onmessage = ({ data }) => {
    const answer = JSON.parse(String(data)) as { id?: number; result?: unknown; error?: { message: string } };
    if (answer.id !== undefined) open.get(answer.id)?.(answer);
  };
  let last = 0;
  const ask = async <T>(method: string, params: object = {}): Promise<T> => {
    const id = ++last;
    const { result, error } = await new Promise<{ result?: unknown; error?: { message: string } }>((done) => {
      open.set(id, done);
      socket.send(JSON.stringify({ id, method, params }));
    });
    if (error) throw new Error(`${method}: ${error.message}`);
    return result as T;
  };
  const evaluate = async (expression: string): Promise<unknown> =>
    (await ask<{ result: { value?: unknown } }>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })).result.value;
  return {
    async picture(url, { width, scheme, unfold }) {
      const metrics = { width, height: 700, deviceScaleFactor: 1, mobile: width < 600 };
      await ask('Emulation.setDeviceMetricsOverride', metrics);
      await ask('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
      await ask('Page.navigate', { url });
      // A diagram's frame gets its height once it is drawn.
      await evaluate(`new Promise((done) => {
        const go = () => {
          for (const one of ${unfold} ? document.querySelectorAll('details') : []) one.open = true;
          const isDrawn = [...document.querySelectorAll('iframe.diagram')].every(({ style }) => style.height !== '');
          if (document.readyState === 'complete' && isDrawn) setTimeout(done, 100); else setTimeout(go, 50);
        };
        go();
      })`);
      // Frames below the window are not painted: the window becomes as high as the page.
      const { cssContentSize } = await ask<{ cssContentSize: { height: number } }>('Page.getLayoutMetrics');
      await ask('Emulation.setDeviceMetricsOverride', { ...metrics, height: Math.ceil(cssContentSize.height) });
      await evaluate('new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 200))');
      const { data } = await ask<{ data: string }>('Page.captureScreenshot');
      return Buffer.from(data, 'base64');
    },
    async close() {
      await ask('Browser.close');
      await ended;
      rmSync(profile, { recursive: true });
    },
  };
}
