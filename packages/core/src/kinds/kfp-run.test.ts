import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { deadlineOf } from '../policy/deadline.ts';
import { demandOf } from '../policy/gpus.ts';
import { kfpRun } from './kfp-run.ts';
import type { KubernetesObject, PodSettings } from './kind.ts';

/* Pipelines that kfp 2.17.0 compiled: packages/testing/src/kfp/pipelines/pipelines.py. */
const compiled = (name: string): KubernetesObject => ({
  apiVersion: 'kfp/v2beta1',
  kind: 'Run',
  metadata: { name: 'digits' },
  spec: { pipelineSpec: parse(readFileSync(join(import.meta.dirname, '../../../testing/src/kfp/pipelines', name), 'utf8')) as unknown },
});
const settings: PodSettings = {
  labels: { 'slashtrain.dev/sha': 'a' },
  ours: new Map([['SLASHTRAIN_RUN', 'digits']]),
  offered: new Map(),
  given: [
    { name: 'MODE', value: 'fast' },
    { name: 'KEY', valueFrom: { secretKeyRef: { name: 'wandb', key: 'api-key' } } },
  ],
  tags: {},
  secrets: [],
};

describe('parameters', () => {
  it.each<[string, Record<string, string>, Record<string, unknown>]>([
    ['a text that looks like a number', { name: '007' }, { name: '007' }],
    ['an int', { name: 'a', epochs: '20' }, { name: 'a', epochs: 20 }],
    ['a float, whole or not', { name: 'a', rate: '1e-3' }, { name: 'a', rate: 0.001 }],
    ['a list', { name: 'a', layers: '[64, "x"]' }, { name: 'a', layers: [64, 'x'] }],
    ['a dict', { name: 'a', options: '{"a": {"b": 1}}' }, { name: 'a', options: { a: { b: 1 } } }],
    ['a bool, as Python writes it too', { name: 'a', shuffle: 'False' }, { name: 'a', shuffle: false }],
  ])('take %s', (_, given, expected) => {
    const object = compiled('digits.yaml');
    kfpRun.setParameters(object, new Map(Object.entries(given)));
    expect(object['spec']).toMatchObject({ parameters: expected });
  });

  it.each<[string, Record<string, string>, string]>([
    ['no int', { name: 'a', epochs: '1.5' }, 'the parameter "epochs" is "1.5"; allowed: a whole number (int)'],
    ['no float', { name: 'a', rate: 'NaN' }, 'allowed: a number (float)'],
    ['no list', { name: 'a', layers: '{}' }, 'allowed: a JSON list (list)'],
    ['no dict', { name: 'a', options: '[1]' }, 'allowed: a JSON object (dict)'],
    ['half a dict', { name: 'a', options: '{' }, 'allowed: a JSON object (dict)'],
    ['no bool', { name: 'a', shuffle: 'yes' }, 'allowed: true or false (bool)'],
    ['another name', { name: 'a', __proto__x: '1' }, 'names "__proto__x", which the pipeline does not have'],
    ['none where there must be one', {}, 'the pipeline\'s parameter "name" has no value'],
  ])('refuse %s', (_, given, message) => {
    expect(() => kfpRun.setParameters(compiled('digits.yaml'), new Map(Object.entries(given)))).toThrow(message);
  });
});

describe('settings', () => {
  it('reach every program, and its settings for Kubernetes', () => {
    const object = compiled('digits.yaml');
    kfpRun.setPods?.(object, { ...settings, serviceAccount: 'trainer', nodeSelector: { gpu: 'a100' }, tolerations: [{ key: 'gpu' }] });
    kfpRun.setDeadline(object, 3600);
    expect(object['spec']).toMatchObject({
      serviceAccountName: 'trainer',
      pipelineSpec: {
        deploymentSpec: {
          executors: {
            'exec-prepare': {
              container: {
                env: expect.arrayContaining([
                  { name: 'SLASHTRAIN_RUN', value: 'digits' },
                  { name: 'MODE', value: 'fast' },
                ]),
              },
            },
          },
        },
      },
      platformSpec: {
        platforms: {
          kubernetes: {
            deploymentSpec: {
              executors: {
                'exec-train': {
                  activeDeadlineSeconds: 3600,
                  podMetadata: { labels: { 'slashtrain.dev/sha': 'a' } },
                  secretAsEnv: [{ secretName: 'wandb', keyToEnv: [{ secretKey: 'api-key', envVar: 'KEY' }] }],
                  nodeSelector: { labels: { gpu: 'a100' } },
                  tolerations: [{ key: 'gpu' }],
                },
              },
            },
          },
        },
      },
    });
    expect(deadlineOf(object)).toBe(3 * 3600);
  });

  it('give an image to a program by its component', () => {
    const object = compiled('digits.yaml');
    const containers = kfpRun.podTemplates(object).flatMap(({ template }) => template.spec?.containers ?? []);
    expect(containers.map(({ name, image }) => [name, image])).toEqual([
      ['evaluate', 'python:3.11'],
      ['prepare', 'python:3.11'],
      ['train', 'python:3.11'],
    ]);
    containers[2]!.image = 'digits@sha256:1';
    expect(JSON.stringify(object)).toContain('"image":"digits@sha256:1"');
  });

  it.each<[string, Partial<PodSettings>, string]>([
    ['env-from-secret with a whole Secret', { secrets: ['wandb'] }, 'name each variable'],
    ['priority-class', { priorityClass: 'high' }, 'leave it out'],
    ['gpus, cpu or memory', { resources: { gpus: 2 } }, 'say it in the pipeline'],
  ])('refuse %s', (input, more, remedy) => {
    const set = (): void => kfpRun.setPods?.(compiled('digits.yaml'), { ...settings, ...more });
    expect(set).toThrow(
      expect.objectContaining({ code: 'unsupported', message: expect.stringContaining(input), remedy: expect.stringContaining(remedy) }),
    );
  });
});

describe('what a pipeline takes', () => {
  it.each<[string, number]>([
    ['digits.yaml', 1],
    // Three rounds of a loop, two at a time, of two GPUs.
    ['seeds.yaml', 4],
  ])('%s: %s GPUs at one time', (name, gpus) => {
    expect(demandOf(compiled(name))).toMatchObject({ gpus });
  });

  it('has no bound where a loop has none', () => {
    const text = JSON.stringify(compiled('seeds.yaml')).replace('"parallelismLimit":2', '"parallelismLimit":0');
    expect(demandOf(JSON.parse(text) as KubernetesObject)).toMatchObject({ gpus: 6 });
    const object = JSON.parse(text.replace('"raw":"[1, 2, 3]"', '"inputParameter":"seeds"')) as KubernetesObject;
    expect(demandOf(object)).toMatchObject({ gpus: Infinity, unbounded: expect.stringContaining('parallelism') });
  });

  it('has no bound where a task asks for as many as a parameter says', () => {
    const object = JSON.parse(
      JSON.stringify(compiled('digits.yaml')).replaceAll(/"(resourceCount|count)":"1"/gu, '"$1":"{{$.inputs.parameters[\'n\']}}"'),
    ) as KubernetesObject;
    expect(demandOf(object)).toMatchObject({ gpus: Infinity });
  });
});
