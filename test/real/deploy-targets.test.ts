import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { watchSelection } from '@slashtrain/core/kubernetes/watch';
import { of, openDeploying, type Deploying } from '../support/deploying.ts';
import { sayWhatIsSkipped, targets } from '../support/targets.ts';

/*
 * What else deploy-model deploys to, beside a Deployment (deploy-rollout.test.ts): KServe with a serving runtime and with a transformer, any
 * manifest, a command, Knative's own schema without its controllers; and from one environment to the next after a merge.
 */
sayWhatIsSkipped('targets of deploys');

const services: Resource = { group: 'serving.kserve.io', version: 'v1beta1', plural: 'inferenceservices', kind: 'InferenceService' };
const runtimes: Resource = { group: 'serving.kserve.io', version: 'v1alpha1', plural: 'servingruntimes', kind: 'ServingRuntime' };
const initializers: Resource = {
  group: 'serving.kserve.io',
  version: 'v1alpha1',
  plural: 'clusterstoragecontainers',
  kind: 'ClusterStorageContainer',
};
const knative: Resource = { group: 'serving.knative.dev', version: 'v1', plural: 'services', kind: 'Service' };
const deployments: Resource = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' };
const configMaps: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };

/** A runtime as KServe starts one: the model lies in /mnt/models, the v1 and v2 protocols answer. */
const runtime = `
  const fs = require('node:fs');
  const { digit } = JSON.parse(fs.readFileSync('/mnt/models/model.json', 'utf8'));
  require('node:http').createServer((request, response) => {
    const answer = { '/v1/models/digits:predict': { predictions: [digit] }, '/v2/models/digits/ready': { ready: true } }[request.url];
    response.writeHead(answer || request.url === '/' ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
  }).listen(8080);
`;
/** Brings \`scheme://7\` to where KServe wants it: a model that says 7. */
const initializer = `
  const [uri, folder] = process.argv.slice(1);
  const digit = Number(uri.split('://')[1]);
  if (Number.isNaN(digit)) { console.error('there is no model at ' + uri); process.exit(1); }
  require('node:fs').writeFileSync(folder + '/model.json', JSON.stringify({ digit }));
`;
/** Stands before a predictor whose address KServe gives it, and says so. */
const transformer = `
  const { createServer, request } = require('node:http');
  const host = process.argv[process.argv.indexOf('--predictor_host') + 1];
  createServer((asked, response) => {
    const sent = request({ host: host.split(':')[0], port: host.split(':')[1] ?? 80, method: asked.method, path: asked.url });
    sent.on('error', (error) => response.writeHead(503).end(error.message));
    sent.on('response', async (answer) => {
      const whole = JSON.parse(Buffer.concat(await answer.toArray()).toString());
      response.writeHead(answer.statusCode, { 'content-type': 'application/json' }).end(JSON.stringify({ ...whole, by: 'transformer' }));
    });
    asked.pipe(sent);
  }).listen(8080);
`;
const manifest = `
apiVersion: v1
kind: ConfigMap
metadata: { name: thresholds-$(environment) }
data: { sha: $(sha) }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: by-hand }
spec:
  selector: { matchLabels: { app: by-hand } }
  template:
    metadata: { labels: { app: by-hand } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: model
          image: $(image)
          args: [node, serve.js]
          ports: [{ containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /healthz, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: by-hand }
spec: { selector: { app: by-hand }, ports: [{ port: 8080 }] }
`;
const knowsSeven = `
- path: /predict
  json: { pixels: [1, 2] }
  expect: { value: { path: $.digit, equals: 7 } }
`;

describe.each(targets.filter((name) => name === 'real'))('deploys on the %s cluster', (name) => {
  let world: Deploying;
  beforeAll(async () => {
    world = await openDeploying(name, { name: 'digits' });
  });
  afterAll(() => world.close());

  const specOf = async (resource: Resource, object: string): Promise<unknown> =>
    (await world.client.get(resource, world.namespace, object))?.['spec'];

  describe('KServe with a serving runtime', () => {
    const small = { resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { cpu: '500m', memory: '128Mi' } } };
    beforeAll(async () => {
      const { client, namespace, target } = world;
      const kserve = { apiVersion: 'serving.kserve.io/v1alpha1', metadata: { name: namespace, namespace } };
      const container = (program: string): object => ({ image: target.base, command: ['node', '-e', program], ...small });
      await client.create(runtimes, {
        ...kserve,
        kind: 'ServingRuntime',
        spec: {
          supportedModelFormats: [{ name: 'digits-json', version: '1', autoSelect: true }],
          protocolVersions: ['v1', 'v2'],
          containers: [
            {
              name: 'kserve-container',
              ...container(runtime),
              readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      });
      await client.create(initializers, {
        ...kserve,
        kind: 'ClusterStorageContainer',
        metadata: { name: namespace },
        spec: {
          container: { name: 'storage-initializer', ...container(initializer) },
          supportedUriFormats: [{ prefix: `${namespace}://` }],
        },
      });
    });
    afterAll(() => world.client.delete(initializers, '', world.namespace));

    it('loads what the run put out, refuses what cannot be loaded, and goes through a transformer', async () => {
      const { namespace } = world;
      const into = {
        target: 'kserve',
        name: 'served',
        environment: 'kserve',
        'model-format': 'digits-json',
        'min-replicas': '1',
        'max-replicas': '1',
        cpu: '50m',
        memory: '64Mi',
        'smoke-test':
          '- { v2: digits, expect: { value: { path: $.ready, equals: true } } }\n- { v1: digits, json: { instances: [[1, 2]] }, expect: { value: { path: "$.predictions[0]", equals: 7 } } }',
      };
      const model = (digit: string) => ({ result: { outputs: [{ name: 'model-uri', value: `${namespace}://${digit}` }] } });
      const one = await world.deploy({ ...of(await world.trained({ digit: 7 }, model('7'))), ...into });
      expect(one.shown).toContain('is deployed to kserve');
      const first = await specOf(services, 'served');
      expect(first).toMatchObject({ predictor: { model: { modelFormat: { name: 'digits-json' }, storageUri: `${namespace}://7` } } });

      const nowhere = await world.deploy({ ...of(await world.trained({ digit: 0 }, model('nowhere'))), ...into });
      expect(nowhere.outputs).toMatchObject({ state: 'failure', revision: one.outputs['revision'] });
      expect(nowhere.shown).toContain(`BlockedByFailedLoad: ModelLoadFailed: there is no model at ${namespace}://nowhere`);
      expect(await specOf(services, 'served')).toEqual(first);

      const three = of(await world.trained({ digit: 3 }, model('3')));
      const split = await world.deploy({ ...three, ...into, canary: '50%, 100%' });
      expect(split.shown).toContain('KServe in Standard mode splits no requests');
      expect([split.outputs['state'], split.outputs['deployment-id']]).toEqual(['failure', '']);

      const before = await world.trained(
        { digit: 7 },
        { ...model('7.0'), files: { 'transform.js': transformer }, build: { entrypoint: '[node, transform.js]' } },
      );
      const asked = into['smoke-test'].replaceAll('expect: { ', 'expect: { contains: transformer, ');
      const behind = await world.deploy({ ...of(before), ...into, 'smoke-test': asked, transformer: before.image });
      expect(behind.outputs).toMatchObject({ state: 'success', 'previous-revision': one.outputs['revision'] });
      const back = await world.deploy({ ...into, rollback: 'last-good' });
      expect(back.outputs).toMatchObject({ state: 'success', revision: one.outputs['revision'] });
      expect(await specOf(services, 'served')).toEqual(first);
    });
  });

  it('deploys the manifest of a commit, and takes back what is new in a worse one', async () => {
    const into = { target: 'manifest', manifest: 'serving.yaml', name: 'by-hand', environment: 'manifest', 'smoke-test': knowsSeven };
    const good = await world.trained({ digit: 7 }, { files: { 'serving.yaml': manifest } });
    const one = await world.deploy({ ...of(good), ...into });
    expect(one.outputs).toMatchObject({ state: 'success', url: `http://by-hand.${world.namespace}.svc:8080` });
    expect(await world.client.get(configMaps, world.namespace, 'thresholds-manifest')).toMatchObject({ data: { sha: good.sha } });
    const first = await specOf(deployments, 'by-hand');
    expect(JSON.stringify(first)).toContain(good.image);

    const more = `${manifest}---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: added }\n`;
    const worse = await world.deploy({ ...of(await world.trained({ digit: 3 }, { files: { 'serving.yaml': more } })), ...into });
    expect(worse.outputs).toMatchObject({ state: 'failure', revision: one.outputs['revision'] });
    expect(worse.shown).toContain('$.digit is 3, expected 7');
    expect(await specOf(deployments, 'by-hand')).toEqual(first);
    expect(await world.client.get(configMaps, world.namespace, 'added')).toBeUndefined();
    expect(await world.client.get(configMaps, world.namespace, 'thresholds-manifest')).toMatchObject({ data: { sha: good.sha } });

    const moving = manifest.replace('$(image)', world.target.base);
    const unpinned = await world.deploy({ ...of(await world.trained({ digit: 7 }, { files: { 'serving.yaml': moving } })), ...into });
    expect(unpinned.shown).toContain(`containers[0].image is "${world.target.base}", which is not pinned`);
    expect(unpinned.outputs['deployment-id']).toBe('');
  });

  it('runs a command for what is not Kubernetes, and its way back', async () => {
    const platform = await openFunctions();
    const put = (revision: string): string =>
      `"$NODE" -e 'fetch(process.env.FUNCTIONS, { method: "PUT", body: process.argv[1] })' "${revision}"`;
    const into = {
      target: 'command',
      environment: 'function',
      command: put('$SLASHTRAIN_REVISION $SLASHTRAIN_IMAGE'),
      url: platform.url,
      'smoke-test': '- { path: /, expect: { contains: "@sha256:" } }',
    };
    const env = { FUNCTIONS: platform.url, NODE: process.execPath };
    const good = await world.trained({ digit: 7 });
    const one = await world.deploy({ ...of(good), ...into }, env);
    expect(one.outputs).toMatchObject({ state: 'success', url: platform.url });
    const runs = `${one.outputs['revision'] ?? ''} ${good.image}`;
    expect(platform.now).toBe(runs);

    // Without a way back of its own, the command deploys again what was there before.
    const bad = of(await world.trained({ digit: 3 }));
    const wrong = await world.deploy({ ...bad, ...into, command: put('$SLASHTRAIN_REVISION ${SLASHTRAIN_IMAGE/@/ at }') }, env);
    expect(wrong.outputs).toMatchObject({ state: 'failure', revision: one.outputs['revision'] });
    expect(platform.was.at(-2)).toMatch(/ at sha256:/u);
    expect(platform.now).toBe(runs.replace('@', ' at '));
    const failing = await world.deploy(
      { ...bad, ...into, command: 'exit 7', 'rollback-command': put('back to $SLASHTRAIN_REVISION') },
      env,
    );
    expect(failing.shown).toContain('input "command" ended with exit code 7');
    expect(failing.outputs).toMatchObject({ state: 'failure', revision: one.outputs['revision'] });
    expect(platform.now).toBe(`back to ${one.outputs['revision'] ?? ''}`);
    platform.close();
  });

  it('promotes after a merge what runs on staging: the same digest', async () => {
    const { repository, trained, deploy } = world;
    const into = { args: '[node, serve.js]', 'health-path': '/healthz', 'smoke-test': knowsSeven, cpu: '50m' };
    const good = await trained({ digit: 7 });
    const production = { ...into, name: 'digits-production', environment: 'production', promote: 'staging' };
    const early = await deploy({ ...of(good), ...production });
    expect(early.shown).toContain('nothing of digits is deployed to "staging"');
    const staging = await deploy({ ...of(good), ...into });
    expect(staging.outputs['state']).toBe('success');
    const other = await trained({ digit: 7, other: true });
    expect((await deploy({ ...of(other), ...production })).shown).toContain(`"staging" runs ${good.sha}, and ${other.sha} was to go on`);

    const merged = repository.merge(Number(good.number), 'squash');
    const promoted = await deploy({ sha: merged, 'pr-number': good.number, ...production });
    expect(promoted.outputs['state']).toBe('success');
    expect(promoted.shown).toContain(`${merged} is what the merge of #${good.number} made, with the same files as its head ${good.sha}`);
    expect(JSON.stringify(await specOf(deployments, 'digits-production'))).toContain(good.image);
  });

  // https://github.com/knative/serving/blob/knative-v1.21.1/pkg/apis/serving/v1/service_lifecycle.go and configuration_lifecycle.go: no
  // controller runs here, so that the test says what they would.
  it('gives Knative what its schema takes, and reads what its controllers would say', async () => {
    const { client, namespace } = world;
    const into = {
      target: 'knative',
      name: 'served',
      environment: 'knative',
      timeout: '30s',
      'min-replicas': '1',
      'health-path': '/healthz',
    };
    const stop = new AbortController();
    const bad = await world.trained({ digit: 3 });
    let made = 0;
    let ready = '';
    const controller = (async (): Promise<void> => {
      const selection = { labelSelector: 'slashtrain.dev/deployed=served' };
      for await (const { object } of watchSelection<Served>(client, knative, namespace, selection, { signal: stop.signal })) {
        if (object.status?.observedGeneration === object.metadata.generation) continue;
        const created = `served-0000${(made += 1)}`;
        const failure = `Revision "${created}" failed with message: Container failed with: exit status 3.`;
        const isBad = JSON.stringify(object.spec).includes(bad.image);
        if (!isBad) ready = created;
        const state = isBad ? { status: 'False', reason: 'RevisionFailed', message: failure } : { status: 'True' };
        const conditions = ['ConfigurationsReady', 'RoutesReady', 'Ready'].map((type) => ({
          type,
          ...(type === 'RoutesReady' ? { status: 'True' } : state),
        }));
        const status = {
          observedGeneration: object.metadata.generation,
          conditions,
          latestCreatedRevisionName: created,
          latestReadyRevisionName: ready,
          url: 'http://served.ml.example.com',
        };
        await client.patch(knative, namespace, 'served', { status }, { subresource: 'status' });
      }
    })().catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    const one = await world.deploy({ ...of(await world.trained({ digit: 7 })), ...into });
    expect(one.outputs).toMatchObject({ state: 'success', url: 'http://served.ml.example.com' });
    const first = await specOf(knative, 'served');
    expect(first).toMatchObject({ traffic: [{ latestRevision: true, percent: 100 }] });

    const failed = await world.deploy({ ...of(bad), ...into });
    expect(failed.outputs).toMatchObject({ state: 'failure', revision: one.outputs['revision'] });
    expect(failed.shown).toContain('RevisionFailed: Revision "served-00002" failed with message: Container failed with: exit status 3.');
    expect(await specOf(knative, 'served')).toEqual(first);

    const better = await world.trained({ digit: 7, better: true });
    const detached = await world.deploy({ ...of(better), ...into, canary: '20%:1h, 100%' });
    expect(detached.outputs['state']).toBe('in_progress');
    expect(await specOf(knative, 'served')).toMatchObject({
      traffic: [
        { revisionName: 'served-00003', latestRevision: false, percent: 80 },
        { latestRevision: true, percent: 20 },
      ],
    });
    stop.abort();
    await controller;
  });
});

/** A Knative Service, as its controller reads it. */
interface Served extends KubernetesObject {
  metadata: KubernetesObject['metadata'] & { generation?: number };
  spec?: unknown;
  status?: { observedGeneration?: number };
}

interface Functions {
  url: string;
  readonly now: string;
  readonly was: readonly string[];
  close(): Server;
}

/** A platform for functions: what is put is what answers. */
async function openFunctions(): Promise<Functions> {
  const was: string[] = [];
  const server = createServer((request, response) => {
    if (request.method !== 'PUT') return response.end(was.at(-1) ?? '');
    const chunks: Buffer[] = [];
    return request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        was.push(Buffer.concat(chunks).toString());
        response.end();
      });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get now() {
      return was.at(-1) ?? '';
    },
    was,
    close: () => server.close(),
  };
}
