import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { refused } from '@slashtrain/core/action/inputs';
import { oneLine } from '@slashtrain/core/markdown/text';
import { mapOf } from '@slashtrain/core/action/yaml-inputs';
import { checkPipelineName } from '@slashtrain/core/run/name';
import type { ParamsFile } from './settings/suggest.ts';

/** The inputs of report-pr, each checked by itself. */
export interface ReportInputs {
  token: string;
  run: string | undefined;
  /** Text, and how errors name it. */
  metricsFile: { text: string; where: string } | undefined;
  resultFile: { text: string; where: string } | undefined;
  pullRequest: number | undefined;
  sha: string | undefined;
  /** Undefined for `default`. */
  pipeline: string | undefined;
  title: string | undefined;
  command: string;
  charts: 'mermaid' | 'svg' | 'none';
  /** Where the best setting of a sweep belongs. */
  paramsFile: ParamsFile | undefined;
  /** A path at the default branch. */
  template: string | undefined;
  /** By their titles. Hostile text. */
  sections: { title: string; text: string }[];
  check: 'verdict' | 'queued' | 'merge-group' | 'none';
  issue: 'on-failure' | 'never';
  /** Why there is no run to report, in one line. */
  notStarted: string | undefined;
  commentId: number | undefined;
  namespace: string | undefined;
  kubeconfig: string | undefined;
  kubeContext: string | undefined;
}

/** @throws ActionError `input` with the input's name, its value and what is allowed */
export function readInputs(host: Host): ReportInputs {
  const { inputs } = host;
  const run = inputs.text('run');
  const sha = inputs.sha('sha');
  const check = inputs.choice('check', ['verdict', 'queued', 'merge-group', 'none'], 'verdict');
  const metricsFile = readText(host, 'metrics-file');
  const notStarted = readNotStarted(host);
  if (check === 'queued' && sha === undefined) {
    throw new ActionError('input', 'input "sha" is required for check: queued', {
      remedy: 'pass sha: ${{ github.event.pull_request.head.sha }}',
    });
  }
  if (check !== 'merge-group' && notStarted === undefined && run === undefined && sha === undefined && metricsFile === undefined) {
    throw new ActionError('input', 'none of the inputs "run", "metrics-file" and "sha" was given', {
      remedy: 'pass run: ${{ steps.submit.outputs.run }}, or sha (with pr-number and pipeline) to find the newest run',
    });
  }
  const pipeline = checkPipelineName(inputs.text('pipeline') ?? 'default');
  return {
    token: inputs.required('token'),
    run,
    metricsFile,
    resultFile: readText(host, 'result-file'),
    pullRequest: inputs.integer('pr-number', { min: 1 }),
    sha,
    // The default says nothing about a run that is named.
    pipeline: pipeline === 'default' ? undefined : pipeline,
    title: inputs.text('title'),
    command: readCommand(inputs.text('command') ?? '/train'),
    charts: inputs.choice('charts', ['mermaid', 'svg', 'none'], 'mermaid'),
    paramsFile: readParamsFile(host),
    template: inputs.text('template'),
    sections: readSections(host),
    check,
    issue: inputs.choice('issue', ['on-failure', 'never'], 'never'),
    notStarted,
    commentId: inputs.integer('comment-id', { min: 1 }),
    namespace: inputs.text('namespace'),
    kubeconfig: inputs.text('kubeconfig'),
    kubeContext: inputs.text('kube-context'),
  };
}

function readNotStarted({ inputs }: Host): string | undefined {
  const text = inputs.text('not-started');
  if (text === undefined) return undefined;
  if (text.length > 200 || /[\n\r]/u.test(text)) throw refused('not-started', text, 'one line of at most 200 characters');
  inputs.required('pr-number');
  return text;
}

function readParamsFile({ inputs }: Host): ParamsFile | undefined {
  const path = inputs.text('params-file');
  const key = inputs.text('params-key');
  if (path === undefined) {
    if (key === undefined) return undefined;
    throw new ActionError('input', 'input "params-key" was given without "params-file"', { remedy: 'say which file has this key' });
  }
  const parts = path.split('/');
  // A path as git has it: GitHub's API would take others for something else.
  const isWithin = oneLine(path) === path && !path.includes('\\') && !parts.some((part) => ['', '.', '..', '.git'].includes(part));
  const format = /\.(?:(ya?ml)|json)$/u.exec(path);
  if (!isWithin || !format)
    throw refused('params-file', path, 'the path of a .yaml, .yml or .json file within the repository, such as conf/params.yaml');
  const names = key?.split('.');
  if (names?.includes('')) throw refused('params-key', key ?? '', 'names with dots between, such as train.optimizer');
  return { path, format: format[1] === undefined ? 'json' : 'yaml', ...(names && { key: names }) };
}

function readText({ inputs, workspace }: Host, name: string): { text: string; where: string } | undefined {
  const source = inputs.textOrFile(name, workspace);
  return source && { text: source.text, where: `input "${name}"${source.file === undefined ? '' : ` (${source.file})`}` };
}

/** @throws ActionError `input` for a file that is not there, or no file of the workspace */
function readSections(host: Host): ReportInputs['sections'] {
  return [...mapOf(host.inputs, 'sections', host.workspace)].map(([title, path]) => {
    const file = resolve(host.workspace, path);
    try {
      return { title, text: readFileSync(file, 'utf8') };
    } catch (error) {
      throw new ActionError(
        'input',
        `input "sections" names ${JSON.stringify(path)} for ${JSON.stringify(title)}: ${(error as Error).message}`,
        {
          remedy: 'name files that an earlier step of this job has written',
          cause: error,
        },
      );
    }
  });
}

function readCommand(text: string): string {
  if (/^\/[a-z][a-z0-9-]*( [^\n\r]*)?$/u.test(text)) return text;
  throw new ActionError(
    'input',
    `input "command" is ${JSON.stringify(text.slice(0, 200))}; allowed: one line that begins with a command, such as /train`,
  );
}
