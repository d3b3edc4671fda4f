import { compile } from 'json-p3';
import type { Complain } from './read.ts';
import type { KindRule, KindState } from './types.ts';

/** An entry of the section `kinds`, as the schema lets it through. */
export interface KindData {
  kind: string;
  version: string;
  plural: string;
  operator?: string;
  'name-limit'?: number;
  'pod-templates'?: string[];
  containers?: string[];
  parameters?: string;
  placeholders?: string[];
  'pod-selector'?: string;
  deadline?: { path: string; format?: 'seconds' | 'duration' };
  ttl?: string;
  queue?: 'run' | 'pods';
  states: KindState[];
  message?: string;
  'started-at'?: string;
  'ended-at'?: string;
  outputs?: string;
  'cancel-patch'?: Record<string, unknown>;
}

/** The rules of a file. What is no JSONPath, or does not go together, is a problem at its place. */
export function readKinds(entries: readonly KindData[], problem: Complain): KindRule[] {
  const seen = new Set<string>();
  return entries.map((data, index) => {
    const at = (key: string, message: string): void => problem(`/kinds/${index}/${key}`, message);
    const name = `${data.kind}/${data.version}`;
    if (seen.has(name)) at('kind', `a second rule for ${data.kind} ${data.version}`);
    seen.add(name);
    checkPaths(data, at);
    const hasTemplates = (data['pod-templates'] ?? []).length > 0;
    if (data['pod-selector'] === undefined && !hasTemplates)
      at('kind', 'the rule needs "pod-selector": there are no "pod-templates" that could be labelled');
    if (data.queue === 'pods' && !hasTemplates) at('queue', '"queue" is "pods", which needs "pod-templates"');
    return readKind(data);
  });
}

function checkPaths(data: KindData, at: (key: string, message: string) => void): void {
  const check = (key: string, path: string | undefined, how: 'any' | 'names' = 'any'): void => {
    if (path === undefined) return;
    const wrong = pathProblem(path, how);
    if (wrong !== undefined) at(key, `${JSON.stringify(path)} is ${wrong}`);
  };
  for (const key of ['pod-templates', 'containers', 'placeholders'] as const) {
    for (const [index, path] of (data[key] ?? []).entries()) check(`${key}/${index}`, path);
  }
  for (const key of ['parameters', 'message', 'started-at', 'ended-at', 'outputs'] as const) check(key, data[key]);
  check('ttl', data.ttl, 'names');
  check('deadline/path', data.deadline?.path, 'names');
  for (const [index, { path }] of data.states.entries()) check(`states/${index}/path`, path);
}

/** What is wrong with a path, in words; `names` are paths that can be made where they do not exist. */
function pathProblem(path: string, how: 'any' | 'names'): string | undefined {
  try {
    compile(path);
  } catch (error) {
    return `no JSONPath (RFC 9535): ${error instanceof Error ? error.message : String(error)}`;
  }
  return how === 'names' && !namesPath.test(path) ? 'no path of names; allowed: one such as $.spec.timeouts.pipeline' : undefined;
}

/** A JSONPath of member names alone, in the short form. */
const namesPath = /^\$(\.[A-Za-z_][A-Za-z0-9_]*)+$/u;

function readKind(data: KindData): KindRule {
  const { 'cancel-patch': cancelPatch, 'started-at': startedAt, 'ended-at': endedAt, 'pod-selector': podSelector } = data;
  const { operator, parameters, deadline, ttl, queue, message, outputs } = data;
  return {
    kind: data.kind,
    version: data.version,
    plural: data.plural,
    ...(operator === undefined ? {} : { operator }),
    ...(data['name-limit'] === undefined ? {} : { nameLimit: data['name-limit'] }),
    podTemplates: data['pod-templates'] ?? [],
    containers: data.containers ?? [],
    ...(parameters === undefined ? {} : { parameters }),
    placeholders: data.placeholders ?? [],
    ...(podSelector === undefined ? {} : { podSelector }),
    ...(deadline === undefined ? {} : { deadline: { path: deadline.path, format: deadline.format ?? 'seconds' } }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(queue === undefined ? {} : { queue }),
    states: data.states,
    ...(message === undefined ? {} : { message }),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(outputs === undefined ? {} : { outputs }),
    ...(cancelPatch === undefined ? {} : { cancelPatch }),
  };
}
