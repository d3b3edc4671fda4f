import { describe, expect, it } from '@jest/globals';
import { ActionError } from '@slashtrain/core/action/errors';
import type { CanaryEnd, CanaryProgress, Judgement, Serving } from '../types.ts';
import { judgeQueries, judgeValue } from './queries.ts';
import { readCanary, type CanaryQuery } from './read.ts';
import { afterJudgement, nextMove, type CanaryStep } from './steps.ts';
import { canaryWalk } from './walk.ts';

describe('readCanary', () => {
  it.each<[string, CanaryStep[]]>([
    ['100%', [{ share: 100, pause: 0 }]],
    ['10%, 50%, 100%', [{ share: 10, pause: 0 }, { share: 50, pause: 0 }, { share: 100, pause: 0 }]], // prettier-ignore
    ['10%:5m,50%:2h', [{ share: 10, pause: 300 }, { share: 50, pause: 7200 }]], // prettier-ignore
    ['- 10%:5m\n- 100%', [{ share: 10, pause: 300 }, { share: 100, pause: 0 }]], // prettier-ignore
    ['steps: [5%, 6%]', [{ share: 5, pause: 0 }, { share: 6, pause: 0 }]], // prettier-ignore
  ])('%j', (text, steps) => {
    expect(readCanary(text, 'x')).toEqual({ steps, queries: [] });
  });

  it('reads queries', () => {
    const text = [
      'steps: 10%:5m, 100%',
      'prometheus: http://prometheus:9090',
      'queries:',
      '  errors: { query: "errors{revision=\\"$(revision)\\"}", max: 0.01, max-increase: 10% }',
      '  hits: { query: a, stable-query: b, min: 1, max-decrease: 3 }',
    ].join('\n');
    expect(readCanary(text, 'x')).toMatchObject({
      prometheus: 'http://prometheus:9090',
      queries: [
        { name: 'errors', query: 'errors{revision="$(revision)"}', max: 0.01, maxIncrease: { share: 0.1 } },
        { name: 'hits', query: 'a', stableQuery: 'b', min: 1, maxDecrease: { amount: 3 } },
      ],
    });
  });

  it.each([
    ['', '1:1: it is empty; allowed: a share'],
    ['fast', '1:1: the step "fast" is not allowed; allowed: a share with or without a pause, such as 10% or 10%:5m'],
    ['10, 50', 'the step "10" is not allowed'],
    ['10%,', 'the step "" is not allowed'],
    ['0%, 100%', 'the step "0%" has a share of 0%; allowed: 1% to 100%'],
    ['10%, 101%', 'the step "101%" has a share of 101%'],
    ['50%, 10%', 'the step of 10% comes after 50%; allowed: more at each step'],
    ['- 10%\n- 10%', 'the step of 10% comes after 10%'],
    ['10%:5', 'the pause "5" is no duration; allowed: such as 90s'],
    ['- 10%:5 min', '1:3: the step "10%:5 min" is not allowed'],
    ['- 10', '1:3: item 1 is 10; allowed: a share'],
    ['queries: {}', '1:1: steps are needed'],
    ['steps: 100%\npause: 5m', '2:1: unknown key "pause" in the canary; allowed: steps, queries, prometheus'],
    ['steps: 100%\nqueries: [a]', '2:1: queries is a list; allowed: a map of names and queries'],
    ['steps: 100%\nqueries: { a: { max: 1 } }', '2:12: query is needed: a PromQL query'],
    ['steps: 100%\nqueries: { a: { query: up } }', 'the query "a" has no limit; allowed: min, max, max-increase, max-decrease'],
    ['steps: 100%\nqueries: { a: { query: up, max-increase: 1% } }', 'the query asks the same of both revisions'],
    ['steps: 100%\nqueries: { a: { query: up, max: "1" } }', 'max is "1"; allowed: a number'],
    ['steps: 100%\nqueries: { a: { query: up, stable-query: b, max-increase: -1 } }', 'max-increase is -1; allowed: a number from 0'],
  ])('refuses %j with its place', (text, words) => {
    expect(() => readCanary(text, 'input "canary"')).toThrow(words);
    expect(() => readCanary(text, 'input "canary"')).toThrow(/^input "canary":\d+:\d+: /u);
  });
});

describe('the next move', () => {
  const steps = [
    { share: 10, pause: 300 },
    { share: 100, pause: 0 },
  ];
  const at = (time: string): number => Date.parse(`2026-11-21T${time}Z`);
  const first: CanaryProgress = { step: 0, since: '2026-11-21T10:00:00.000Z' };
  it.each<[string, CanaryProgress | undefined, string, number, object]>([
    ['at the beginning', undefined, '10:00:00', 600, { do: 'reach', step: 0 }],
    ['in a pause', first, '10:01:00', 600, { do: 'wait', step: 0, seconds: 240 }],
    ['in a pause that is too long', first, '10:01:00', 200, { do: 'detach', step: 0, due: '2026-11-21T10:05:00.000Z' }],
    ['at the end of a pause', first, '10:05:00', 600, { do: 'judge', step: 0 }],
    ['long after it', first, '12:00:00', 600, { do: 'judge', step: 0 }],
    ['at a step without a pause', { ...first, step: 1 }, '10:00:00', 600, { do: 'judge', step: 1 }],
    ['after a clock that went ahead', first, '09:00:00', 600, { do: 'wait', step: 0, seconds: 300 }],
    ['at a step that there is not', { ...first, step: 7 }, '10:00:00', 600, { do: 'reach', step: 0 }],
    ['after a time that is none', { step: 0, since: 'x' }, '10:00:00', 600, { do: 'judge', step: 0 }],
  ])('%s', (_, progress, time, patience, move) => {
    expect(nextMove(steps, progress, at(time), patience)).toEqual(move);
  });

  it('after a judgement is the next step, at last everything', () => {
    expect([afterJudgement(steps, 0), afterJudgement(steps, 1)]).toEqual([{ do: 'reach', step: 1 }, { do: 'promote' }]);
  });
});

describe('a query', () => {
  const limits = (more: Partial<CanaryQuery>): CanaryQuery => ({ name: 'errors', query: 'q', ...more });
  it.each<[string, Partial<CanaryQuery>, number, number | undefined, 'pass' | 'fail', string]>([
    ['within its limits', { min: 0, max: 1 }, 0.5, undefined, 'pass', '0.5'],
    ['above', { max: 1 }, 1.5, undefined, 'fail', '1.5 is above 1'],
    ['below', { min: 1 }, 0.5, undefined, 'fail', '0.5 is below 1'],
    ['no number', { max: 1 }, Number.NaN, undefined, 'fail', 'NaN is no number that can be judged'],
    ['as allowed', { maxIncrease: { share: 0.1 } }, 11, 10, 'pass', '11 against 10 of the stable revision'],
    ['higher than allowed', { maxIncrease: { share: 0.1 } }, 11.1, 10, 'fail', '11.1 against 10 of the stable revision, allowed: 10% more'],
    ['much lower', { maxIncrease: { share: 0.1 } }, 1, 10, 'pass', '1 against 10'],
    ['lower than allowed', { maxDecrease: { amount: 2 } }, 7.9, 10, 'fail', '7.9 against 10 of the stable revision, allowed: 2 less'],
    ['more than nothing', { maxIncrease: { share: 5 } }, 0.1, 0, 'fail', 'allowed: 500% more'],
    ['without a stable one', { maxIncrease: { share: 0.1 } }, 5, undefined, 'pass', '5; there is no stable revision to compare with'],
    ['beside one that is no number', { maxIncrease: { share: 1 } }, 5, Number.NaN, 'fail', "the stable revision's value is NaN"],
  ])('%s', (_, more, value, stable, outcome, words) => {
    const judged = judgeValue(limits(more), value, stable);
    expect(judged.outcome).toBe(outcome);
    expect(judged.detail).toContain(words);
  });

  it('is asked about each revision, and fails where it gives nothing', async () => {
    const asked: string[] = [];
    const value = (query: string): Promise<number> => {
      asked.push(query);
      return query === 'none' ? Promise.reject(new ActionError('not-found', 'the query gives nothing')) : Promise.resolve(1);
    };
    const queries = [limits({ query: 'q{r="$(revision)"}', maxIncrease: { amount: 0 } }), limits({ name: 'none', query: 'none', max: 1 })];
    const checks = await judgeQueries(queries, { value }, { candidate: 'new-1', stable: 'old-1' }, new AbortController().signal);
    expect(asked.sort()).toEqual(['none', 'q{r="new-1"}', 'q{r="old-1"}']);
    expect(checks.map(({ outcome, detail }) => [outcome, detail])).toEqual([
      ['pass', '1 against 1 of the stable revision'],
      ['fail', 'the query gives nothing'],
    ]);
  });
});

describe('a canary', () => {
  const serving = (name: string): Serving => ({ how: 'url', url: `http://${name}` });
  interface World {
    end: CanaryEnd;
    did: string[];
    progress: CanaryProgress | undefined;
  }
  interface Options {
    /** The judgement that does not pass, counted from 1. */
    failing?: number;
    progress?: CanaryProgress;
    start?: number;
    patience?: number;
    errors?: number;
    how?: 'traffic' | 'replicas';
  }
  const begin = Date.parse('2026-11-21T10:00:00.000Z');
  async function walk(
    text: string,
    { failing = 0, progress, start = begin, patience = 3600, errors, how = 'traffic' }: Options = {},
  ): Promise<World> {
    const did: string[] = [];
    let [now, judged] = [start, 0];
    let written = progress;
    const end = await canaryWalk({
      canary: readCanary(text, 'x'),
      revisions: { candidate: 'new', stable: 'old' },
      ...(errors === undefined ? {} : { prometheus: { value: () => Promise.resolve(errors) } }),
      timing: {
        pause: (milliseconds) => {
          did.push(`pause ${milliseconds / 1000}`);
          now += milliseconds;
          return Promise.resolve();
        },
      },
      patience,
    })({
      traffic: {
        how,
        set: (share) => {
          did.push(`set ${share}`);
          return Promise.resolve({
            share: how === 'traffic' ? share : Math.ceil(share / 25) * 25,
            candidate: serving('new'),
            stable: serving('old'),
          });
        },
        promote: () => Promise.resolve(void did.push('promote')),
        back: () => Promise.resolve(void did.push('back')),
      },
      judge: (): Promise<Judgement> => {
        judged += 1;
        did.push('judge');
        const passed = judged !== failing;
        return Promise.resolve({ passed, checks: [{ name: 'smoke', outcome: passed ? 'pass' : 'fail', detail: '' }] });
      },
      save: (one) => {
        written = one;
        did.push(`save ${one.step}`);
        return Promise.resolve();
      },
      ...(progress ? { progress } : {}),
      signal: new AbortController().signal,
      now: () => now,
      say: (line) => (line.includes('pods') ? void did.push(line) : undefined),
    });
    return { end, did, progress: written };
  }

  it('goes over its steps and is promoted', async () => {
    const { end, did } = await walk('10%:5m, 100%');
    expect(end.end).toBe('promoted');
    expect(did).toEqual(['set 10', 'judge', 'save 0', 'pause 300', 'judge', 'set 100', 'judge', 'save 1', 'promote']);
  });

  it('is refused at its first step, and not taken back by itself', async () => {
    const { end, did } = await walk('10%:5m, 100%', { failing: 1 });
    expect(end).toMatchObject({ end: 'refused', step: 0, judgement: { passed: false } });
    expect(did).toEqual(['set 10', 'judge']);
  });

  it('is refused after a pause', async () => {
    const { end, did } = await walk('10%:5m, 100%', { failing: 2 });
    expect(end).toMatchObject({ end: 'refused', step: 0 });
    expect(did).toEqual(['set 10', 'judge', 'save 0', 'pause 300', 'judge']);
  });

  it('is refused by a query alone', async () => {
    const text = 'steps: 10%:5m, 100%\nqueries: { errors: { query: q, max: 0.01 } }';
    const { end } = await walk(text, { errors: 0.5 });
    expect(end).toMatchObject({ end: 'refused', step: 0, judgement: { passed: false } });
    expect(end.judgement.checks.at(-1)).toEqual({ name: 'errors', outcome: 'fail', detail: '0.5 is above 0.01' });
    expect((await walk(text, { errors: 0 })).end.end).toBe('promoted');
  });

  it('needs a Prometheus for queries', async () => {
    await expect(walk('steps: 100%\nqueries: { errors: { query: q, max: 1 } }')).rejects.toThrow('no Prometheus is named');
  });

  it('is left in a long pause, and another runner goes on', async () => {
    const first = await walk('10%:2h, 100%', { patience: 600 });
    expect(first.end).toMatchObject({ end: 'detached', step: 0, due: '2026-11-21T12:00:00.000Z' });
    const { progress } = first;
    // As it stands in the rollout's record.
    const kept = JSON.parse(JSON.stringify(progress)) as CanaryProgress;
    const early = await walk('10%:2h, 100%', { patience: 600, progress: kept, start: begin + 3600_000 });
    expect([early.end.end, early.did]).toEqual(['detached', []]);
    const later = await walk('10%:2h, 100%', { patience: 600, progress: kept, start: begin + 7200_000 });
    expect(later.end.end).toBe('promoted');
    expect(later.did).toEqual(['set 10', 'judge', 'set 100', 'judge', 'save 1', 'promote']);
  });

  it('says where pods stand for requests', async () => {
    const { did } = await walk('10%, 100%', { how: 'replicas' });
    expect(did[1]).toBe('step 1 of 2: the new revision has 25 % of the pods, since this target splits no requests (10 % were asked for)');
  });
});
