import { describe, expect, it } from '@jest/globals';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { Pod } from '@slashtrain/core/kubernetes/pod';
import { deploymentReady } from './deployment.ts';
import { inferenceServiceReady } from './inference-service.ts';
import { knativeServiceReady } from './knative-service.ts';
import { podFailure } from './pods.ts';

/*
 * Statuses by upstream's types: Deployment apps/v1 (k8s.io/api v0.35), InferenceService v1beta1 (kserve v0.20.0,
 * pkg/apis/serving/v1beta1/inference_service_status.go), Knative Service v1 (knative.dev/serving, pkg/apis/serving/v1/service_types.go).
 */
const deployment = (status: object, spec: object = { replicas: 2 }, generation = 2): KubernetesObject =>
  ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'digits', generation }, spec, status }) as KubernetesObject;
const condition = (type: string, status: string, more: object = {}): object => ({ type, status, ...more });

describe('a Deployment', () => {
  it.each<[string, KubernetesObject, string, string]>([
    ['all new', deployment({ observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 }), 'ready', 'Ready'],
    [
      'not seen yet',
      deployment({ observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 }),
      'progressing',
      'NotObserved',
    ],
    [
      'old pods left',
      deployment({ observedGeneration: 2, replicas: 3, updatedReplicas: 2, availableReplicas: 3 }),
      'progressing',
      'RollingOut',
    ],
    [
      'not available',
      deployment({ observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 1 }),
      'progressing',
      'RollingOut',
    ],
    ['scaled to none', deployment({ observedGeneration: 2 }, { replicas: 0 }), 'ready', 'Ready'],
    [
      'too late',
      deployment({
        observedGeneration: 2,
        replicas: 3,
        updatedReplicas: 1,
        conditions: [condition('Progressing', 'False', { reason: 'ProgressDeadlineExceeded' })],
      }),
      'failed',
      'ProgressDeadlineExceeded',
    ],
    [
      'over quota',
      deployment({
        observedGeneration: 2,
        replicas: 2,
        conditions: [condition('ReplicaFailure', 'True', { reason: 'FailedCreate', message: 'pods "x" is forbidden: exceeded quota: q' })],
      }),
      'failed',
      'FailedCreate',
    ],
    [
      'a webhook that is away',
      deployment({
        observedGeneration: 2,
        replicas: 2,
        conditions: [
          condition('ReplicaFailure', 'True', { reason: 'FailedCreate', message: 'failed calling webhook: connection refused' }),
        ],
      }),
      'progressing',
      'FailedCreate',
    ],
    [
      'a webhook whose cache is behind',
      deployment({
        observedGeneration: 2,
        replicas: 2,
        conditions: [
          condition('ReplicaFailure', 'True', {
            reason: 'FailedCreate',
            message: 'admission webhook "mpod.kb.io" denied the request: ReplicaSet.apps "digits-5b74d9f445" not found',
          }),
        ],
      }),
      'progressing',
      'FailedCreate',
    ],
  ])('%s', (_, object, state, reason) => {
    expect(deploymentReady(object)).toMatchObject({ state, reason });
  });
});

describe('an InferenceService', () => {
  const service = (status: object, labels: object = { 'slashtrain.dev/revision': 'new' }): KubernetesObject =>
    ({
      apiVersion: 'serving.kserve.io/v1beta1',
      kind: 'InferenceService',
      metadata: { name: 'digits', generation: 9 },
      spec: { predictor: { labels } },
      status,
    }) as KubernetesObject;
  const ready = { conditions: [condition('Ready', 'True')] };
  const child = (revision: string, status: object): KubernetesObject => {
    const labels = { component: 'predictor' };
    const template = { metadata: { labels: { 'slashtrain.dev/revision': revision } } };
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'digits-predictor', labels, generation: 1 },
      spec: { template },
      status,
    } as KubernetesObject;
  };
  const up = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
  it.each<[string, KubernetesObject, KubernetesObject[], string, string]>([
    ['ready with its Deployment', service(ready), [child('new', up)], 'ready', 'Ready'],
    ['Ready of the old revision', service(ready), [child('old', up)], 'progressing', 'NotObserved'],
    ['its Deployment rolls out', service(ready), [child('new', { ...up, replicas: 2 })], 'progressing', 'RollingOut'],
    [
      'the model loads',
      service({ ...ready, modelStatus: { transitionStatus: 'InProgress' } }),
      [child('new', up)],
      'progressing',
      'InProgress',
    ],
    [
      'Ready and blocked',
      service({
        ...ready,
        modelStatus: {
          transitionStatus: 'BlockedByFailedLoad',
          lastFailureInfo: { reason: 'ModelLoadFailed', message: 'no model.joblib', exitCode: 1 },
        },
      }),
      [child('new', up)],
      'failed',
      'BlockedByFailedLoad',
    ],
    ['no condition', service({}), [], 'progressing', 'NotReady'],
    [
      'Knative: the newest revision is not ready',
      service({ ...ready, deploymentMode: 'Knative', components: { predictor: { latestReadyRevision: 'a', latestCreatedRevision: 'b' } } }),
      [],
      'progressing',
      'RevisionNotReady',
    ],
    [
      'Knative: it is',
      service({ ...ready, deploymentMode: 'Knative', components: { predictor: { latestReadyRevision: 'b', latestCreatedRevision: 'b' } } }),
      [],
      'ready',
      'Ready',
    ],
  ])('%s', (_, object, children, state, reason) => {
    expect(inferenceServiceReady(object, { children })).toMatchObject({ state, reason });
  });

  // As KServe 0.20 said it on a cluster, after a model that mends what could not be loaded was applied.
  const stale = service({
    ...ready,
    modelStatus: {
      transitionStatus: 'BlockedByFailedLoad',
      lastFailureInfo: { reason: 'ModelLoadFailed', message: 'no model', exitCode: 1 },
    },
  });
  const pod = (state: object): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'digits-predictor-a' },
    status: { initContainerStatuses: [{ name: 'storage-initializer', restartCount: 0, state }] },
  });
  it.each<[string, Pod[] | undefined, string]>([
    ['has no pod yet', [], 'progressing'],
    ['has a pod that loads', [pod({ running: {} })], 'progressing'],
    ['has a pod that could not load it either', [pod({ terminated: { exitCode: 1, reason: 'Error' } })], 'failed'],
    ['has pods that cannot be read', undefined, 'failed'],
  ])('blocked, where the newest revision %s: %p', (_, pods, state) => {
    const children = [child('new', { ...up, updatedReplicas: 0 })];
    expect(inferenceServiceReady(stale, { children, ...(pods ? { pods } : {}) }).state).toBe(state);
  });
});

describe('a Knative Service', () => {
  const service = (status: object): KubernetesObject =>
    ({ apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata: { name: 'digits', generation: 2 }, status }) as KubernetesObject;
  it.each<[string, object, string]>([
    [
      'ready',
      { observedGeneration: 2, latestCreatedRevisionName: 'b', latestReadyRevisionName: 'b', conditions: [condition('Ready', 'True')] },
      'ready',
    ],
    ['ready in its old form', { observedGeneration: 1, conditions: [condition('Ready', 'True')] }, 'progressing'],
    ['on its way', { observedGeneration: 2, conditions: [condition('Ready', 'Unknown', { reason: 'Deploying' })] }, 'progressing'],
    ['failed', { observedGeneration: 2, conditions: [condition('Ready', 'False', { reason: 'RevisionFailed' })] }, 'failed'],
  ])('%s', (_, status, state) => {
    expect(knativeServiceReady(service(status))).toMatchObject({ state });
  });
});

describe('pods that will never be ready', () => {
  const pod = (waiting: object, more: object = {}): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    status: { containerStatuses: [{ name: 'model', restartCount: 2, state: { waiting }, ...more }] },
  });
  it.each<[string, Pod, string | undefined]>([
    [
      'an image that is not there',
      pod({ reason: 'ImagePullBackOff', message: 'Back-off pulling image: manifest unknown: not found' }),
      'ImagePullBackOff',
    ],
    ['a registry that is away', pod({ reason: 'ImagePullBackOff', message: 'Back-off pulling image: 503 Service Unavailable' }), undefined],
    [
      'a crash loop',
      pod({ reason: 'CrashLoopBackOff' }, { lastState: { terminated: { exitCode: 1, reason: 'Error' } } }),
      'CrashLoopBackOff',
    ],
    ['a missing Secret', pod({ reason: 'CreateContainerConfigError', message: 'secret "x" not found' }), 'CreateContainerConfigError'],
    ['one that starts', pod({ reason: 'ContainerCreating' }), undefined],
    [
      'one that ends anyway',
      { ...pod({ reason: 'CrashLoopBackOff' }), metadata: { name: 'p', deletionTimestamp: '2026-11-21T12:00:00Z' } },
      undefined,
    ],
  ])('%s', (_, one, reason) => {
    expect(podFailure([one])?.reason).toBe(reason);
  });
});
