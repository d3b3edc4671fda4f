import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openMlflow, type Mlflow, type RunSearch } from '@slashtrain/core/trackers/mlflow';
import type { TrackedRun } from '@slashtrain/core/trackers/tracked';
import { mlflowTarget, type MlflowTarget } from '../support/mlflow.ts';

/* The same cases on the fake and, where SLASHTRAIN_MLFLOW names a virtual environment, on a real server whose runs its own client logs. */

let target: MlflowTarget;
let mlflow: Mlflow;
let ids: string[];
const sha = '0123456789abcdef0123456789abcdef01234567';
const context = { 'mlflow.source.git.commit': sha, 'slashtrain.run': 'digits-pr1-0123456-9f8e7d6', 'slashtrain.pipeline': 'digits' };
const long = 6000;

beforeAll(async () => {
  target = await mlflowTarget();
  mlflow = openMlflow({ url: target.url, from: 'MLFLOW_TRACKING_URI', environment: {}, mask: () => undefined });
  ids = await target.log([
    {
      experiment: 'digits',
      name: 'seed 1',
      context,
      parameters: { seed: '1', 'model/depth': '3' },
      metrics: {
        accuracy: [
          [0, 0.5],
          [10, 'NaN'],
          [20, 0.93],
        ],
        up: [[0, 'Infinity']],
        down: [[0, '-Infinity']],
        diverged: [
          [0, 1],
          [1, 'NaN'],
        ],
        'val/per class 3': [[0, 1]],
      },
      model: { name: 'digits', alias: 'champion' },
    },
    { experiment: 'digits', context, status: 'FAILED', metrics: { accuracy: [[0, 0.1]] } },
    { experiment: 'digits', context, status: 'RUNNING' },
    {
      experiment: 'letters',
      metrics: { long: Array.from({ length: long }, (_, step): [number, number] => [step, step === 4321 ? 99 : 1]) },
    },
  ]);
});
afterAll(() => target.stop());

async function search(options: Partial<RunSearch> = {}): Promise<TrackedRun[]> {
  const found: TrackedRun[] = [];
  for await (const page of mlflow.searchRuns({ experimentIds: await mlflow.experimentIds([]), ...options })) found.push(...page);
  return found;
}

describe('MLflow', () => {
  it('finds runs by tag, with what they say of themselves', async () => {
    const found = await search({ filter: `tags.\`mlflow.source.git.commit\` = '${sha}'` });
    expect(new Map(found.map(({ id, state }) => [id, state]))).toEqual(
      new Map([
        [ids[0], 'finished'],
        [ids[1], 'failed'],
        [ids[2], 'running'],
      ]),
    );
    const run = found.find(({ id }) => id === ids[0]);
    expect(run).toMatchObject({ name: 'seed 1', commit: sha, run: context['slashtrain.run'], pipeline: 'digits' });
    expect(run?.url).toContain(`${target.url}/#/experiments/`);
    expect(run?.parameters).toHaveLength(2);
    expect(run?.parameters).toContainEqual({ name: 'model/depth', value: '3' });
    expect(new Map(run?.series.map(({ name, points }) => [name, points]))).toEqual(
      new Map([
        ['accuracy', [{ step: 20, value: 0.93 }]],
        ['up', [{ step: 0, value: Number.POSITIVE_INFINITY }]],
        ['down', [{ step: 0, value: Number.NEGATIVE_INFINITY }]],
        ['diverged', [{ step: 1, value: Number.NaN }]],
        ['val/per class 3', [{ step: 0, value: 1 }]],
      ]),
    );
    expect(await search({ filter: "tags.`slashtrain.run` = 'nowhere'" })).toEqual([]);
  });

  it('knows experiments by name', async () => {
    expect(await search({ experimentIds: await mlflow.experimentIds(['letters']) })).toHaveLength(1);
    await expect(mlflow.experimentIds(['nowhere'])).rejects.toThrow(/MLflow answered GET .*get-by-name with 404: .*nowhere/u);
  });

  it('gives curves of many runs at once, and long ones whole on demand', async () => {
    const curves = await mlflow.histories([ids[0]!, ids[1]!], 'accuracy');
    expect(curves.get(ids[0]!)).toEqual([
      { step: 0, value: 0.5 },
      { step: 10, value: Number.NaN },
      { step: 20, value: 0.93 },
    ]);
    expect(curves.get(ids[1]!)).toEqual([{ step: 0, value: 0.1 }]);
    const sampled = (await mlflow.histories([ids[3]!], 'long')).get(ids[3]!)!;
    expect(sampled.length).toBeLessThanOrEqual(2501);
    expect([sampled[0]?.step, sampled.at(-1)?.step]).toEqual([0, long - 1]);
    const whole = (await mlflow.histories([ids[3]!], 'long', true)).get(ids[3]!)!;
    expect(whole).toHaveLength(long);
    expect(whole[4321]).toEqual({ step: 4321, value: 99 });
  });

  it('knows the run of a registered model, by alias and by version', async () => {
    expect(await mlflow.modelRun('models:/digits@champion')).toEqual({ runId: ids[0], version: '1' });
    expect(await mlflow.modelRun('models:/digits/1')).toEqual({ runId: ids[0], version: '1' });
    expect(await mlflow.run(ids[0]!)).toMatchObject({ id: ids[0], state: 'finished' });
    await expect(mlflow.modelRun('models:/digits@nobody')).rejects.toThrow('MLflow answered GET');
    await expect(mlflow.modelRun('models:/digits/7')).rejects.toThrow('404');
  });
});
