import { beforeAll, expect, it } from '@jest/globals';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { configMaps, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { keptLog } from '../support/kubernetes.ts';
import { openTarget, unique, type Target } from '../support/targets.ts';

/*
 * What every other test takes for granted of the cluster and the registry that `pnpm real` was told: a preflight.
 */
let target: Target;
let client: KubernetesClient;
beforeAll(async () => {
  target = await openTarget('real');
  client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
});

it('the cluster runs Jobs, and lets us make a namespace', async () => {
  expect(await client.discover('batch', 'v1')).toContainEqual(expect.objectContaining({ kind: 'Job', plural: 'jobs' }));
  const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
  const name = unique('slashtrain-real');
  await client.create<KubernetesObject>(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  try {
    const metadata = { name: 'a', namespace: name };
    const made = await client.create<KubernetesObject>(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
    expect(made?.metadata.uid).toBeTruthy();
  } finally {
    await client.delete(namespaces, '', name);
  }
});

it('the registry has a base image with Node', async () => {
  const accept = [
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ];
  const answer = await fetch(`http://${target.registry}/v2/node/manifests/24`, { headers: { accept: accept.join(', ') } });
  expect(answer.status).toBe(200);
});
