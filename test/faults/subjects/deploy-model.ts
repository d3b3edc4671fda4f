import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { rolloutStore } from '@slashtrain/core/rollouts/store';
import { isActive } from '@slashtrain/core/rollouts/rollout';
import { seedRun } from '../../support/records.ts';
import { bundleOf, succeeded, unless, whereOf, type Subject } from '../subject.ts';
import { image } from '../world.ts';
import { pullRequest } from './pulls.ts';

const deployments: Resource = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' };

export const deploy: Subject = {
  name: 'deploy-model',
  traffic: { github: { reads: 4, writes: 3, streams: 0 }, kubernetes: { reads: 10, writes: 6, streams: 2 } },
  async prepare(place) {
    const { world, repository, namespace } = place;
    const pull = pullRequest(place);
    await seedRun(
      world.records,
      repository,
      { sha: pull.sha, pullRequest: pull.number, record: { images: [image], verdict: 'pass', reportedAt: '2026-11-21T12:00:00Z' } },
      namespace,
    );
    const rollouts = rolloutStore(world.client);
    const inputs = {
      environment: 'staging',
      name: 'digits',
      pipeline: 'digits',
      sha: pull.sha,
      'pr-number': String(pull.number),
      args: '[node, serve.js]',
      'health-path': '/healthz',
      'smoke-test': '- name: a seven\n  path: /predict\n  json: {}\n  expect: { value: { path: $.digit, equals: 7 } }\n',
      timeout: '1m',
      'lock-timeout': '3m',
      ...whereOf(place),
    };
    const run = bundleOf(place, 'deploy-model', { contents: 'read', deployments: 'write', 'pull-requests': 'read' }, inputs);
    return {
      run,
      judge: async (told) => {
        const found = await world.client.get<KubernetesObject>(deployments, namespace, 'digits');
        const onGitHub = [...repository.data.deployments.values()];
        const last = onGitHub.map(({ statuses }) => statuses.at(-1)?.state ?? 'none');
        const stored = await rollouts.find(namespace, { repositoryId: repository.id });
        const { state } = told.result.outputs;
        const success = last.filter((one) => one === 'success');
        return [
          ...unless(succeeded(told) === (state === 'success'), `code ${told.result.code}, and the state is ${state ?? 'not set'}`),
          ...unless(success.length <= 1, `${success.length} deployments are active`),
          ...unless(stored.filter(({ rollout }) => isActive(rollout)).length <= 1, 'two rollouts are active'),
          ...(succeeded(told)
            ? [
                ...unless(found?.metadata.labels?.['slashtrain.dev/sha'] === pull.sha, 'it ended well, and another thing is deployed'),
                ...unless(
                  stored[0]?.rollout.state === 'deployed',
                  `it ended well, and the rollout is ${stored[0]?.rollout.state ?? 'gone'}`,
                ),
              ]
            : []),
          ...(told.is === 'again'
            ? [
                ...unless(success.length === 1, `GitHub says ${last.join(', ')}`),
                ...unless(!stored.some(({ rollout }) => isActive(rollout)), 'a rollout is left half'),
                ...unless(
                  last.every((one) => ['success', 'failure', 'error', 'inactive'].includes(one)),
                  `deployments are left: ${last.join(', ')}`,
                ),
              ]
            : []),
        ];
      },
    };
  },
};
