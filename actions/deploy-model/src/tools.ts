import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { ActionError, messageOf } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { systemTiming } from '@slashtrain/core/kubernetes/timing';
import { openPrometheus, type Prometheus } from '@slashtrain/core/trackers/prometheus';
import { readCanary, type Canary } from './canary/read.ts';
import type { CommonInputs } from './inputs.ts';
import { profile } from './profile/profile.ts';
import { profileMarkdown } from './profile/show.ts';
import { endpointsOf } from './smoke/endpoints.ts';
import { smokeJudge } from './smoke/judge.ts';
import { readSmokeTest } from './smoke/read.ts';
import type { EndpointsOf, Judge, Serving } from './types.ts';

/** What tries a deployed model. */
export interface Tools {
  endpointsOf: EndpointsOf;
  /** Absent: nothing is asked of it. */
  judge?: Judge;
  /** Absent: all at once. */
  canary?: { canary: Canary; prometheus?: Prometheus };
  /** What it does under load, as markdown. Absent: that is not measured. */
  profile?: (serving: Serving, signal: AbortSignal) => Promise<string>;
}

/**
 * The smoke test as the inputs say it, read before anything is changed.
 * @param kept inputs of the deploy that is gone on with, for those that this step was not given
 */
export function toolsFor(
  inputs: CommonInputs,
  host: Host,
  client: KubernetesClient,
  kept: ReadonlyMap<string, string>,
  onKServe: boolean,
): Tools {
  const endpoints = endpointsOf(client, host.environment);
  const given = host.inputs.textOrFile('smoke-test', host.workspace);
  const text = given?.text ?? kept.get('smoke-test');
  const canary = canaryTools(host, kept);
  const isProfiled = host.inputs.boolean('profile', false);
  if (text === undefined) {
    if (isProfiled) {
      throw new ActionError('input', 'input "profile" is true, and input "smoke-test" was not given', {
        remedy: 'give the requests to profile with as "smoke-test"',
      });
    }
    return { endpointsOf: endpoints, ...canary };
  }
  const test = readSmokeTest(text, {
    where: given?.file ?? 'input "smoke-test"',
    readFile: (path) => readFile(isAbsolute(path) ? path : join(host.workspace, path)),
    ...(onKServe ? { openaiBase: '/openai/v1' } : {}),
  });
  const parts = {
    endpointsOf: endpoints,
    clock: () => performance.now(),
    timing: systemTiming,
    say: (line: string) => host.log.info(line),
  };
  const judge = smokeJudge(test, { ...parts, startSeconds: inputs.timeout });
  const seconds = host.inputs.duration('profile-time') ?? 120;
  const measure: Tools['profile'] = async (serving, signal) =>
    profileMarkdown(await profile(test, serving, { ...parts, client, seconds }, signal));
  return { endpointsOf: endpoints, judge, ...canary, ...(isProfiled ? { profile: measure } : {}) };
}

function canaryTools({ inputs, environment, log, signal, workspace }: Host, kept: ReadonlyMap<string, string>): Pick<Tools, 'canary'> {
  const given = inputs.textOrFile('canary', workspace);
  const text = given?.text ?? kept.get('canary');
  if (text === undefined) return {};
  const canary = readCanary(text, given?.file ?? 'input "canary"');
  // An address of the canary's own goes without the token: whoever may write the file, or the record, could have put it there.
  const url = environment['PROMETHEUS_URL'] ?? canary.prometheus;
  if (url === undefined) return { canary: { canary } };
  const prometheus = openPrometheus({
    url,
    from: 'PROMETHEUS_URL, or "prometheus" in the canary',
    environment: environment['PROMETHEUS_URL'] === undefined ? { ...environment, PROMETHEUS_TOKEN: undefined } : environment,
    mask: (secret) => log.mask(secret),
    signal,
  });
  return { canary: { canary, prometheus } };
}

/** The texts of this step that whoever goes on with the deploy needs. */
export function keptInputs(host: Host): { name: string; value: string }[] {
  return ['smoke-test', 'canary'].flatMap((name) => {
    const given = host.inputs.textOrFile(name, host.workspace);
    return given === undefined ? [] : [{ name, value: given.text }];
  });
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ActionError('input', `the smoke test names the file "${path}", which cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
