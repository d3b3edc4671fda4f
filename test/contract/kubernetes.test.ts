import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { sayWhatIsSkipped, targets } from '../support/targets.ts';
import { Api } from './kubernetes/api.ts';
import { applyCases } from './kubernetes/apply.ts';
import { deploymentCases } from './kubernetes/deployments.ts';
import { jobCases } from './kubernetes/jobs.ts';
import { logCases } from './kubernetes/logs.ts';
import { objectCases } from './kubernetes/objects.ts';
import { podCases } from './kubernetes/pods.ts';
import { watchCases } from './kubernetes/watching.ts';

/*
 * What the actions rely on of a Kubernetes API server and its controllers: the same cases against the embedded
 * cluster and against a real one. Where they differ, the embedded one is wrong.
 */
sayWhatIsSkipped('the Kubernetes API contract');

const tables = {
  objects: objectCases,
  lists: watchCases,
  logs: logCases,
  pods: podCases,
  jobs: jobCases,
  apply: applyCases,
  deployments: deploymentCases,
};

describe.each(targets)('Kubernetes, %s', (name) => {
  let api: Api;
  beforeAll(async () => {
    api = await Api.open(name);
  });
  afterAll(() => api.close());

  describe.each(Object.entries(tables))('%s', (_table, cases) => {
    it.each(cases.filter(({ only }) => only === undefined || only === name))(
      '$name',
      async ({ run }) => {
        const leave = await api.enter();
        try {
          await run(api);
        } finally {
          await leave();
        }
      },
      120_000,
    );
  });
});
