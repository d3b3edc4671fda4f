import { job } from '@slashtrain/core/kinds/job';
import { succeeded } from '../../support/steps.ts';
import { Sweeps, sweepText } from '../../support/sweeps.ts';
import type { Part } from '../part.ts';

/** A sweep through the bundles on the embedded cluster: how many objects it is, and what the results of 1,000 trials cost. */
export const part: Part = {
  rounds: { full: 3, quick: 1 },
  async run({ rounds }) {
    const sweeps = await Sweeps.open('embedded');
    try {
      const asked = sweepText({ parameters: { hidden: [4, 8, 16] } });
      const submitted = await succeeded(sweeps.submit({ sweep: asked, parameters: 'epochs: 1' }));
      const { items: jobs } = await sweeps.client.list(job.resource, sweeps.namespace);
      await succeeded(sweeps.run('wait-for-run', { run: submitted.outputs['run'] ?? '', logs: 'failed' }));
      const run = await sweeps.seedTrials('thousand', 1000);
      const ms: number[] = [];
      let requests = 0;
      for (let round = -1; round < rounds; round++) {
        const [before, start] = [sweeps.target.cluster!.requests.length, performance.now()];
        await succeeded(sweeps.run('fetch-metrics', { run, ...sweeps.which, pipeline: 'thousand' }));
        if (round >= 0) ms.push(performance.now() - start);
        requests = sweeps.target.cluster!.requests.length - before;
      }
      const count = { issues: [11], unit: 'count', better: 'lower' } as const;
      return [
        {
          id: 'sweep/objects',
          what: 'a sweep, in objects on the cluster',
          ...count,
          ours: [jobs.length],
          limits: [{ of: 'ours', most: 1 }],
        },
        {
          ...{ id: 'sweep/requests', what: 'the results of 1,000 trials, requests to the cluster', ...count, ours: [requests] },
          limits: [{ of: 'ours', most: 10 }],
        },
        { id: 'sweep/ms', what: 'fetch-metrics with 1,000 trials, the whole step', issues: [11], unit: 'ms', better: 'lower', ours: ms },
      ];
    } finally {
      await sweeps.close();
    }
  },
};
