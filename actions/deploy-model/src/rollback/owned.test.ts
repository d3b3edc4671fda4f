import { describe, expect, it } from '@jest/globals';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { ownFields, partOf, union } from './owned.ts';

// As kube-apiserver 1.35.4 wrote it after two server-side applies, shortened.
const object: KubernetesObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'digits',
    namespace: 'ml',
    labels: { a: 'ours', b: 'theirs' },
    managedFields: [
      {
        manager: 'slashtrain',
        operation: 'Apply',
        fieldsV1: {
          'f:metadata': { 'f:labels': { 'f:a': {} } },
          'f:spec': {
            'f:template': {
              'f:spec': { 'f:containers': { 'k:{"name":"model"}': { '.': {}, 'f:name': {}, 'f:image': {}, 'f:args': {} } } },
            },
          },
        },
      },
      { manager: 'kubectl', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
      { manager: 'slashtrain', operation: 'Update', subresource: 'status', fieldsV1: { 'f:status': {} } },
    ],
  } as KubernetesObject['metadata'],
  spec: {
    replicas: 3,
    template: {
      spec: {
        containers: [
          { name: 'model', image: 'digits@sha256:1', args: ['a'], terminationMessagePath: '/dev/termination-log' },
          { name: 'sidecar', image: 'proxy' },
        ],
      },
    },
  },
};

describe('the part of an object that we applied', () => {
  it('is what our manager owns, and nothing of what others or the server wrote', () => {
    expect(partOf(object, ownFields(object))).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'digits', namespace: 'ml', labels: { a: 'ours' } },
      spec: { template: { spec: { containers: [{ name: 'model', image: 'digits@sha256:1', args: ['a'] }] } } },
    });
  });

  it('is the name alone where we own nothing: then what we add goes again', () => {
    const none = partOf(object, undefined);
    expect(none).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'digits', namespace: 'ml' } });
  });

  it('has what was taken from others as it was, too', () => {
    const taken = union(ownFields(object), { 'f:spec': { 'f:replicas': {} } });
    expect(partOf(object, taken)).toMatchObject({ spec: { replicas: 3, template: {} } });
  });
});
