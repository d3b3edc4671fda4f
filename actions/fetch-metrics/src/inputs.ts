import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { checkPipelineName } from '@slashtrain/core/run/name';

/** What to compare with; a text is a full SHA. */
export type BaselineChoice = { choice: 'auto' | 'none' } | { sha: string };

/** The inputs of fetch-metrics, each checked by itself. */
export interface FetchInputs {
  token: string;
  source: 'run' | 'files';
  run: string | undefined;
  sha: string | undefined;
  pullRequest: number | undefined;
  /** Undefined for `default`. */
  pipeline: string | undefined;
  /** For the source `files`, as they were given. */
  files: string[];
  /** Empty for all. */
  metrics: string[];
  /** Undefined for the configuration's. */
  baseline: BaselineChoice | undefined;
  baselineDepth: number;
  /** YAML, and where it stands. */
  gates: { text: string; where: string } | undefined;
  failOn: 'never' | 'fail';
  namespace: string | undefined;
  kubeconfig: string | undefined;
  kubeContext: string | undefined;
}

/** @throws ActionError `input` with the input's name, its value and what is allowed */
export function readInputs({ inputs, workspace }: Host): FetchInputs {
  const source = inputs.choice('source', ['run', 'files'], 'run');
  const run = inputs.text('run');
  const sha = inputs.sha('sha');
  if (run === undefined && sha === undefined) {
    throw new ActionError('input', 'neither input "run" nor input "sha" was given', {
      remedy: 'pass run: ${{ steps.submit.outputs.run }}, or sha (with pr-number and pipeline) to find the newest run',
    });
  }
  const files = inputs.list('files', workspace);
  if (source === 'files' && files.length === 0) {
    throw new ActionError('input', 'input "files" is empty, and input "source" is "files"', {
      remedy: 'list them: files: "[metrics.json]"',
    });
  }
  if (source === 'run' && files.length > 0) {
    throw new ActionError('input', 'input "files" was given, and input "source" is "run"', { remedy: 'set source: files' });
  }
  const pipeline = checkPipelineName(inputs.text('pipeline') ?? 'default');
  const baseline = inputs.text('baseline');
  const gates = inputs.textOrFile('gates', workspace);
  return {
    token: inputs.required('token'),
    source,
    run,
    sha,
    pullRequest: inputs.integer('pr-number', { min: 1 }),
    // The default says nothing about a run that is named.
    pipeline: pipeline === 'default' ? undefined : pipeline,
    files,
    metrics: inputs.list('metrics', workspace),
    baseline: baseline === undefined ? undefined : readBaseline(baseline, 'input "baseline"'),
    baselineDepth: inputs.integer('baseline-depth', { min: 1, max: 1000 }) ?? 20,
    gates: gates && { text: gates.text, where: gates.file ?? 'input "gates"' },
    failOn: inputs.choice('fail-on', ['never', 'fail'], 'never'),
    namespace: inputs.text('namespace'),
    kubeconfig: inputs.text('kubeconfig'),
    kubeContext: inputs.text('kube-context'),
  };
}

/** @throws ActionError `input` */
export function readBaseline(text: string, where: string): BaselineChoice {
  if (text === 'auto' || text === 'none') return { choice: text };
  if (/^[0-9a-f]{40}$/u.test(text)) return { sha: text };
  throw new ActionError('input', `${where} is ${JSON.stringify(text.slice(0, 200))}; allowed: auto, none, or a full commit SHA`);
}
