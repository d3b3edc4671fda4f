import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Container, KubernetesObject } from './kind.ts';
import { defaultsAnnotation, substitute } from './parameters.ts';

function manifest(containers: Partial<Container>[], more: { defaults?: string; init?: Partial<Container>[] } = {}): KubernetesObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: more.defaults === undefined ? {} : { annotations: { [defaultsAnnotation]: more.defaults, other: 'stays' } },
    spec: { template: { spec: { containers, ...(more.init ? { initContainers: more.init } : {}) } } },
  };
}

function put(object: KubernetesObject, given: Record<string, string>): KubernetesObject {
  const { template } = object['spec'] as { template: { spec: { containers: Container[] } } };
  substitute(object, [{ path: 'spec.template', template }], new Map(Object.entries(given)));
  return object;
}

function containerOf(object: KubernetesObject): Container {
  return (object['spec'] as { template: { spec: { containers: [Container] } } }).template.spec.containers[0];
}

/** As the kubelet does it (https://github.com/kubernetes/kubernetes/blob/v1.36.3/third_party/forked/golang/expansion/expand.go). */
function expandLikeKubelet(text: string, variables: Map<string, string>): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/gu, (whole, name: string | undefined) =>
    name === undefined ? '$' : (variables.get(name) ?? whole),
  );
}

describe('parameters', () => {
  it.each([
    ['args', { args: ['--epochs', '$(params.epochs)'] }, { args: ['--epochs', '20'] }],
    ['command', { command: ['train', '--epochs=$(params.epochs)'] }, { command: ['train', '--epochs=20'] }],
    ['env', { env: [{ name: 'EPOCHS', value: '$(params.epochs)' }] }, { env: [{ name: 'EPOCHS', value: '20' }] }],
    ['a text with two of them', { args: ['$(params.epochs)/$(params.epochs)'] }, { args: ['20/20'] }],
  ])('go into %s', (_, container, expected) => {
    expect(containerOf(put(manifest([{ name: 'main', ...container }]), { epochs: '20' }))).toEqual({ name: 'main', ...expected });
  });

  it('go into init containers', () => {
    const object = put(manifest([{ name: 'main' }], { init: [{ name: 'fetch', args: ['$(params.data)'] }] }), { data: 'v2' });
    expect(JSON.stringify(object)).toContain('"args":["v2"]');
  });

  it('leave references to variables and escaped text as they are', () => {
    const args = ['$(HOME)', '$$(params.epochs)', '$(params.epochs)', '$5', '$$$(params.epochs)'];
    expect(containerOf(put(manifest([{ name: 'main', args }]), { epochs: '1' })).args).toEqual([
      '$(HOME)',
      '$$(params.epochs)',
      '1',
      '$5',
      '$$1',
    ]);
  });

  it('take their defaults from the annotation, which then goes', () => {
    const object = put(manifest([{ name: 'main', args: ['$(params.epochs)', '$(params.lr)'] }], { defaults: 'epochs: 10\nlr: 1.10' }), {
      epochs: '20',
    });
    expect(containerOf(object).args).toEqual(['20', '1.10']);
    expect(object.metadata.annotations).toEqual({ other: 'stays' });
  });

  it.each([
    ['a name that is not there', ['$(params.a)', '$(params.b)'], undefined, { c: '1' }, 'names "c", which the manifest does not have'],
    ['no value', ['$(params.a)'], undefined, {}, 'parameter "a" has no value'],
    ['a default that is used nowhere', ['x'], 'a: 1', {}, 'names "a", and $(params.a) stands nowhere'],
    ['defaults that are no map', ['$(params.a)'], '- a', {}, 'is no YAML map'],
    ['defaults that are no YAML', ['$(params.a)'], 'a: "', {}, 'is no YAML map'],
  ])('are refused: %s', (_, args, defaults, given, message) => {
    const object = manifest([{ name: 'main', args }], defaults === undefined ? {} : { defaults });
    expect(() => put(object, given as Record<string, string>)).toThrow(message);
  });

  it('says which names there are', () => {
    const object = manifest([{ name: 'main', args: ['$(params.a)', '$(params.b-c)'] }]);
    expect(() => put(object, { x: '1' })).toThrow(expect.objectContaining({ remedy: 'it has a, b-c' }));
  });

  it('are refused where none is put in', () => {
    const object = manifest([{ name: 'main', image: 'app:$(params.tag)', args: ['$(params.tag)'] }]);
    expect(() => put(object, { tag: '1' })).toThrow('$(params.tag) stands in spec.template.spec.containers[0].image');
  });

  it('reach the program to the letter, whatever they are, and read no variable of the container', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('$', '(', ')', 'A', 'params.', '{', '"', '\n', ' ') }), (value) => {
        const [text = ''] = containerOf(put(manifest([{ name: 'main', args: ['$(params.v)'] }]), { v: value })).args ?? [];
        expect(expandLikeKubelet(text, new Map([['A', 'secret']]))).toBe(value);
      }),
    );
  });
});
