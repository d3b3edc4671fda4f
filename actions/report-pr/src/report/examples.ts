import { formatValue } from '@slashtrain/core/metrics/format';
import type { GateOutcome, MetricRun, MetricSummary } from '@slashtrain/core/metrics/metrics';
import type { ShownGate } from '@slashtrain/core/metrics/rows';
import { summarise } from '@slashtrain/core/metrics/summary';
import type { RunRecord } from '@slashtrain/core/run/record';
import type { RunResult } from '@slashtrain/core/run/result';
import { rankSettings } from '@slashtrain/core/sweep/rank';
import type { RunSweep, Trial } from '@slashtrain/core/sweep/sweep';
import type { Earlier, Links, Story } from '../story.ts';

/*
 * Stories for the tests of this folder, and for looking at: what a report says in each case.
 */

const sha = '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d';

export const links: Links = { repository: 'https://github.com/acme/digits', workflow: 'https://github.com/acme/digits/actions/runs/17' };

/** A metric with a value for each step from 1. */
export function metric(name: string, ...values: number[]): MetricSummary {
  const summary = summarise({ name, points: values.map((value, index) => ({ step: index + 1, value })) });
  if (!summary) throw new Error(`${name} needs a value`);
  return summary;
}

/** A curve that rises to `end`. */
export function rising(name: string, end: number, steps = 20): MetricSummary {
  return metric(
    name,
    ...Array.from({ length: steps }, (_, step) => end - (end - 0.1) * Math.exp(-(step + 1) / 4) * (step + 1 < steps ? 1 : 0)),
  );
}

export function gate(name: string, outcome: GateOutcome, why: string, more: Partial<ShownGate['gate']> = {}): ShownGate {
  return { gate: { metric: name, direction: 'higher', 'max-regression': '1%', ...more }, outcome, why };
}

const run = 'jobs.batch/ml/digits-pr42-1a2b3c4-9f8e7d6@0f0c5a52-5d0e-4a52-8f5e-1f3f5a0c7d11';

const record: RunRecord = {
  version: 1,
  repository: { id: 7, fullName: 'acme/digits' },
  pullRequest: 42,
  sha,
  tree: sha,
  pipeline: 'digits',
  request: 'f'.repeat(64),
  asked: [{ id: 'comment:1234', runAttempt: 1 }],
  attempt: 1,
  actor: 'ada',
  createdAt: '2026-11-21T10:00:00.000Z',
  images: [`ghcr.io/acme/digits@sha256:${'c'.repeat(64)}`],
  parameters: [{ name: 'epochs', value: '20' }],
  kind: { plural: 'jobs', group: 'batch' },
  run,
  checkRunId: 99,
  state: 'succeeded',
};

const result: RunResult = {
  version: 1,
  run,
  sha,
  pipeline: 'digits',
  attempt: 1,
  state: 'succeeded',
  createdAt: record.createdAt,
  startedAt: '2026-11-21T10:00:12.000Z',
  endedAt: '2026-11-21T10:01:42.000Z',
  queueSeconds: 12,
  runSeconds: 90,
  pods: [],
  outputs: [],
  gpuHours: 0.2,
  cost: 0.61,
  logTail: [],
};

/** A story, with what is different about it. */
export function story(change: Partial<Story> = {}, changes: { record?: Partial<RunRecord>; result?: Partial<RunResult> } = {}): Story {
  const own = { ...record, ...changes.record };
  return {
    title: 'digits',
    pipeline: 'digits',
    sha,
    pullRequest: 42,
    state: 'succeeded',
    result: { ...result, ...changes.result },
    stored: { namespace: 'ml', name: 'digits-pr42-1a2b3c4-9f8e7d6', uid: 'u', resourceVersion: '1', record: own },
    verdict: 'pass',
    noBaseline: 'pass',
    gates: [
      gate('accuracy', 'pass', '0.961 against 0.953 of the baseline, +0.008 (+0.84 %) (single run)', { min: 0.9 }),
      gate('loss', 'pass', '0.12 against 0.15 of the baseline, −0.03 (−20 %) (single run)', {
        direction: 'lower',
        'max-regression': '25%',
      }),
    ],
    candidate: [rising('accuracy', 0.961), metric('loss', 0.9, 0.5, 0.3, 0.2, 0.12), metric('images/s', 5210)],
    baseline: {
      description: '#41 at 9f8e7d6, merged as 0a1b2c3',
      sha: '9'.repeat(40),
      metrics: [rising('accuracy', 0.953, 10), metric('loss', 0.9, 0.6, 0.4, 0.3, 0.15), metric('images/s', 5180)],
    },
    notes: [],
    ...change,
  };
}

/** What was trained before for the same pull request: one that did not pass, and one that broke off. */
export const earlierRuns: Earlier[] = [
  {
    name: 'digits-pr42-2b3c4d5-9f8e7d6',
    record: {
      ...record,
      sha: '2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e',
      createdAt: '2026-11-20T16:30:00.000Z',
      verdict: 'fail',
      comparison: {
        gates: [gate('accuracy', 'fail', '0.871 is below the minimum of 0.9', { min: 0.9 })],
        noBaseline: 'pass',
        notes: [],
      },
    },
  },
  {
    name: 'digits-pr42-3c4d5e6-9f8e7d6',
    record: {
      ...record,
      sha: '3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f',
      createdAt: '2026-11-20T15:00:00.000Z',
      state: 'failed',
      result: { ...result, state: 'failed', message: 'container train of pod digits-pr42-3c4d5e6-9f8e7d6-x7x2k exited with 1' },
    },
  },
];

/** A seed's or trial's run. */
function trial(index: number, values: Record<string, number>, parameters: Record<string, string> = {}): MetricRun {
  return {
    id: `run-${index}`,
    name: `seed ${index}`,
    source: 'mlflow',
    url: `https://mlflow.example.org/#/experiments/1/runs/run-${index}`,
    sha,
    parameters: Object.entries(parameters).map(([name, value]) => ({ name, value })),
    metrics: Object.entries(values).map(([name, value]) => metric(name, value)),
  };
}

const seeds = (values: readonly number[]): MetricRun[] =>
  values.map((accuracy, index) => trial(index + 1, { accuracy }, { seed: String(index + 1) }));

// What fetch-metrics' compareRuns makes of these samples.
const fiveSeeds = {
  baseline: { n: 5, mean: 0.952, deviation: 0.002236, values: [0.951, 0.953, 0.949, 0.955, 0.952] },
  better: {
    candidate: { n: 5, mean: 0.9612, deviation: 0.003493, values: [0.957, 0.961, 0.963, 0.959, 0.966] },
    change: { estimate: 0.009, low: 0.004, high: 0.014, p: 0.007937, confidence: 0.95, method: 'exact' as const },
  },
  noise: {
    candidate: { n: 5, mean: 0.954, deviation: 0.003873, values: [0.951, 0.957, 0.949, 0.955, 0.958] },
    change: { estimate: 0.002, low: -0.004, high: 0.007, p: 0.4762, confidence: 0.95, method: 'exact' as const },
  },
};

/** A sweep of a learning rate and a width: the one matters, the other hardly. The last three of 24 trials fail. */
function sweepStory(): Story {
  const sweep: RunSweep = {
    method: 'random',
    seed: 7,
    metric: 'accuracy',
    direction: 'higher',
    on: 'last',
    parameters: ['learning-rate', 'hidden', 'optimizer', 'schedule'],
    log: ['learning-rate'],
    trials: Array.from({ length: 24 }, (_, index) => [
      String(Number((0.001 * 500 ** (((index * 7) % 24) / 23)).toPrecision(4))),
      ['16', '32', '64'][index % 3] ?? '',
      index % 2 === 0 ? 'sgd' : 'adam',
      ['constant', 'cosine-with-warmup-500', 'cosine-with-warmup-1000', 'linear-decay'][(index * 5) % 4] ?? '',
    ]),
    maxTrials: 24,
    parallel: 4,
    maxFailed: 6,
    budget: { unit: 'gpu-hours', amount: 4, seconds: 3600 },
  };
  const trials = sweep.trials.map((values, index): Trial => {
    const [rate, hidden] = [Number(values[0]), Number(values[1])];
    const accuracy = 0.972 - 0.05 * (Math.log10(rate) - Math.log10(0.05)) ** 2 + hidden / 20_000 + ((index * 13) % 7) / 2000;
    const ended = (name: string, last: number): Trial['metrics'][number] => ({ name, last, min: last, max: last, mean: last, step: 10 });
    const failed = { reason: 'cuda-memory', message: 'container train exited with 1: CUDA out of memory. Tried to allocate 2.00 GiB' };
    const crashed = { reason: 'crash', message: 'container train exited with 1: ValueError: loss is NaN' };
    if (index >= 21) return { index, values, state: 'failed', ...(index === 23 ? crashed : failed), seconds: 40, metrics: [] };
    return { index, values, state: 'succeeded', seconds: 300, metrics: [ended('accuracy', accuracy), ended('loss', 1.1 - accuracy)] };
  });
  const ranked = rankSettings(trials, sweep);
  const best = ranked[0]?.mean ?? 0;
  return {
    ...story(
      {
        candidate: [rising('accuracy', best), rising('loss', 1.1 - best)],
        gates: [gate('accuracy', 'pass', `${formatValue(best)} against 0.953 of the baseline`, { min: 0.9 })],
        notes: [`this is the best of ${ranked.length} settings: what was chosen for its value is, run again, mostly a little worse`],
      },
      {
        record: { sweep, pipeline: 'digits-sweep' },
        result: { gpuHours: 1.83, runSeconds: 1700, message: '3 of 24 trials failed; at most 6 may' },
      },
    ),
    title: 'digits-sweep',
    pipeline: 'digits-sweep',
    trials,
  };
}

/** The same with seeds, and stopped by its budget; nothing judges it. */
function seededStory(): Story {
  const whole = sweepStory();
  const sweep: RunSweep = {
    ...whole.stored!.record.sweep!,
    method: 'grid',
    parameters: ['learning-rate', 'seed'],
    trials: [0.01, 0.03, 0.1, 0.3].flatMap((rate) => ['1', '2', '3'].map((seed) => [String(rate), seed])),
    budget: { unit: 'trial-hours', amount: 1, seconds: 900 },
  };
  delete sweep.seed;
  const message = 'stopped by its budget of 1 trial-hour, after 10 of 12 trials had ended';
  const { verdict: _, ...rest } = story(
    { gates: [], candidate: [rising('accuracy', 0.969)], notes: [] },
    { record: { sweep, pipeline: 'digits-sweep' }, result: { gpuHours: 0, message } },
  );
  const trials = sweep.trials.map((values, index): Trial => {
    if (index > 9) return { index, values, state: index === 10 ? 'stopped' : 'not-run', metrics: [] };
    const last = [0.94, 0.965, 0.968, 0.91][Math.floor(index / 3)]! + ((index * 5) % 3) / 1000;
    return {
      index,
      values,
      state: 'succeeded',
      seconds: 290,
      metrics: [{ name: 'accuracy', last, min: last, max: last, mean: last, step: 10 }],
    };
  });
  return { ...rest, verdict: 'pass', title: 'digits-sweep', pipeline: 'digits-sweep', trials };
}

const digits = Array.from({ length: 10 }, (_, digit) => String(digit));

/** One story a case that people meet. */
export const stories: Record<string, Story> = {
  better: story(),
  worse: story({
    verdict: 'fail',
    gates: [
      gate(
        'accuracy',
        'fail',
        '0.812 is below the minimum of 0.9; 0.812 against 0.953 of the baseline, −0.141 (−15 %), allowed: 1% worse (single run)',
        { min: 0.9 },
      ),
      gate('loss', 'pass', '', { direction: 'lower', 'max-regression': '25%' }),
    ],
    candidate: [rising('accuracy', 0.812), metric('loss', 0.9, 0.5, 0.3, 0.2, 0.12), metric('images/s', 5210)],
  }),
  'no-baseline': (() => {
    const { baseline: _, ...rest } = story({
      verdict: 'no-baseline',
      gates: [gate('accuracy', 'no-baseline', 'there is no baseline')],
      notes: ['no baseline: of 3 commits back from main at 1a2b3c4 none has a succeeded run with metrics'],
    });
    return rest;
  })(),
  missing: story({
    verdict: 'missing',
    gates: [gate('f1', 'missing', 'the run has no such metric; it has "accuracy", "loss", "images/s"'), gate('accuracy', 'pass', '')],
  }),
  seeds: story({
    gates: [gate('accuracy', 'pass', '0.9612 against 0.952 of the baseline')],
    runs: seeds(fiveSeeds.better.candidate.values),
    comparisons: [{ name: 'accuracy', baseline: fiveSeeds.baseline, ...fiveSeeds.better }],
    candidate: [metric('accuracy', 0.957)],
  }),
  inconclusive: story({
    verdict: 'inconclusive',
    gates: [gate('accuracy', 'inconclusive', 'between 0.004 worse and 0.007 better; allowed: 0.002 worse', { 'max-regression': '0.002' })],
    runs: seeds(fiveSeeds.noise.candidate.values),
    comparisons: [{ name: 'accuracy', baseline: fiveSeeds.baseline, ...fiveSeeds.noise }],
    candidate: [metric('accuracy', 0.951)],
  }),
  trials: story({
    gates: [
      gate('accuracy', 'pass', '0.9715 against 0.953 of the baseline, +0.0185 (+1.9 %) (means of 40 against 1 runs, too few for a test)'),
    ],
    comparisons: [
      {
        name: 'accuracy',
        candidate: { n: 40, mean: 0.9715, deviation: 0.01169, values: [] },
        baseline: { n: 1, mean: 0.953, values: [0.953] },
        change: { estimate: 0.0185, method: 'means' },
      },
    ],
    runs: Array.from({ length: 40 }, (_, index) =>
      trial(
        index,
        { accuracy: 0.952 + ((index * 7) % 40) / 1000, loss: 0.5 - ((index * 7) % 40) / 100 },
        { lr: String(0.001 * (index + 1)), batch: index % 2 ? '32' : '64', epochs: '20' },
      ),
    ),
    differences: [
      { what: 'parameter', name: 'epochs', candidate: '20', baseline: '10' },
      { what: 'data', name: '', candidate: 'v4', baseline: 'v3' },
      { what: 'package', name: 'torch', candidate: '2.9.1' },
    ],
    excluded: [
      { id: 'b7c1', name: 'on my laptop', source: 'mlflow', reason: 'it names no commit' },
      { id: 'c0de', source: 'mlflow', reason: 'it is of an earlier attempt, digits-pr42-1a2b3c4-9f8e7d6' },
    ],
  }),
  sweep: sweepStory(),
  'sweep with seeds': seededStory(),
  classes: story({
    runs: [
      {
        ...trial(1, { accuracy: 0.961 }),
        tables: [
          {
            kind: 'confusion',
            name: 'digits',
            columns: digits,
            rows: digits.map((label, row) => ({ label, values: digits.map((_, column) => (row === column ? 96 : (row + column) % 3)) })),
          },
          {
            kind: 'classes',
            name: 'precision and recall',
            columns: ['precision', 'recall'],
            rows: digits.map((label, row) => ({ label, values: [0.9 + row / 100, row === 3 ? Number.NaN : 0.99 - row / 100] })),
          },
        ],
      },
    ],
  }),
  pipeline: story(
    {},
    {
      record: { kind: { plural: 'runs', group: 'kfp' } },
      result: {
        message: '1 of 3 tasks was taken from the cache: prepare',
        artifacts: [
          { name: 'prepare.data', type: 'system.Dataset', uri: 's3://pipelines/data', from: [], cached: true },
          { name: 'train.model', type: 'system.Model', uri: 's3://pipelines/model|`x', from: ['prepare.data'] },
          { name: 'evaluate.classes', type: 'system.ClassificationMetrics', uri: '', from: ['train.model', 'prepare.data'] },
        ],
      },
    },
  ),
  'many metrics': story({
    candidate: [
      ...story().candidate,
      ...Array.from({ length: 300 }, (_, index) => rising(`slices/group ${index}/accuracy`, 0.8 + (index % 17) / 100)),
    ],
  }),
  hostile: story({
    title: '<img src=x onerror=alert(1)> @octocat',
    candidate: [metric('a|b`c`</td>', 0.1, 0.2), metric('', 1), metric('::error::x\n# y', Number.NaN), metric('x'.repeat(10_000), 5)],
    gates: [gate('a|b`c`</td>', 'pass', '</details> [x](javascript:alert(1)) ![y](https://evil.example/z.png)')],
    notes: ['@octocat fixes #1\n\n# heading', '<!-- slashtrain:report:digits -->'],
  }),
  failed: story(
    {
      state: 'failed',
      verdict: 'error',
      gates: [gate('accuracy', 'error', 'the run did not succeed')],
      candidate: [rising('accuracy', 0.5, 7)],
      notes: ['the run did not succeed, it is failed (out-of-memory)'],
    },
    {
      record: { state: 'failed' },
      result: {
        state: 'failed',
        reason: 'out-of-memory',
        message: 'container train of pod digits-pr42-1a2b3c4-9f8e7d6-x7x2k was killed: it used more than its memory limit of 2Gi',
        remedy: 'raise the memory limit in pipelines/train.yaml, or make the batches smaller',
        logTail: ['epoch 6 loss 0.31 accuracy 0.48', 'epoch 7 loss 0.29 accuracy 0.50', '::error::Killed', '```'],
      },
    },
  ),
  running: (() => {
    const { verdict: _, baseline: __, ...rest } = story({ state: 'running', gates: [], candidate: [] }, { record: { state: 'running' } });
    const { endedAt: ___, ...going } = { ...result, state: 'running' as const, gpuHours: 0 };
    return { ...rest, result: going, standing: { state: 'running', progress: 0.425, startedAt: '2026-11-21T10:00:12.000Z' } };
  })(),
  queued: (() => {
    const { verdict: _, baseline: __, ...rest } = story({ state: 'queued', gates: [], candidate: [] }, { record: { state: 'queued' } });
    const { startedAt: ___, endedAt: ____, runSeconds: _____, queueSeconds: ______, ...waiting } = result;
    return {
      ...rest,
      result: {
        ...waiting,
        gpuHours: 0,
        state: 'queued',
        reason: 'no-gpu',
        message: '0/3 nodes are available: 3 Insufficient nvidia.com/gpu.',
        remedy: 'wait, or ask for fewer GPUs',
      },
    };
  })(),
};
