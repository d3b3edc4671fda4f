import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { isPipeline, readPipeline, refuseOldPipeline } from './pipeline.ts';

const compiled = (name: string): string =>
  readFileSync(resolve(import.meta.dirname, '../../../../packages/testing/src/kfp/pipelines', name), 'utf8');
const digits = compiled('digits.yaml');

describe('a pipeline', () => {
  it.each<[string, string, boolean]>([
    ['that kfp 2 compiled', digits, true],
    ['as JSON', JSON.stringify(parse(digits)), true],
    ['that kfp 1 compiled', compiled('digits.v1.yaml'), false],
    ['that is a Job', 'apiVersion: batch/v1\nkind: Job\n', false],
  ])('%s is known: %#', (_, text, expected) => {
    expect(isPipeline(text)).toBe(expected);
  });

  it('is read with its settings for Kubernetes', () => {
    const { object } = readPipeline({ text: `${digits}---\nplatforms:\n  kubernetes:\n    deploymentSpec: {}\n`, file: 'pipeline.yaml' });
    expect(object).toMatchObject({
      kind: 'Run',
      spec: { pipelineSpec: { pipelineInfo: { name: 'digits' } }, platformSpec: { platforms: { kubernetes: {} } } },
    });
  });

  it.each<[string, string, string]>([
    ['half of it', digits.slice(0, 3000) + '\n  x: [', 'pipeline.yaml:'],
    ['no tasks', 'pipelineInfo: {name: a}\nschemaVersion: 2.1.0\n', 'pipeline.yaml has no "root.dag.tasks"'],
    ['another schema', digits.replace('schemaVersion: 2.1.0', 'schemaVersion: 2.0.0'), 'a pipeline of the schema 2.0.0 (kfp-2.17.0)'],
    ['the job of kfp 1.8 for Vertex AI', '{"pipelineSpec": {"pipelineInfo": {"name": "a"}}, "runtimeConfig": {}}', 'for Vertex AI'],
    ['a third document', `${digits}---\nkind: Job\n`, 'a document beside the pipeline'],
  ])('with %s is refused', (_, text, message) => {
    expect(() => readPipeline({ text, file: 'pipeline.yaml' })).toThrow(message);
  });

  it('of kfp 1 is told how to compile it anew', () => {
    const object = parse(compiled('digits.v1.yaml')) as KubernetesObject;
    expect(() => refuseOldPipeline(object, 'pipeline.yaml')).toThrow(
      expect.objectContaining({ message: expect.stringContaining('kfp 1.8.22'), remedy: expect.stringContaining('kfp dsl compile') }),
    );
  });
});
