import type { Resource } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { leaseName } from '@slashtrain/core/rollouts/rollout';
import type { RunRecord } from '@slashtrain/core/run/record';
import type { RunResult } from '@slashtrain/core/run/result';
import { runBundle, startBundle, type BundleResult, type RunningBundle } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { keptLog } from './kubernetes.ts';
import { seedRun } from './records.ts';
import { succeeded } from './steps.ts';
import { openTarget, unique, type Target } from './targets.ts';

/*
 * What tests of deploy-model share: a namespace of its own, a repository whose commits were trained, and the bundle.
 */
const namespaces: Resource = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
const leases: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease' };

/** Serves what `behaviour.json` of its commit says: a digit; or it crashes, dies at the second request, never listens. */
export const modelServer = `
  const behaviour = require('./behaviour.json');
  if (behaviour.crash) { console.log('cannot load the model: ' + behaviour.crash); process.exit(3); }
  const start = () => require('node:http').createServer((request, response) => {
    if (behaviour.dies && request.url === '/predict' && (start.count = (start.count ?? 0) + 1) === 2) process.exit(9);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url === '/healthz' ? { sha: process.env.SLASHTRAIN_SHA } : { digit: behaviour.digit }));
  }).listen(8080);
  if (!behaviour.never) start(); else setInterval(() => {}, 1000);
`;

/** A commit that was trained, and the image that serves it. */
export interface Trained {
  sha: string;
  number: string;
  image: string;
}

/** What is special about a commit and its run. */
export interface Training {
  files?: Record<string, string>;
  record?: Partial<RunRecord>;
  result?: Partial<RunResult>;
  /** Inputs of build-image. */
  build?: Record<string, string>;
}

/** Where deploy-model is tried. */
export interface Deploying {
  target: Target;
  client: KubernetesClient;
  github: FakeGitHub;
  repository: Repository;
  namespace: string;
  /** A pull request whose commit was trained, with the image that serves it. */
  trained(behaviour: object, more?: Training): Promise<Trained>;
  inputs(more: Record<string, string>): Record<string, string>;
  start(more: Record<string, string>, onLine?: (line: string) => void, env?: Record<string, string>): RunningBundle;
  deploy(more: Record<string, string>, env?: Record<string, string>): Promise<BundleResult>;
  post(more: Record<string, string>, state: Record<string, string>): Promise<BundleResult>;
  /** deploy-model with an entry of sync-runs' `rollouts`. */
  goOn(rollout: string, more?: Record<string, string>): Promise<BundleResult>;
  sync(): Promise<BundleResult>;
  /** What GitHub was told of a deploy, in order. */
  statesOf(result: BundleResult): string[];
  /** Does something to a step once it has said a line. */
  interruptedAt(line: RegExp, more: Record<string, string>, how: (step: RunningBundle) => void): Promise<BundleResult>;
  /** Puts the lease of an environment back in time, as if its holder had not been heard of. */
  expire(environment: string): Promise<void>;
  close(): Promise<void>;
}

/** The inputs that name a commit. */
export function of({ sha, number }: { sha: string; number: string }): Record<string, string> {
  return { sha, 'pr-number': number };
}

/** @param defaults inputs of each deploy, beside the cluster's */
export async function openDeploying(name: Target['name'], defaults: Record<string, string>): Promise<Deploying> {
  const namespace = unique('slashtrain-deploy');
  const target = await openTarget(name);
  const client = await openKubernetes({
    kubeconfig: target.kubeconfig,
    context: target.context,
    namespace,
    environment: {},
    log: keptLog(),
  });
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const github = await startGitHub();
  const files = { 'serve.js': modelServer, 'behaviour.json': '{"digit":7}' };
  const repository = github.createRepository({ owner: 'acme', name: 'digits', files });
  const token = github.token({ contents: 'read', deployments: 'write', 'pull-requests': 'read' }, { repository });
  const where = { kubeconfig: target.kubeconfig, 'kube-context': target.context, namespace, token };
  const common = { github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } } };
  const inputs: Deploying['inputs'] = (more) => ({
    environment: 'staging',
    pipeline: 'digits',
    timeout: '2m',
    ...where,
    ...defaults,
    ...more,
  });
  const start: Deploying['start'] = (more, onLine, env = {}) =>
    startBundle({ action: 'deploy-model', ...common, inputs: inputs(more), env, ...(onLine ? { onLine } : {}) });
  return {
    target,
    client,
    github,
    repository,
    namespace,
    inputs,
    start,
    deploy: (more, env) => start(more, undefined, env).result,
    post: (more, state) => runBundle({ action: 'deploy-model', entry: 'post', ...common, inputs: inputs(more), state }),
    goOn: (rollout, more = {}) => runBundle({ action: 'deploy-model', ...common, inputs: { rollout, ...where, ...more } }),
    sync: () => succeeded(runBundle({ action: 'sync-runs', ...common, inputs: where })),
    statesOf: ({ outputs }) =>
      (repository.data.deployments.get(Number(outputs['deployment-id']))?.statuses ?? []).map(({ state }) => state),

    async trained(behaviour, { files: more = {}, record = {}, result = {}, build: special = {} } = {}) {
      const branch = unique('change');
      const sha = repository.commit({ branch, files: { 'behaviour.json': JSON.stringify(behaviour), ...more } });
      const pullRequest = repository.openPullRequest({ head: branch, author: 'ada' });
      const build = { image: `${target.registry}/${namespace}/digits`, base: target.base, sha, token, ...special };
      const built = await succeeded(runBundle({ action: 'build-image', ...common, inputs: build }));
      const image = built.outputs['image'] ?? '';
      const proven = { images: [image], verdict: 'pass' as const, reportedAt: '2026-11-21T12:00:00Z', ...record };
      await seedRun(recordStore(client), repository, { sha, pullRequest, record: proven, result }, namespace);
      return { sha, number: String(pullRequest), image };
    },

    interruptedAt(line, more, how) {
      let isDone = false;
      const step: RunningBundle = start(more, (said) => {
        if (isDone || !line.test(said)) return;
        isDone = true;
        how(step);
      });
      return step.result;
    },

    async expire(environment) {
      const lease = leaseName({ repository: { id: repository.id, fullName: 'acme/digits' }, environment });
      await client.patch(leases, namespace, lease, { spec: { renewTime: '2026-01-01T00:00:00.000000Z' } });
    },

    async close() {
      await client.delete(namespaces, '', namespace);
      await github.close();
      await target.close();
    },
  };
}
