import { describe, expect, it } from '@jest/globals';
import { differencesOf } from './version.ts';

const executor = (env: object[], more: object = {}): object => ({
  deploymentSpec: { executors: { 'exec-train': { container: { image: 'a', env, ...more } } } },
});

describe('two specifications', () => {
  it.each<[string, unknown, unknown, string[]]>([
    ['in another order', { a: 1, b: [{ c: 'x', d: 'y' }] }, { b: [{ d: 'y', c: 'x' }], a: 1 }, []],
    [
      'whose empty values protobuf left out',
      executor([{ name: 'A', value: '' }], { args: [], resources: {} }),
      executor([{ name: 'A' }]),
      [],
    ],
    ['with another image', { image: 'a@sha256:1', tasks: {} }, { image: 'a@sha256:2' }, ['image']],
    [
      'with another variable',
      executor([{ name: 'A', value: '1' }]),
      executor([]),
      ['deploymentSpec.executors.exec-train.container.env[0]'],
    ],
    ['of another type', { a: 5 }, { a: '5' }, ['a']],
    ['where a default is empty and where there is none', { defaultValue: 0 }, {}, ['defaultValue']],
    ['where the server told none', { pipelineInfo: { name: 'a' } }, undefined, ['']],
    [
      'where one has settings for Kubernetes',
      { pipeline_spec: { a: 1 }, platform_spec: { b: 1 } },
      { a: 1 },
      ['pipeline_spec', 'platform_spec', 'a'],
    ],
  ])('%s', (_, one, other, expected) => {
    expect(differencesOf(one, other)).toEqual(expected);
    expect(differencesOf(other, one).toSorted()).toEqual(expected.toSorted());
  });
});
