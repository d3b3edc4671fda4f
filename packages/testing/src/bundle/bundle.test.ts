import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBundle, startBundle, type BundleRun } from './bundle.ts';
import { parseCommand, parseKeyValueFile } from './commands.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slashtrain-bundle-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An action of one line or two. */
function action(name: string, code: string): BundleRun {
  const place = join(folder, name);
  mkdirSync(join(place, 'dist'), { recursive: true });
  writeFileSync(
    join(place, 'action.yml'),
    `inputs: { token: { default: '\${{ github.token }}' }, kube-context: { default: one }, empty: {} }\nruns: { using: node24, main: dist/index.js }\n`,
  );
  writeFileSync(join(place, 'package.json'), '{"type":"module"}');
  writeFileSync(join(place, 'dist/index.js'), `import { appendFileSync } from 'node:fs';\n${code}`);
  return {
    action: place,
    github: { url: 'http://127.0.0.1:1', token: 'the-token', repository: { owner: 'o', name: 'r', id: 7 } },
    temp: mkdtempSync(join(folder, 'temp-')),
  };
}

describe('runBundle', () => {
  it('gives the child no variable of ours but PATH', async () => {
    process.env['KUBECONFIG'] = '/home/somebody/.kube/config';
    try {
      const result = await runBundle({ ...action('env', 'console.log(JSON.stringify(process.env))'), inputs: { empty: 'x y' } });
      const env = JSON.parse(result.stdout) as Record<string, string>;
      expect(env['KUBECONFIG']).toBeUndefined();
      expect(env).toMatchObject({ INPUT_TOKEN: 'the-token', 'INPUT_KUBE-CONTEXT': 'one', INPUT_EMPTY: 'x y', GITHUB_REPOSITORY_ID: '7' });
      expect(env['GITHUB_API_URL']).toBe('http://127.0.0.1:1/api/v3');
      expect(Object.keys(env).filter((name) => !/^(GITHUB|RUNNER|INPUT)_|^(PATH|HOME|CI)$/u.test(name))).toEqual([]);
      expect(result.shown).not.toContain('the-token');
    } finally {
      delete process.env['KUBECONFIG'];
    }
  });

  it('collects outputs, state, summary, masks and annotations as the runner does', async () => {
    const result = await runBundle(
      action(
        'files',
        `console.log('::add-mask::s3cret'); console.error('::warning title=a%2Cb::careful%0Anow'); console.log('it is s3cret');
         appendFileSync(process.env.GITHUB_OUTPUT, 'a=1\\n__proto__=x\\nb<<E\\none\\ntwo\\nE\\n');
         appendFileSync(process.env.GITHUB_STATE, 's=t\\n');
         appendFileSync(process.env.GITHUB_STEP_SUMMARY, '# hello');
         process.exitCode = 3;`,
      ),
    );
    expect(result).toMatchObject({ code: 3, conclusion: 'failure', summary: '# hello', masks: ['s3cret'] });
    expect(Object.entries(result.outputs)).toEqual([
      ['a', '1'],
      ['__proto__', 'x'],
      ['b', 'one\ntwo'],
    ]);
    expect({ ...result.state }).toEqual({ s: 't' });
    expect(result.annotations).toEqual([{ level: 'warning', message: 'careful\nnow' }]);
    expect(result.shown).toContain('it is ***');
  });

  it('fails a step whose output file the runner cannot read', async () => {
    const result = await runBundle(action('bad-file', `appendFileSync(process.env.GITHUB_OUTPUT, 'b<<E\\none\\n')`));
    expect(result).toMatchObject({ code: 0, conclusion: 'failure' });
    expect(result.annotations[0]?.message).toContain("Matching delimiter not found 'E'");
  });

  it('interrupts with SIGINT', async () => {
    const running = startBundle({
      ...action(
        'interrupt',
        `process.on('SIGINT', () => { console.log('bye'); process.exit(0); }); console.log('up'); setInterval(() => {}, 1e6);`,
      ),
      onLine: (line) => line === 'up' && running.interrupt(),
    });
    expect((await running.result).stdout).toBe('up\nbye\n');
  });

  it('says how to build what is missing', () => {
    expect(() => startBundle({ ...action('x', ''), action: 'nothing' })).toThrow('pnpm build nothing');
    expect(() => startBundle({ ...action('y', ''), inputs: { kubecontext: 'x' } })).toThrow(
      'has no input "kubecontext"; it has: token, kube-context, empty',
    );
  });
});

describe('parseCommand', () => {
  it.each([
    ['::error::x', 'error'],
    ['  ::Error file=a::x', 'error'],
    ['text ##[warning]x', 'warning'],
    ['text ::error::x', undefined],
    ['::nothing::x', undefined],
    [':: error::x', undefined],
  ])('%j is %p', (line, name) => {
    expect(parseCommand(line)?.name).toBe(name);
  });

  it('reads escapes in the right order', () => {
    expect(parseCommand('::error a=%252C%2C::%250A%0A')).toMatchObject({ properties: { a: '%2C,' }, data: '%0A\n' });
  });
});

describe('parseKeyValueFile', () => {
  it.each([
    ['a=b=c\r\n', { a: 'b=c' }],
    ['a<<=\nx\n=\n', { a: 'x' }],
    ['a<<E\nE\nb=', { a: '', b: '' }],
    ['a<<E\n\nx\n\nE', { a: '\nx\n' }],
  ])('%j', (text, pairs) => {
    expect({ ...parseKeyValueFile(text) }).toEqual(pairs);
  });

  it.each(['=x', '<<E', 'a<<', 'word'])('refuses %j', (text) => {
    expect(() => parseKeyValueFile(text)).toThrow('Invalid format');
  });
});
