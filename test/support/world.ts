import { spawnSync } from 'node:child_process';
import { openPlace, type Place } from '@slashtrain/testing/demo/place';
import { startCluster } from '@slashtrain/testing/cluster/cluster';
import type { WorkflowEvent } from '@slashtrain/testing/github/events';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import type { Comment } from '@slashtrain/testing/github/store';
import { registryImages } from '@slashtrain/testing/registry/images';
import { startRegistry } from '@slashtrain/testing/registry/server';
import { fakeForRunner } from '@slashtrain/testing/runner/github';
import type { Progress, WorkflowRun } from '@slashtrain/testing/runner/result';
import { WorkflowRuns } from '@slashtrain/testing/runner/workflow-runs';

/** A repository on a small GitHub, beside a cluster and a registry: everything that a set-up's workflows need. */
export interface World {
  github: FakeGitHub;
  repository: Repository;
  place: Place;
  workflows: WorkflowRuns;
  /** Secrets and variables as the workflows want them. */
  settings: { secrets: Record<string, string>; vars: Record<string, string> };
  /** Opens ada's pull request that changes these files. */
  open(files: Record<string, string>): { sha: string; number: number };
  /** Writes a comment, a minute after everything before it: in the second of a push nobody can have looked at the commit. */
  comment(number: number, author: string, body: string): { comment: Comment; event: WorkflowEvent };
  /** Writes ada's comment and waits for the workflow that it starts. */
  say(number: number, body: string): Promise<WorkflowRun>;
  close(): Promise<void>;
}

export interface WorldOptions {
  /** The repository's files. */
  files: Record<string, Buffer | string>;
  /** Its name, where it is another. */
  name?: string;
  /** Where it runs, with a base image; the embedded parts and Node where not given. Ends with the world. */
  place?: Place;
  vars?: Record<string, string>;
  onProgress?: (progress: Progress) => void;
}

export async function openWorld({ files, name = 'digits', vars, onProgress, ...more }: WorldOptions): Promise<World> {
  const place = more.place ?? (await openPlace({ once: true }));
  const minute = 60_000;
  let past = 60 * minute;
  const github = await startGitHub({ now: () => Date.now() - past });
  const repository = github.createRepository({ owner: 'acme', name, files });
  repository.setPermission('ada', 'write');
  const settings = {
    secrets: { KUBECONFIG: place.kubeconfig },
    vars: { SLASHTRAIN_IMAGE: `${place.registry}/acme/${name}`, SLASHTRAIN_BASE: place.base, ...vars },
  };
  const workflows = new WorkflowRuns({ github: fakeForRunner(github, repository), ...settings, ...(onProgress && { onProgress }) });
  const comment: World['comment'] = (number, author, body) => {
    past -= minute;
    const made = repository.comment(number, author, body);
    return { comment: made, event: repository.events.issueComment(made) };
  };
  return {
    github,
    repository,
    place,
    settings,
    workflows,
    open: (changed) => {
      const sha = repository.commit({ branch: 'topic', files: changed, author: 'ada' });
      return { sha, number: repository.openPullRequest({ head: 'topic', author: 'ada' }) };
    },
    comment,
    say: async (number, body) => {
      const runs = await workflows.dispatch(comment(number, 'ada', body).event);
      const [run] = runs;
      if (!run || runs.length > 1) throw new Error(`the comment started ${runs.length} workflows`);
      return run;
    },
    close: async () => {
      await github.close();
      await place.close();
    },
  };
}

/** The embedded parts with a base image whose `python3` is this machine's; undefined where it has none. */
export async function placeWithPython(): Promise<Place | undefined> {
  const { stdout } = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' });
  if (!stdout) {
    process.stdout.write('skipped: programs in Python; there is no python3\n');
    return undefined;
  }
  const registry = await startRegistry();
  const embedded = await startCluster({ images: registryImages(registry.host) });
  // The embedded node runs programs of this machine: the image's Python is a call of it.
  await registry.pushBase('python:3.12', {
    files: { 'usr/bin/python3': { content: `#!/bin/sh\nexec ${stdout.trim()} "$@"\n`, mode: 0o755 } },
    config: { Env: ['PATH=/usr/bin'] },
  });
  return {
    cluster: embedded.url,
    registry: registry.host,
    base: `${registry.host}/python:3.12`,
    kubeconfig: embedded.kubeconfig,
    close: async () => {
      await embedded.stop();
      await registry.close();
    },
  };
}

/** How each job ended, by its name. */
export function conclusions(run: WorkflowRun): Record<string, string | undefined> {
  return Object.fromEntries(run.jobs.map(({ name, conclusion }) => [name, conclusion]));
}

/** All that a run's steps said as annotations, line by line. */
export function said(run: WorkflowRun): string {
  const steps = run.jobs.flatMap((job) => [...job.annotations, ...job.steps.flatMap(({ annotations }) => annotations)]);
  return steps.map(({ message }) => message).join('\n');
}
