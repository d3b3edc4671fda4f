import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { readConfig } from '../config/read.ts';
import type { KindRule } from '../config/types.ts';
import type { Status } from '../run/state.ts';
import type { Kind, KubernetesObject, PodSettings } from './kind.ts';
import { kindsOfRecords, kindsWith, knownKinds, ruleOf, unknownKind } from './registry.ts';
import { kindFromRule } from './rules.ts';

// What docs/kinds.md shows is what is tried.
const docs = readFileSync(new URL('../../../../docs/kinds.md', import.meta.url), 'utf8');
const [tekton, spark] = [...docs.matchAll(/```yaml\n(.*?)```/gsu)].map(([, text = '']) => readConfig(text, 'docs/kinds.md').kinds[0]) as [
  KindRule,
  KindRule,
];
const pipelineRun = kindFromRule(tekton);
const sparkApplication = kindFromRule(spark);
const time = '2026-11-21T15:05:07Z';

interface Case {
  what: string;
  status: object | undefined;
  expected: Status;
}

function run(kind: Kind, status: object | undefined, spec: object = {}): KubernetesObject {
  const { group, version, kind: name } = kind.resource;
  const object = { apiVersion: `${group}/${version}`, kind: name, metadata: { name: 'digits', uid: 'u-1' }, spec };
  return status ? { ...object, status } : object;
}

// https://github.com/tektoncd/pipeline/blob/main/pkg/apis/pipeline/v1/pipelinerun_types.go, "PipelineRunReason…": a condition
// "Succeeded" that is Unknown until the end.
const succeeded = (status: string, reason: string, more: object = {}): object => ({
  conditions: [{ type: 'Succeeded', status, reason, message: 'Tasks Completed: 1', lastTransitionTime: time }],
  startTime: time,
  ...more,
});
const message = 'Tasks Completed: 1';
const ended = { completionTime: time };
const pipelineRuns: Case[] = [
  { what: 'just made', status: undefined, expected: { state: 'queued' } },
  { what: 'seen by its controller', status: {}, expected: { state: 'queued' } },
  { what: 'Started', status: succeeded('Unknown', 'Started'), expected: { state: 'queued', message, startedAt: time } },
  { what: 'Running', status: succeeded('Unknown', 'Running'), expected: { state: 'running', message, startedAt: time } },
  { what: 'being cancelled', status: succeeded('Unknown', 'Cancelled'), expected: { state: 'running', message, startedAt: time } },
  { what: 'held', status: succeeded('Unknown', 'PipelineRunPending'), expected: { state: 'suspended', message } },
  {
    what: 'Succeeded',
    status: succeeded('True', 'Succeeded', ended),
    expected: { state: 'succeeded', progress: 1, message, startedAt: time, endedAt: time },
  },
  {
    what: 'Completed with skipped tasks',
    status: succeeded('True', 'Completed', ended),
    expected: { state: 'succeeded', progress: 1, message, startedAt: time, endedAt: time },
  },
  { what: 'Failed', status: succeeded('False', 'Failed', ended), expected: { state: 'failed', message, startedAt: time, endedAt: time } },
  {
    what: 'over its time',
    status: succeeded('False', 'PipelineRunTimeout', ended),
    expected: { state: 'failed', reason: 'deadline', message, startedAt: time, endedAt: time },
  },
  {
    what: 'Cancelled',
    status: succeeded('False', 'Cancelled', ended),
    expected: { state: 'cancelled', message, startedAt: time, endedAt: time },
  },
  {
    what: 'a condition of another type',
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
    expected: { state: 'unknown', message: 'no state of the rule for PipelineRun.tekton.dev holds' },
  },
];

// https://github.com/kubeflow/spark-operator/blob/v2.3.0/api/v1beta2/sparkapplication_types.go, "ApplicationState…"
const app = (state: string, more: object = {}): object => ({
  applicationState: { state },
  lastSubmissionAttemptTime: time,
  terminationTime: null,
  driverInfo: {},
  ...more,
});
const sparkApplications: Case[] = [
  { what: 'new', status: app(''), expected: { state: 'queued', startedAt: time } },
  ...['SUBMITTED', 'SUBMISSION_FAILED'].map((state): Case => ({
    what: state,
    status: app(state),
    expected: { state: 'queued', startedAt: time },
  })),
  ...['RUNNING', 'SUCCEEDING', 'FAILING', 'PENDING_RERUN', 'INVALIDATING'].map((state): Case => ({
    what: state,
    status: app(state),
    expected: { state: 'running', startedAt: time },
  })),
  {
    what: 'COMPLETED',
    status: app('COMPLETED', { terminationTime: time }),
    expected: { state: 'succeeded', progress: 1, startedAt: time, endedAt: time },
  },
  {
    what: 'FAILED',
    status: { ...app('FAILED', { terminationTime: time }), applicationState: { state: 'FAILED', errorMessage: 'driver container failed' } },
    expected: { state: 'failed', message: 'driver container failed', startedAt: time, endedAt: time },
  },
  {
    what: 'UNKNOWN',
    status: app('UNKNOWN'),
    expected: { state: 'unknown', message: 'no state of the rule for SparkApplication.sparkoperator.k8s.io holds' },
  },
];

describe('the state by a rule', () => {
  it.each(pipelineRuns)('of a PipelineRun is $expected.state: $what', ({ status, expected }) => {
    expect(pipelineRun.status(run(pipelineRun, status))).toEqual(expected);
  });
  it.each(sparkApplications)('of a SparkApplication is $expected.state: $what', ({ status, expected }) => {
    expect(sparkApplication.status(run(sparkApplication, status))).toEqual(expected);
  });
});

describe('what a rule puts into an object', () => {
  const settings: PodSettings = {
    labels: { 'slashtrain.dev/sha': 'abc' },
    ours: new Map([['SLASHTRAIN_RUN', 'digits']]),
    offered: new Map(),
    given: [],
    tags: {},
    secrets: [],
  };
  const sparkSpec = (): object => ({ arguments: ['--epochs=$(params.epochs)'], driver: { image: 'spark:4' }, executor: {} });

  it("goes to Tekton's own parameters, and to the steps", () => {
    const step = { name: 'train', image: 'old', script: 'echo $(params.epochs)' };
    const made = run(pipelineRun, undefined, {
      params: [{ name: 'epochs', value: '10' }],
      pipelineSpec: { tasks: [{ name: 't', taskSpec: { steps: [step] } }] },
    });
    pipelineRun.setParameters(made, new Map([['epochs', '20; rm -rf "$HOME"']]));
    pipelineRun.setPods?.(made, settings);
    pipelineRun.setDeadline(made, 3600);
    const [container] = pipelineRun.podTemplates(made)[0]?.template.spec?.containers ?? [];
    if (container) container.image = 'r/i@sha256:1';
    expect(made['spec']).toEqual({
      params: [{ name: 'epochs', value: '20; rm -rf "$HOME"' }],
      timeouts: { pipeline: '3600s' },
      pipelineSpec: {
        tasks: [
          {
            name: 't',
            taskSpec: {
              steps: [
                { ...step, image: 'r/i@sha256:1', env: expect.arrayContaining([{ name: 'SLASHTRAIN_RUN', value: 'digits' }]) as unknown },
              ],
            },
          },
        ],
      },
    });
    expect(() => pipelineRun.setParameters(made, new Map([['lr', '1']]))).toThrow('names "lr", which the PipelineRun does not have');
  });

  it('goes to driver, executor and arguments of Spark', () => {
    const made = run(sparkApplication, undefined, sparkSpec());
    sparkApplication.setParameters(made, new Map([['epochs', '20']]));
    sparkApplication.setPods?.(made, settings);
    sparkApplication.setDeadline(made, 600);
    sparkApplication.setTtl(made, 86_400);
    const containers = sparkApplication.podTemplates(made).flatMap(({ template }) => template.spec?.containers ?? []);
    expect(containers.map(({ name, image }) => [name, image])).toEqual([
      ['driver', 'spark:4'],
      ['executor', undefined],
    ]);
    expect(made['spec']).toMatchObject({
      arguments: ['--epochs=20'],
      driver: { template: { spec: { activeDeadlineSeconds: 600 } }, env: expect.arrayContaining([]) as unknown },
      timeToLiveSeconds: 86_400,
    });
    expect(made['spec']).not.toHaveProperty('driver.name');
  });

  it.each(['$(HOME)', '`id`'])('takes no %s where nobody knows what reads it', (value) => {
    const made = run(sparkApplication, undefined, sparkSpec());
    expect(() => sparkApplication.setParameters(made, new Map([['epochs', value]]))).toThrow('stands at $.spec.arguments');
  });

  it.each<[string, Partial<PodSettings>]>([
    ['accelerator', { nodeSelector: { gpu: 'a100' } }],
    ['service-account', { serviceAccount: 'trainer' }],
    ['priority-class', { priorityClass: 'high' }],
  ])('has no place for %s without pod templates, and says so', (input, more) => {
    const made = run(sparkApplication, undefined, sparkSpec());
    expect(() => sparkApplication.setPods?.(made, { ...settings, ...more })).toThrow(`input "${input}"`);
  });

  it('labels pod templates where the rule has no selector', () => {
    const { podSelector: _, ...rest } = spark;
    const kind = kindFromRule({ ...rest, podTemplates: ['$.spec.template'], containers: [], queue: 'pods' });
    const made = run(kind, undefined, { template: { spec: { containers: [{ name: 'main' }] } } });
    kind.finish?.(made);
    kind.setDeadline(made, 60);
    expect(made['spec']).toMatchObject({
      template: { metadata: { labels: { 'slashtrain.dev/run': 'digits' } }, spec: { activeDeadlineSeconds: 60 } },
    });
    expect(kind.podSelector(made)).toBe('slashtrain.dev/run=digits');
    expect(kind.kueue).toBe('pods');
  });

  it('finds pods, stops, and reads outputs as the rule says', () => {
    expect(pipelineRun.podSelector(run(pipelineRun, undefined))).toBe('tekton.dev/pipelineRun=digits');
    expect(pipelineRun.cancel).toEqual({ how: 'patch', patch: { spec: { status: 'CancelledRunFinally' } } });
    expect(sparkApplication.cancel).toEqual({ how: 'delete' });
    const results = [
      { name: 'accuracy', value: '0.93' },
      { name: 'files', value: ['a', 'b'] },
    ];
    expect(pipelineRun.outputs?.(run(pipelineRun, { results }))).toEqual([
      { name: 'accuracy', value: '0.93' },
      { name: 'files', value: '["a","b"]' },
    ]);
  });
});

describe('the kinds that are known', () => {
  it('are those of rules, too', async () => {
    const kinds = await kindsWith([tekton]);
    expect(kinds.find('tekton.dev/v1', 'PipelineRun')?.resource.plural).toBe('pipelineruns');
    expect(kinds.find('tekton.dev/v1beta1', 'PipelineRun')).toBeUndefined();
    expect(kinds.find('batch/v1', 'Job')).toBe(knownKinds.find('batch/v1', 'Job'));
    expect(kinds.ofReference('pipelineruns', 'tekton.dev')).toHaveLength(1);
    const found = kinds.find('tekton.dev/v1', 'PipelineRun');
    expect(found && ruleOf(found, [spark, tekton])).toBe(tekton);
    await expect(kindsWith([])).resolves.toBe(knownKinds);
  });

  it("come from the records' own rules, as JSON keeps them; of several the newest counts", async () => {
    const kept = (rule: KindRule, createdAt: string): Parameters<typeof kindsOfRecords>[0][number] => ({
      createdAt,
      kind: { plural: 'pipelineruns', group: 'tekton.dev', rule: JSON.parse(JSON.stringify(rule)) as KindRule },
    });
    const older = { ...tekton, podSelector: 'old={name}' };
    const kinds = await kindsOfRecords([kept(older, '2026-11-20T00:00:00Z'), kept(tekton, '2026-11-21T00:00:00Z')]);
    const [kind] = kinds.ofReference('pipelineruns', 'tekton.dev');
    expect(kind?.podSelector(run(pipelineRun, undefined))).toBe('tekton.dev/pipelineRun=digits');
    expect(kind?.status(run(pipelineRun, succeeded('True', 'Succeeded'))).state).toBe('succeeded');
  });

  it('are listed where a manifest has another', () => {
    const error = unknownKind('train.yaml:1:1', { apiVersion: 'tekton.dev/v1', kind: 'PipelineRun' }, knownKinds);
    expect(error.message).toBe('train.yaml:1:1: tekton.dev/v1 PipelineRun is not a kind of run that this action knows');
    expect(error.remedy).toMatch(/batch\/v1 Job, .*jobset\.x-k8s\.io\/v1alpha2 JobSet.*"kinds:" in \.github\/slashtrain\.yml/u);
  });
});

describe('a rule that is wrong', () => {
  const rule = (lines: string): string => `kinds:\n  - kind: A.example.com\n    version: v1\n    plural: as\n${lines}`;
  const states = '    states: [{ state: running, path: $.status.phase, equals: R }]\n';
  it.each([
    [
      'a path that is none',
      rule(`    pod-selector: a={name}\n    message: "$.status["\n${states}`),
      /:6:14: "\$\.status\[" is no JSONPath \(RFC 9535\): /u,
    ],
    [
      'a state path that is none',
      rule('    pod-selector: a={name}\n    states:\n      - { state: running, path: "$.a b", equals: R }\n'),
      /:7:33: "\$\.a b" is no JSONPath/u,
    ],
    [
      'a deadline at many places',
      rule(`    pod-selector: a={name}\n    deadline: { path: "$..timeout" }\n${states}`),
      /:6:23: "\$\.\.timeout" is no path of names; allowed: one such as \$\.spec\.timeouts\.pipeline/u,
    ],
    ['pods that cannot be found', rule(states), /:2:11: the rule needs "pod-selector"/u],
    [
      'queued pods without templates',
      rule(`    pod-selector: a={name}\n    queue: pods\n${states}`),
      /:6:12: "queue" is "pods", which needs "pod-templates"/u,
    ],
    [
      'a second rule',
      rule(`    pod-selector: a\n${states}`) + rule(`    pod-selector: b\n${states}`).slice(7),
      /:7:11: a second rule for A\.example\.com v1/u,
    ],
    [
      'a state that is none',
      rule('    pod-selector: a\n    states: [{ state: done, path: $.a, equals: b }]\n'),
      /:6:23: .*allowed: queued, running/u,
    ],
    ['a typo', rule(`    pod-selektor: a\n${states}`), /:5:5: unknown key "pod-selektor" .*did you mean "pod-selector"/u],
  ])('is refused at its place: %s', (_, text, words) => {
    expect(() => readConfig(text, '.github/slashtrain.yml')).toThrow(words);
  });
});
