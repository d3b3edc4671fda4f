import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { startBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { parse } from 'yaml';
import { startCuttingProxy, type CuttingProxy } from '../support/cutting-proxy.ts';
import { keptLog } from '../support/kubernetes.ts';
import { succeeded } from '../support/steps.ts';
import { startTokenGate, type Kubeconfig } from '../support/token-gate.ts';
import { openTarget, sayWhatIsSkipped, targets, unique, type Target } from '../support/targets.ts';

/*
 * A wait goes through a connection that breaks: the true state comes out, and every line of the log once.
 * The program writes numbered lines and ends by itself; what is cut is the way to the API server.
 */
sayWhatIsSkipped('a wait over a broken connection');

const count = 400;
const program = (lines: number): string =>
  `let i = 0; const t = setInterval(() => { console.log('numbered ' + ++i); if (i === ${lines}) clearInterval(t); }, 15);`;

describe.each(targets)('a wait on the %s cluster', (name) => {
  let target: Target;
  let client: KubernetesClient;
  let proxy: CuttingProxy;
  let kubeconfig: string;
  let github: FakeGitHub;
  let repository: Repository;
  const namespace = unique('slashtrain-wait');
  const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };

  beforeAll(async () => {
    target = await openTarget(name);
    client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    proxy = await startCuttingProxy(client.server);
    const text = existsSync(target.kubeconfig) ? readFileSync(target.kubeconfig, 'utf8') : target.kubeconfig;
    kubeconfig = text.replaceAll(client.server, `${new URL(client.server).protocol}//127.0.0.1:${proxy.port}`);
    github = await startGitHub();
    repository = github.createRepository({ owner: 'acme', name: 'digits' });
  });
  afterAll(async () => {
    await proxy.close();
    await client.delete(namespaces, '', namespace);
    await github.close();
    await target.close();
  });

  /** Submits the program and waits for it, through the proxy; `disturb` is called with each numbered line. */
  async function waitThrough(disturb: (line: number) => void, { access = kubeconfig, lines = count } = {}): Promise<BundleResult> {
    const token = github.token({ contents: 'read', checks: 'write', 'pull-requests': 'read' }, { repository });
    const common = { github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } } };
    const container = { name: 'count', image: target.base, command: ['node', '-e', program(lines)] };
    const manifest = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'count' },
      spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [container] } } },
    };
    const sha = repository.commit({ files: { 'train.yaml': JSON.stringify(manifest), 'NOTES.md': unique('case') } });
    const inputs = { 'kube-context': target.context, namespace, token };
    const submitted = await succeeded(
      startBundle({ action: 'submit-pipeline', ...common, inputs: { ...inputs, kubeconfig, manifest: 'train.yaml', sha } }).result,
    );
    const onLine = (line: string): void => {
      const number = /^numbered (\d+)$/u.exec(line)?.[1];
      if (number !== undefined) disturb(Number(number));
    };
    return startBundle({
      action: 'wait-for-run',
      ...common,
      inputs: { ...inputs, kubeconfig: access, run: submitted.outputs['run'] ?? '' },
      onLine,
    }).result;
  }

  const numbered = ({ stdout }: BundleResult): number[] =>
    stdout.split('\n').flatMap((line) => (/^numbered \d+$/u.test(line) ? [Number(line.slice(9))] : []));
  const all = Array.from({ length: count }, (_, index) => index + 1);

  it('whose connections are cut again and again ends in the true state with every line once', async () => {
    const result = await waitThrough((line) => line % 40 === 0 && proxy.cut());
    expect(proxy.cuts).toBeGreaterThan(5);
    expect(numbered(result)).toEqual(all);
    expect(result).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
  });

  it('whose server is away for a while, while the run ends, ends in the true state with every line once', async () => {
    const result = await waitThrough((line) => {
      if (line !== 100) return;
      proxy.shut();
      setTimeout(() => proxy.open(), 6000);
    });
    expect(numbered(result)).toEqual(all);
    expect(result).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
  });

  if (name === 'embedded') {
    it('whose token ends again and again has it renewed by the exec plugin, and ends in the true state with every line once', async () => {
      const gate = await startTokenGate(client.server, (parse(target.kubeconfig) as Kubeconfig).users[0]?.user.token ?? '');
      const access = gate.kubeconfig(target.kubeconfig);
      const result = await waitThrough((line) => line % 50 === 0 && gate.expire(), { access, lines: 200 });
      await gate.close();
      expect(numbered(result)).toEqual(all.slice(0, 200));
      expect(result).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
      expect(gate.refused).toBeGreaterThanOrEqual(3);
      // No token in the log, neither the first nor those that came later.
      expect(result.stdout).not.toMatch(/^(?!::add-mask::).*token-\d+-of-the-plugin/mu);
    });

    it('whose API server is restarted and has forgotten its history ends in the true state with every line once', async () => {
      const result = await waitThrough((line) => {
        if (line % 100 !== 50) return;
        target.cluster?.compact();
        void target.cluster?.restart();
      });
      expect(numbered(result)).toEqual(all);
      expect(result).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
    });
  }
});
