import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { ActionError, messageOf } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { systemTiming } from '@slashtrain/core/kubernetes/timing';
import type { CommonInputs } from './inputs.ts';
import { endpointsOf } from './smoke/endpoints.ts';
import { smokeJudge } from './smoke/judge.ts';
import { readSmokeTest } from './smoke/read.ts';
import type { EndpointsOf, Judge } from './types.ts';

/** What tries a deployed model. */
export interface Tools {
  endpointsOf: EndpointsOf;
  /** Absent: nothing is asked of it. */
  judge?: Judge;
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
  if (text === undefined) return { endpointsOf: endpoints };
  const test = readSmokeTest(text, {
    where: given?.file ?? 'input "smoke-test"',
    readFile: (path) => readFile(isAbsolute(path) ? path : join(host.workspace, path)),
    ...(onKServe ? { openaiBase: '/openai/v1' } : {}),
  });
  const judge = smokeJudge(test, {
    endpointsOf: endpoints,
    clock: () => performance.now(),
    timing: systemTiming,
    startSeconds: inputs.timeout,
    say: (line) => host.log.info(line),
  });
  return { endpointsOf: endpoints, judge };
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
