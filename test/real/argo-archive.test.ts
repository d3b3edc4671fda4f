import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { formatReference } from '@slashtrain/core/run/reference';
import { runBundle } from '@slashtrain/testing/bundle/bundle';
import { startGitHub } from '@slashtrain/testing/github/github';
import { serveTracker } from '@slashtrain/testing/trackers/server';
import { keptLog } from '../support/kubernetes.ts';
import { seedRun } from '../support/records.ts';
import { openTarget, unique } from '../support/targets.ts';

/*
 * A Workflow that a real cluster does not have any more, and Argo's archive (a fake, as in test/contract/argo-archive.test.ts) has:
 * what the bundle makes of it.
 */
const uid = '0f0c7a52-3c1e-4d0e-9c77-6d1f0a2b3c4d';
const fixtures = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../packages/core/src/kinds/fixtures/argo-workflow.json'), 'utf8'),
) as Record<string, { name: string; spec: object; status: object }>;
const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };

it('wait-for-run takes the end of a Workflow that is gone from the archive', async () => {
  const target = await openTarget('real');
  const namespace = unique('slashtrain-archive');
  const client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const github = await startGitHub();
  const repository = github.createRepository({ owner: 'acme', name: 'digits' });
  const sha = repository.commit({ branch: 'change', files: { a: 'b' } });
  const records = recordStore(client);
  const kind = { plural: 'workflows', group: 'argoproj.io' };
  const seeded = await seedRun(records, repository, { sha, state: 'running', record: { kind } }, namespace);
  const run = formatReference({ ...kind, namespace, name: seeded.name, uid });
  await records.update(seeded, (record) => ({ ...record, run }));
  const archive = await serveTracker("Argo's server", async () => {
    const { spec, status } = fixtures['done, with outputs']!;
    return { metadata: { name: seeded.name, namespace, uid }, spec, status };
  });
  try {
    const token = github.token({ contents: 'read', checks: 'write' }, { repository });
    const inputs = { kubeconfig: target.kubeconfig, 'kube-context': target.context, namespace, token, run };
    const waited = await runBundle({
      action: 'wait-for-run',
      github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } },
      inputs: { ...inputs, 'argo-server': archive.url, 'argo-token': 'good' },
    });
    expect(waited.stdout).not.toContain('::error');
    expect(waited).toMatchObject({ code: 0, outputs: { state: 'succeeded' }, masks: expect.arrayContaining(['good']) });
    expect(JSON.parse(waited.outputs['outputs'] ?? '{}')).not.toEqual({});
    expect((await records.get(namespace, seeded.name))?.record.state).toBe('succeeded');
  } finally {
    await client.delete(namespaces, '', namespace);
    await archive.close();
    await github.close();
    await target.close();
  }
});
