import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { kubernetesBackend } from '@slashtrain/core/backend/kubernetes';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { claim, type ClaimRequest } from '../../actions/submit-pipeline/src/claim.ts';
import { helperStore } from '../../actions/submit-pipeline/src/helper-store.ts';
import { claimOf } from './claims.ts';
import { keptLog } from './kubernetes.ts';

/*
 * A process that submits many requests, one after the other in an order of its own: one of the crowd in test/real/crowd.test.ts.
 *   node submitter.ts KUBECONFIG NAMESPACE REQUESTS CHECKS
 * It prints the runs that it got, by request. CHECKS is the file that stands for GitHub: a line a check.
 */
const [kubeconfig = '', namespace = '', count = '0', checks = ''] = process.argv.slice(2);
const log = keptLog();
const client = await openKubernetes({ kubeconfig, environment: {}, log });

function requestFor(index: number): ClaimRequest {
  const id = String(index).padStart(2, '0');
  const asker = { id: `comment:${index}`, runAttempt: 1 };
  return claimOf({ namespace, name: `digits-${id}`, pullRequest: index + 1, sha: id.repeat(20), request: id.repeat(32), asker });
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
