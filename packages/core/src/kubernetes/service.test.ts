import { describe, expect, it } from '@jest/globals';
import type { KubernetesClient } from './client.ts';
import { parseService } from './service-port.ts';
import { serviceExchange } from './service.ts';

/* What leads to no pod; test/contract/kfp.test.ts has what does. */

it.each([
  ['kubeflow/ml-pipeline-ui', { namespace: 'kubeflow', name: 'ml-pipeline-ui' }],
  ['kubeflow/ml-pipeline:8888', { namespace: 'kubeflow', name: 'ml-pipeline', port: '8888' }],
  ['kubeflow/ml-pipeline:http', { namespace: 'kubeflow', name: 'ml-pipeline', port: 'http' }],
  ['ml-pipeline-ui', undefined],
  ['a/b/c', undefined],
  ['a/b:', undefined],
  ['https://kubeflow.example.com', undefined],
  ['Kubeflow/ui', undefined],
])('%s', (text, expected) => {
  expect(parseService(text)).toEqual(expected);
});

const ports = [
  { name: 'http', port: 80, targetPort: 'http' },
  { name: 'grpc', port: 81 },
];
const spec = { selector: { app: 'ui' }, ports };
const pod = (status: string): object => ({
  metadata: { name: 'ui-1' },
  spec: { containers: [] },
  status: { conditions: [{ type: 'Ready', status }] },
});

describe('a Service', () => {
  it.each<[string, { service?: object; port?: string; pods?: object[] }, object]>([
    ['is not there', {}, { code: 'input', message: 'there is no Service "ui" in namespace "ml" of https://cluster' }],
    ['has no selector', { service: { spec: { ports } } }, { code: 'input', message: expect.stringContaining('selects no pods') }],
    [
      'has several ports',
      { service: { spec } },
      { message: expect.stringContaining('has several ports: it has 80 (http), 81 (grpc)'), remedy: 'name one: ml/ui:80' },
    ],
    [
      'has no such port',
      { service: { spec }, port: '82' },
      { message: expect.stringContaining('has no port 82: it has 80 (http), 81 (grpc)') },
    ],
    // These may pass: a connection that is refused is tried again.
    [
      'has no pod',
      { service: { spec }, port: 'grpc' },
      { code: 'ECONNREFUSED', message: 'no pod of the Service "ui" in namespace "ml" is ready' },
    ],
    [
      'has none that is ready',
      { service: { spec }, port: '81', pods: [pod('False')] },
      { message: expect.stringContaining('is ready (of 1)') },
    ],
    [
      'leads to a port that its pod does not name',
      { service: { spec }, port: '80', pods: [pod('True')] },
      { code: 'input', message: expect.stringContaining('the pod ui-1 has no port of the name "http"') },
    ],
  ])('that %s', async (_, { service, port, pods = [] }, error) => {
    const client = {
      server: 'https://cluster',
      get: async () => service,
      list: async () => ({ items: pods, resourceVersion: '1' }),
    } as unknown as KubernetesClient;
    const exchange = serviceExchange(client, { namespace: 'ml', name: 'ui', ...(port === undefined ? {} : { port }) });
    await expect(exchange({ method: 'GET', url: new URL('http://ui.ml/'), headers: {} })).rejects.toMatchObject(error);
  });
});
