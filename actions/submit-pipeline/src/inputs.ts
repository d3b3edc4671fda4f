import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import type { Inputs } from '@slashtrain/core/action/inputs';
import { checkPipelineName } from '@slashtrain/core/run/name';

/** The inputs of submit-pipeline, each checked by itself. */
export interface SubmitInputs {
  token: string;
  /** As given: a path or the text itself. */
  manifest: string;
  sha: string;
  pullRequest: number | undefined;
  pipeline: string;
  parameters: Map<string, string>;
  images: Map<string, string>;
  env: Map<string, string>;
  dataVersion: string | undefined;
  /** Seconds. */
  deadline: number | undefined;
  /** Seconds. */
  ttl: number;
  namespace: string | undefined;
  kubeconfig: string | undefined;
  context: string | undefined;
  commentId: number | undefined;
  attempt: number | undefined;
  again: boolean;
  dryRun: boolean;
}

const shortestTtl = 86_400;

/** @throws ActionError `input` with the input's name, its value and what is allowed */
export function readInputs({ inputs, workspace }: Host): SubmitInputs {
  return {
    token: inputs.required('token'),
    manifest: inputs.required('manifest'),
    sha: requiredSha(inputs),
    pullRequest: inputs.integer('pr-number', { min: 1 }),
    pipeline: checkPipelineName(inputs.text('pipeline') ?? 'default'),
    parameters: inputs.map('parameters', workspace),
    images: inputs.map('images', workspace),
    env: inputs.map('env', workspace),
    dataVersion: inputs.text('data-version'),
    deadline: inputs.duration('deadline'),
    ttl: longEnough(inputs.duration('ttl') ?? 7 * shortestTtl),
    namespace: inputs.text('namespace'),
    kubeconfig: inputs.text('kubeconfig'),
    context: inputs.text('kube-context'),
    commentId: inputs.integer('comment-id', { min: 1 }),
    attempt: inputs.integer('attempt', { min: 1 }),
    again: inputs.boolean('again', false),
    dryRun: inputs.boolean('dry-run', false),
  };
}

/** The inputs that make the object another: they belong to the request's identity. */
export function identifyingInputs(inputs: SubmitInputs): Map<string, string> {
  return new Map([
    ...[...inputs.env].map(([name, value]) => [`env.${name}`, value] as const),
    ...(inputs.deadline === undefined ? [] : [['deadline', String(inputs.deadline)] as const]),
  ]);
}

function requiredSha(inputs: Inputs): string {
  inputs.required('sha');
  return inputs.sha('sha') ?? '';
}

// The end is read from the cluster by whoever comes next, a scheduled sync for one: it must still be there.
function longEnough(seconds: number): number {
  if (seconds >= shortestTtl) return seconds;
  throw new ActionError('input', `input "ttl" is ${seconds} seconds; allowed: 24h or longer`);
}
