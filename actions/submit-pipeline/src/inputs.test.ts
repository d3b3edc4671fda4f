import { describe, expect, it } from '@jest/globals';
import type { Host } from '@slashtrain/core/action/host';
import { Inputs } from '@slashtrain/core/action/inputs';
import { identifyingInputs, readInputs, type SubmitInputs } from './inputs.ts';

const image = `ghcr.io/acme/digits@sha256:${'a'.repeat(64)}`;

function read(given: Record<string, string>): SubmitInputs {
  const all = { token: 'a', sha: 'b'.repeat(40), ...given };
  const environment = Object.fromEntries(Object.entries(all).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]));
  return readInputs({ inputs: new Inputs(environment), workspace: '/nowhere' } as Host);
}

describe('what is to run', () => {
  it('is a manifest', () => {
    expect(read({ manifest: 'train.yaml' }).what).toEqual({ manifest: 'train.yaml' });
  });

  it('is a program', () => {
    expect(read({ image, command: 'python train.py', framework: 'pytorch', workers: '2' }).what).toEqual({
      program: { image, command: ['python', 'train.py'], framework: 'pytorch', workers: 2, runtime: undefined },
    });
    expect(read({ image }).what).toEqual({ program: { image, command: [], framework: 'job', workers: 1, runtime: undefined } });
  });

  it.each<[Record<string, string>, string]>([
    [{}, 'neither input "manifest" nor input "image" was given'],
    [{ manifest: 'train.yaml', image }, 'both input "manifest" and input "image" were given'],
    [{ manifest: 'train.yaml', command: 'a' }, 'input "command" was given beside "manifest"'],
    [{ manifest: 'train.yaml', workers: '2' }, 'input "workers" was given beside "manifest"'],
    [{ image, images: `a: ${image}` }, 'input "images" was given beside "image"'],
    [{ image: 'digits:latest' }, 'input "image" is "digits:latest", which is not pinned'],
    [{ image, framework: 'jax' }, 'input "framework" is "jax"; allowed: one of job, pytorch'],
    [{ image, workers: '0' }, 'input "workers" is "0"; allowed: a whole number from 1'],
    [{ image, runtime: 'torch-distributed' }, 'input "runtime" was given with framework "job", which has no TrainJob'],
  ])('%j is refused', (given, words) => {
    expect(() => read(given)).toThrow(words);
  });
});

describe('an input', () => {
  it.each<[Record<string, string>, string]>([
    [{ sha: 'main' }, 'input "sha" is "main"; allowed: a full commit SHA'],
    [{ 'pr-number': '0' }, 'input "pr-number" is "0"; allowed: a whole number from 1'],
    [{ pipeline: 'My Pipeline' }, 'pipeline is "My Pipeline"; allowed: up to 40 lower-case letters'],
    [{ deadline: '90' }, 'input "deadline" is "90", which is no duration'],
    [{ ttl: '1h' }, 'input "ttl" is 3600 seconds; allowed: 24h or longer'],
    [{ cpu: 'four' }, 'input "cpu" is "four"; allowed: a quantity above zero, such as 4 or 500m'],
    [{ memory: '0' }, 'input "memory" is "0"; allowed: a quantity above zero, such as 16Gi'],
    [{ gpus: '1.5' }, 'input "gpus" is "1.5"; allowed: a whole number from 0'],
    [{ queue: 'A queue' }, 'input "queue" is "A queue"; allowed: the name of an object in the cluster'],
    [{ artifacts: '/tmp' }, 'input "artifacts" is "/tmp"; allowed: a URI, such as s3://bucket/path'],
    [{ 'kfp-pipeline': '<b>' }, 'input "kfp-pipeline" is "<b>"; allowed: up to 128 letters'],
    [{ 'kfp-pipeline': 'digits', artifacts: 's3://a/b' }, 'input "artifacts" was given beside "kfp-pipeline"'],
    [{ env: 'SLASHTRAIN_SHA: x' }, 'input "env" names "SLASHTRAIN_SHA"'],
    [{ 'env-from-secret': 'A_B' }, 'input "env-from-secret" is "A_B"; allowed: names of Secrets, or a map of variables'],
    [{ 'env-from-secret': 'KEY: wandb' }, 'input "env-from-secret" is "KEY: wandb"'],
    [{ 'env-from-secret': 'SLASHTRAIN_SHA: a/b' }, 'input "env-from-secret" is "SLASHTRAIN_SHA: a/b"'],
  ])('%j is refused', (given, words) => {
    expect(() => read({ manifest: 'train.yaml', ...given })).toThrow(words);
  });

  it.each<[string, string[], [string, object][]]>([
    ['wandb', ['wandb'], []],
    ['[wandb, s3-keys]', ['wandb', 's3-keys'], []],
    [
      'WANDB_API_KEY: wandb/api-key\nAWS_KEY: s3/key.id',
      [],
      [
        ['WANDB_API_KEY', { secret: 'wandb', key: 'api-key' }],
        ['AWS_KEY', { secret: 's3', key: 'key.id' }],
      ],
    ],
  ])('env-from-secret may be %j', (text, all, variables) => {
    expect(read({ manifest: 'a', 'env-from-secret': text }).pods.secrets).toEqual({ all, variables: new Map(variables) });
  });

  it('that changes the object makes another request', () => {
    const given = {
      env: 'A: b',
      queue: 'q',
      gpus: '2',
      accelerator: 'a100',
      'env-from-secret': 'K: s/k',
      deadline: '1h',
      artifacts: 's3://b/p/',
    };
    expect(Object.fromEntries(identifyingInputs(read({ manifest: 'a', ...given, ttl: '9d' })))).toEqual({
      'env.A': 'b',
      'secret.K': 's/k',
      queue: 'q',
      gpus: '2',
      accelerator: 'a100',
      deadline: '3600',
      artifacts: 's3://b/p',
    });
  });
});
