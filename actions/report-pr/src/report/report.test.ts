import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { commentLimit } from '@slashtrain/core/github/comments';
import { fit } from '@slashtrain/core/markdown/fit';
import type { Verdict } from '@slashtrain/core/run/record';
import type { RunState } from '@slashtrain/core/run/state';
import { stateOf } from '../check.ts';
import type { Story } from '../story.ts';
import { gate, links, metric, stories, story } from './examples.ts';
import { headline } from './headline.ts';
import { repeatCommand } from './repeat.ts';
import { reportSections } from './report.ts';

const options = { charts: 'mermaid', command: '/train' } as const;
const report = (one: Story, earlier: Parameters<typeof reportSections>[1] = []): string =>
  fit(reportSections(one, earlier, links, options), commentLimit, 'characters').text.replaceAll('\u00a0', ' ');

describe('headline', () => {
  it.each([
    [
      'better',
      '✅ Better than the baseline',
      '`accuracy` is **0.961**, was 0.953: +0.008 (+0.84 %). One run a side: part of it may be chance.',
    ],
    [
      'worse',
      '❌ Worse than the baseline',
      '`accuracy` is **0.812**, was 0.953: −0.141 (−15 %). One run a side: part of it may be chance.',
    ],
    ['no-baseline', '⚪ Nothing to compare with', '`accuracy` is **0.961**.'],
    ['missing', '⚠️ A gated metric was not measured', ''],
    [
      'seeds',
      '✅ Better than the baseline',
      '`accuracy` is **0.9612**, was 0.952: +0.0092 (+0.97 %). Hardly chance (5 runs a side, p = 0.0079).',
    ],
    [
      'inconclusive',
      '⚠️ No clear difference',
      '`accuracy` is **0.954**, was 0.952: +0.002 (+0.21 %). That may well be chance (5 runs a side, p = 0.48).',
    ],
    ['failed', '❌ The training failed after 1 min 30 s: out-of-memory', ''],
    ['running', '⏳ Training, 42 % done', ''],
    ['queued', '⏳ Waiting to start: no-gpu', ''],
  ])('of %s', (name, words, why) => {
    const said = headline(stories[name]!);
    expect([`${said.sign} ${said.words}`, said.why]).toEqual([words, why]);
  });

  const equal = [metric('accuracy', 0.9)];
  it.each<[string, Partial<Story>, string]>([
    ['equal', { candidate: equal, baseline: { description: '', sha: '', metrics: equal } }, '✅ As good as the baseline'],
    ['a little worse', { candidate: [metric('accuracy', 0.95), metric('loss', 0.15)] }, '✅ A little worse, within the limits'],
    ['both', { candidate: [metric('accuracy', 0.95), metric('loss', 0.1)] }, '✅ Better and worse, within the limits'],
    ['absolute gates', { candidate: equal, baseline: { description: '', sha: '', metrics: [] } }, '✅ Passes'],
    ['no gates', { gates: [] }, '✅ Trained'],
    ['a limit that was missed, but better', { verdict: 'fail', gates: [gate('accuracy', 'fail', '')] }, '❌ Does not pass'],
    ['NaN', { verdict: 'fail', gates: [gate('accuracy', 'fail', '')], candidate: [metric('accuracy', Number.NaN)] }, '❌ Does not pass'],
    ['an error', { verdict: 'error' }, '⚠️ Could not be judged'],
    ['nothing measured', { verdict: 'missing', candidate: [] }, '⚠️ Nothing was measured'],
    ['cancelled', { state: 'cancelled' }, '⚪ The training was cancelled after 1 min 30 s'],
    ['deleted', { state: 'deleted' }, '❌ The run was deleted before it ended'],
    ['suspended', { state: 'suspended' }, '⏳ Suspended'],
    ['unknown', { state: 'unknown' }, '⚠️ Nothing can be said about the training'],
  ])('of %s', (_, change, words) => {
    const said = headline(story(change));
    expect(`${said.sign} ${said.words}`).toBe(words);
  });

  it('says where nobody judged', () => {
    const { verdict: _, ...rest } = story();
    expect(headline(rest).words).toBe('Trained, and not judged');
  });
});

describe('the check', () => {
  it.each<[RunState, Verdict | undefined, Story['noBaseline'], unknown]>([
    ['succeeded', 'pass', 'pass', { conclusion: 'success' }],
    ['succeeded', 'fail', 'pass', { conclusion: 'failure' }],
    ['succeeded', 'missing', 'pass', { conclusion: 'failure' }],
    ['succeeded', 'error', 'pass', { conclusion: 'failure' }],
    ['succeeded', 'inconclusive', 'pass', { conclusion: 'failure' }],
    ['succeeded', 'no-baseline', 'pass', { conclusion: 'success' }],
    ['succeeded', 'no-baseline', 'fail', { conclusion: 'failure' }],
    ['succeeded', undefined, 'pass', { conclusion: 'failure' }],
    // Whatever the metrics of a run that broke off say.
    ['failed', 'pass', 'pass', { conclusion: 'failure' }],
    ['deleted', 'pass', 'pass', { conclusion: 'failure' }],
    ['cancelled', 'pass', 'pass', { conclusion: 'cancelled' }],
    ['queued', undefined, 'pass', { status: 'queued' }],
    ['running', undefined, 'pass', { status: 'in_progress' }],
    ['unknown', undefined, 'pass', { status: 'in_progress' }],
  ])('of a %s run with verdict %s, where no baseline is a %s', (state, verdict, noBaseline, expected) => {
    expect(stateOf({ state, noBaseline, ...(verdict && { verdict }) })).toEqual(expected);
  });
});

describe('repeatCommand', () => {
  it.each([
    [[], '/train'],
    [[['epochs', '20']], '/train epochs=20'],
    [
      [
        ['name', 'a b'],
        ['x', ''],
      ],
      '/train name="a b" x=""',
    ],
    [[['q', 'say "hi"\\\n\t']], '/train q="say \\"hi\\"\\\\\\n\\t"'],
  ])('with %j is %s', (parameters, command) => {
    expect(
      repeatCommand(
        '/train',
        parameters.map(([name = '', value = '']) => ({ name, value })),
      ),
    ).toBe(command);
  });
});

describe('the report', () => {
  it('tells the verdict first, then the numbers, then the rest', () => {
    const text = report(stories['better']!);
    const places = ['### ✅ Better than the baseline', '| `accuracy` |', '```mermaid', 'About this run', '/train epochs=20'].map((piece) =>
      text.indexOf(piece),
    );
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it('of a failed run says what happened and what to do, shows the log, and judges nothing', () => {
    const text = report(stories['failed']!);
    expect(text).toContain('**What happened:** container train');
    expect(text).toContain('**What to do:** raise the memory limit');
    expect(text).toContain('````\nepoch 6 loss 0.31 accuracy 0.48\n');
    expect(text).not.toContain('Gate');
    expect(text).not.toContain('Baseline');
  });

  it.each([
    [
      'seeds',
      '| `accuracy` | **0.9612** ± 0.0035 (5) | 0.952 ± 0.0022 (5) | +0.0092 (+0.97 %) better<br><sub>p = 0.0079, 95 %: 0.004 to 0.014</sub> |',
    ],
    ['inconclusive', '| ~ +0.002 (+0.21 %)<br><sub>p = 0.48, 95 %: −0.004 to 0.007</sub> |'],
    ['trials', '<summary>40 runs, the 10 best by accuracy</summary>'],
    ['trials', '| Run | `lr` | `batch` | `accuracy` |'],
    ['trials', 'was 0.953: +0.0185 (+1.9 %). A test takes 4 runs a side, and there are 40 and 1: part of it may be chance.'],
    ['trials', '- parameter `epochs`: `10` → `20`\n- data version: `v3` → `v4`\n- package `torch`: not set → `2.9.1`'],
    ['trials', '- `on my laptop` (mlflow): it names no commit'],
    ['classes', '| `3` | 0 | 1 | 2 | **96** | 1 | 2 | 0 | 1 | 2 | 0 |'],
    ['classes', '| `3` | 0.93 | NaN |'],
    ['pipeline', ' · 1 of 3 tasks was taken from the cache: prepare'],
    ['pipeline', '| `prepare.data` (from the cache) | Dataset | `s3://pipelines/data` |  |'],
    ['pipeline', '| `evaluate.classes` | ClassificationMetrics |  | `train.model`, `prepare.data` |'],
  ])('of %s has its piece %#', (name, piece) => {
    expect(report(stories[name]!)).toContain(piece);
  });

  it('tells where a model came from', () => {
    const outputs = [{ name: 'model-uri', value: 's3://models/digits/7' }];
    expect(report(story({}, { result: { outputs }, record: { dataVersion: 'v3' } }))).toContain(
      '| Model | `s3://models/digits/7` ← run `digits-pr42-1a2b3c4-9f8e7d6` ← data `v3` ← commit `1a2b3c4` |',
    );
  });

  it('puts the best trial first, and one without a number last', () => {
    const runs = [0.1, Number.NaN, 0.3].map((value, index) => ({
      id: `r${index}`,
      sha: story().sha,
      parameters: [],
      metrics: [metric('accuracy', value)],
    }));
    const table = report(story({ runs }));
    expect([...table.matchAll(/^\| `(r\d)`/gmu)].map(([, id]) => id)).toEqual(['r2', 'r0', 'r1']);
  });

  it('says once what a commit that does not pass broke, and by how much', () => {
    const text = report(stories['worse']!);
    expect(text.match(/−0\.141/gu)).toHaveLength(2);
    expect(text).toContain('- ❌ fail: `accuracy`: 0.812 is below the minimum of 0.9;');
  });

  it('says once that there is no baseline, and why', () => {
    const text = report(stories['no-baseline']!);
    expect(text).not.toContain('there is no baseline');
    expect(text).toContain('- no baseline: of 3 commits back from main');
  });

  it('tells on one line what it is compared with, what it took and cost', () => {
    expect(report(story({}, { record: { price: { perHour: 3, accelerator: 'a100', currency: 'EUR' } } }))).toContain(
      '\n\nCompared with &#35;\u200b41 at 9f8e7d6, merged as 0a1b2c3 · trained in 1 min 30 s · 0.2 GPU-hours · cost 0.61 EUR\n\n',
    );
    expect(report(stories['failed']!)).toContain('\n\n0.2 GPU-hours · cost 0.61\n\n');
  });

  it('of a run that goes on shows how far it is, promises the verdict, and links where it can be followed', () => {
    const text = report(stories['running']!);
    expect(text).toContain(
      '▓▓▓▓▓▓▓▓░░░░░░░░░░░░ Started at 2026-11-21 10:00 UTC. Follow it in [the check "train: digits"](<https://github.com/acme/digits/runs/99>).',
    );
    expect(text).toContain('The verdict comes here');
  });

  it('folds earlier commits into a table', () => {
    const earlier = ['fail', 'pass'].map((verdict, index) => ({
      name: `run-${index}`,
      record: {
        ...story().stored!.record,
        sha: String(index).repeat(40),
        verdict: verdict as Verdict,
        comparison: { gates: [gate('accuracy', verdict as Verdict, '0.8 | `x`')], noBaseline: 'pass' as const, notes: [] },
      },
    }));
    const text = report(stories['better']!, earlier);
    expect(text).toContain('<summary>2 earlier runs of this pull request</summary>');
    expect(text).toContain('| ❌ fail | `accuracy`: 0.8 &#124; &#96;x&#96; |');
  });

  it('fits, whatever there is: gated metrics and what changed most stay', () => {
    const many = Array.from({ length: 5000 }, (_, index) => metric(`slice/${'x'.repeat(60)}/${index}`, index, index + 1));
    const one = story({ candidate: [...many, ...story().candidate], notes: Array.from({ length: 500 }, () => 'n'.repeat(5000)) });
    const sections = reportSections(one, [], links, options);
    const { text, omitted } = fit(sections, commentLimit, 'characters');
    expect(text.length).toBeLessThanOrEqual(commentLimit);
    expect(omitted).toEqual(['more metrics']);
    expect(text).toContain('| `accuracy` |');
    expect((text.match(/^`{3,}/gmu) ?? []).length % 2).toBe(0);
  });

  it('keeps its structure whatever names, logs and messages say', () => {
    // Lines that begin a block, but for what stands within fences: hostile text must add none and take none away.
    const blocks = (text: string): string[] =>
      text
        .replace(/^(`{3,})[^`\n]*\n.*?\n\1$/gmsu, '# fence')
        .split('\n')
        .flatMap((line) => /^(#{1,6} |\||-|<(?!code>)|>|\d+[.)] |!\[)/u.exec(line)?.[0] ?? []);
    const make = (text: string, state: RunState): string =>
      report(
        story(
          {
            title: text,
            state,
            runs: [
              { id: text, name: `n${text}`, sha: text, parameters: [{ name: text, value: text }], metrics: [metric(`m${text}`, 1)] },
              { id: 'b', sha: text, parameters: [{ name: text, value: 'other' }], metrics: [], url: `x${text}` },
            ],
            differences: [{ what: 'package', name: text, candidate: text, baseline: text }],
            excluded: [{ id: text, source: text, reason: `r${text}` }],
            candidate: [metric(`m${text}`, 1, 2)],
            notes: [text],
          },
          {
            record: { state, actor: text, parameters: [{ name: `p${text}`, value: text }], dataVersion: text },
            result: { message: `x${text}`, remedy: `x${text}` },
          },
        ),
      );
    const expected = { failed: blocks(make('harmless', 'failed')), succeeded: blocks(make('harmless', 'succeeded')) };
    const pieces = fc.constantFrom(
      '|',
      '`',
      '```',
      '\n',
      '\n\n',
      '# ',
      '- ',
      '<',
      '>',
      '</details>',
      '<!--',
      '@octocat',
      '[x](y)',
      '![',
      'a',
      ' ',
      '\\',
      '1. ',
      '---',
      '\u2028',
    );
    fc.assert(
      fc.property(fc.string({ unit: pieces, maxLength: 30 }), (text) => {
        expect(blocks(make(text, 'failed'))).toEqual(expected.failed);
        expect(blocks(make(text, 'succeeded'))).toEqual(expected.succeeded);
      }),
    );
  });
});
