import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { argoWorkflow } from '@slashtrain/core/kinds/argo-workflow';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import type { Repository } from '@slashtrain/testing/github/github';
import { openBuilding, type Building } from '../support/building.ts';
import { RealKinds } from '../support/kinds.ts';
import { findPython, pushPythonImage } from '../support/python.ts';
import { succeeded } from '../support/steps.ts';

/*
 * Notebooks that nbformat and papermill wrote, on a base made of this machine's Python: images that run as they are, and
 * an Argo Workflow of the one with steps.
 */
const real = await RealKinds.open('build-notebooks');
const isThere = await real.has([argoWorkflow.resource, 'Argo Workflows']);
const found = findPython();
const volumes: Resource = { group: '', version: 'v1', plural: 'persistentvolumes', kind: 'PersistentVolume' };
let place: Building;
let repository: Repository;
let base: string;

const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, `../../actions/build-image/src/notebook/fixtures/${name}.ipynb`), 'utf8');

beforeAll(async () => {
  place = await openBuilding();
  await real.begin();
  if (!found) return;
  base = `${place.images}/python:${found.version}`;
  await pushPythonImage(base, found);
  const files = Object.fromEntries(['plain', 'magics', 'papermill', 'steps'].map((name) => [`${name}.ipynb`, fixture(name)]));
  repository = place.github.createRepository({ owner: 'acme', name: 'notebooks', files });
});
afterAll(async () => {
  await real.end();
  await place.close();
});

if (found)
  it('run as the images that they became', async () => {
    const run = async (name: string): Promise<boolean> => {
      const inputs = { image: `${place.images}/${name}`, base, notebook: `${name}.ipynb`, sha: repository.head() };
      const { outputs, summary } = await succeeded(place.build(repository, inputs, found.env));
      expect(summary.includes('| Packages | `magics.ipynb`')).toBe(name === 'magics');
      return place.runs(outputs['image'] ?? '');
    };
    expect(await Promise.all([run('plain'), run('magics'), run('papermill')])).toEqual([true, true, true]);
  });

if (found && isThere)
  it('with steps is a Workflow that succeeds, whose steps find what others left', async () => {
    const inputs = { image: `${place.images}/steps`, base, notebook: 'steps.ipynb', sha: repository.head() };
    const { outputs } = await succeeded(place.build(repository, inputs, found.env));
    const made = JSON.parse(outputs['manifest'] ?? '') as KubernetesObject;
    const object = real.object(argoWorkflow, made['spec'] as object);
    const { namespace } = real;
    const name = `${object.metadata.name ?? ''}-shared`;
    // A volume for the claim that Argo makes: a cluster of one node may have nothing that makes volumes.
    await real.client.create<KubernetesObject>(volumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        claimRef: { namespace, name },
        hostPath: { path: `/tmp/${name}`, type: 'DirectoryOrCreate' },
        persistentVolumeReclaimPolicy: 'Retain',
      },
    });
    try {
      const reference = await real.start(argoWorkflow, object);
      const [seen, lines] = await Promise.all([real.follow(reference), real.lines(reference)]);
      expect(seen.at(-1)?.state).toBe('succeeded');
      expect(lines).toEqual(expect.arrayContaining([expect.stringContaining('prepared 5'), expect.stringContaining('line 5.0 2.0')]));
    } finally {
      await real.client.delete(volumes, '', name);
      // On this machine, where the node is.
      rmSync(`/tmp/${name}`, { recursive: true, force: true });
    }
  });
