import { expect } from '@jest/globals';
import type { ManagedFields } from '@slashtrain/testing/cluster/objects';
import type { Answer, Api, Case } from './api.ts';
import { configMap, podSpec } from './manifests.ts';

type Json = Record<string, unknown>;

function applyAs(api: Api, manager: string, resource: string, object: Json, query = ''): Promise<Answer> {
  return api.send('PATCH', `${api.path(resource)}?fieldManager=${manager}${query}`, object, 'application/apply-patch+yaml');
}

/** Who has what, without times. */
function owners({ body }: Answer): Record<string, unknown> {
  const entries = (body.metadata.managedFields ?? []).map(({ manager, operation, fieldsV1 }: ManagedFields) => [
    `${manager} ${operation}`,
    fieldsV1,
  ]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function deployment(api: Api, container: Json = {}, spec: Json = {}): Json {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', labels: { app: 'd' } },
    spec: {
      selector: { matchLabels: { app: 'd' } },
      template: {
        metadata: { labels: { app: 'd' } },
        spec: podSpec(api, '', { env: [{ name: 'A', value: '1' }], ...container }, { restartPolicy: 'Always' }),
      },
      ...spec,
    },
  };
}

type Containers = { spec: { replicas: number; template: { spec: { containers: Json[] } } } };
const containers = ({ body }: Answer): Json[] => (body as unknown as Containers).spec.template.spec.containers;

/** Server-side apply, as far as two managers of one object need it. */
export const applyCases: Case[] = [
  {
    name: 'makes what is not there, and knows whose each field is',
    run: async (api) => {
      const dry = await applyAs(api, 'one', 'deployments/d', deployment(api, {}, { replicas: 0 }), '&dryRun=All');
      expect([dry.status, (await api.get(api.path('deployments/d'))).status]).toEqual([201, 404]);
      const made = await applyAs(api, 'one', 'deployments/d', deployment(api, {}, { replicas: 0 }));
      expect(made.status).toBe(201);
      expect(made.body.metadata.generation).toBe(1);
      expect(owners(made)).toEqual({
        'one Apply': {
          'f:metadata': { 'f:labels': { 'f:app': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:selector': {},
            'f:template': {
              'f:metadata': { 'f:labels': { 'f:app': {} } },
              'f:spec': {
                'f:containers': {
                  'k:{"name":"main"}': {
                    '.': {},
                    'f:command': {},
                    'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
                    'f:image': {},
                    'f:name': {},
                  },
                },
                'f:restartPolicy': {},
                'f:terminationGracePeriodSeconds': {},
              },
            },
          },
        },
      });
      const again = await applyAs(api, 'one', 'deployments/d', deployment(api, {}, { replicas: 0 }));
      expect([again.status, again.body.metadata.generation]).toEqual([200, 1]);
      const nobody = await api.send('PATCH', api.path('deployments/d'), deployment(api), 'application/apply-patch+yaml');
      expect([nobody.status, nobody.body['message']]).toEqual([
        422,
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      ]);
    },
  },
  {
    name: 'takes away what a manager no longer applies, and keeps what others have added',
    run: async (api) => {
      const probe = { readinessProbe: { tcpSocket: { port: 80 } }, ports: [{ containerPort: 80 }] };
      await applyAs(api, 'one', 'deployments/d', deployment(api, probe, { replicas: 0, minReadySeconds: 1 }));
      const added = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'd', annotations: { note: 'theirs' } },
        spec: { template: { spec: { containers: [{ name: 'main', env: [{ name: 'B', value: '2' }] }] } } },
      };
      const both = await applyAs(api, 'two', 'deployments/d', added);
      expect(containers(both)[0]).toMatchObject({
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
      });
      const env = [{ name: 'C', value: '3' }];
      const after = await applyAs(api, 'one', 'deployments/d', deployment(api, { env }, { replicas: 0 }));
      const [container] = containers(after);
      expect(new Set(container?.['env'] as Json[])).toEqual(
        new Set([
          { name: 'C', value: '3' },
          { name: 'B', value: '2' },
        ]),
      );
      expect(container).not.toHaveProperty('readinessProbe');
      expect(container?.['ports'] ?? []).toEqual([]);
      expect(after.body['spec']).not.toHaveProperty('minReadySeconds');
      expect(after.body.metadata.annotations).toMatchObject({ note: 'theirs' });
      const less = await applyAs(api, 'two', 'deployments/d', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } });
      expect(containers(less)[0]?.['env']).toEqual([{ name: 'C', value: '3' }]);
      expect(less.body.metadata.annotations?.['note']).toBeUndefined();
    },
  },
  {
    name: 'says whose field another one would change, and takes it only by force',
    run: async (api) => {
      await applyAs(api, 'one', 'configmaps/c', configMap('c', { a: '1', b: '1', c: '1' }));
      const conflict = await applyAs(api, 'two', 'configmaps/c', configMap('c', { a: '2' }));
      expect(conflict.body).toMatchObject({
        code: 409,
        reason: 'Conflict',
        message: 'Apply failed with 1 conflict: conflict with "one": .data.a',
        details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' }] },
      });
      const many = await applyAs(api, 'two', 'configmaps/c', configMap('c', { a: '2', b: '2' }));
      expect(many.body['message']).toBe('Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b');
      // What is the same is had by both, and stays where one of them lets go.
      const shared = await applyAs(api, 'two', 'configmaps/c', configMap('c', { a: '1' }));
      expect(shared.status).toBe(200);
      await applyAs(api, 'one', 'configmaps/c', configMap('c', { b: '1', c: '1' }));
      expect((await api.get(api.path('configmaps/c'))).body['data']).toEqual({ a: '1', b: '1', c: '1' });

      const forced = await applyAs(api, 'two', 'configmaps/c', configMap('c', { b: '2' }), '&force=true');
      expect(forced.body['data']).toEqual({ b: '2', c: '1' });
      expect(owners(forced)).toEqual({
        'one Apply': { 'f:data': { 'f:c': {} } },
        'two Apply': { 'f:data': { 'f:b': {} } },
      });
    },
  },
  {
    name: 'counts a plain write as its manager’s, and what it changes as no longer another’s',
    run: async (api) => {
      await applyAs(api, 'one', 'deployments/d', deployment(api, {}, { replicas: 0, minReadySeconds: 1 }));
      const edit = { spec: { minReadySeconds: 2 } };
      await api.patch(`${api.path('deployments/d')}?fieldManager=editor`, edit);
      const conflict = await applyAs(api, 'one', 'deployments/d', deployment(api, {}, { replicas: 0, minReadySeconds: 1 }));
      expect(conflict.body).toMatchObject({
        code: 409,
        message: 'Apply failed with 1 conflict: conflict with "editor" using apps/v1: .spec.minReadySeconds',
      });
      const image = await applyAs(api, 'two', 'deployments/d', {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'd' },
        spec: { template: { spec: { containers: [{ name: 'main', image: 'other' }] } } },
      });
      expect(image.body).toMatchObject({
        code: 409,
        message: 'Apply failed with 1 conflict: conflict with "one": .spec.template.spec.containers[name="main"].image',
      });
      const forced = await applyAs(api, 'one', 'deployments/d', deployment(api, {}, { replicas: 0, minReadySeconds: 1 }), '&force=true');
      expect(Object.keys(owners(forced))).toContain('one Apply');
      expect(Object.keys(owners(forced))).not.toContain('editor Update');
      // What was written plainly can be applied by the same words.
      await api.post(`${api.path('configmaps')}?fieldManager=writer`, configMap('w', { a: '1' }, { l: '1' }));
      const same = await applyAs(api, 'two', 'configmaps/w', configMap('w', { a: '1', b: '2' }));
      expect(owners(same)).toEqual({
        'two Apply': { 'f:data': { 'f:a': {}, 'f:b': {} } },
        'writer Update': { 'f:data': { '.': {}, 'f:a': {} }, 'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } } },
      });
    },
  },
  {
    name: 'checks what is applied as any other object',
    run: async (api) => {
      const wrong = await applyAs(api, 'one', 'deployments/d', deployment(api, {}, { replicas: -1 }));
      expect(wrong.body['message']).toBe(
        'Deployment.apps "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      );
      const unknown = await applyAs(api, 'one', 'deployments/d', deployment(api, {}, { replica: 1 }), '&fieldValidation=Strict');
      expect([unknown.status, unknown.body['message']]).toEqual([
        500,
        expect.stringContaining(': .spec.replica: field not declared in schema'),
      ]);
      const name = await applyAs(api, 'one', 'configmaps/c', configMap('d'));
      expect([name.status, name.body['message']]).toEqual([400, 'the name of the object (d) does not match the name on the URL (c)']);
    },
  },
];
