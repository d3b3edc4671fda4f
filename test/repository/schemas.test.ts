import { describe, expect, it } from '@jest/globals';
import { Validator, type Schema } from '@cfworker/json-schema';
import type { RunResult } from '@slashtrain/core/run/result';
import { reasons, runStates } from '@slashtrain/core/run/state';
import ts from 'typescript';
import { files, readText } from './repository.ts';

/** A part of a published schema, the file and the interface it describes. */
const shapes: [schema: string, part: string, file: string, type: string][] = [
  ['result', '', 'run/result', 'RunResult'],
  ['result', 'pod', 'run/result', 'PodResult'],
  ['result', 'container', 'run/result', 'ContainerResult'],
  ['record', '', 'run/record', 'RunRecord'],
  ['run-metrics', '', 'metrics/metrics', 'RunMetrics'],
  ['metrics-file', '', 'metrics/metrics', 'MetricsFile'],
  ['metrics-file', 'run', 'metrics/metrics', 'MetricRun'],
  ['metrics-file', 'metric', 'metrics/metrics', 'MetricSummary'],
  ['metrics-file', 'gate', 'metrics/metrics', 'Gate'],
  ['metrics-file', 'place', 'metrics/metrics', 'GatePlace'],
  ['metrics-file', 'gateResult', 'metrics/metrics', 'GateResult'],
  ['metrics-file', 'table', 'metrics/metrics', 'ClassTable'],
  ['metrics-file', 'sample', 'metrics/metrics', 'Sample'],
  ['metrics-file', 'change', 'metrics/metrics', 'Change'],
  ['metrics-file', 'comparison', 'metrics/metrics', 'MetricComparison'],
  ['metrics-file', 'difference', 'metrics/metrics', 'Difference'],
  ['metrics-file', 'excluded', 'metrics/metrics', 'ExcludedRun'],
];

const readSchema = (name: string): Schema => JSON.parse(readText(`packages/core/schemas/${name}.schema.json`)) as Schema;

describe('the published schemas', () => {
  it.each(files().filter((file) => file.endsWith('.schema.json')))('%s is valid, described, and says where it is', (file) => {
    const schema = JSON.parse(readText(file)) as Schema;
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(schema.$id).toMatch(new RegExp(`/${file}$`, 'u'));
    expect(schema.title).toMatch(/^Slashtrain/u);
    expect(schema.description).toBeTruthy();
  });

  it.each(shapes)('%s %s has the fields of %s %s, required where they are not optional', (name, part, file, type) => {
    const schema = readSchema(name);
    const described = part === '' ? schema : schema.$defs?.[part];
    const members = membersOf(`packages/core/src/${file}.ts`, type);
    expect(Object.keys((described?.properties as Record<string, unknown> | undefined) ?? {}).sort()).toEqual(
      members.map((member) => member.name).sort(),
    );
    expect([...(described?.required ?? [])].sort()).toEqual(
      members
        .filter(({ optional }) => !optional)
        .map((member) => member.name)
        .sort(),
    );
  });

  it('list the states and reasons that there are', () => {
    expect(readSchema('result').properties).toMatchObject({ state: { enum: [...runStates] }, reason: { examples: [...reasons] } });
  });
});

/** The fields of an interface as they are written. */
function membersOf(file: string, type: string): { name: string; optional: boolean }[] {
  const source = ts.createSourceFile(file, readText(file), ts.ScriptTarget.Latest);
  const found = source.statements.find((statement) => ts.isInterfaceDeclaration(statement) && statement.name.text === type);
  if (!found || !ts.isInterfaceDeclaration(found)) throw new Error(`${file} has no interface ${type}`);
  return found.members.map((member) => ({
    name: member.name?.getText(source).replaceAll("'", '') ?? '',
    optional: ts.isPropertySignature(member) && member.questionToken !== undefined,
  }));
}

const sha = '0123456789abcdef0123456789abcdef01234567';
const failed: RunResult = {
  version: 1,
  run: 'jobs.batch/ml/digits-pr42-0123456-9f8e7d6@0f0c1d2e-0000-4000-8000-000000000000',
  sha,
  pipeline: 'default',
  attempt: 1,
  state: 'failed',
  reason: 'out-of-memory',
  message: 'container train of pod p used more memory than its limit and was killed (OOMKilled)',
  remedy: 'raise the limit',
  createdAt: '2026-11-21T11:36:07Z',
  startedAt: '2026-11-21T11:36:08Z',
  endedAt: '2026-11-21T11:36:12.5Z',
  queueSeconds: 1,
  runSeconds: 4.5,
  pods: [
    {
      name: 'p',
      uid: '0f0c1d2e-0000-4000-8000-000000000001',
      phase: 'Failed',
      node: 'localhost',
      startedAt: '2026-11-21T11:36:08Z',
      endedAt: '2026-11-21T11:36:12Z',
      gpus: 1,
      containers: [{ name: 'train', exitCode: 137, reason: 'OOMKilled', restarts: 0 }],
    },
  ],
  outputs: [{ name: 'model-uri', value: 's3://models/1' }],
  gpuHours: 0.00125,
  cost: 0.01,
  logTail: ['epoch 1/20'],
};
const queued: RunResult = {
  version: 1,
  run: '',
  sha,
  pipeline: 'digits',
  attempt: 2,
  state: 'queued',
  createdAt: '2026-11-21T11:36:07Z',
  pods: [{ name: 'p', uid: 'u', phase: 'Pending', gpus: 0, containers: [{ name: 'train', restarts: 0 }] }],
  outputs: [],
  gpuHours: 0,
  logTail: [],
};

describe('the schema of the result file', () => {
  const validator = new Validator(readSchema('result'), '2020-12', false);

  it.each([
    ['a failed run', failed],
    ['a queued run', queued],
    // Versions of actions meet in one record: what a later one writes is no reason to know nothing of the run.
    ['a reason of a later version', { ...failed, reason: 'thermal' }],
    ['a field of a later version', { ...failed, spot: true, pods: [{ ...failed.pods[0], zone: 'a' }] }],
  ])('takes %s', (_, result) => {
    expect(validator.validate(result)).toEqual({ valid: true, errors: [] });
  });

  it.each([
    ['a state that is none', { ...failed, state: 'complete' }],
    ['a reason that is no word', { ...failed, reason: '](https://x) **' }],
    ['a short SHA', { ...failed, sha: '0123456' }],
    ['no pods', { ...failed, pods: undefined }],
    ['a time that is none', { ...failed, createdAt: 'yesterday' }],
    ['another version', { ...failed, version: 2 }],
  ])('refuses %s', (_, result) => {
    expect(validator.validate(JSON.parse(JSON.stringify(result))).valid).toBe(false);
  });
});
