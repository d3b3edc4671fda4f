import { describe, expect, it } from '@jest/globals';
import { ActionError } from '../action/errors.ts';
import type { Log } from '../action/log.ts';
import type { KubernetesObject, Resource } from '../kinds/kind.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { parseReference } from '../run/reference.ts';
import { kubernetesBackend } from './kubernetes.ts';

const uid = '11111111-2222-3333-4444-555555555555';
const log = { debug: () => undefined } as unknown as Log;
const mpi = { plural: 'mpijobs', group: 'kubeflow.org' };
const mpiReference = parseReference(`mpijobs.kubeflow.org/ml/digits@${uid}`);

/** A cluster that has MPIJobs in some versions, and one object. */
function clusterWith(versions: readonly string[], status: object, pods: object[] = []): { client: KubernetesClient; asked: string[] } {
  const asked: string[] = [];
  const client = {
    context: 'test',
    server: 'https://test',
    discover: (group: string, version: string) => {
      asked.push(`${group}/${version}`);
      return Promise.resolve(versions.includes(version) ? [{ ...mpi, version, kind: 'MPIJob' }] : undefined);
    },
    get: ({ group, version, plural }: Resource, namespace: string, name: string) => {
      asked.push(`${plural}.${version}`);
      const object: KubernetesObject = { apiVersion: `${group}/${version}`, kind: plural, metadata: { namespace, name, uid }, status };
      return Promise.resolve(plural === 'mpijobs' && !versions.includes(version) ? undefined : object);
    },
    list: () => Promise.resolve({ items: pods, resourceVersion: '1' }),
  };
  return { client: client as unknown as KubernetesClient, asked };
}

const running = { conditions: [{ type: 'Running', status: 'True' }] };

describe('a reference to a kind with two versions', () => {
  it.each([
    ['the MPI operator', ['v2beta1'], ['kubeflow.org/v2beta1', 'mpijobs.v2beta1', 'mpijobs.v2beta1']],
    ['the training operator', ['v1'], ['kubeflow.org/v2beta1', 'kubeflow.org/v1', 'mpijobs.v1', 'mpijobs.v1']],
  ])('is looked up as %s has it, and that is asked once', async (_, versions, expected) => {
    const { client, asked } = clusterWith(versions, running);
    const backend = kubernetesBackend(client, { log });
    const [first, second] = [await backend.look(mpiReference), await backend.look(mpiReference)];
    expect([first.status.state, second.status.state]).toEqual(['running', 'running']);
    expect(asked).toEqual(expected);
  });

  it('is deleted where the cluster has neither', async () => {
    const { client } = clusterWith([], running);
    const { status } = await kubernetesBackend(client, { log }).look(mpiReference);
    expect(status.state).toBe('deleted');
    expect(status.message).toContain('there is no mpijobs.kubeflow.org "digits"');
  });

  it('is asked for again where the question failed', async () => {
    const { client, asked } = clusterWith(['v1'], running);
    const failing = { ...client, discover: () => Promise.reject(new ActionError('unreachable', 'no answer')) };
    let discover = failing.discover as KubernetesClient['discover'];
    const backend = kubernetesBackend({ ...client, discover: (...args) => discover(...args) }, { log });
    await expect(backend.look(mpiReference)).rejects.toThrow('no answer');
    discover = client.discover.bind(client);
    expect((await backend.look(mpiReference)).status.state).toBe('running');
    expect(asked.at(-1)).toBe('mpijobs.v1');
  });

  it('asks nothing where there is one version', async () => {
    const { client, asked } = clusterWith([], {});
    await kubernetesBackend(client, { log }).look(parseReference(`jobs.batch/ml/digits@${uid}`));
    expect(asked).toEqual(['jobs.v1']);
  });
});

describe('the outputs of a run', () => {
  const pod = {
    metadata: { name: 'p' },
    status: {
      containerStatuses: [{ name: 'main', state: { terminated: { exitCode: 0, message: '{"best-trial":"mine","model":"s3://m"}' } } }],
    },
  };

  it('are its pods’ and its own, which count more', async () => {
    const { client } = clusterWith([], { currentOptimalTrial: { bestTrialName: 'digits-a1' } }, [pod]);
    const reference = parseReference(`experiments.kubeflow.org/ml/digits@${uid}`);
    expect(await kubernetesBackend(client, { log }).outputs(reference)).toEqual([
      { name: 'best-trial', value: 'digits-a1' },
      { name: 'model', value: 's3://m' },
    ]);
  });

  it('are none of another run that has its name', async () => {
    const { client } = clusterWith([], { currentOptimalTrial: { bestTrialName: 'digits-a1' } });
    const reference = parseReference(`experiments.kubeflow.org/ml/digits@${uid.replace('1', '9')}`);
    expect(await kubernetesBackend(client, { log }).outputs(reference)).toEqual([]);
  });
});
