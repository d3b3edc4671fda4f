import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { eventEvidence, evidenceOf, isAbout, podResult, type Event } from '@slashtrain/core/backend/evidence';
import { kfpClient, type KfpClient } from '@slashtrain/core/backend/kfp/client';
import { readMetadata } from '@slashtrain/core/backend/kfp/metadata/store';
import { objectOf } from '@slashtrain/core/backend/kfp/run';
import { cachedIn, statusOf, taskNames, tasksOf } from '@slashtrain/core/backend/kfp/status';
import { workloadEvidence } from '@slashtrain/core/backend/workloads';
import { explain } from '@slashtrain/core/diagnosis/explain';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { WatchExpired, pods as podResource } from '@slashtrain/core/kubernetes/client';
import { instancesOf, statusesOf, type Pod } from '@slashtrain/core/kubernetes/pod';
import { checkPolicy, checkSubmitted } from '@slashtrain/core/policy/check';
import { defaultPolicy } from '@slashtrain/core/policy/policy';
import { dockerConfig } from '@slashtrain/core/registry/credentials';
import { nodeExchange } from '@slashtrain/core/registry/http';
import { Registry } from '@slashtrain/core/registry/registry';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { startGitHub, type FakeGitHub } from '@slashtrain/testing/github/github';
import type { WorkflowEvent } from '@slashtrain/testing/github/events';
import { usageOfSummary } from '../../actions/deploy-model/src/profile/usage.ts';
import { readAsk } from '../../actions/chatops-parse/src/ask.ts';
import { readTemplate } from '../../actions/report-pr/src/template.ts';
import { changeSettings } from '../../actions/report-pr/src/settings/edit.ts';
import { fuzzRuns, holds, spoiled, torn, tried } from '../support/fuzz.ts';
import { jumpingTime, keptLog, kubeconfigFor } from '../support/kubernetes.ts';
import { ScriptedServer } from '../support/scripted-server.ts';
import { inPublishedShape } from '../support/webhooks.ts';

/* As fuzz.test.ts, for what servers answer and what GitHub sends: values in their types, and answers that are nothing of the kind. */
/** As {@link asJson} in its types, with metadata, which every object of a cluster has. */
const inTypes = (data: { metadata: object }): fc.Arbitrary<string> =>
  spoiled(data, true).map((one) =>
    JSON.stringify({ ...(one as object), metadata: { ...data.metadata, ...(one as { metadata?: object }).metadata } }),
  );
const asJson = (data: unknown, keepsTypes = false): fc.Arbitrary<string> => spoiled(data, keepsTypes).map((one) => JSON.stringify(one));
const anyJson = (data: unknown): fc.Arbitrary<string> => fc.oneof(asJson(data), torn(JSON.stringify(data)));

const time = '2026-11-21T10:00:00Z';
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', namespace: 'ml', uid: 'u', resourceVersion: '4', labels: { a: 'b' }, annotations: {}, creationTimestamp: time },
  spec: {
    nodeName: 'n',
    containers: [{ name: 'train', resources: { limits: { 'nvidia.com/gpu': '1' } } }],
    initContainers: [{ name: 'i', resources: { requests: { cpu: '1' } } }],
  },
  status: {
    phase: 'Failed',
    reason: 'Evicted',
    message: 'low on memory',
    startTime: time,
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes', lastTransitionTime: time }],
    containerStatuses: [
      {
        name: 'train',
        restartCount: 1,
        containerID: 'containerd://a',
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'x' } },
        lastState: {
          terminated: { exitCode: 137, reason: 'OOMKilled', message: 'x', startedAt: time, finishedAt: time, containerID: 'b' },
        },
      },
    ],
  },
};
const event = {
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'e', creationTimestamp: time },
  involvedObject: { kind: 'Pod', name: 'a', uid: 'u' },
  reason: 'FailedScheduling',
  message: '0/3 nodes are available: 3 Insufficient nvidia.com/gpu.',
  lastTimestamp: time,
  series: { lastObservedTime: time, count: 3 },
};
const workload = {
  metadata: { name: 'w' },
  status: { conditions: [{ type: 'QuotaReserved', status: 'False', reason: 'Pending', message: 'x', lastTransitionTime: time }] },
};
const summary = {
  pods: [
    { podRef: { name: 'a', namespace: 'ml' }, containers: [{ name: 'm', cpu: { usageNanoCores: 1 }, memory: { workingSetBytes: 2 } }] },
  ],
};

describe('an object of a cluster, in its types', () => {
  const parsed = <T>(text: string): T => JSON.parse(text) as T;
  it.each<[string, { metadata: object }, (text: string) => unknown]>([
    [
      'a pod',
      pod,
      (text) => {
        const one = parsed<Pod>(text);
        const found = [...evidenceOf(one), ...statusesOf(one).flatMap((status) => (instancesOf(status), []))];
        return [podResult(one), explain({ state: 'failed' }, found, ['x']), explain({ state: 'queued' }, found, [])];
      },
    ],
    [
      'an event',
      event,
      (text) => {
        const one = parsed<Event>(text);
        isAbout(one, { plural: 'jobs', group: 'batch', namespace: 'ml', name: 'a', uid: 'u' }, new Set());
        return explain({ state: 'queued' }, [eventEvidence(one)], []);
      },
    ],
    ['a Workload of Kueue', workload, (text) => explain({ state: 'suspended' }, workloadEvidence(parsed(text)), [])],
  ])('%s is explained', async (_, data, read) => {
    await holds(inTypes(data), read);
  });

  it('a kubelet’s summary is read, whatever it is', () =>
    holds(anyJson(summary), (text) =>
      usageOfSummary(JSON.parse(text.startsWith('{') ? safe(text) : '{}') as unknown, 'ml', new Set(['a'])),
    ));
});

/** The text, where it is JSON. */
function safe(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return '{}';
  }
}

describe('a manifest, whatever it holds', () => {
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'a', labels: { 'kueue.x-k8s.io/queue-name': 'q' } },
    spec: {
      parallelism: 2,
      template: {
        spec: {
          containers: [{ name: 'a', image: 'x', resources: { limits: { 'nvidia.com/gpu': 1 } }, securityContext: { privileged: true } }],
        },
      },
    },
  };
  it.each<[string, object]>([
    ['a Job', job],
    ['an Argo Workflow', { apiVersion: 'argoproj.io/v1alpha1', kind: 'Workflow', metadata: { name: 'a' }, spec: { entrypoint: 'a', templates: [{ name: 'a', steps: [[{ name: 'b', template: 'c' }]] }, { name: 'c', container: { image: 'x' } }] } }], // prettier-ignore
    ['a RayJob', { apiVersion: 'ray.io/v1', kind: 'RayJob', metadata: { name: 'a' }, spec: { rayClusterSpec: { headGroupSpec: { template: job.spec.template }, workerGroupSpecs: [{ replicas: 2, template: job.spec.template }] } } }], // prettier-ignore
    ['an Experiment', { apiVersion: 'kubeflow.org/v1beta1', kind: 'Experiment', metadata: { name: 'a' }, spec: { parallelTrialCount: 2, maxTrialCount: 4, trialTemplate: { trialSpec: job } } }], // prettier-ignore
  ])('%s is compared with the policy', async (_, data) => {
    const policy = { ...defaultPolicy, maxGpus: 3, maxGpuHours: 9, requireDeadline: true, registries: ['ghcr.io/acme'], queues: ['q'] };
    await holds(asJson(data), (text) => {
      const one = JSON.parse(text) as KubernetesObject;
      // What is no object of Kubernetes is refused when the manifest is read.
      if (typeof one !== 'object' || one === null || typeof one.kind !== 'string' || typeof one.apiVersion !== 'string') return;
      if (typeof one.metadata !== 'object' || one.metadata === null || Array.isArray(one.metadata)) return;
      return [checkSubmitted([one]), checkPolicy([one], policy, { namespace: 'ml' })];
    });
  });
});

describe('an event of GitHub', () => {
  let github: FakeGitHub;
  let events: WorkflowEvent[];
  beforeAll(async () => {
    github = await startGitHub();
    const repository = github.createRepository({ owner: 'acme', name: 'digits', files: { a: 'b' } });
    repository.commit({ branch: 'change', files: { a: 'c' } });
    const number = repository.openPullRequest({ head: 'change', author: 'ada' });
    events = [
      repository.events.issueComment(repository.comment(number, 'ada', '/train')),
      repository.events.pullRequestTarget(number, { action: 'synchronize', by: 'ada' }),
      repository.events.pullRequestReview(repository.review(number, 'ada', 'APPROVED', 'Fine')),
      repository.events.pullRequestReviewComment(repository.reviewComment(number, 'ada', '/train')),
      repository.events.push('main', undefined, 'ada'),
      repository.events.workflowDispatch({}, 'ada'),
    ].map(inPublishedShape);
  });
  afterAll(() => github.close());

  it('is read or refused in words', async () => {
    for (const { name, payload } of events)
      await holds(asJson(payload), (text) => {
        const one = JSON.parse(text) as Record<string, unknown>;
        const context = { eventName: name, event: one } as unknown as Parameters<typeof readAsk>[0];
        return [readAsk(context, {}), readAsk(context, {}, '/train', 3)];
      });
  });
});

describe('a file of a pull request or of a runner', () => {
  it('settings: are changed or left alone', () =>
    holds(torn('# lr\nlr: 0.1\nmodel: &m { depth: 3, "a b": [1, 2] }\nother: *m\n'), (text) => [
      changeSettings(text, [{ name: 'lr', value: '0.2' }], { format: 'yaml' }),
      changeSettings(text, [{ name: 'depth', value: '4' }], { format: 'yaml', key: ['model'] }),
      changeSettings(text, [{ name: 'depth', value: '4' }], { format: 'json', key: ['model'] }),
    ]));

  it('template: is read or refused in words', () =>
    holds(
      torn('## {{ headline.words }}\n{% for m in metrics %}{{ m.name | upcase }}{% endfor %}{% if a == 1 %}x{% else %}y{% endif %}\n'),
      (text) => readTemplate(text, 't.md'),
    ));

  it('docker’s configuration: is read or refused in words', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
    const config = { auths: { 'ghcr.io': { auth: 'YTpi', identitytoken: 'x' } }, credsStore: 'x', credHelpers: { 'a.b': 'c' } };
    await holds(anyJson(config), async (text) => {
      writeFileSync(join(folder, 'config.json'), text);
      const source = dockerConfig({ DOCKER_CONFIG: folder }, () => Promise.resolve({ code: 0, output: '{"Username":"a","Secret":"b"}' }));
      return [await source('ghcr.io'), await source('docker.io')];
    });
    rmSync(folder, { recursive: true });
  });
});

describe('an answer of', () => {
  let server: ScriptedServer;
  let answer: Buffer | string;
  let headers: Record<string, string>;
  beforeAll(async () => {
    server = await ScriptedServer.start();
    server.otherwise = (response) => void response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(answer);
  });
  afterEach(() => {
    headers = {};
    server.seen.length = 0;
  });
  afterAll(() => server.stop());

  async function answers(texts: fc.Arbitrary<string>, ask: () => unknown): Promise<void> {
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        answer = text;
        const thrown = await tried(ask);
        if (thrown !== undefined) throw new Error(thrown);
      }),
      fuzzRuns,
    );
  }

  describe('an API server', () => {
    const client = (): ReturnType<typeof openKubernetes> =>
      openKubernetes({ kubeconfig: kubeconfigFor(server.url), environment: {}, log: keptLog(), timing: jumpingTime() });
    const list = { kind: 'PodList', metadata: { resourceVersion: '5' }, items: [pod] };
    it('to a get and a list is read or refused in words', async () => {
      const kubernetes = await client();
      await answers(anyJson(pod), () => kubernetes.get(podResource, 'ml', 'a'));
      await answers(anyJson(list), () => kubernetes.list(podResource, 'ml'));
    });

    it('to a discovery is read or refused in words', async () => {
      const kubernetes = await client();
      await answers(anyJson({ kind: 'APIResourceList', resources: [{ name: 'jobs', kind: 'Job', namespaced: true }] }), () =>
        kubernetes.discover('batch', 'v1'),
      );
    });

    it('to a watch is read line by line or refused in words', async () => {
      const kubernetes = await client();
      const lines = anyJson({ type: 'MODIFIED', object: pod }).map((text) => `${text.replaceAll('\n', ' ')}\n`);
      await answers(
        fc.oneof(
          lines,
          anyJson({ type: 'ERROR', object: { kind: 'Status', code: 410, message: 'x' } }).map((one) => `${one}\n`),
        ),
        async () => {
          try {
            for await (const one of kubernetes.watch(podResource, 'ml', '5', {}, new AbortController().signal))
              expect(typeof one.type).toBe('string');
          } catch (error) {
            // Whoever watches lists then.
            if (!(error instanceof WatchExpired)) throw error;
          }
        },
      );
    });
  });

  it('Kubeflow Pipelines is read or refused in words', async () => {
    const client: KfpClient = kfpClient({
      url: server.url,
      credentials: { headers: () => Promise.resolve({}), renew: () => false },
      exchange: nodeExchange(),
      wait: () => Promise.resolve(),
    });
    const run = {
      run_id: 'r',
      experiment_id: 'e',
      display_name: 'a',
      description: 'x',
      created_at: time,
      finished_at: time,
      state: 'FAILED',
      error: { code: 3, message: 'x' },
      pipeline_spec: {
        root: { dag: { tasks: { train: { taskInfo: { name: 'train' } } } } },
        components: { c: { dag: { tasks: { x: {} } } } },
      },
      pipeline_version_reference: { pipeline_id: 'p', pipeline_version_id: 'v' },
      run_details: {
        task_details: [
          {
            task_id: 't',
            display_name: 'train',
            state: 'FAILED',
            create_time: time,
            start_time: time,
            end_time: time,
            error: { code: 1, message: 'x' },
          },
        ],
      },
      state_history: [{ update_time: time, state: 'CANCELING', error: { code: 1 } }],
    };
    // The server is a program whose answers have types; what else may come is no answer of its.
    const goJson = (data: unknown): fc.Arbitrary<string> => fc.oneof(asJson(data, true), torn(JSON.stringify(data)), fc.json());
    await answers(goJson(run), async () => {
      const found = await client.getRun('r');
      if (!found) return;
      const beside = { names: taskNames(found.pipeline_spec), cached: new Set<string>() };
      return [statusOf(found, beside, true), tasksOf(found, beside), cachedIn(found), objectOf(found, 'ml')];
    });
    await answers(goJson({ runs: [run], next_page_token: '' }), () => client.findRuns('a', { namespace: 'ml' }));
    await answers(goJson({ multi_user: true, experiments: [{ experiment_id: 'e', display_name: 'a' }] }), () =>
      client.experiment('a', 'ml', 'd'),
    );
    await answers(goJson({ pipelines: [{ pipeline_id: 'e', name: 'a' }] }), () => client.pipeline('a', 'ml', 'd'));
    const file = { pipelineId: 'p', name: 'v', description: 'd', file: 'a: b' };
    await answers(goJson({ pipeline_versions: [{ pipeline_id: 'p', pipeline_version_id: 'v', name: 'v', pipeline_spec: {} }] }), () =>
      client.version(file),
    );
  });

  it('ML Metadata is read or refused in words', async () => {
    const frame = (message: Uint8Array): Buffer => {
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      return Buffer.concat([head, message]);
    };
    headers = { 'content-type': 'application/grpc-web+proto', 'grpc-status': '0' };
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ maxLength: 60 }).map(frame), fc.uint8Array({ maxLength: 20 }).map((data) => frame(Buffer.from([10, data.length, ...data])))); // prettier-ignore
    await fc.assert(
      fc.asyncProperty(bytes, async (data) => {
        answer = Buffer.from(data);
        const credentials = { headers: () => Promise.resolve({}), renew: () => false };
        const options = { url: server.url, exchange: nodeExchange(), wait: () => Promise.resolve(), credentials: credentials as never };
        expect(await tried(() => readMetadata('r', options))).toBeUndefined();
      }),
      fuzzRuns,
    );
  });

  it('a registry is read or refused in words', async () => {
    const registry = new Registry(new URL(server.url).host, { wait: () => Promise.resolve() });
    const digest = `sha256:${'a'.repeat(64)}`;
    headers = { 'content-type': 'application/vnd.oci.image.manifest.v1+json', 'docker-content-digest': 'x' };
    const manifest = { schemaVersion: 2, mediaType: headers['content-type'], config: { mediaType: 'x', digest, size: 2 }, layers: [] };
    await answers(anyJson(manifest), () => registry.manifest('a', 'tag'));
    await answers(anyJson({ name: 'a', tags: ['b'] }), () => registry.tags('a'));
    await answers(torn('x'.repeat(100)), () => registry.smallBlob('a', { digest, size: 100 }));
  });

  it('a server of tokens is read or refused in words', async () => {
    const token = { token: 'x', access_token: 'y', expires_in: 300, issued_at: time };
    const plain = server.otherwise;
    server.otherwise = (response, seen) => {
      if (seen.path === '/token') return plain(response, seen);
      const challenge = `Bearer realm="${server.url}/token",service="x"`;
      return void response.writeHead(seen.headers.authorization ? 200 : 401, { 'www-authenticate': challenge }).end('{"tags":[]}');
    };
    await answers(anyJson(token), () => new Registry(new URL(server.url).host, { wait: () => Promise.resolve() }).tags('a'));
    server.otherwise = plain;
  });
});
