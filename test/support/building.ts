import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { job } from '@slashtrain/core/kinds/job';
import { runBundle, type BundleResult, type BundleRun } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { keptLog } from './kubernetes.ts';
import { openTarget, unique } from './targets.ts';

const namespaces: Resource = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };

/** A GitHub of ours, a real registry to build into, and a namespace of a real cluster to run in. */
export interface Building {
  github: FakeGitHub;
  /** `host:port` */
  registry: string;
  /** `host:port/path`, in which every image is this test's own. */
  images: string;
  /** Runs build-image on a repository. @param folders the runner's folders, where they are not made for it */
  build(
    repository: Repository,
    inputs: Record<string, string>,
    env?: Record<string, string>,
    folders?: Pick<BundleRun, 'temp' | 'workspace'>,
  ): Promise<BundleResult>;
  /** Runs an image as it is to its end. @returns whether its pod succeeded */
  runs(image: string): Promise<boolean>;
  close(): Promise<void>;
}

export async function openBuilding(): Promise<Building> {
  const target = await openTarget('real');
  const client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
  const namespace = unique('slashtrain-build');
  await client.create<KubernetesObject>(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const github = await startGitHub();
  return {
    github,
    registry: target.registry,
    images: `${target.registry}/${namespace}`,
    build: (repository, inputs, env = {}, folders = {}) => {
      const { owner, name, id } = repository;
      const token = github.token({ contents: 'read' }, { repository });
      const where = { url: github.url, token, repository: { owner, name, id } };
      return runBundle({ action: 'build-image', github: where, inputs, env, ...folders });
    },
    runs: async (image) => {
      const name = unique('run');
      await client.create<KubernetesObject>(job.resource, {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name, namespace },
        spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image }] } } },
      });
      for (;;) {
        const found = await client.get<KubernetesObject & { status?: { succeeded?: number; failed?: number } }>(
          job.resource,
          namespace,
          name,
        );
        if (found?.status?.succeeded) return true;
        if (found?.status?.failed) return false;
        await new Promise((done) => setTimeout(done, 200));
      }
    },
    close: async () => {
      await client.delete(namespaces, '', namespace);
      await github.close();
      await target.close();
    },
  };
}
