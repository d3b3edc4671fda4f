import { mock } from 'node:test';
import { kubernetesBackend } from '@slashtrain/core/backend/kubernetes';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { QuietServer, reference } from '@slashtrain/testing/cluster/quiet';
import { Follower } from '../../../actions/wait-for-run/src/follow.ts';
import { ProgressReporter } from '../../../actions/wait-for-run/src/reporter.ts';
import { waitForEnd } from '../../../actions/wait-for-run/src/wait.ts';
import { keptLog } from '../../support/kubernetes.ts';
import type { Part, Row } from '../part.ts';

/*
 * What an hour of waiting for a run asks of the cluster and of GitHub, on a clock that is turned: the run goes on all the time and
 * says each ten seconds how far it is.
 */
const hour = 3600;

export const part: Part = {
  rounds: { full: 1, quick: 1 },
  async run() {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
    const server = new QuietServer();
    server.pods = [runningPod()];
    const stop = new AbortController();
    const log = keptLog();
    const backend = kubernetesBackend(server.client, { log });
    const follower = new Follower({ log, run: reference.name, show: true, write: () => undefined });
    let updates = 0;
    const reporter = new ProgressReporter({ now: Date.now, say: () => undefined, update: async () => void (updates += 1) });
    const waiting = Promise.all([
      waitForEnd(reference, backend, { signal: stop.signal, onChange: (status, { pods }) => reporter.change(status, pods) }),
      follower.follow(backend.logs(reference, stop.signal, 'live')),
    ]);
    for (let second = 0; second < hour; second++) {
      if (second % 10 === 0) reporter.change({ state: 'running', progress: second / hour, message: `step ${second}` });
      mock.timers.tick(1000);
      // What is waiting for the tick goes on before the next one.
      for (let turn = 0; turn < 3; turn++) await new Promise((done) => setImmediate(done));
    }
    const asked = server.requests.length;
    if (!log.lines.some((line) => line.includes(reference.name)) || server.openLogs.size !== 1)
      throw new Error('the log was not followed: nothing was measured');
    mock.timers.reset();
    stop.abort();
    await Promise.allSettled([waiting, reporter.stop()]);
    return [
      ['cluster', 'requests to the cluster', asked, 20],
      ['github', 'requests to GitHub', updates, 5],
    ].map(([id, what, count, most]): Row => ({
      ...{ id: `hour/${id}`, what: `an hour of waiting, ${what}`, issues: [6], unit: 'count', better: 'lower' },
      ours: [Number(count)],
      limits: [{ of: 'ours', most: Number(most) }],
    }));
  },
};

function runningPod(): KubernetesObject {
  const name = `${reference.name}-0`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: reference.namespace, uid: name, resourceVersion: '1' },
    status: { phase: 'Running', containerStatuses: [{ name: 'main', restartCount: 0, containerID: 'a', state: { running: {} } }] },
  };
}
