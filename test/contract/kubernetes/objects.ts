import { expect } from '@jest/globals';
import type { PodSpec } from '@slashtrain/core/kinds/kind';
import type { Api, Answer, Case } from './api.ts';
import { configMap, job, pod } from './manifests.ts';

/** The parts of an error that a client can rely on. */
function expectStatus(answer: Answer, code: number, reason: string, message: unknown, details?: unknown): void {
  expect(answer.body).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message });
  expect(answer.status).toBe(code);
  if (details !== undefined) expect(answer.body['details']).toEqual(details);
}

const containerOf = (spec: unknown): unknown => (spec as { template: { spec: PodSpec } }).template.spec.containers?.[0];

const suspended = (api: Api, name: string, spec: Record<string, unknown> = {}) => job(api, name, '', { suspend: true, ...spec });

/** One object at a time: what is made, changed, refused. */
export const objectCases: Case[] = [
  {
    name: 'tells its version and what it has',
    run: async (api) => {
      expect((await api.get('/version')).body).toMatchObject({ major: '1', gitVersion: expect.stringMatching(/^v1\./u) });
      expect((await api.get('/api')).body['versions']).toEqual(['v1']);
      const batch = await api.get('/apis/batch/v1');
      expect(batch.body).toMatchObject({ kind: 'APIResourceList', groupVersion: 'batch/v1' });
      expect(batch.body['resources']).toContainEqual(expect.objectContaining({ name: 'jobs', kind: 'Job', namespaced: true }));
      const none = await api.get('/apis/nothing.example.com/v1');
      expect([none.status, none.text]).toEqual([404, '404 page not found\n']);
      expectStatus(await api.get('/apis/batch/v7'), 404, 'NotFound', 'the server could not find the requested resource');
      expectStatus(await api.get(api.path('foos')), 404, 'NotFound', 'the server could not find the requested resource', {});
    },
  },
  {
    name: 'lets in nobody with a wrong token',
    // A client certificate would let us in all the same.
    only: 'embedded',
    run: async (api) => {
      const answer = await api.send('GET', '/api/v1/namespaces', undefined, undefined, { authorization: 'Bearer wrong' });
      expectStatus(answer, 401, 'Unauthorized', 'Unauthorized');
    },
  },
  {
    name: 'says which right is missing',
    run: async (api) => {
      const nobody = { 'impersonate-user': 'contract-nobody' };
      const cannot = async (method: string, path: string, message: string, details: unknown): Promise<void> =>
        expectStatus(
          await api.send(method, path, method === 'GET' ? undefined : {}, undefined, nobody),
          403,
          'Forbidden',
          message,
          details,
        );
      const user = 'is forbidden: User "contract-nobody" cannot';
      const here = `in the namespace "${api.namespace}"`;
      await cannot('GET', api.path('pods'), `pods ${user} list resource "pods" in API group "" ${here}`, { kind: 'pods' });
      await cannot('GET', api.path('pods?watch=1'), `pods ${user} watch resource "pods" in API group "" ${here}`, { kind: 'pods' });
      const named = { name: 'x', kind: 'pods' };
      await cannot('GET', api.path('pods/x/log'), `pods "x" ${user} get resource "pods/log" in API group "" ${here}`, named);
      const jobs = { group: 'batch', kind: 'jobs' };
      await cannot('POST', api.path('jobs'), `jobs.batch ${user} create resource "jobs" in API group "batch" ${here}`, jobs);
      const job = { name: 'x', ...jobs };
      await cannot(
        'PATCH',
        api.path('jobs/x/status'),
        `jobs.batch "x" ${user} patch resource "jobs/status" in API group "batch" ${here}`,
        job,
      );
      await cannot('DELETE', api.path('jobs/x'), `jobs.batch "x" ${user} delete resource "jobs" in API group "batch" ${here}`, job);
      await cannot('GET', '/api/v1/nodes', `nodes ${user} list resource "nodes" in API group "" at the cluster scope`, { kind: 'nodes' });
      expect((await api.send('GET', '/apis/batch/v1', undefined, undefined, nobody)).status).toBe(200);
      const asked = { spec: { resourceAttributes: { namespace: api.namespace, verb: 'create', group: 'batch', resource: 'jobs' } } };
      const review = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', ...asked };
      expect((await api.send('POST', review, body, undefined, nobody)).body['status']).toMatchObject({ allowed: false });
      expect((await api.post(review, body)).body['status']).toMatchObject({ allowed: true });
    },
  },
  {
    name: 'fills in defaults and what only it knows',
    run: async (api) => {
      const made = await api.post(api.path('jobs'), suspended(api, 'made'));
      expect(made.status).toBe(201);
      const { uid } = made.body.metadata;
      expect(uid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u);
      const labels = {
        'batch.kubernetes.io/controller-uid': uid,
        'batch.kubernetes.io/job-name': 'made',
        'controller-uid': uid,
        'job-name': 'made',
      };
      expect(made.body).toMatchObject({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: {
          namespace: api.namespace,
          generation: 1,
          labels,
          resourceVersion: expect.stringMatching(/^\d+$/u),
          creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u),
          managedFields: [{ manager: 'contract', operation: 'Update', apiVersion: 'batch/v1', fieldsType: 'FieldsV1' }],
        },
        spec: {
          parallelism: 1,
          completions: 1,
          backoffLimit: 6,
          completionMode: 'NonIndexed',
          suspend: true,
          manualSelector: false,
          podReplacementPolicy: 'TerminatingOrFailed',
          selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
          template: {
            metadata: { labels },
            spec: {
              containers: [
                {
                  imagePullPolicy: 'IfNotPresent',
                  resources: {},
                  terminationMessagePath: '/dev/termination-log',
                  terminationMessagePolicy: 'File',
                },
              ],
              dnsPolicy: 'ClusterFirst',
              schedulerName: 'default-scheduler',
              securityContext: {},
            },
          },
        },
        status: {},
      });
    },
  },
  {
    name: 'writes quantities in one form, and takes a pod’s limit for its request',
    run: async (api) => {
      const resources = { limits: { cpu: 0.5, memory: '1024Mi', 'nvidia.com/gpu': 1 }, requests: { cpu: '2e-1', memory: '1500000' } };
      const one = { cpu: '500m', memory: '1Gi', 'nvidia.com/gpu': '1' };
      const other = { cpu: '200e-3', memory: '1500k' };
      const ofJob = await api.post(`${api.path('jobs')}?dryRun=All`, job(api, 'q', '', {}, { resources }));
      expect(containerOf(ofJob.body['spec'])).toHaveProperty('resources', { limits: one, requests: other });
      const ofPod = await api.post(`${api.path('pods')}?dryRun=All`, pod(api, 'q', '', { resources }));
      const requests = { ...other, 'nvidia.com/gpu': '1' };
      expect(containerOf({ template: { spec: ofPod.body['spec'] } })).toHaveProperty('resources', { limits: one, requests });
    },
  },
  {
    name: 'refuses a name that is taken, a namespace and an object that are not there',
    run: async (api) => {
      await api.post(api.path('configmaps'), configMap('taken'));
      expectStatus(await api.post(api.path('configmaps'), configMap('taken')), 409, 'AlreadyExists', 'configmaps "taken" already exists', {
        name: 'taken',
        kind: 'configmaps',
      });
      await api.post(api.path('jobs'), suspended(api, 'taken'));
      expectStatus(await api.post(api.path('jobs'), suspended(api, 'taken')), 409, 'AlreadyExists', 'jobs.batch "taken" already exists', {
        name: 'taken',
        group: 'batch',
        kind: 'jobs',
      });
      expectStatus(await api.get(api.path('jobs/none')), 404, 'NotFound', 'jobs.batch "none" not found', {
        name: 'none',
        group: 'batch',
        kind: 'jobs',
      });
      const gone = 'contract-nowhere';
      expectStatus(
        await api.post(`/api/v1/namespaces/${gone}/configmaps`, configMap('x')),
        404,
        'NotFound',
        `namespaces "${gone}" not found`,
        { name: gone, kind: 'namespaces' },
      );
      // To read in a namespace that is not there is no error.
      expect((await api.get(`/api/v1/namespaces/${gone}/configmaps`)).body.items).toEqual([]);
    },
  },
  {
    name: 'makes names of generateName',
    run: async (api) => {
      const made = await api.post(api.path('configmaps'), { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'some-' } });
      expect(made.body.metadata.name).toMatch(/^some-[bcdfghjklmnpqrstvwxz2456789]{5}$/u);
    },
  },
  {
    name: 'makes nothing in a dry run, and checks all the same',
    run: async (api) => {
      const dry = await api.post(`${api.path('jobs')}?dryRun=All`, job(api, 'dry', ''));
      expect([dry.status, dry.body.metadata.name, dry.body.metadata.resourceVersion]).toEqual([201, 'dry', undefined]);
      expect((await api.get(api.path('jobs/dry'))).status).toBe(404);
      await api.post(api.path('configmaps'), configMap('there', { a: '1' }));
      const before = (await api.get(api.path('configmaps/there'))).body;
      expectStatus(await api.post(`${api.path('configmaps')}?dryRun=All`, configMap('there')), 409, 'AlreadyExists', expect.anything());
      const patched = await api.patch(`${api.path('configmaps/there')}?dryRun=All`, { data: { a: '2' } });
      expect([patched.status, patched.body['data'], patched.body.metadata.resourceVersion]).toEqual([
        200,
        { a: '2' },
        before.metadata.resourceVersion,
      ]);
      expect((await api.delete(`${api.path('configmaps/there')}?dryRun=All`)).status).toBe(200);
      expect((await api.get(api.path('configmaps/there'))).body).toEqual(before);
      expectStatus(
        await api.post(`${api.path('configmaps')}?dryRun=Some`, configMap('x')),
        422,
        'Invalid',
        'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
      );
    },
  },
  {
    name: 'drops unknown fields with a warning, and refuses them where it is to be strict',
    run: async (api) => {
      const odd = job(api, 'odd', '', { foo: 1, bar: 2 }, { zap: 1 });
      const warned = await api.post(`${api.path('jobs')}?dryRun=All`, job(api, 'odd', '', { foo: 1 }));
      expect([warned.status, warned.headers['warning']]).toEqual([201, '299 - "unknown field \\"spec.foo\\""']);
      expect(warned.body['spec']).not.toHaveProperty('foo');
      expectStatus(
        await api.post(`${api.path('jobs')}?dryRun=All&fieldValidation=Strict`, odd),
        400,
        'BadRequest',
        'Job in version "v1" cannot be handled as a Job: strict decoding error: unknown field "spec.template.spec.containers[0].zap", unknown field "spec.foo", unknown field "spec.bar"',
      );
      await api.post(api.path('jobs'), suspended(api, 'there'));
      expectStatus(
        await api.patch(`${api.path('jobs/there')}?fieldValidation=Strict`, { spec: { foo: 1 } }),
        422,
        'Invalid',
        expect.stringMatching(/^ "" is invalid: patch: Invalid value: .*: strict decoding error: unknown field "spec.foo"$/u),
      );
    },
  },
  {
    name: 'refuses values of the wrong type',
    run: async (api) => {
      const said = async (object: unknown): Promise<unknown> => (await api.post(`${api.path('jobs')}?dryRun=All`, object)).body['message'];
      const before = 'Job in version "v1" cannot be handled as a Job: ';
      const text = (from: string, field: string, to: string): string =>
        `${before}json: cannot unmarshal ${from} into Go struct field ${field} of type ${to}`;
      expect(await said(job(api, 'x', '', { parallelism: '2' }))).toBe(text('string', 'JobSpec.spec.parallelism', 'int32'));
      expect(await said(job(api, 'x', '', { suspend: 'yes' }))).toBe(text('string', 'JobSpec.spec.suspend', 'bool'));
      expect(await said(job(api, 'x', '', {}, { env: [{ name: 'x', value: 1 }] }))).toBe(
        text('number', 'EnvVar.spec.template.spec.containers.env.value', 'string'),
      );
      expect(await said(job(api, 'x', '', {}, { command: 'node' }))).toBe(
        text('string', 'Container.spec.template.spec.containers.command', '[]string'),
      );
      expect(await said({ ...job(api, 'x', ''), metadata: { name: 'x', labels: { a: 1 } } })).toBe(
        text('number', 'ObjectMeta.metadata.labels', 'string'),
      );
      expect(await said(job(api, 'x', '', {}, { resources: { limits: { cpu: 'lots' } } }))).toBe(
        `${before}quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
      );
      expect(await said({ ...job(api, 'x', ''), kind: 'Pod', apiVersion: 'batch/v2' })).toContain('no kind "Pod" is registered');
    },
  },
  {
    name: 'refuses what cannot be, field by field',
    run: async (api) => {
      const refused = async (object: unknown, message: string): Promise<void> =>
        expectStatus(await api.post(`${api.path('jobs')}?dryRun=All`, object), 422, 'Invalid', `Job.batch "x" is invalid: ${message}`);
      const image = 'spec.template.spec.containers[0]';
      await refused(job(api, 'x', '', {}, { image: undefined }), `${image}.image: Required value`);
      await refused(job(api, 'x', '', {}, {}, { containers: [] }), 'spec.template.spec.containers: Required value');
      for (const restartPolicy of ['Always', undefined]) {
        await refused(
          job(api, 'x', '', {}, {}, { restartPolicy }),
          'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
        );
      }
      await refused(
        job(api, 'x', '', { backoffLimit: -1, parallelism: -1 }),
        '[spec.parallelism: Invalid value: -1: must be greater than or equal to 0, spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0]',
      );
      await refused(
        job(api, 'x', '', {}, { env: [{ name: 'a=b' }] }),
        `${image}.env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='`,
      );
      await refused(
        job(api, 'x', '', {}, { volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
        `${image}.volumeMounts[0].name: Not found: "v"`,
      );
      await refused(
        job(api, 'x', '', {}, { resources: { requests: { 'nvidia.com/gpu': 1 } } }),
        `${image}.resources.limits: Required value: Limit must be set for non overcommitable resources`,
      );
      await refused(
        job(api, 'x', '', {}, { resources: { limits: { 'nvidia.com/gpu': '0.5' } } }),
        `${image}.resources.limits[nvidia.com/gpu]: Invalid value: "500m": must be an integer`,
      );
    },
  },
  {
    name: 'refuses names and labels that are none',
    run: async (api) => {
      const name = await api.post(api.path('configmaps'), configMap('A_b'));
      expectStatus(
        name,
        422,
        'Invalid',
        expect.stringContaining('metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of'),
        {
          name: 'A_b',
          kind: 'ConfigMap',
          causes: [{ reason: 'FieldValueInvalid', message: expect.stringContaining('A_b'), field: 'metadata.name' }],
        },
      );
      expectStatus(
        await api.post(api.path('configmaps'), { apiVersion: 'v1', kind: 'ConfigMap' }),
        422,
        'Invalid',
        'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
      );
      const label = await api.post(api.path('configmaps'), configMap('x', {}, { a: 'b'.repeat(64) }));
      expectStatus(
        label,
        422,
        'Invalid',
        `ConfigMap "x" is invalid: metadata.labels: Invalid value: "${'b'.repeat(64)}": must be no more than 63 bytes`,
      );
      expectStatus(
        await api.post(api.path('configmaps'), configMap('x', {}, { a: 'b c' })),
        422,
        'Invalid',
        expect.stringContaining('a valid label must be'),
      );
      const long = await api.post(api.path('jobs'), suspended(api, 'j'.repeat(64)));
      expectStatus(long, 422, 'Invalid', expect.stringContaining('spec.template.labels: Invalid value'));
    },
  },
  {
    name: 'limits a ConfigMap to 1 MiB of data',
    run: async (api) => {
      const limit = 1024 * 1024;
      expect((await api.post(api.path('configmaps'), configMap('full', { a: 'x'.repeat(limit) }))).status).toBe(201);
      expectStatus(
        await api.post(api.path('configmaps'), configMap('more', { a: 'x'.repeat(limit + 1) })),
        422,
        'Invalid',
        'ConfigMap "more" is invalid: []: Too long: may not be more than 1048576 bytes',
      );
      expectStatus(
        await api.post(api.path('configmaps'), configMap('much', { a: 'x'.repeat(3 * limit) })),
        413,
        'RequestEntityTooLarge',
        expect.stringMatching(/^Request entity too large: limit is 3145728$/u),
      );
    },
  },
  {
    name: 'merges patches, counts generations, and changes nothing where nothing changes',
    run: async (api) => {
      const made = (await api.post(api.path('jobs'), suspended(api, 'one'))).body;
      await api.until('jobs', 'one', ({ status }) => (status as { conditions?: unknown }).conditions !== undefined);
      const labelled = await api.patch(api.path('jobs/one'), { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } } });
      expect(labelled.body.metadata).toMatchObject({ generation: 1, labels: { a: 'b', 'job-name': 'one' } });
      const removed = await api.patch(api.path('jobs/one'), { metadata: { labels: { a: null } }, spec: { parallelism: 2 } });
      expect(removed.body.metadata.labels).not.toHaveProperty('a');
      expect(removed.body.metadata).toMatchObject({ generation: 2, uid: made.metadata.uid, annotations: { c: 'd' } });
      const again = await api.patch(api.path('jobs/one'), { spec: { parallelism: 2 } });
      expect(again.body.metadata.resourceVersion).toBe(removed.body.metadata.resourceVersion);
    },
  },
  {
    name: 'holds a patch or an update to the version it names',
    run: async (api) => {
      const { metadata } = (await api.post(api.path('configmaps'), configMap('one', { a: '1' }))).body;
      const first = await api.patch(api.path('configmaps/one'), {
        metadata: { resourceVersion: metadata.resourceVersion },
        data: { a: '2' },
      });
      expect(first.status).toBe(200);
      const said =
        'Operation cannot be fulfilled on configmaps "one": the object has been modified; please apply your changes to the latest version and try again';
      const stale = { metadata: { name: 'one', resourceVersion: metadata.resourceVersion }, data: { a: '3' } };
      const details = { name: 'one', kind: 'configmaps' };
      expectStatus(await api.patch(api.path('configmaps/one'), stale), 409, 'Conflict', said, details);
      expectStatus(
        await api.put(api.path('configmaps/one'), { apiVersion: 'v1', kind: 'ConfigMap', ...stale }),
        409,
        'Conflict',
        said,
        details,
      );
      expect((await api.put(api.path('configmaps/one'), configMap('one', { b: '4' }))).body['data']).toEqual({ b: '4' });
      expectStatus(await api.put(api.path('configmaps/none'), configMap('none')), 404, 'NotFound', 'configmaps "none" not found');
      expectStatus(await api.patch(api.path('configmaps/none'), {}), 404, 'NotFound', 'configmaps "none" not found');
      expectStatus(
        await api.put(api.path('configmaps/one'), configMap('two')),
        400,
        'BadRequest',
        'the name of the object (two) does not match the name on the URL (one)',
      );
    },
  },
  {
    name: 'keeps what may not change',
    run: async (api) => {
      await api.post(api.path('jobs'), suspended(api, 'one', { completions: 1 }));
      const image = await api.patch(api.path('jobs/one'), {
        spec: { template: { spec: { containers: [{ name: 'main', image: 'other' }] } } },
      });
      expectStatus(
        image,
        422,
        'Invalid',
        expect.stringMatching(/^Job\.batch "one" is invalid: spec\.template: Invalid value: .*: field is immutable$/u),
      );
      expectStatus(
        await api.patch(api.path('jobs/one'), { spec: { completions: 3 } }),
        422,
        'Invalid',
        'Job.batch "one" is invalid: spec.completions: Invalid value: 3: field is immutable',
      );
      // As long as it is suspended and has never started, a queue may still say where its pods go.
      const placed = await api.patch(api.path('jobs/one'), {
        spec: { template: { metadata: { labels: { queue: 'a' } }, spec: { nodeSelector: { pool: 'gpu' } } } },
      });
      expect(placed.status).toBe(200);
    },
  },
  {
    name: 'keeps status and the rest apart',
    run: async (api) => {
      await api.post(api.path('jobs'), suspended(api, 'one'));
      await api.until('jobs', 'one', ({ status }) => (status as { conditions?: unknown }).conditions !== undefined);
      const main = await api.patch(`${api.path('jobs/one')}?dryRun=All`, { status: { active: 7 } });
      expect(main.body['status']).not.toHaveProperty('active');
      const status = await api.patch(`${api.path('jobs/one/status')}?dryRun=All`, { spec: { suspend: false }, status: { active: 7 } });
      expect(status.body).toMatchObject({ spec: { suspend: true }, status: { active: 7 } });
    },
  },
  {
    name: 'takes merge patches by their content type alone',
    run: async (api) => {
      await api.post(api.path('configmaps'), configMap('one'));
      const plain = await api.send('PATCH', api.path('configmaps/one'), {}, 'application/json');
      expectStatus(plain, 415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
      expectStatus(
        await api.patch(api.path('configmaps/one'), []),
        400,
        'BadRequest',
        'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
      );
      expectStatus(
        await api.send('PATCH', api.path('configmaps'), {}, 'application/merge-patch+json'),
        405,
        'MethodNotAllowed',
        expect.anything(),
      );
    },
  },
  {
    name: 'deletes, and only the one that is meant',
    run: async (api) => {
      const made = (await api.post(api.path('configmaps'), configMap('one'))).body;
      const other = '00000000-0000-4000-8000-000000000000';
      expectStatus(
        await api.delete(api.path('configmaps/one'), { preconditions: { uid: other } }),
        409,
        'Conflict',
        `Operation cannot be fulfilled on ConfigMap "one": the UID in the precondition (${other}) does not match the UID in record (${made.metadata.uid}). The object might have been deleted and then recreated`,
        { name: 'one', kind: 'ConfigMap' },
      );
      const done = await api.delete(api.path('configmaps/one'), { preconditions: { uid: made.metadata.uid } });
      expect([done.status, done.body]).toEqual([
        200,
        {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Success',
          details: { name: 'one', kind: 'configmaps', uid: made.metadata.uid },
        },
      ]);
      expectStatus(await api.delete(api.path('configmaps/one')), 404, 'NotFound', 'configmaps "one" not found', {
        name: 'one',
        kind: 'configmaps',
      });
    },
  },
  {
    name: 'keeps a finalizer’s object until that is gone',
    run: async (api) => {
      const object = configMap('held');
      await api.post(api.path('configmaps'), { ...object, metadata: { name: 'held', finalizers: ['example.com/hold'] } });
      const marked = await api.delete(api.path('configmaps/held'));
      expect(marked.body.metadata.deletionTimestamp).toEqual(expect.any(String));
      expect((await api.get(api.path('configmaps/held'))).status).toBe(200);
      await api.patch(api.path('configmaps/held'), { metadata: { finalizers: null } });
      expect((await api.get(api.path('configmaps/held'))).status).toBe(404);
    },
  },
  {
    name: 'encodes secrets, and leases hold their times',
    run: async (api) => {
      const secret = await api.post(api.path('secrets'), {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's' },
        stringData: { a: 'b' },
      });
      expect(secret.body).toMatchObject({ type: 'Opaque', data: { a: 'Yg==' } });
      expect(secret.body).not.toHaveProperty('stringData');
      const spec = { holderIdentity: 'us', leaseDurationSeconds: 60, renewTime: '2026-01-01T00:00:00.123456Z' };
      const lease = await api.post(api.path('leases'), {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'l' },
        spec,
      });
      expect(lease.body['spec']).toEqual(spec);
    },
  },
];
