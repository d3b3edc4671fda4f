import type { BundleResult, BundleRun } from '@slashtrain/testing/bundle/bundle';
import type { Repository } from '@slashtrain/testing/github/github';
import type { ServerName, Traffic, Trouble } from './cases.ts';
import type { World } from './world.ts';

/** How a case's bundle reaches its servers: one of them through the proxy. */
export interface Ways {
  github: string;
  kubeconfig: string;
  /** `host:port` */
  registry: string;
  mlflow: string;
}

/** A case's own place in the world. */
export interface Place {
  world: World;
  ways: Ways;
  repository: Repository;
  namespace: string;
}

/** What a step came to, as the judge sees it. */
export interface Told {
  /** Undefined where it was killed. */
  result: BundleResult;
  /** The step that was disturbed, or the undisturbed one after it. */
  is: 'disturbed' | 'again';
  trouble: Trouble;
}

/** One action at work, ready to be disturbed. */
export interface Prepared {
  run: BundleRun;
  /** What the step after it runs, where that is another one: an ended wait is told by sync-runs. */
  again?: BundleRun;
  /** What heals the rest, as a schedule runs it. */
  heals?: BundleRun;
  /** Deletes what the action works on, and makes something of the same name that is not it. */
  replace?(): Promise<void>;
  /** Compares what was said with what is so. @returns what does not fit, a sentence each */
  judge(told: Told): Promise<string[]>;
}

/** An action in the matrix. */
export interface Subject {
  name: string;
  /** What it asks where nothing goes wrong, measured. */
  traffic: Partial<Record<ServerName, Traffic>>;
  prepare(place: Place): Promise<Prepared>;
}

/** What an action's step said with its exit code. */
export const succeeded = ({ result }: Told): boolean => result.code === 0;

/** What is wrong where `holds` is false. */
export function unless(holds: boolean, sentence: string): string[] {
  return holds ? [] : [sentence];
}

/** A bundle of an action with the token's permissions, through the case's ways. */
export function bundleOf(
  { world, ways, repository }: Place,
  action: string,
  permissions: Record<string, 'read' | 'write'>,
  inputs: Record<string, string>,
): BundleRun {
  return {
    action: world.bundle(action),
    github: {
      url: ways.github,
      token: world.github.token(permissions, { repository }),
      repository: { owner: 'acme', name: repository.name, id: repository.id },
    },
    inputs,
  };
}

/** Where the records are. */
export function whereOf({ ways, namespace }: Place): Record<string, string> {
  return { kubeconfig: ways.kubeconfig, namespace };
}
