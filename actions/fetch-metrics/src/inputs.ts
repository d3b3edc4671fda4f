import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import type { Inputs } from '@slashtrain/core/action/inputs';
import { listOf, mapOf } from '@slashtrain/core/action/yaml-inputs';
import { checkPipelineName } from '@slashtrain/core/run/name';
import { parseDocument } from 'yaml';
import { sourceNames, type SourceName } from './sources/source.ts';

/** What to compare with: what the base's commit stands for, or what somebody chose. */
export type BaselineChoice =
  | { choice: 'auto' | 'none' }
  | { sha: string }
  /** `models:/NAME@ALIAS`, `models:/NAME/VERSION`, `tag:NAME=VALUE`: of a tracker. */
  | { chosen: string }
  /** A path at the base's commit. */
  | { file: string }
  | { values: ReadonlyMap<string, number> };

/** The inputs of fetch-metrics, each checked by itself. */
export interface FetchInputs {
  token: string;
  /** In the order in which they count. */
  sources: SourceName[];
  run: string | undefined;
  sha: string | undefined;
  pullRequest: number | undefined;
  /** Undefined for `default`. */
  pipeline: string | undefined;
  /** For the source `files`, as they were given. */
  files: string[];
  trackerUrl: string | undefined;
  experiments: string[];
  /** For the source `prometheus`: PromQL by metric. */
  queries: ReadonlyMap<string, string>;
  /** Empty for all. */
  metrics: string[];
  /** Undefined for the configuration's. */
  baseline: BaselineChoice | undefined;
  baselineDepth: number;
  /** A lock file's path in the repository. */
  packages: string | undefined;
  /** YAML, and where it stands. */
  gates: { text: string; where: string } | undefined;
  failOn: 'never' | 'fail';
  namespace: string | undefined;
  kubeconfig: string | undefined;
  kubeContext: string | undefined;
}

/** @throws ActionError `input` with the input's name, its value and what is allowed */
export function readInputs({ inputs, workspace }: Host): FetchInputs {
  const sources = readSources(inputs);
  const run = inputs.text('run');
  const sha = inputs.sha('sha');
  if (run === undefined && sha === undefined) {
    throw new ActionError('input', 'neither input "run" nor input "sha" was given', {
      remedy: 'pass run: ${{ steps.submit.outputs.run }}, or sha (with pr-number and pipeline) to find the newest run',
    });
  }
  const files = listOf(inputs, 'files', workspace);
  if (sources.includes('files') && files.length === 0) {
    throw new ActionError('input', 'input "files" is empty, and input "source" has "files"', {
      remedy: 'list them: files: "[metrics.json]"',
    });
  }
  if (!sources.includes('files') && files.length > 0) {
    throw new ActionError('input', `input "files" was given, and input "source" is "${sources.join(', ')}"`, {
      remedy: 'set source: files',
    });
  }
  const pipeline = checkPipelineName(inputs.text('pipeline') ?? 'default');
  const baseline = inputs.text('baseline');
  const gates = inputs.textOrFile('gates', workspace);
  return {
    token: inputs.required('token'),
    sources,
    run,
    sha,
    pullRequest: inputs.integer('pr-number', { min: 1 }),
    // The default says nothing about a run that is named.
    pipeline: pipeline === 'default' ? undefined : pipeline,
    files,
    trackerUrl: inputs.text('tracker-url'),
    experiments: readExperiments(inputs, workspace),
    queries: mapOf(inputs, 'queries', workspace),
    metrics: listOf(inputs, 'metrics', workspace),
    baseline: baseline === undefined ? undefined : readBaseline(baseline, 'input "baseline"'),
    baselineDepth: inputs.integer('baseline-depth', { min: 1, max: 1000 }) ?? 20,
    packages: inputs.text('packages'),
    gates: gates && { text: gates.text, where: gates.file ?? 'input "gates"' },
    failOn: inputs.choice('fail-on', ['never', 'fail'], 'never'),
    namespace: inputs.text('namespace'),
    kubeconfig: inputs.text('kubeconfig'),
    kubeContext: inputs.text('kube-context'),
  };
}

/** One source, or a YAML list of them. */
function readSources(inputs: Inputs): SourceName[] {
  const text = inputs.text('source') ?? 'run';
  const names = text.startsWith('[') || text.startsWith('-') ? listOf(inputs, 'source', '') : [text];
  const known = names.filter((name): name is SourceName => (sourceNames as readonly string[]).includes(name));
  if (known.length !== names.length || new Set(names).size !== names.length || names.length === 0) {
    throw new ActionError(
      'input',
      `input "source" is ${JSON.stringify(text.slice(0, 200))}; allowed: one or a list of ${sourceNames.join(', ')}, each once`,
    );
  }
  return known;
}

function readExperiments(inputs: Inputs, workspace: string): string[] {
  const text = inputs.text('experiment');
  return text === undefined ? [] : text.startsWith('[') || text.startsWith('-') ? listOf(inputs, 'experiment', workspace) : [text];
}

/** @throws ActionError `input` */
export function readBaseline(text: string, where: string): BaselineChoice {
  if (text === 'auto' || text === 'none') return { choice: text };
  if (/^[0-9a-f]{40}$/u.test(text)) return { sha: text };
  if (/^models:\/[^/@]+[/@][^/@]+$/u.test(text) || /^tag:[^=\s]+(=.*)?$/u.test(text)) return { chosen: text };
  if (text.startsWith('file:') && text.length > 5) return { file: text.slice(5).trim() };
  const values = text.startsWith('{') || text.includes('\n') || /^[^\s:]+: /u.test(text) ? readValues(text) : undefined;
  if (values) return { values };
  throw new ActionError(
    'input',
    `${where} is ${JSON.stringify(text.slice(0, 200))}; allowed: auto, none, a full commit SHA, models:/NAME@ALIAS, models:/NAME/VERSION, tag:NAME=VALUE, file:PATH, or values such as {accuracy: 0.95}`,
  );
}

function readValues(text: string): ReadonlyMap<string, number> | undefined {
  const document = parseDocument(text, { uniqueKeys: true });
  if (document.errors.length > 0) return undefined;
  const data = document.toJS({ mapAsMap: true, maxAliasCount: 0 }) as unknown;
  if (!(data instanceof Map) || data.size === 0) return undefined;
  const values = new Map([...data].map(([name, value]) => [String(name), value as unknown]));
  return [...values.values()].every((value) => typeof value === 'number') ? (values as Map<string, number>) : undefined;
}
