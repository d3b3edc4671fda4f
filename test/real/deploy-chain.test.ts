import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { demo } from '@slashtrain/testing/demo/demo';
import { Screen } from '@slashtrain/testing/demo/screen';
import { openTarget, targets } from '../support/targets.ts';

/* /train → report → /deploy environment=staging → smoke test → production behind an approval, with pods that are containers. */

describe.each(targets.filter((name) => name === 'real'))('the digits on the %s cluster', (name) => {
  it('go from a comment to production, and a worse model does not', async () => {
    const { kubeconfig, context, registry, base, close } = await openTarget(name);
    const screen = new Screen(new PassThrough().resume(), {});
    const signal = new AbortController().signal;
    const real = { kubeconfig, context, registry, base };
    await demo({
      options: { once: true, real },
      screen,
      environment: {},
      signal,
      onTold: ({ repository, workflows, github }, number) => {
        const [better] = repository.data.git
          .between(repository.pull(number).base.sha, repository.pull(number).head.sha)
          .map(({ sha }) => sha)
          .toReversed();
        const deployments = [...repository.data.deployments.values()];
        expect(deployments.map(({ environment, sha, statuses }) => [environment, sha, statuses.map(({ state }) => state)])).toEqual([
          ['staging', better, ['queued', 'in_progress', 'success']],
          ['production', better, ['queued', 'in_progress', 'success']],
        ]);
        const last = workflows.runs.at(-1)?.jobs.find(({ id }) => id === 'deploy');
        const said = last?.steps.flatMap(({ annotations }) => annotations.map(({ message }) => message)).join('\n');
        expect(said).toContain('has the verdict "fail"');
        expect(github.requests.filter(({ status }) => status === 401 || status === 403 || status >= 500)).toEqual([]);
      },
    });
    await close();
  });
});
