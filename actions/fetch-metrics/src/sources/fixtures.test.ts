import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32c } from './events/crc32c.ts';
import { readFiles } from './files.ts';
import type { Measured } from './measured.ts';

/* Files as programs write them: fixtures/fixtures.py made them, with the programs themselves. */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slashtrain-fixtures-'));
  cpSync(join(import.meta.dirname, 'fixtures'), folder, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

const sha = 'a'.repeat(40);
const { NaN: nan, NEGATIVE_INFINITY: less } = Number;
const read = (...patterns: string[]): Promise<Measured> => readFiles(patterns, folder, { sha });
const curvesOf = ({ runs }: Measured, run = 0): Record<string, number[][]> =>
  Object.fromEntries((runs[run]?.metrics ?? []).map(({ name, history }) => [name, history.map(({ step, value }) => [step, value])]));
const parametersOf = ({ runs }: Measured): Record<string, string> =>
  Object.fromEntries((runs[0]?.parameters ?? []).map(({ name, value }) => [name, value]));

describe('files that a program wrote:', () => {
  it('tensorboardX: simple values, hyperparameters; no histogram, no text', async () => {
    const measured = await read('tensorboardX/*tfevents*');
    expect(curvesOf(measured)).toEqual({
      'train/loss': [
        [0, 1],
        [10, 0.5],
        [20, 0.333_333],
        [30, 0.25],
        [40, 0.2],
      ].map(([step, value]) => [step, step === 20 ? expect.closeTo(1 / 3, 6) : value]),
      'val/accuracy': [[40, 0.75]],
      nan: [[1, nan]],
      inf: [[1, less]],
    });
    expect(parametersOf(measured)).toEqual({ lr: '0.1', optimizer: 'adam', nesterov: 'true' });
    expect(measured.notes).toEqual([]);
  });

  it('tensorboard: tensors of TensorFlow 2; a folder each is part of the name', async () => {
    const measured = await read('tensorboard/**/*tfevents*');
    expect(curvesOf(measured)).toEqual({
      'train/epoch_accuracy': [
        [0, 0.5],
        [1, 0.625],
        [2, 0.75],
      ],
      'validation/epoch_accuracy': [
        [0, 0.4],
        [1, 0.525],
        [2, 0.65],
      ],
    });
    expect(measured.problems).toEqual([]);
  });

  it('DVCLive: last values, curves and parameters make one run', async () => {
    const measured = await read('dvclive/metrics.json', 'dvclive/params.yaml', 'dvclive/plots/metrics/**/*.tsv');
    expect(curvesOf(measured)).toEqual({
      accuracy: [
        [0, 0.5],
        [1, 0.625],
        [2, 0.75],
      ],
      'train.loss': [
        [0, 1],
        [1, nan],
        [2, 0.5],
      ],
    });
    expect(parametersOf(measured)).toEqual({ lr: '0.1', 'model.depth': '3' });
    expect(measured.problems).toEqual([]);
  });

  it('dvc metrics diff: what is new; texts and what is gone are none', async () => {
    const measured = await read('dvc-metrics-diff.json');
    expect(curvesOf(measured)).toEqual({ new: [[0, 2]], 'val.accuracy': [[0, 0.95]], loss: [[0, 0.5]] });
    expect(measured.notes[0]).toContain('are not the baseline');
  });

  it('Hugging Face: training, evaluation and final rows, each at its step', async () => {
    const measured = await read('trainer_state.json');
    expect(curvesOf(measured)).toMatchObject({
      loss: [
        [10, 0.9],
        [20, nan],
      ],
      eval_accuracy: [
        [10, 0.8],
        [20, 0.85],
      ],
      train_loss: [[20, 0.7]],
      best_metric: [[20, 0.4]],
    });
    expect(parametersOf(measured)).toEqual({ num_train_epochs: '2', max_steps: '20', train_batch_size: '8' });
  });

  it('scikit-learn: a table by class', async () => {
    const measured = await read('classification_report.json');
    expect(curvesOf(measured)).toMatchObject({ accuracy: [[0, 0.75]], 'dog.recall': [[0, 1]] });
    expect(measured.runs[0]?.tables).toEqual([
      {
        kind: 'classes',
        name: 'classification_report.json',
        columns: ['precision', 'recall', 'f1-score', 'support'],
        rows: [
          { label: 'cat', values: [1, 0.5, 2 / 3, 2] },
          { label: 'dog', values: [2 / 3, 1, 0.8, 2] },
        ],
      },
    ]);
  });
});

describe('an event file', () => {
  const whole = (): Buffer => readFileSync(join(folder, 'tensorboardX/events.out.tfevents.1700000000.host'));
  const write = (bytes: Buffer): string => {
    const name = 'damaged/events.out.tfevents.1';
    mkdirSync(join(folder, 'damaged'), { recursive: true });
    writeFileSync(join(folder, name), bytes);
    return name;
  };

  it('that was cut anywhere gives what is whole, and says so', async () => {
    const bytes = whole();
    const all = curvesOf(await read('tensorboardX/*'));
    for (const length of [1, 11, 12, 41, 100, 150, bytes.length - 1]) {
      const measured = await read(write(bytes.subarray(0, length)));
      expect(measured.notes.join()).toContain('it ends in the middle of an event');
      for (const [name, points] of Object.entries(curvesOf(measured))) expect(points).toEqual(all[name]?.slice(0, points.length));
    }
    expect(measuredNames(await read(write(bytes.subarray(0, 150))))).toEqual(['train/loss']);
  });

  it('with a wrong checksum gives what stands before it, and says so', async () => {
    const bytes = Buffer.from(whole());
    bytes[130]! ^= 1;
    const measured = await read(write(bytes));
    expect(measured.notes.join()).toContain('the checksum of the event after');
    expect(measuredNames(measured)).toEqual(['train/loss']);
  });

  it('that is none is not read for one', async () => {
    const measured = await read(write(Buffer.from('<!doctype html><html><body>Sign in</body></html>')));
    expect(measured.notes.join()).toContain('the checksum of the event after 0 bytes is wrong');
    expect(measured.runs).toEqual([]);
  });

  it('goes on in a later file of the same folder, whose points count', async () => {
    mkdirSync(join(folder, 'resumed'));
    for (const time of [1, 2])
      copyFileSync(join(folder, 'tensorboardX/events.out.tfevents.1700000000.host'), join(folder, `resumed/events.out.tfevents.${time}`));
    expect(curvesOf(await read('resumed/*'))).toEqual(curvesOf(await read('tensorboardX/*')));
  });

  it('is checked as RFC 3720 says', () => {
    // https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
    expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, index) => index)))).toBe(0x46dd794e);
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });
});

describe('a pattern', () => {
  beforeAll(() => {
    for (const seed of [1, 2, 3]) {
      const file = join(folder, `runs/seed-${seed}/metrics.json`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify({ accuracy: 0.9 + seed / 100 }));
    }
  });

  it('with {run} gives a run for each text that it stands for', async () => {
    const { runs } = await read('runs/{run}/metrics.json');
    expect(runs.map(({ id, metrics }) => [id, metrics[0]?.last])).toEqual([
      ['seed-1', 0.91],
      ['seed-2', 0.92],
      ['seed-3', 0.93],
    ]);
    expect((await read('runs/seed-{run}/*.json')).runs.map(({ id }) => id)).toEqual(['1', '2', '3']);
  });

  it('without it is one run, in which nobody knows which file counts', async () => {
    const { problems } = await read('runs/*/metrics.json');
    expect(problems[0]).toContain('"accuracy" stands in runs/seed-1/metrics.json and in runs/seed-2/metrics.json');
  });

  it('that matches nothing is a problem', async () => {
    expect((await read('nowhere/*.json')).problems).toEqual(['nowhere/*.json matches no file']);
  });

  it('does not follow a link out of the workspace: in a checkout somebody else made it', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'slashtrain-outside-'));
    writeFileSync(join(outside, 'secret.json'), '{"secret": 1}');
    symlinkSync(join(outside, 'secret.json'), join(folder, 'link.json'));
    const { runs, problems } = await read('link.json');
    rmSync(outside, { recursive: true });
    expect(runs).toEqual([]);
    expect(problems).toEqual(['link.json leads out of the workspace, and was not read']);
  });

  it('means a file whose name has its letters, where there is one', async () => {
    writeFileSync(join(folder, 'a[1].json'), '{"a": 1}');
    expect(measuredNames(await read('a[1].json'))).toEqual(['a']);
  });
});

describe('other shapes', () => {
  it.each<[string, string, Record<string, number[][]>]>([
    ['metrics.yaml', 'val:\n  accuracy: 0.9\n  loss: .nan\nname: x\n', { 'val.accuracy': [[0, 0.9]], 'val.loss': [[0, nan]] }],
    [
      'lightning.csv',
      'epoch,step,train_loss,val_acc\n0,9,0.9,\n0,9,,0.5\n1,19,nan,\n',
      {
        train_loss: [
          [9, 0.9],
          [19, nan],
        ],
        val_acc: [[9, 0.5]],
      },
    ],
  ])('%s', async (name, text, curves) => {
    writeFileSync(join(folder, name), text);
    expect(curvesOf(await read(name))).toEqual(curves);
  });

  it('hparams.yaml of Lightning, with tags of Python, are parameters', async () => {
    writeFileSync(join(folder, 'hparams.yaml'), 'lr: 0.1\nmodel: !!python/object:net.Model\n  depth: 3\nlayers: [1, 2]\n');
    expect(parametersOf(await read('hparams.yaml'))).toEqual({ lr: '0.1', 'model.depth': '3', layers: '[1,2]' });
  });

  it('classification metrics of Kubeflow Pipelines are a confusion matrix', async () => {
    const matrix = {
      confusionMatrix: { annotationSpecs: [{ displayName: 'cat' }, { displayName: 'dog' }], rows: [{ row: [5, 1] }, { row: [0, 4] }] },
    };
    writeFileSync(join(folder, 'kfp.json'), JSON.stringify(matrix));
    expect((await read('kfp.json')).runs[0]?.tables).toEqual([
      {
        kind: 'confusion',
        name: 'kfp.json',
        columns: ['cat', 'dog'],
        rows: [
          { label: 'cat', values: [5, 1] },
          { label: 'dog', values: [0, 4] },
        ],
      },
    ]);
  });
});

function measuredNames({ runs }: Measured): string[] {
  return (runs[0]?.metrics ?? []).map(({ name }) => name);
}
