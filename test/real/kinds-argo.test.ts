import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { argoWorkflow } from '@slashtrain/core/kinds/argo-workflow';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import type { RunReference } from '@slashtrain/core/run/reference';
import type { RunState, Status } from '@slashtrain/core/run/state';
import { startBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { RealKinds } from '../support/kinds.ts';
import { succeeded } from '../support/steps.ts';

/*
 * Argo Workflows as its controller runs them: what a Workflow says on its way, how it is stopped, what it leaves; and one
 * made from a WorkflowTemplate, through the bundles.
 */
const real = await RealKinds.open('kinds-argo');
const isThere = await real.has([argoWorkflow.resource, 'Argo Workflows']);
const { client } = real;
const templateResource: Resource = { group: 'argoproj.io', version: 'v1alpha1', plural: 'workflowtemplates', kind: 'WorkflowTemplate' };
const clusterTemplates: Resource = { ...templateResource, plural: 'clusterworkflowtemplates', kind: 'ClusterWorkflowTemplate' };

const image = real.target.base;
const shell = (script: string): object => ({ container: { image, command: ['/bin/sh', '-c', script] } });
const forever = 'sleep 600 & wait';
const bye = { name: 'bye', ...shell('echo "bye, {{workflow.status}}"') };

/** A Workflow, and what to do once it is in a state or says a line. All of them run at the same time. */
interface Scenario {
  object: KubernetesObject;
  once?: { state?: RunState; line?: string; then(reference: RunReference): Promise<unknown> };
}

interface Outcome {
  reference: RunReference;
  seen: Status[];
  /** Its own lines, sorted: what Argo's executor says in the same container is left out. */
  said: string[];
}

const scenarios: { scenario: Scenario; settle(outcome: Promise<Outcome>): void }[] = [];

function scenario(spec: object, once?: Scenario['once'], change: (object: KubernetesObject) => void = () => undefined): Promise<Outcome> {
  const object = real.object(argoWorkflow, structuredClone(spec));
  change(object);
  return new Promise((settle) => scenarios.push({ scenario: { object, ...(once ? { once } : {}) }, settle }));
}

async function play({ object, once }: Scenario): Promise<Outcome> {
  const reference = await real.start(argoWorkflow, object);
  let isDone = false;
  const act = async (isIt: boolean): Promise<void> => {
    if (isDone || !once || !isIt) return;
    isDone = true;
    await once.then(reference);
  };
  const said: string[] = [];
  const listen = async (): Promise<void> => {
    for await (const lines of real.backend.logs(reference, AbortSignal.timeout(240_000))) {
      said.push(...lines.map(({ text }) => text).filter((text) => !/^time=|^Error: exit status /u.test(text)));
      await act(once?.line !== undefined && said.includes(once.line));
    }
  };
  const follow = real.follow(reference, ({ state }) => act(state === once?.state));
  const [seen] = await Promise.all([follow, listen()]);
  return { reference, seen, said: said.toSorted() };
}

/** What `argo resume` does to steps that wait (https://github.com/argoproj/argo-workflows/blob/v4.0.7/workflow/util/util.go, ResumeWorkflow). */
async function resume({ namespace, name }: RunReference): Promise<void> {
  const object = await client.get(argoWorkflow.resource, namespace, name);
  const { nodes } = object?.['status'] as { nodes: Record<string, { type: string }> };
  const waiting = Object.entries(nodes).filter(([, { type }]) => type === 'Suspend');
  const done = { phase: 'Succeeded', finishedAt: new Date().toISOString() };
  await client.patch(argoWorkflow.resource, namespace, name, {
    status: { nodes: Object.fromEntries(waiting.map(([id]) => [id, done])) },
  });
}

beforeAll(async () => {
  await real.begin();
  for (const { scenario: one, settle } of scenarios) {
    const outcome = play(one);
    // It is its test's to say.
    outcome.catch(() => undefined);
    settle(outcome);
  }
});
afterAll(() => real.end());

if (isThere) {
  describe('a Workflow', () => {
    const dag = scenario({
      entrypoint: 'main',
      arguments: { parameters: [{ name: 'epochs', value: '3' }] },
      templates: [
        {
          name: 'main',
          dag: {
            tasks: [
              { name: 'prepare', template: 'prepare' },
              {
                name: 'train',
                template: 'train',
                depends: 'prepare',
                arguments: { parameters: [{ name: 'size', value: '{{tasks.prepare.outputs.parameters.size}}' }] },
              },
            ],
          },
          outputs: { parameters: [{ name: 'accuracy', valueFrom: { parameter: '{{tasks.train.outputs.parameters.accuracy}}' } }] },
        },
        {
          name: 'prepare',
          ...shell('echo 42 > /tmp/size'),
          outputs: { parameters: [{ name: 'size', valueFrom: { path: '/tmp/size' } }] },
        },
        {
          name: 'train',
          inputs: { parameters: [{ name: 'size' }] },
          ...shell('echo "{{workflow.parameters.epochs}} epochs of {{inputs.parameters.size}}"; echo 0.93 > /tmp/accuracy; sleep 2'),
          outputs: { parameters: [{ name: 'accuracy', valueFrom: { path: '/tmp/accuracy' } }] },
        },
      ],
    });
    const retried = scenario({
      entrypoint: 'train',
      templates: [{ name: 'train', retryStrategy: { limit: '2' }, ...shell('echo "try {{retries}}"; [ "{{retries}}" = 1 ]') }],
    });
    const failing = scenario({
      entrypoint: 'main',
      onExit: 'bye',
      templates: [
        { name: 'main', steps: [[{ name: 'prepare', template: 'prepare' }], [{ name: 'train', template: 'train' }]] },
        { name: 'prepare', ...shell('true') },
        { name: 'train', ...shell('echo "no data"; exit 3') },
        bye,
      ],
    });
    const approved = scenario(
      {
        entrypoint: 'main',
        templates: [
          { name: 'main', steps: [[{ name: 'approve', template: 'approve' }], [{ name: 'train', template: 'train' }]] },
          { name: 'approve', suspend: {} },
          { name: 'train', ...shell('echo trained') },
        ],
      },
      { state: 'suspended', then: resume },
    );
    const stopped = scenario(
      {
        entrypoint: 'main',
        onExit: 'bye',
        templates: [
          { name: 'main', steps: [[{ name: 'train', template: 'train' }], [{ name: 'after', template: 'bye' }]] },
          { name: 'train', ...shell(`echo begun; ${forever}`) },
          bye,
        ],
      },
      { line: 'begun', then: (reference) => real.backend.cancel(reference) },
    );
    const single = { entrypoint: 'train', templates: [{ name: 'train', ...shell('true') }] };
    const suspend = (object: KubernetesObject): void => argoWorkflow.suspension?.set(object);
    const release = ({ namespace, name }: RunReference): Promise<unknown> =>
      client.patch(argoWorkflow.resource, namespace, name, argoWorkflow.suspension?.release ?? {});
    const released = scenario(single, { state: 'suspended', then: release }, suspend);
    const neverReleased = scenario(single, { state: 'suspended', then: (reference) => real.backend.cancel(reference) }, suspend);
    const late = scenario({ ...single, templates: [{ name: 'train', ...shell(forever) }] }, undefined, (object) =>
      argoWorkflow.setDeadline(object, 15),
    );

    it('runs tasks that hand on what they found, and tells it', async () => {
      const { reference, seen, said } = await dag;
      const states = seen.map(({ state }) => state);
      expect(states[0]).toBe('queued');
      expect(states).toContain('running');
      expect(seen.at(-1)).toMatchObject({ state: 'succeeded', progress: 1 });
      expect(said).toEqual(['3 epochs of 42']);
      expect(await real.backend.outputs(reference)).toEqual(
        expect.arrayContaining([
          { name: 'accuracy', value: '0.93' },
          { name: 'prepare.size', value: '42' },
        ]),
      );
    });

    it('tries a step again', async () => {
      const { seen, said } = await retried;
      expect(seen.at(-1)).toMatchObject({ state: 'succeeded' });
      expect(said).toEqual(['try 0', 'try 1']);
    });

    it('that fails in a step says which and why, and its exit handler is heard', async () => {
      const { seen, said } = await failing;
      expect(seen.at(-1)).toMatchObject({ state: 'failed', message: 'train: main: Error (exit code 3)' });
      expect(said).toEqual(['bye, Failed', 'no data']);
    });

    it('waits at a suspended step until somebody resumes it', async () => {
      const { seen, said } = await approved;
      expect(seen).toContainEqual(expect.objectContaining({ state: 'suspended', message: 'approve waits to be resumed' }));
      expect(seen.at(-1)).toMatchObject({ state: 'succeeded' });
      expect(said).toEqual(['trained']);
    });

    it('that is stopped runs its exit handler and is cancelled', async () => {
      const { seen, said } = await stopped;
      expect(seen.at(-1)).toMatchObject({ state: 'cancelled', message: "Stopped with strategy 'Stop'" });
      expect(said).toEqual(['begun', 'bye, Failed']);
    });

    it('that was made suspended starts when it is released, and can be stopped before', async () => {
      expect((await released).seen.at(-1)).toMatchObject({ state: 'succeeded' });
      expect((await neverReleased).seen.at(-1)).toMatchObject({ state: 'cancelled' });
    });

    it('ends at its deadline', async () => {
      expect((await late).seen.at(-1)).toMatchObject({ state: 'failed', reason: 'deadline' });
    });
  });

  describe('a Workflow from a template on the cluster', () => {
    let github: FakeGitHub;
    let repository: Repository;
    const clusterWide = `${real.namespace}-common`;

    beforeAll(async () => {
      github = await startGitHub();
      repository = github.createRepository({ owner: 'acme', name: 'digits' });
      const make = (resource: Resource, name: string, spec: object): Promise<unknown> =>
        client.create<KubernetesObject>(resource, {
          apiVersion: 'argoproj.io/v1alpha1',
          kind: resource.kind,
          metadata: { name, ...(resource.kind === 'WorkflowTemplate' ? { namespace: real.namespace } : {}) },
          spec,
        });
      await make(clusterTemplates, clusterWide, { templates: [{ name: 'judge', ...shell('echo "judged $SLASHTRAIN_PIPELINE"') }] });
      await make(templateResource, 'digits', {
        entrypoint: 'main',
        arguments: { parameters: [{ name: 'epochs' }, { name: 'size', value: 's', enum: ['s', 'm'] }] },
        templates: [
          {
            name: 'main',
            steps: [
              [{ name: 'train', template: 'train' }],
              [{ name: 'judge', templateRef: { name: clusterWide, template: 'judge', clusterScope: true } }],
            ],
          },
          { name: 'train', ...shell('echo "{{workflow.parameters.epochs}} epochs of $SLASHTRAIN_SHA with $WHO"') },
        ],
      });
      await make(templateResource, 'open', {
        entrypoint: 'main',
        volumes: [{ name: 'host', hostPath: { path: '/' } }],
        templates: [{ name: 'main', ...shell('true') }],
      });
    });
    afterAll(async () => {
      await client.delete(clusterTemplates, '', clusterWide);
      await github.close();
    });

    /** Submits a Workflow of nothing but a reference. */
    function submit(template: string, pipeline: string, more: Record<string, string> = {}): Promise<BundleResult> & { sha: string } {
      const spec = { workflowTemplateRef: { name: template } };
      const manifest = JSON.stringify({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Workflow', metadata: { name: 'digits' }, spec });
      const sha = repository.commit({ files: { 'train.yaml': manifest }, message: pipeline });
      const { result } = bundle('submit-pipeline', { manifest: 'train.yaml', sha, pipeline, ...more });
      return Object.assign(result, { sha });
    }

    function bundle(action: string, inputs: Record<string, string>): ReturnType<typeof startBundle> {
      const token = github.token({ contents: 'read', checks: 'write', 'pull-requests': 'read' }, { repository });
      const { kubeconfig, context } = real.target;
      return startBundle({
        action,
        github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } },
        inputs: { kubeconfig, 'kube-context': context, namespace: real.namespace, token, ...inputs },
      });
    }

    it("gets parameters and variables, runs to its end, and its log is the run's alone", async () => {
      const submitted = submit('digits', 'template', { parameters: 'epochs: "5"', env: 'WHO: ada', deadline: '10m' });
      const { outputs } = await succeeded(submitted);
      const waited = await succeeded(bundle('wait-for-run', { run: outputs['run'] ?? '' }).result);
      expect(waited.outputs).toMatchObject({ state: 'succeeded' });
      expect(waited.stdout).toContain(`5 epochs of ${submitted.sha} with ada`);
      expect(waited.stdout).toContain('judged template');
      expect(waited.stdout).not.toContain('Starting Workflow Executor');
    });

    it.each<[string, string, Record<string, string>, RegExp]>([
      [
        'a parameter that it does not have',
        'digits',
        { parameters: 'epoch: "5"' },
        /names "epoch", which the Workflow does not have[\s\S]*it has epochs, size/u,
      ],
      ['a parameter without a value', 'digits', {}, /the Workflow's parameter "epochs" has no value/u],
      ['a value that it does not allow', 'digits', { parameters: 'epochs: "1"\nsize: xl' }, /the parameter "size" is "xl"; allowed: s, m/u],
      ['what the policy forbids', 'open', {}, /spec\.volumes\[0\]\.hostPath[\s\S]*rule "host-path"/u],
      ['a template that is not there', 'nowhere', {}, /refers to the WorkflowTemplate "nowhere", which namespace .* does not have/u],
    ])('is refused for %s, and nothing is made', async (_, template, more, words) => {
      const result = await submit(template, 'refused', more);
      expect(result.code).toBe(1);
      expect(result.stdout).toMatch(words);
      expect(result.outputs).not.toHaveProperty('run');
    });
  });
} else {
  it('is left out: the cluster has no Argo Workflows', () => undefined);
}
