import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { kubernetesBackend } from '@slashtrain/core/backend/kubernetes';
import { kindFor } from '@slashtrain/core/kinds/index';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { runLabels, type RunRecord } from '@slashtrain/core/run/record';
import { claim, type ClaimRequest } from '../../actions/submit-pipeline/src/claim.ts';
import { helperStore } from '../../actions/submit-pipeline/src/helper-store.ts';
import { keptLog } from './kubernetes.ts';

/*
 * A process that submits many requests, one after the other in an order of its own: one of the crowd in test/real/crowd.test.ts.
 *   node submitter.ts KUBECONFIG NAMESPACE REQUESTS CHECKS
 * It prints the runs that it got, by request. CHECKS is the file that stands for GitHub: a line a check.
 */
const [kubeconfig = '', namespace = '', count = '0', checks = ''] = process.argv.slice(2);
const log = keptLog();
const client = await openKubernetes({ kubeconfig, environment: {}, log });
const kind = kindFor('batch/v1', 'Job');
if (!kind) throw new Error('no Job');

function requestFor(index: number): ClaimRequest {
  const id = String(index).padStart(2, '0');
  const base = { repository: { id: 7, fullName: 'acme/digits' }, pullRequest: index + 1, sha: id.repeat(20), pipeline: 'digits' };
  const asker = { id: `comment:${index}`, runAttempt: 1 };
  const nameFor = (attempt: number): string => `digits-${id}-${attempt}`;
  return {
    namespace,
    kind: kind as NonNullable<typeof kind>,
    asker,
    again: false,
    nameFor,
    recordFor: (attempt): RunRecord => ({
      version: 1,
      ...base,
      tree: 'b'.repeat(40),
      request: id.repeat(32),
      asked: [asker],
      attempt,
      actor: 'ada',
      createdAt: new Date().toISOString(),
      images: [],
      parameters: [],
      kind: { plural: 'jobs', group: 'batch' },
      state: 'queued',
    }),
    // Suspended, so that nothing runs and nothing ends by itself.
    objectFor: (attempt) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: nameFor(attempt), namespace, labels: runLabels(base) },
      spec: { suspend: true, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'train', image: 'digits' }] } } },
    }),
  };
}

const order = Array.from({ length: Number(count) }, (_, index) => index).sort(() => Math.random() - 0.5);
const runs: Record<string, string> = {};
for (const index of order) {
  const claimed = await claim(requestFor(index), {
    records: recordStore(client),
    backend: kubernetesBackend(client, { log }),
    helpers: helperStore(client),
    now: Date.now,
    pause: (milliseconds) => pause(milliseconds / 10),
    makeCheck: (stored, mayExist) => {
      const line = `${stored.uid}\n`;
      if (!mayExist || !readFileSync(checks, 'utf8').includes(line)) appendFileSync(checks, line);
      return Promise.resolve(index + 1);
    },
    endCheck: () => Promise.resolve(),
  });
  runs[index] = claimed.run;
}
process.stdout.write(JSON.stringify(runs));
