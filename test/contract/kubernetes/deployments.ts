import { expect } from '@jest/globals';
import type { Deployment, Pod, ReplicaSet } from '@slashtrain/testing/cluster/objects';
import type { Api, Case } from './api.ts';
import { podSpec } from './manifests.ts';

type Json = Record<string, unknown>;

/** Answers on 8080 with its text, and with 503 to a probe where it is not to get ready. */
const server = (text: string, code = 200): string => `
  process.on('SIGTERM', () => process.exit(0));
  require('node:http').createServer((request, response) => response.writeHead(${code}).end('${text}')).listen(8080)`;

const probe = { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 1 };

function deployment(api: Api, script: string, spec: Json = {}, container: Json = {}): Json {
  const ports = [{ name: 'http', containerPort: 8080 }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd' },
    spec: {
      selector: { matchLabels: { app: 'd' } },
      template: {
        metadata: { labels: { app: 'd' } },
        spec: podSpec(api, script, { ports, readinessProbe: probe, ...container }, { restartPolicy: 'Always' }),
      },
      ...spec,
    },
  };
}

const condition = ({ status }: Deployment, type: string) => status.conditions?.find((one) => one.type === type);

/** As `kubectl rollout status` judges it. */
const complete = ({ metadata, spec, status }: Deployment): boolean =>
  status.observedGeneration === metadata.generation &&
  status.updatedReplicas === spec.replicas &&
  status.replicas === spec.replicas &&
  status.availableReplicas === spec.replicas;

async function podsOf(api: Api): Promise<Pod[]> {
  return ((await api.get(api.path('pods?labelSelector=app%3Dd'))).body.items as Pod[]).filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined,
  );
}

async function refusal(api: Api, object: Json): Promise<string> {
  return (await api.post(api.path('deployments'), object)).body['message'] as string;
}

/** Deployments, their ReplicaSets and pods with readiness probes. */
export const deploymentCases: Case[] = [
  {
    name: 'rolls out, and says how far it is',
    run: async (api) => {
      const made = (await api.post(api.path('deployments'), deployment(api, server('one'), { replicas: 2 }))).body;
      expect(made['spec']).toMatchObject({
        progressDeadlineSeconds: 600,
        revisionHistoryLimit: 10,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
        template: {
          spec: {
            restartPolicy: 'Always',
            containers: [
              {
                ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
                readinessProbe: {
                  httpGet: { path: '/ready', port: 'http', scheme: 'HTTP' },
                  timeoutSeconds: 1,
                  periodSeconds: 1,
                  successThreshold: 1,
                  failureThreshold: 3,
                },
              },
            ],
          },
        },
      });
      const { object, seen } = await api.until<Deployment>('deployments', 'd', complete, made);
      expect(object.status).toMatchObject({
        observedGeneration: 1,
        replicas: 2,
        updatedReplicas: 2,
        readyReplicas: 2,
        availableReplicas: 2,
      });
      expect(object.status).not.toHaveProperty('unavailableReplicas');
      expect(object.metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '1' });
      const [set] = (await api.get(api.path('replicasets?labelSelector=app%3Dd'))).body.items as ReplicaSet[];
      const name = set?.metadata.name ?? '';
      expect(name).toMatch(/^d-[a-z0-9]+$/u);
      const hash = name.slice(2);
      expect(set?.metadata).toMatchObject({
        labels: { app: 'd', 'pod-template-hash': hash },
        annotations: {
          'deployment.kubernetes.io/desired-replicas': '2',
          'deployment.kubernetes.io/max-replicas': '3',
          'deployment.kubernetes.io/revision': '1',
        },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'd', controller: true }],
      });
      expect(set?.spec.selector).toEqual({ matchLabels: { app: 'd', 'pod-template-hash': hash } });
      const reasons = seen.flatMap((one) => [condition(one, 'Progressing'), condition(one, 'Available')]).map((one) => one?.reason);
      expect(new Set(reasons.filter((reason) => reason !== undefined))).toEqual(
        new Set([
          ...['NewReplicaSetCreated', 'ReplicaSetUpdated', 'NewReplicaSetAvailable'],
          ...['MinimumReplicasUnavailable', 'MinimumReplicasAvailable'],
        ]),
      );
      expect(condition(object, 'Available')).toMatchObject({ status: 'True', message: 'Deployment has minimum availability.' });
      expect(condition(object, 'Progressing')).toMatchObject({
        status: 'True',
        message: `ReplicaSet "${name}" has successfully progressed.`,
        lastUpdateTime: expect.any(String),
      });
      const pods = await podsOf(api);
      expect(pods.map(({ metadata }) => metadata)).toEqual([
        expect.objectContaining({ generateName: `${name}-`, labels: { app: 'd', 'pod-template-hash': hash } }),
        expect.objectContaining({ ownerReferences: [expect.objectContaining({ kind: 'ReplicaSet', name, controller: true })] }),
      ]);
      await api.delete(api.path('deployments/d'), { propagationPolicy: 'Background' });
      for (const { metadata } of pods) await api.untilGone('pods', metadata.name);
    },
  },
  {
    name: 'moves to a new template, keeps the old one while that does not get ready, and goes back',
    run: async (api) => {
      const spec = { progressDeadlineSeconds: 3 };
      const made = (await api.post(api.path('deployments'), deployment(api, server('one'), spec))).body;
      const first = (await api.until<Deployment>('deployments', 'd', complete, made)).object;
      const [before] = await podsOf(api);
      const container = { ...(first.spec.template.spec.containers?.[0] as object) };
      const change = async (script: string) =>
        (
          await api.patch(api.path('deployments/d'), {
            spec: { template: { spec: { containers: [{ ...container, command: ['node', '-e', script] }] } } },
          })
        ).body;

      const broken = await change(server('broken', 503));
      expect(broken.metadata.generation).toBe(2);
      const timedOut = (one: Deployment): boolean => condition(one, 'Progressing')?.reason === 'ProgressDeadlineExceeded';
      const stuck = (await api.until<Deployment>('deployments', 'd', timedOut, broken)).object;
      expect(condition(stuck, 'Progressing')).toMatchObject({
        status: 'False',
        message: expect.stringMatching(/^ReplicaSet "d-[a-z0-9]+" has timed out progressing\.$/u),
      });
      // The old pod answers all the while.
      expect(condition(stuck, 'Available')?.status).toBe('True');
      expect(stuck.status).toMatchObject({
        replicas: 2,
        updatedReplicas: 1,
        readyReplicas: 1,
        availableReplicas: 1,
        unavailableReplicas: 1,
      });
      const pods = await podsOf(api);
      expect(pods.map(({ metadata }) => metadata.uid)).toContain(before?.metadata.uid);
      const unready = pods.find(({ metadata }) => metadata.uid !== before?.metadata.uid);
      expect(unready?.status).toMatchObject({ phase: 'Running', containerStatuses: [{ ready: false, started: true }] });
      expect(unready?.status.conditions).toContainEqual(
        expect.objectContaining({ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }),
      );
      const events = (await api.get(api.path(`events?fieldSelector=involvedObject.name%3D${unready?.metadata.name}`))).body.items;
      expect(events.map(({ message }) => message as string)).toContain('Readiness probe failed: HTTP probe failed with statuscode: 503');

      const back = await change(server('one'));
      const { object } = await api.until<Deployment>('deployments', 'd', complete, back);
      expect(object.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3');
      expect(condition(object, 'Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
      expect((await podsOf(api)).map(({ metadata }) => metadata.uid)).toEqual([before?.metadata.uid]);

      const next = await change(server('two'));
      const { seen } = await api.until<Deployment>('deployments', 'd', complete, next);
      // One pod and a quarter of it, rounded up, at a time: never fewer than one that is available.
      expect(seen.every(({ status }) => (status.availableReplicas ?? 0) >= 1 && (status.replicas ?? 0) <= 2)).toBe(true);
      const told = (await api.get(api.path('events?fieldSelector=involvedObject.name%3Dd'))).body.items.map(
        ({ message }) => message as string,
      );
      const scaled = told.filter((message) => /^Scaled (up|down) replica set d-[a-z0-9]+ from \d to \d$/u.test(message));
      expect(scaled.length).toBeGreaterThanOrEqual(4);
    },
  },
  {
    name: 'stops what runs before it starts anew, where it is told to recreate',
    run: async (api) => {
      const made = (await api.post(api.path('deployments'), deployment(api, server('one'), { strategy: { type: 'Recreate' } }))).body;
      const { object: first } = await api.until<Deployment>('deployments', 'd', complete, made);
      const container = { ...(first.spec.template.spec.containers?.[0] as object), command: ['node', '-e', server('two')] };
      const next = (await api.patch(api.path('deployments/d'), { spec: { template: { spec: { containers: [container] } } } })).body;
      const { seen } = await api.until<Deployment>('deployments', 'd', complete, next);
      expect(seen.every(({ status }) => (status.replicas ?? 0) <= 1)).toBe(true);
      expect(seen.some(({ status }) => status.availableReplicas === undefined)).toBe(true);
    },
  },
  {
    name: 'asks a port whether a container is ready',
    run: async (api) => {
      const tcp = { tcpSocket: { port: 8080 }, periodSeconds: 1 };
      const late = `setTimeout(() => require('node:net').createServer().listen(8080), 1500)`;
      const made = (await api.post(api.path('deployments'), deployment(api, late, {}, { readinessProbe: tcp }))).body;
      await api.until<Deployment>('deployments', 'd', complete, made);
      const [pod] = await podsOf(api);
      const events = (await api.get(api.path(`events?fieldSelector=involvedObject.name%3D${pod?.metadata.name}`))).body.items;
      const words = /^Readiness probe failed: dial tcp [\d.]+:8080: connect: connection refused$/u;
      expect(events.map(({ message }) => message as string)).toContainEqual(expect.stringMatching(words));
    },
  },
  {
    name: 'refuses a Deployment that cannot be, field by field',
    run: async (api) => {
      const template = { metadata: { labels: { app: 'd' } }, spec: podSpec(api, '', {}, { restartPolicy: 'Always' }) };
      expect(await refusal(api, deployment(api, '', { selector: { matchLabels: { app: 'e' } } }))).toBe(
        'Deployment.apps "d" is invalid: spec.template.metadata.labels: Invalid value: {"app":"d"}: `selector` does not match template `labels`',
      );
      expect(await refusal(api, deployment(api, '', { template: { ...template, spec: podSpec(api, '') } }))).toBe(
        'Deployment.apps "d" is invalid: spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      );
      expect(await refusal(api, deployment(api, '', { replicas: -1 }, { readinessProbe: {} }))).toBe(
        'Deployment.apps "d" is invalid: [spec.replicas: Invalid value: -1: must be greater than or equal to 0, spec.template.spec.containers[0].readinessProbe: Required value: must specify a handler type]',
      );
      await api.post(api.path('deployments'), deployment(api, '', { replicas: 0 }));
      const other = { selector: { matchLabels: { app: 'e' } }, template: { metadata: { labels: { app: 'e' } } } };
      expect((await api.patch(api.path('deployments/d'), { spec: other })).body).toMatchObject({
        code: 422,
        message: 'Deployment.apps "d" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"e"}}: field is immutable',
      });
    },
  },
  {
    name: 'gives a Service its address, and keeps it',
    run: async (api) => {
      const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' } };
      const none = await api.post(api.path('services'), { ...service, spec: { selector: { app: 'd' } } });
      expect(none.body['message']).toBe('Service "s" is invalid: spec.ports: Required value');
      const two = await api.post(api.path('services'), { ...service, spec: { ports: [{ port: 80 }, { port: 81 }] } });
      expect(two.body['message']).toBe('Service "s" is invalid: [spec.ports[0].name: Required value, spec.ports[1].name: Required value]');
      const made = await api.post(api.path('services'), {
        ...service,
        spec: { selector: { app: 'd' }, ports: [{ port: 80, targetPort: 'http' }] },
      });
      const { clusterIP } = made.body['spec'] as { clusterIP: string };
      expect(made.body['spec']).toEqual({
        clusterIP: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/u),
        clusterIPs: [clusterIP],
        internalTrafficPolicy: 'Cluster',
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        ports: [{ port: 80, protocol: 'TCP', targetPort: 'http' }],
        selector: { app: 'd' },
        sessionAffinity: 'None',
        type: 'ClusterIP',
      });
      const put = await api.put(api.path('services/s'), { ...service, spec: { selector: { app: 'e' }, ports: [{ port: 80 }] } });
      expect(put.body['spec']).toMatchObject({ clusterIP, selector: { app: 'e' }, ports: [{ targetPort: 80 }] });
    },
  },
];
