import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { describe as words } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { Inputs } from '@slashtrain/core/action/inputs';
import { openGitHub } from '@slashtrain/core/github/client';
import { readContext } from '@slashtrain/core/github/context';
import { kindFor } from '@slashtrain/core/kinds/index';
import type { Kind, KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { openAccess, openKubernetes } from '@slashtrain/core/kubernetes/access';
import { configMaps, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { Http } from '@slashtrain/core/kubernetes/http';
import { systemTiming } from '@slashtrain/core/kubernetes/timing';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import type { RecordStore } from '@slashtrain/core/records/store';
import { parseReference } from '@slashtrain/core/run/reference';
import { addressesOf } from '@slashtrain/testing/bundle/environment';
import { startBundle } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { readInputs as cancelInputs } from '../../actions/cancel-runs/src/inputs.ts';
import { main as cancel } from '../../actions/cancel-runs/src/main.ts';
import { readInputs as fetchInputs } from '../../actions/fetch-metrics/src/inputs.ts';
import { main as fetchMetrics } from '../../actions/fetch-metrics/src/main.ts';
import { readInputs as reportInputs } from '../../actions/report-pr/src/inputs.ts';
import { main as report } from '../../actions/report-pr/src/main.ts';
import { readInputs as submitInputs } from '../../actions/submit-pipeline/src/inputs.ts';
import { main as submit } from '../../actions/submit-pipeline/src/main.ts';
import { readInputs as syncInputs } from '../../actions/sync-runs/src/inputs.ts';
import { main as sync } from '../../actions/sync-runs/src/main.ts';
import { readInputs as waitInputs } from '../../actions/wait-for-run/src/inputs.ts';
import { main as wait } from '../../actions/wait-for-run/src/main.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { keptLog, type KeptLog } from '../support/kubernetes.ts';
import { openTarget, unique, type Target } from '../support/targets.ts';

/*
 * The rights that docs/access.md names, read out of that file and given to service accounts, on a real API server: with them
 * everything works; with one verb less the error says which, and the line to add. In this process: it is the same code as in the
 * bundles, forty times.
 */
const rbac = (plural: string, kind: string): Resource => ({ group: 'rbac.authorization.k8s.io', version: 'v1', plural, kind });
const core = (plural: string, kind: string): Resource => ({ group: '', version: 'v1', plural, kind });
const roles = rbac('roles', 'Role');
const roleBindings = rbac('rolebindings', 'RoleBinding');
const clusterRoles = rbac('clusterroles', 'ClusterRole');
const clusterRoleBindings = rbac('clusterrolebindings', 'ClusterRoleBinding');
const namespaces = core('namespaces', 'Namespace');
const serviceAccounts = core('serviceaccounts', 'ServiceAccount');
const secrets = core('secrets', 'Secret');
const job = kindFor('batch/v1', 'Job') as Kind;

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}
type Role = KubernetesObject & { rules: Rule[] };

const documentation = readFileSync(resolve(import.meta.dirname, '../../docs/access.md'), 'utf8');
const documented = [...documentation.matchAll(/```yaml\n([^]*?)```/gu)].flatMap(([, block = '']) =>
  parseAllDocuments(block).map((document) => document.toJS() as Role),
);
const roleOf = (name: string): Role => {
  const found = documented.find(({ kind, metadata }) => kind === 'Role' && metadata.name === `slashtrain-${name}`);
  if (!found) throw new Error(`docs/access.md has no Role slashtrain-${name}`);
  return found;
};

let folder: string;
let target: Target;
let admin: KubernetesClient;
let http: Http;
let records: RecordStore;
let github: FakeGitHub;
let repository: Repository;
const namespace = unique('slashtrain-access');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'access-'));
  target = await openTarget('real');
  const options = { kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() };
  admin = await openKubernetes(options);
  records = recordStore(admin);
  http = new Http(await openAccess(options), {
    timing: systemTiming,
    log: keptLog(),
    budget: 10_000,
    firstBudget: 10_000,
    silence: 10_000,
  });
  await admin.create<KubernetesObject>(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  github = await startGitHub();
  repository = github.createRepository({ owner: 'acme', name: 'digits' });
});
afterAll(async () => {
  await admin.delete(namespaces, '', namespace);
  await github.close();
  rmSync(folder, { recursive: true });
});

/** A service account with exactly this Role. */
async function account(role: Role): Promise<{ name: string; kubeconfig: string }> {
  const name = unique('account');
  const at = { name, namespace };
  await admin.create<KubernetesObject>(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: at });
  await admin.create<KubernetesObject>(roles, { apiVersion: role.apiVersion, kind: 'Role', metadata: at, rules: role.rules });
  await admin.create<KubernetesObject>(roleBindings, {
    apiVersion: role.apiVersion,
    kind: 'RoleBinding',
    metadata: at,
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
  });
  for (const rule of role.rules) await untilAllowed(name, rule);
  return { name, kubeconfig: kubeconfigWith({ token: await tokenFor(name) }) };
}

/** The API server reads Roles as they come: a moment later it knows them. */
async function untilAllowed(name: string, { apiGroups, resources, verbs }: Rule): Promise<void> {
  const [resource = '', subresource = ''] = (resources[0] ?? '').split('/');
  const resourceAttributes = { namespace, verb: verbs.at(-1), group: apiGroups[0], resource, subresource };
  for (;;) {
    const { text } = await http.send({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: `system:serviceaccount:${namespace}:${name}`,
          groups: ['system:serviceaccounts', 'system:authenticated'],
          resourceAttributes,
        },
      },
      repeatable: 'always',
    });
    if ((JSON.parse(text) as { status: { allowed: boolean } }).status.allowed) return;
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** A token by TokenRequest; bound to a Secret it lives as long as that. */
async function tokenFor(name: string, boundTo?: { name: string; uid: string }): Promise<string> {
  const { text } = await http.send({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 3600, ...(boundTo && { boundObjectRef: { apiVersion: 'v1', kind: 'Secret', ...boundTo } }) },
    },
    repeatable: 'always',
  });
  return (JSON.parse(text) as { status: { token: string } }).status.token;
}

function kubeconfigWith(user: object): string {
  const text = existsSync(target.kubeconfig) ? readFileSync(target.kubeconfig, 'utf8') : target.kubeconfig;
  const whole = parse(text) as { clusters: { name: string }[]; contexts: { name: string; context: { cluster: string } }[] };
  const { cluster } = whole.contexts.find(({ name }) => name === target.context)?.context ?? { cluster: '' };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: whole.clusters.filter(({ name }) => name === cluster),
    users: [{ name: 'user', user }],
    contexts: [{ name: 'least', context: { cluster, user: 'user', namespace } }],
    'current-context': 'least',
  });
}

interface Ran {
  outputs: Map<string, string>;
  log: KeptLog;
  failure?: unknown;
}

/** Runs an action's story as the runner would. */
async function run<T>(
  main: (inputs: T, parts: { host: Host; context: ReturnType<typeof readContext>; github: ReturnType<typeof openGitHub> }) => Promise<void>,
  readInputs: (host: Host) => T,
  inputs: Record<string, string>,
): Promise<Ran> {
  const outputs = new Map<string, string>();
  const log = keptLog();
  const { api, graphql, server } = addressesOf(github.url);
  const token = github.token({ contents: 'read', checks: 'write', 'pull-requests': 'write' }, { repository });
  const given = Object.entries({ token, ...inputs }).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  const environment = {
    ...(Object.fromEntries(given) as Record<string, string>),
    GITHUB_REPOSITORY: 'acme/digits',
    GITHUB_REPOSITORY_ID: String(repository.id),
    GITHUB_RUN_ID: '1',
    GITHUB_API_URL: api,
    GITHUB_GRAPHQL_URL: graphql,
    GITHUB_SERVER_URL: server,
    GITHUB_ACTOR: 'ada',
  };
  const host: Host = {
    inputs: new Inputs(environment),
    environment,
    log,
    workspace: folder,
    temp: folder,
    signal: new AbortController().signal,
    now: Date.now,
    setOutput: (name, value) => void outputs.set(name, value),
    summarise: () => Promise.resolve(),
    saveState: () => undefined,
  };
  const context = readContext(environment);
  try {
    await main(readInputs(host), { host, context, github: openGitHub({ token, context, log }) });
    return { outputs, log };
  } catch (failure) {
    return { outputs, log, failure };
  }
}

interface Pull {
  sha: string;
  number: number;
}
function pullRequest(program = 'console.log(\'slashtrain-metric {"name":"accuracy","value":0.9,"step":1}\')', pod: object = {}): Pull {
  const branch = unique('change');
  const container = { name: 'train', image: target.base, command: ['node', '-e', program] };
  const spec = {
    backoffLimit: 0,
    template: { spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, ...pod, containers: [container] } },
  };
  const manifest = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'digits' }, spec };
  const sha = repository.commit({ branch, files: { 'train.yaml': JSON.stringify(manifest) } });
  return { sha, number: repository.openPullRequest({ head: branch, author: 'ada' }) };
}
const forever = 'setInterval(() => {}, 1000)';

/** Each action's story as somebody with this kubeconfig tells it. The runs that they need are made by the administrator. */
const adminConfig = (): Record<string, string> => ({ kubeconfig: target.kubeconfig, 'kube-context': target.context, namespace });
const submitWith = ({ sha, number }: Pull, access: Record<string, string>): Promise<Ran> =>
  run(submit, submitInputs, { manifest: 'train.yaml', sha, 'pr-number': String(number), pipeline: 'digits', deadline: '10m', ...access });

async function made(program?: string, pod?: object): Promise<Pull & { run: string }> {
  const pull = pullRequest(program, pod);
  const submitted = await submitWith(pull, adminConfig());
  if (submitted.failure !== undefined) throw submitted.failure as Error;
  return { ...pull, run: submitted.outputs.get('run') ?? '' };
}
async function ended(): Promise<Pull & { run: string }> {
  const pull = await made();
  for (;;) {
    const object = await admin.get(job.resource, namespace, parseReference(pull.run).name);
    if (object && job.status(object).state === 'succeeded') return pull;
    await new Promise((done) => setTimeout(done, 100));
  }
}
interface Finished {
  /** Concluded; the Job is there. */
  present: Pull & { run: string };
  /** Concluded as well; the Job is gone. */
  gone: Pull & { run: string };
}
let once: Promise<Finished> | undefined;
/** Two runs that have ended, made once: a training takes longer than a story. */
function finished(): Promise<Finished> {
  once ??= finish();
  return once;
}
async function finish(): Promise<Finished> {
  const [present, gone] = await Promise.all([ended(), ended()]);
  for (const { run: reference } of [present, gone]) {
    const waited = await run(wait, waitInputs, { run: reference, ...adminConfig() });
    if (waited.failure !== undefined) throw waited.failure as Error;
  }
  await admin.delete(job.resource, namespace, parseReference(gone.run).name);
  return { present, gone };
}
/** As if nobody had seen the end yet. */
async function reopen({ run: reference }: { run: string }): Promise<string> {
  const { name } = parseReference(reference);
  await admin.delete(configMaps, namespace, `${name}-metrics`);
  const stored = await records.get(namespace, name);
  const written = stored && (await records.update(stored, ({ result: _, reportedAt: __, ...record }) => ({ ...record, state: 'queued' })));
  if (!written) throw new Error(`the record ${name} changed meanwhile`);
  return reference;
}

type Story = (kubeconfig: string) => Promise<Ran[]>;
const stories: Record<string, Story> = {
  submit: async (kubeconfig) => {
    const pull = pullRequest(forever);
    const first = await submitWith(pull, { kubeconfig });
    // Another comment asks for the same: it joins.
    return first.failure === undefined ? [first, await submitWith(pull, { kubeconfig, 'comment-id': '2' })] : [first];
  },
  wait: async (kubeconfig) => {
    const [short, long] = [await reopen((await finished()).present), await made(forever)];
    return Promise.all([
      run(wait, waitInputs, { run: short, kubeconfig, timeout: '2m' }),
      // Asked for the end at once, as at a time-out.
      run(wait, waitInputs, { run: long.run, kubeconfig, timeout: '1s' }),
    ]);
  },
  report: async (kubeconfig) => {
    const { run: reference, sha, number } = (await finished()).present;
    const inputs = { run: reference, sha, 'pr-number': String(number), pipeline: 'digits', kubeconfig };
    const fetched = await run(fetchMetrics, fetchInputs, { ...inputs, baseline: 'none' });
    return [fetched, await run(report, reportInputs, inputs)];
  },
  cancel: async (kubeconfig) => {
    const { number } = await made(forever);
    return [await run(cancel, cancelInputs, { 'pr-number': String(number), grace: '1s', kubeconfig })];
  },
  sync: async (kubeconfig) => {
    const { present, gone } = await finished();
    await reopen(present);
    await reopen(gone);
    return [await run(sync, syncInputs, { kubeconfig })];
  },
};

/** What its story does not come to: rights for what others do at the same moment, for what waits in a queue, and for what is rare. */
const seldom: Record<string, string[]> = {
  submit: ['get configmaps', 'delete configmaps', 'get jobs.batch', 'patch jobs.batch', 'delete jobs.batch'],
  wait: ['list configmaps', 'get jobs.batch', 'get pods', ...['get', 'list', 'watch'].map((verb) => `${verb} workloads.kueue.x-k8s.io`)],
  cancel: ['get configmaps', 'list workloads.kueue.x-k8s.io'],
  sync: ['delete configmaps', 'watch jobs.batch', 'delete jobs.batch', 'get pods', 'watch pods', 'list workloads.kueue.x-k8s.io'],
};
/** Without these less is explained. */
const optional = new Set(['events', 'workloads']);
const timedOut = /did not end within/u;

describe.each(Object.keys(stories))('slashtrain-%s', (name) => {
  const story = stories[name] as Story;
  const { rules } = roleOf(name);
  const rights = rules.flatMap(({ apiGroups: [group = ''], resources, verbs }) =>
    resources.flatMap((resource) =>
      verbs.map((verb): [right: string, group: string, resource: string, verb: string] => [
        `${verb} ${resource}${group ? `.${group}` : ''}`,
        group,
        resource,
        verb,
      ]),
    ),
  );

  it('is enough', async () => {
    const { kubeconfig } = await account(roleOf(name));
    for (const { failure, log } of await story(kubeconfig)) {
      const text = failure === undefined ? '' : words(failure);
      expect(timedOut.test(text) ? '' : text).toBe('');
      expect(log.lines.filter((line) => line.includes('missing right') && !line.includes('nodes'))).toEqual([]);
    }
  });

  it('has nothing that is not needed, and what is missing is named', async () => {
    const unneeded: string[] = [];
    for (const [right, group, resource, verb] of rights) {
      const less = rules.map((rule) =>
        rule.apiGroups[0] === group && rule.resources.includes(resource)
          ? { ...rule, verbs: rule.verbs.filter((one) => one !== verb) }
          : rule,
      );
      const { kubeconfig } = await account({ ...roleOf(name), rules: less.filter(({ verbs }) => verbs.length > 0) });
      const told = (await story(kubeconfig)).flatMap(({ failure, log }) => [
        ...(failure === undefined ? [] : [words(failure)]),
        ...log.lines,
      ]);
      const line = `{apiGroups: [${group || '""'}], resources: [${resource}], verbs: [${verb}]}`;
      const missing = `missing right: cannot ${verb} ${resource}${group ? `.${group}` : ''} in namespace ${namespace}`;
      const isTold = told.some((text) => text.includes(missing));
      // Who can do without says it in the debug log, without the line to add.
      if (isTold && !optional.has(resource)) expect(told.join('\n')).toContain(line);
      if (!isTold) unneeded.push(right);
    }
    expect(unneeded.filter((right) => !(seldom[name] ?? []).includes(right))).toEqual([]);
  });
});

/** A token that can be ended, and an exec plugin that gives what stands in a file, as aws, gcloud and kubelogin do it. */
async function renewable(name: string): Promise<{ exec: object; calls(): number; renew(): Promise<void> }> {
  const bound = await admin.create<KubernetesObject>(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: unique('bound'), namespace },
  });
  const { name: secret = '', uid = '' } = bound?.metadata ?? {};
  const [plugin, token, calls] = ['plugin.cjs', 'token', 'calls'].map((file) => join(folder, `${secret}-${file}`)) as [
    string,
    string,
    string,
  ];
  writeFileSync(token, await tokenFor(name, { name: secret, uid }));
  writeFileSync(
    plugin,
    `const fs = require('node:fs');
    const { apiVersion } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
    fs.appendFileSync(process.argv[3], '.');
    console.log(JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { token: fs.readFileSync(process.argv[2], 'utf8') } }));`,
  );
  return {
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: [plugin, token, calls],
      interactiveMode: 'Never',
    },
    calls: () => (existsSync(calls) ? readFileSync(calls, 'utf8').length : 0),
    renew: async () => {
      writeFileSync(token, await tokenFor(name));
      await admin.delete(secrets, namespace, secret);
    },
  };
}

describe('a token that is no longer valid', () => {
  it('is renewed by the exec plugin', async () => {
    const { name } = await account(roleOf('report'));
    const { exec, calls, renew } = await renewable(name);
    const client = await openKubernetes({ kubeconfig: kubeconfigWith({ exec }), environment: process.env, log: keptLog() });
    await client.list(configMaps, namespace);
    await renew();
    // The API server remembers a token for up to 10 s.
    while (calls() < 2) {
      await client.list(configMaps, namespace);
      await new Promise((done) => setTimeout(done, 200));
    }
    await client.list(configMaps, namespace);
    expect(calls()).toBe(2);
  });

  it('is renewed while somebody waits, with the least rights: the true state comes out, and every line once', async () => {
    const count = 400;
    const { run: reference } = await made(
      `let i = 0; const t = setInterval(() => { console.log('numbered ' + ++i); if (i === ${count}) clearInterval(t); }, 50);`,
    );
    const { name } = await account(roleOf('wait'));
    const { exec, calls, renew } = await renewable(name);
    const proxy = await startCuttingProxy(admin.server);
    const kubeconfig = kubeconfigWith({ exec }).replaceAll(admin.server, `https://127.0.0.1:${proxy.port}`);
    let renewed: Promise<void> | undefined;
    const token = github.token({ contents: 'read', checks: 'write', 'pull-requests': 'read' }, { repository });
    const result = await startBundle({
      action: 'wait-for-run',
      github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } },
      inputs: { run: reference, kubeconfig, token },
      onLine: (line) => {
        const number = Number(/^numbered (\d+)$/u.exec(line)?.[1] ?? Number.NaN);
        if (number >= 20) renewed ??= renew();
        // What streams already is not asked for its token again.
        if (number % 40 === 0) proxy.cut();
      },
    }).result;
    await renewed;
    await proxy.close();
    expect(result.stdout.split('\n').filter((line) => line.startsWith('numbered '))).toEqual(
      Array.from({ length: count }, (_, index) => `numbered ${index + 1}`),
    );
    expect(result).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
    expect(calls()).toBeGreaterThanOrEqual(2);
  });

  it('ends in words where nothing can renew it', async () => {
    const client = await openKubernetes({ kubeconfig: kubeconfigWith({ token: 'a.b.c' }), environment: {}, log: keptLog() });
    await expect(client.list(configMaps, namespace)).rejects.toThrow('does not accept the credentials of the context least: Unauthorized');
  });
});

describe('the rights to what belongs to no namespace', () => {
  const clusterRole = documented.find(({ kind }) => kind === 'ClusterRole') as Role;
  const podResource = core('pods', 'Pod');
  const runtimes: Resource = {
    group: 'trainer.kubeflow.org',
    version: 'v1alpha1',
    plural: 'clustertrainingruntimes',
    kind: 'ClusterTrainingRuntime',
  };
  const clusterTemplates: Resource = {
    group: 'argoproj.io',
    version: 'v1alpha1',
    plural: 'clusterworkflowtemplates',
    kind: 'ClusterWorkflowTemplate',
  };

  /** A run that failed, as far as its pod says, on a node that is gone: nothing else knows of the node. */
  async function failedOnLostNode(): Promise<string> {
    const { run: reference } = await made(forever, { nodeName: unique('gone') });
    const selection = { labelSelector: `batch.kubernetes.io/job-name=${parseReference(reference).name}` };
    for (;;) {
      const { items } = await admin.list<KubernetesObject>(podResource, namespace, selection);
      const [pod] = items;
      if (pod) {
        await admin.patch(podResource, namespace, pod.metadata.name ?? '', { status: { phase: 'Failed' } }, { subresource: 'status' });
        return reference;
      }
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  it('explain more of nodes, and without them the wait ends all the same', async () => {
    const { name, kubeconfig } = await account(roleOf('wait'));
    const without = await run(wait, waitInputs, { run: await failedOnLostNode(), kubeconfig });
    expect(without.outputs.get('state')).toBe('failed');
    expect(without.outputs.get('reason')).not.toBe('node-lost');
    expect(without.log.lines.filter((line) => line.includes('nodes'))).toEqual([
      `no nodes: missing right: cannot get nodes in the whole cluster on ${admin.server}`,
      `no events of nodes: missing right: cannot list events in namespace default on ${admin.server}`,
    ]);

    await withClusterRole(name, async () => {
      const withThem = await run(wait, waitInputs, { run: await failedOnLostNode(), kubeconfig });
      expect(Object.fromEntries(withThem.outputs)).toMatchObject({ state: 'failed', reason: 'node-lost' });
      expect(withThem.log.lines.filter((line) => line.includes('missing right: cannot get nodes'))).toEqual([]);
    });
  });

  it('let a run use what all namespaces share; without them the right is named', async () => {
    const [hasTrainer, hasArgo] = await Promise.all([isServed(runtimes), isServed(clusterTemplates)]);
    const shared = unique('slashtrain-shared');
    const container = { name: 'node', image: target.base };
    const metadata = { name: shared, labels: { 'trainer.kubeflow.org/framework': 'slashtrain-test' } };
    const ancestor = { labels: { 'trainer.kubeflow.org/trainjob-ancestor-step': 'trainer' } };
    const replicated = { name: 'node', template: { metadata: ancestor, spec: { template: { spec: { containers: [container] } } } } };
    const runtimeSpec = { mlPolicy: { numNodes: 1 }, template: { spec: { replicatedJobs: [replicated] } } };
    const templateSpec = { entrypoint: 'main', templates: [{ name: 'main', container: { image: target.base, command: ['true'] } }] };
    const make = (of: Resource, spec: object): Promise<unknown> =>
      admin.create<KubernetesObject>(of, { apiVersion: `${of.group}/${of.version}`, kind: of.kind, metadata, spec });
    if (hasTrainer) await make(runtimes, runtimeSpec);
    if (hasArgo) await make(clusterTemplates, templateSpec);

    const kinds: [boolean, string, string, Record<string, string>][] = [
      [
        hasTrainer,
        'trainer.kubeflow.org',
        'trainjobs',
        { image: `${target.registry}/node@sha256:${'a'.repeat(64)}`, framework: 'trainer' },
      ],
      [hasArgo, 'argoproj.io', 'workflows', { manifest: JSON.stringify(workflowOf(shared), undefined, 1) }],
    ];
    const made = kinds.filter(([isThere]) => isThere);
    const own = made.map(([, group, plural]) => ({ apiGroups: [group], resources: [plural], verbs: ['get', 'create', 'delete', 'patch'] }));
    const { name, kubeconfig } = await account({ ...roleOf('submit'), rules: [...roleOf('submit').rules, ...own] });
    const { sha, number } = pullRequest();
    const submitAll = (): Promise<Ran[]> =>
      Promise.all(
        made.map(([, , , inputs]) =>
          run(submit, submitInputs, { ...inputs, sha, 'pr-number': String(number), pipeline: 'digits', 'dry-run': 'true', kubeconfig }),
        ),
      );
    try {
      const without = (await submitAll()).map(({ failure, log }) => `${words(failure)}\n${log.lines.join('\n')}`);
      const lines = {
        trainjobs: 'list clustertrainingruntimes.trainer.kubeflow.org',
        workflows: 'get clusterworkflowtemplates.argoproj.io',
      };
      for (const [index, [, , plural]] of made.entries()) {
        expect(without[index]).toContain(`missing right: cannot ${lines[plural as keyof typeof lines]}`);
        expect(without[index]).toContain('add it to the ClusterRole: {apiGroups');
      }
      await withClusterRole(name, async () => {
        for (const { failure, log } of await submitAll()) {
          const told = [...(failure === undefined ? [] : [words(failure)]), ...log.lines].join('\n');
          expect(told).not.toContain('missing right');
          // Others may have runtimes on this cluster: then it asks which.
          expect(failure === undefined || told.includes(shared)).toBe(true);
        }
      });
    } finally {
      if (hasTrainer) await admin.delete(runtimes, '', shared);
      if (hasArgo) await admin.delete(clusterTemplates, '', shared);
    }
  });

  function workflowOf(name: string): object {
    const spec = { workflowTemplateRef: { name, clusterScope: true } };
    return { apiVersion: 'argoproj.io/v1alpha1', kind: 'Workflow', metadata: { name: 'digits' }, spec };
  }

  async function isServed({ group, version, plural }: Resource): Promise<boolean> {
    return (await admin.discover(group, version))?.some((one) => one.plural === plural) ?? false;
  }

  /** While `story` goes on, the account has the documented ClusterRole as well. */
  async function withClusterRole(name: string, story: () => Promise<void>): Promise<void> {
    const at = { name: unique('slashtrain-nodes') };
    await admin.create<KubernetesObject>(clusterRoles, { ...clusterRole, metadata: at });
    await admin.create<KubernetesObject>(clusterRoleBindings, {
      apiVersion: clusterRole.apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: at,
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: at.name },
    });
    try {
      for (const rule of clusterRole.rules) await untilAllowed(name, rule);
      await story();
    } finally {
      await admin.delete(clusterRoleBindings, '', at.name);
      await admin.delete(clusterRoles, '', at.name);
    }
  }
});
