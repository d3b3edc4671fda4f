import { expect, it } from '@jest/globals';
import { configMaps } from '@slashtrain/core/kubernetes/client';
import { makeNamespace, openTarget, target } from './target.ts';

it('the cluster runs Jobs, and lets us make a namespace', async () => {
  const client = await openTarget();
  expect(await client.discover('batch', 'v1')).toContainEqual(expect.objectContaining({ kind: 'Job', plural: 'jobs' }));
  const namespace = await makeNamespace(client);
  try {
    const made = await client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: namespace.name },
    });
    expect(made?.metadata.uid).toBeTruthy();
  } finally {
    await namespace.remove();
  }
});

it('the registry has a base image with Node', async () => {
  const { registry } = target();
  const accept = [
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ];
  const answer = await fetch(`http://${registry}/v2/node/manifests/24`, { headers: { accept: accept.join(', ') } });
  expect(answer.status).toBe(200);
});
