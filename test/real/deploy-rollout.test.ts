import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { pods, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { Pod } from '@slashtrain/core/kubernetes/pod';
import { watchObject } from '@slashtrain/core/kubernetes/watch';
import { rolloutStore } from '@slashtrain/core/rollouts/store';
import type { BundleResult } from '@slashtrain/testing/bundle/bundle';
import { of, openDeploying, type Deploying, type Trained } from '../support/deploying.ts';
import { sayWhatIsSkipped, targets, unique } from '../support/targets.ts';

/*
 * deploy-model with a Deployment: real images, pods, Services, Leases and server-side apply, and a client in the cluster that never
 * stops asking.
 */
sayWhatIsSkipped('rollouts');

const deployments: Resource = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' };

const smokeTest = `
- name: knows a seven
  path: /predict
  json: { pixels: [1, 2] }
  expect: { value: { path: $.digit, equals: 7 } }
`;
// A connection for each request: one that is kept open to a pod that goes is cut with it, whoever takes it away. The name is looked up
// before the request's time begins: a resolver asks again after 5 s when a packet is lost on a busy node, which is no deploy's doing.
const caller = `
  const { get } = require('node:http');
  const { lookup } = require('node:dns/promises');
  const address = new URL(process.argv[1]);
  let asked = 0, failed = 0, hasBegun = false;
  const ask = ({ address: host }) => new Promise((done, fail) => {
    const request = get({ host, path: address.pathname, headers: { host: address.host }, agent: false, timeout: 30000 }, (response) => {
      response.resume().on('error', fail);
      response.on('end', () => (response.statusCode === 200 ? done() : fail(new Error(host + ' answered ' + response.statusCode))));
    });
    request.on('timeout', () => request.destroy(new Error(host + ' did not answer'))).on('error', fail);
  });
  const one = async () => {
    try {
      await ask(await lookup(address.hostname, { family: 4 }));
      hasBegun = true;
      asked += 1;
    } catch (error) {
      // A node takes a moment until it knows of a new Service.
      if (hasBegun) { asked += 1; failed += 1; console.log('failed: ' + error.message); }
    }
    if (asked % 50 === 0) console.log('asked ' + asked + ' failed ' + failed);
    setTimeout(one, 20);
  };
  one();
`;

describe.each(targets.filter((name) => name === 'real'))('a Deployment on the %s cluster', (name) => {
  let world: Deploying;
  let client: KubernetesClient;
  let namespace: string;
  const stop = new AbortController();

  beforeAll(async () => {
    world = await openDeploying(name, { name: 'digits', args: '[node, serve.js]', 'health-path': '/healthz', 'smoke-test': smokeTest });
    ({ client, namespace } = world);
  });
  afterAll(async () => {
    stop.abort();
    await world.close();
  });

  const trained = (behaviour: object): Promise<Trained> => world.trained(behaviour);
  const deploy = (more: Record<string, string>): Promise<BundleResult> => world.deploy(more);

  const live = async (): Promise<KubernetesObject & { spec: { template: { spec: { containers: { image: string }[] } } } }> => {
    const object = await client.get<Awaited<ReturnType<typeof live>>>(deployments, namespace, 'digits');
    if (!object) throw new Error('it is gone');
    return object;
  };
  const image = async (): Promise<string> => (await live()).spec.template.spec.containers[0]?.image ?? '';

  /** Asks the Service from within the cluster, all the time. @returns what it counted since */
  async function keepAsking(host = 'digits'): Promise<() => Promise<{ asked: number; failed: number; log: string }>> {
    const pod = unique('caller');
    await client.create<Pod>(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: pod, namespace },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          { name: 'main', image: world.target.base, command: ['node', '-e', caller, `http://${host}.${namespace}.svc/predict`] },
        ],
      } as object,
    });
    for await (const { object } of watchObject<Pod>(client, pods, namespace, pod, { signal: stop.signal })) {
      if (object?.status?.phase === 'Running') break;
    }
    return async () => {
      const log: string[] = [];
      for await (const lines of client.log(namespace, pod, { container: 'main' }, stop.signal)) log.push(...lines);
      await client.delete(pods, namespace, pod, { graceSeconds: 0 });
      const last = /asked (\d+) failed (\d+)/u.exec(log.findLast((line) => line.includes('asked ')) ?? '');
      return { asked: Number(last?.[1]), failed: Number(last?.[2]), log: log.filter((line) => line.includes('failed:')).join('') };
    };
  }

  /** Server-side apply as another manager does it. */
  async function applyAs(manager: string, deployment: string, part: object): Promise<void> {
    const { signIn, server: address } = client.access;
    const { agent, headers } = await signIn.call(client.access);
    const url = new URL(`/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}?fieldManager=${manager}&force=true`, address);
    const body = JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: deployment }, ...part });
    const status = await new Promise<number | undefined>((done, fail) => {
      const sent = request(url, { method: 'PATCH', agent, headers: { ...headers, 'content-type': 'application/apply-patch+yaml' } });
      sent.on('response', (response) => {
        response.resume();
        done(response.statusCode);
      });
      sent.on('error', fail);
      sent.end(body);
    });
    expect(status).toBe(200);
  }

  it('deploys a first, a better one and takes back bad ones, and nobody notices', async () => {
    const first = await trained({ digit: 7 });
    const one = await deploy(of(first));
    expect(one.conclusion).toBe('success');
    expect(one.outputs).toMatchObject({ state: 'success', url: `http://digits.${namespace}.svc`, 'previous-revision': '' });
    expect(await image()).toBe(first.image);

    const counted = await keepAsking();
    const better = await trained({ digit: 7, better: true });
    const two = await deploy(of(better));
    expect(two.outputs).toMatchObject({ state: 'success', 'previous-revision': one.outputs['revision'] });
    expect(await image()).toBe(better.image);
    const before = await live();

    const wrong = await trained({ digit: 3 });
    const three = await deploy(of(wrong));
    expect(three.conclusion).toBe('failure');
    expect(three.outputs).toMatchObject({ state: 'failure', revision: two.outputs['revision'] });
    expect(three.shown).toContain('the smoke test did not pass');
    expect(await image()).toBe(better.image);
    expect((await live()).spec).toEqual(before.spec);

    const crashing = await trained({ crash: 'weights.bin is missing' });
    const four = await deploy(of(crashing));
    expect(four.conclusion).toBe('failure');
    expect(four.shown).toContain('cannot load the model: weights.bin is missing');
    expect(four.shown).toContain('CrashLoopBackOff');

    const back = await deploy({ rollback: 'last-good' });
    expect(back.outputs).toMatchObject({
      state: 'success',
      revision: one.outputs['revision'],
      'previous-revision': two.outputs['revision'],
    });
    expect(await image()).toBe(first.image);

    const { asked, failed, log } = await counted();
    expect(log).toBe('');
    expect(failed).toBe(0);
    expect(asked).toBeGreaterThan(100);
  });

  it('names the field and its manager, and takes it over where it is told to; what comes back is the other manager\u2019s value', async () => {
    const { sha, number } = await trained({ digit: 7 });
    const name = 'owned';
    const made = await deploy({ sha, 'pr-number': number, name, environment: 'owned' });
    expect(made.conclusion).toBe('success');
    // Somebody else scales it and says which image.
    const edit = { spec: { template: { spec: { containers: [{ name: 'model', image: 'localhost/busybox:1' }] } } } };
    await applyAs('somebody', name, edit);
    const wrong = await trained({ digit: 3 });
    const refused = await deploy({ ...of(wrong), name, environment: 'owned' });
    expect(refused.conclusion).toBe('failure');
    expect(refused.shown).toMatch(/somebody/u);
    expect(refused.shown).toContain('.spec.template.spec.containers[name="model"].image');
    expect(refused.outputs['deployment-id']).toBe('');
    // Nobody can be told without it, which costs the answer alone.
    expect(refused.shown).toMatch(/the pull request could not be told: missing permission .*"pull-requests: write"/u);

    const taken = await deploy({ ...of(wrong), name, environment: 'owned', 'take-over': 'true', timeout: '20s' });
    expect(taken.conclusion).toBe('failure');
    const object = await client.get<Awaited<ReturnType<typeof live>>>(deployments, namespace, name);
    expect(object?.spec.template.spec.containers[0]?.image).toBe('localhost/busybox:1');
  });

  it('takes back at the end of its time what never gets ready, and deletes what was not there', async () => {
    const never = await trained({ never: true });
    const failed = await deploy({ ...of(never), name: 'late', environment: 'late', timeout: '8s' });
    expect(failed.outputs).toMatchObject({ state: 'failure', revision: '', 'previous-revision': '' });
    expect(failed.shown).toContain('was not ready after 8 s');
    expect(failed.shown).toContain('deleted, it was not there before');
    expect(await client.get(deployments, namespace, 'late')).toBeUndefined();
    expect(world.statesOf(failed)).toEqual(['queued', 'in_progress', 'failure']);
  });

  it('brings back in the post step what a cancellation interrupted', async () => {
    const good = await deploy({ ...of(await trained({ digit: 7 })), name: 'cancelled', environment: 'cancelled' });
    const before = await client.get<KubernetesObject>(deployments, namespace, 'cancelled');
    const never = of(await trained({ never: true }));
    const interrupted = await world.interruptedAt(
      /RollingOut: 1 of 1 pods are new/u,
      { ...never, name: 'cancelled', environment: 'cancelled' },
      (step) => step.interrupt(),
    );
    expect(interrupted.outputs['state']).toBe('error');
    expect(interrupted.shown).toContain('brought back by the post step');
    const post = await world.post({ ...never, name: 'cancelled', environment: 'cancelled' }, interrupted.state);
    expect(post.shown).toContain(`the workflow was cancelled; ${good.outputs['revision'] ?? ''} runs`);
    expect(post.conclusion).toBe('success');
    const after = await client.get<KubernetesObject>(deployments, namespace, 'cancelled');
    expect(after?.['spec']).toEqual(before?.['spec']);
    expect(world.statesOf(interrupted)).toEqual(['queued', 'in_progress', 'failure']);
    // A step that came to its end leaves its post step nothing to do.
    const idle = await world.post({ ...never, name: 'cancelled', environment: 'cancelled' }, good.state);
    expect([idle.conclusion, idle.shown.includes('taken back')]).toEqual(['success', false]);
  });

  it('finishes what a killed runner left: by sync-runs, and by the next deploy; another waits for its turn', async () => {
    const into = { name: 'killed', environment: 'killed' };
    const good = await deploy({ ...of(await trained({ digit: 7 })), ...into });
    const never = of(await trained({ never: true }));
    const kill = (): Promise<BundleResult> =>
      world.interruptedAt(/RollingOut: 1 of 1 pods are new/u, { ...never, ...into }, (step) => step.kill());
    const killed = await kill();
    // Whoever comes before the lease has run out is told who holds it.
    const early = await deploy({ ...never, ...into, wait: 'false' });
    expect(early.shown).toMatch(/acme\/digits: deploy of killed \S+ is at work on this environment since/u);
    expect((await world.sync()).outputs['rollouts']).toBe('[]');
    await world.expire('killed');
    const listed = JSON.parse((await world.sync()).outputs['rollouts'] ?? '') as { rollout: string; environment: string }[];
    expect(listed).toEqual([expect.objectContaining({ rollout: killed.state['rollout'], environment: 'killed' })]);
    const finished = await world.goOn(listed[0]?.rollout ?? '');
    expect(finished.outputs).toMatchObject({ revision: good.outputs['revision'], 'deployment-id': killed.outputs['deployment-id'] });
    expect(world.statesOf(killed)).toEqual(['queued', 'in_progress', 'failure']);
    expect((await world.sync()).outputs['rollouts']).toBe('[]');

    const again = await kill();
    await world.expire('killed');
    const [one, two] = await Promise.all([
      deploy({ ...of(await trained({ digit: 7, a: 1 })), ...into }),
      deploy({ ...of(await trained({ digit: 7, b: 1 })), ...into }),
    ]);
    expect([one?.outputs['state'], two?.outputs['state']]).toEqual(['success', 'success']);
    expect(world.statesOf(again)).toEqual(['queued', 'in_progress', 'failure']);
    const waited = [one, two].filter((each) => each?.shown.includes('waiting: acme/digits: deploy of killed'));
    expect(waited).toHaveLength(1);
    const left = await rolloutStore(client).find(namespace, { repositoryId: world.repository.id, environment: 'killed', active: true });
    expect(left).toEqual([]);
  });

  it('does the same with an InferenceService of KServe', async () => {
    const services: Resource = { group: 'serving.kserve.io', version: 'v1beta1', plural: 'inferenceservices', kind: 'InferenceService' };
    const into = {
      target: 'kserve',
      name: 'served',
      environment: 'kserve',
      'min-replicas': '1',
      'max-replicas': '1',
      cpu: '50m',
      memory: '128Mi',
      timeout: '60s',
    };
    const spec = async (): Promise<unknown> => (await client.get(services, namespace, 'served'))?.['spec'];
    const one = await deploy({ ...of(await trained({ digit: 7 })), ...into });
    expect(one.shown).toContain('is deployed to kserve');
    expect(one.outputs).toMatchObject({ state: 'success', 'previous-revision': '' });
    const first = await spec();

    const counted = await keepAsking('served-predictor');
    const two = await deploy({ ...of(await trained({ digit: 7, better: true })), ...into });
    expect(two.outputs).toMatchObject({ state: 'success', 'previous-revision': one.outputs['revision'] });
    const second = await spec();

    const three = await deploy({ ...of(await trained({ digit: 3 })), ...into });
    expect(three.outputs).toMatchObject({ state: 'failure', revision: two.outputs['revision'] });
    expect(three.shown).toContain('$.digit is 3, expected 7');
    expect(await spec()).toEqual(second);

    const never = of(await trained({ never: true }));
    const four = await deploy({ ...never, ...into, timeout: '10s' });
    expect(four.outputs).toMatchObject({ state: 'failure', revision: two.outputs['revision'] });
    expect(four.shown).toContain('was not ready after 10 s');
    expect(await spec()).toEqual(second);

    const interrupted = await world.interruptedAt(/InferenceService\/served: /u, { ...never, ...into }, (step) => step.interrupt());
    const post = await world.post({ ...never, ...into }, interrupted.state);
    expect(post.shown).toContain(`${two.outputs['revision'] ?? ''} runs`);
    expect(await spec()).toEqual(second);

    // What a killed runner left is taken back before anything else.
    const killed = await world.interruptedAt(/InferenceService\/served: /u, { ...never, ...into }, (step) => step.kill());
    await world.expire('kserve');
    const back = await deploy({ ...into, rollback: 'last-good' });
    expect(back.shown).toContain('was not finished (started): it is taken back first');
    expect(back.outputs).toMatchObject({ state: 'success', revision: one.outputs['revision'] });
    expect(world.statesOf(killed)).toEqual(['queued', 'in_progress', 'failure']);
    expect(await spec()).toEqual(first);
    const { asked, failed, log } = await counted();
    expect([log, failed]).toEqual(['', 0]);
    expect(asked).toBeGreaterThan(100);
  });

  it('takes over step by step, goes on where a long pause left off, and takes back what a step refuses', async () => {
    const into = { name: 'steps', environment: 'steps' };
    const one = await deploy({ ...of(await trained({ digit: 7 })), ...into, canary: '50%, 100%' });
    expect(one.shown).toContain('the first goes without a canary');
    const better = await trained({ digit: 7, better: true });
    const two = await deploy({ ...of(better), ...into, canary: '50%:30s, 100%', 'detach-after': '1s' });
    expect(two.shown).toContain('step 1 of 2: the new revision has 50 % of the pods');
    expect(two.outputs).toMatchObject({ state: 'in_progress', 'previous-revision': one.outputs['revision'] });
    const deployed = (name: string): Promise<KubernetesObject | undefined> => client.get(deployments, namespace, name);
    expect(await deployed('steps-canary')).toBeDefined();
    expect(JSON.parse((await world.sync()).outputs['rollouts'] ?? '')).toEqual([]);

    const three = await world.goOn(two.state['rollout'] ?? '');
    expect(three.outputs).toMatchObject({ state: 'success', revision: two.outputs['revision'] });
    expect(await deployed('steps-canary')).toBeUndefined();
    const stable = await deployed('steps');
    expect(JSON.stringify(stable)).toContain(better.image);

    const four = await deploy({ ...of(await trained({ digit: 3 })), ...into, canary: '50%, 100%' });
    expect(four.outputs).toMatchObject({ state: 'failure', revision: two.outputs['revision'] });
    expect(await deployed('steps-canary')).toBeUndefined();
    expect((await deployed('steps'))?.['spec']).toEqual(stable?.['spec']);
  });
});
