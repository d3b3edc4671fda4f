import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { job } from '@slashtrain/core/kinds/job';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { configMaps } from '@slashtrain/core/kubernetes/client';
import { parseReference } from '@slashtrain/core/run/reference';
import { startBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { RealKinds } from '../support/kinds.ts';
import { succeeded } from '../support/steps.ts';

/*
 * A manifest of several documents, through the bundles: what a run needs is there before it, is found under its new name,
 * and goes with it.
 */
const real = await RealKinds.open('documents');
const core = { group: '', version: 'v1' };
const services: Resource = { ...core, plural: 'services', kind: 'Service' };
const claims: Resource = { ...core, plural: 'persistentvolumeclaims', kind: 'PersistentVolumeClaim' };

let github: FakeGitHub;
let repository: Repository;
beforeAll(async () => {
  await real.begin();
  github = await startGitHub();
  repository = github.createRepository({ owner: 'acme', name: 'digits' });
  const config = 'policy:\n  kinds: [Job.batch, ConfigMap, Service, PersistentVolumeClaim]\n';
  repository.commit({ files: { '.github/slashtrain.yml': config } });
});
afterAll(async () => {
  await github.close();
  await real.end();
});

// Looks its own address up by the Service that was made for this run.
const program = `
  const { lookup } = require('node:dns/promises');
  const { address } = Object.values(require('node:os').networkInterfaces()).flat().find(({ internal }) => !internal);
  const ask = () => lookup(process.env.SERVER).then(
    (found) => console.log('learning rate', process.env.lr, found.address === address ? 'found itself' : 'found another'),
    () => setTimeout(ask, 500),
  );
  ask();`;

const document = (kind: string, name: string, more: object, annotations: Record<string, string> = {}): object => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, annotations },
  ...more,
});
const storage = { spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'none', resources: { requests: { storage: '1Mi' } } } };
const helpers = [
  document('ConfigMap', 'rates', { data: { lr: '0.1' } }),
  document('Service', 'server', { spec: { clusterIP: 'None', publishNotReadyAddresses: true, selector: { app: 'digits' } } }),
  document('PersistentVolumeClaim', 'scratch', storage, { 'slashtrain.dev/ephemeral': 'true' }),
  document('PersistentVolumeClaim', 'models', storage),
];
const train = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'digits' },
  spec: {
    backoffLimit: 0,
    template: {
      metadata: { labels: { app: 'digits' } },
      spec: {
        restartPolicy: 'Never',
        containers: [
          {
            name: 'main',
            image: real.target.base,
            command: ['node', '-e', program],
            env: [{ name: 'SERVER', value: '$(names.server)' }],
            envFrom: [{ configMapRef: { name: 'rates' } }],
          },
        ],
      },
    },
  },
};

function bundle(action: string, inputs: Record<string, string>): Promise<BundleResult> {
  const token = github.token({ contents: 'read', checks: 'write', 'pull-requests': 'read' }, { repository });
  const { kubeconfig, context } = real.target;
  return startBundle({
    action,
    github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } },
    inputs: { kubeconfig, 'kube-context': context, namespace: real.namespace, token, ...inputs },
  }).result;
}

function commit(documents: object[]): string {
  return repository.commit({ files: { 'train.yaml': documents.map((one) => JSON.stringify(one)).join('\n---\n') } });
}

/** What was made beside the run, by kind and name, with the kinds of its owners. */
async function made(run: string): Promise<Record<string, string[]>> {
  const found: KubernetesObject[] = [];
  for (const resource of [configMaps, services, claims]) {
    found.push(...(await real.client.list(resource, real.namespace, { labelSelector: `slashtrain.dev/run=${run}` })).items);
  }
  return Object.fromEntries(
    found.map(({ kind, metadata: { name = '', ownerReferences = [] } }) => [
      `${kind}/${name.slice(0, name.indexOf('-'))}`,
      ownerReferences.map((owner) => `${owner.kind}/${owner.name}`),
    ]),
  );
}

describe('a manifest of several documents', () => {
  it('is there before its run, is found by it, and goes with it but for a claim that is to stay', async () => {
    const inputs = { manifest: 'train.yaml', sha: commit([...helpers, train]), pipeline: 'digits', deadline: '5m' };
    const submitted = await succeeded(bundle('submit-pipeline', inputs));
    const run = submitted.outputs['run'] ?? '';
    const { name, uid } = parseReference(run);
    const waited = await succeeded(bundle('wait-for-run', { run }));
    expect(waited.stdout).toContain('learning rate 0.1 found itself');
    const owned = [`Job/${name}`];
    const expected = {
      'ConfigMap/rates': owned,
      'Service/server': owned,
      'PersistentVolumeClaim/scratch': owned,
      'PersistentVolumeClaim/models': [],
    };
    expect(await made(name)).toEqual(expected);

    const again = await succeeded(bundle('submit-pipeline', inputs));
    expect(again.outputs).toMatchObject({ adopted: 'true', run });
    expect(await made(name)).toEqual(expected);

    await real.client.delete(job.resource, real.namespace, name, { uid });
    while (Object.keys(await made(name)).length > 1) await pause(500);
    expect(await made(name)).toEqual({ 'PersistentVolumeClaim/models': [] });
  });

  it('is refused as a whole, with the field or the rule, and nothing of it is made', async () => {
    const server = document('Service', 'server', {});
    const wrong = document('ConfigMap', 'rates', { dta: { lr: '0.1' } });
    const unknown = await bundle('submit-pipeline', { manifest: 'train.yaml', sha: commit([wrong, server, train]), pipeline: 'wrong' });
    expect(unknown.code).toBe(1);
    expect(unknown.stdout).toContain('unknown field "dta"');
    const secret = document('Secret', 'key', { stringData: { a: 'b' } });
    const forbidden = await bundle('submit-pipeline', {
      manifest: 'train.yaml',
      sha: commit([secret, server, train]),
      pipeline: 'forbidden',
    });
    expect(forbidden.code).toBe(1);
    expect(forbidden.stdout).toMatch(/Secret\/key-[0-9a-f]{7}-[0-9a-f]{7}: kind is "Secret".*policy\.kinds/u);
    const { items } = await real.client.list(configMaps, real.namespace, { labelSelector: 'slashtrain.dev/run' });
    expect(items.filter(({ metadata }) => /wrong|forbidden/u.test(metadata.labels?.['slashtrain.dev/run'] ?? ''))).toEqual([]);
  });
});

describe('a quota of the namespace', () => {
  it('that a run would exceed refuses it before it is made: with its name, what is used and what is asked', async () => {
    const quotas: Resource = { ...core, plural: 'resourcequotas', kind: 'ResourceQuota' };
    const metadata = { name: 'few', namespace: real.namespace };
    const made = async (): Promise<number> =>
      (await real.client.list(job.resource, real.namespace)).items.filter(({ metadata: { name } }) => name?.startsWith('quota')).length;
    const spec = { hard: { 'count/jobs.batch': '0' } };
    await real.client.create<KubernetesObject>(quotas, { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec });
    // Its controller has to have counted.
    while (!(await real.client.get(quotas, real.namespace, 'few'))?.['status']) await pause(100);
    const result = await bundle('submit-pipeline', { manifest: 'train.yaml', sha: commit([...helpers, train]), pipeline: 'quota' });
    await real.client.delete(quotas, real.namespace, 'few');
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/the quota "few" \(count\/jobs\.batch: 1 asked, \d+ of 0 used\) forbids jobs\.batch "quota-/u);
    expect(await made()).toBe(0);
  });
});
