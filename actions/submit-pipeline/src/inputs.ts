import { parseCommand } from '@slashtrain/core/action/command';
import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import type { Inputs } from '@slashtrain/core/action/inputs';
import { mapOf } from '@slashtrain/core/action/yaml-inputs';
import { readArgoInputs, type ArgoInputs } from '@slashtrain/core/backend/argo-inputs';
import { readKfpInputs, type KfpInputs } from '@slashtrain/core/backend/kfp/inputs';
import { parseQuantity } from '@slashtrain/core/policy/gpus';
import { checkPipelineName } from '@slashtrain/core/run/name';
import { frameworks, type Framework } from './generate/program.ts';
import { readPipelineSettings, type PipelineSettings } from './kfp/settings.ts';
import { readSecrets, type SecretInputs } from './secrets.ts';

/** The inputs of submit-pipeline, each checked by itself. */
export interface SubmitInputs {
  token: string;
  sha: string;
  pullRequest: number | undefined;
  pipeline: string;
  /** A manifest as given (a path or the text itself), or a program that needs none. */
  what: { manifest: string } | { program: ProgramInputs };
  parameters: Map<string, string>;
  images: Map<string, string>;
  /** A sweep as given: a path or the text itself. */
  sweep: string | undefined;
  pods: PodInputs;
  queue: string | undefined;
  dataVersion: string | undefined;
  /** A URI, without a slash at its end. */
  artifacts: string | undefined;
  /** Seconds. */
  deadline: number | undefined;
  /** Seconds. */
  ttl: number;
  /** Where Kubeflow Pipelines is, for a pipeline that `kfp` compiled. */
  kfp: KfpInputs | undefined;
  /** Argo's server, for links. */
  argo: ArgoInputs | undefined;
  kfpSettings: PipelineSettings;
  namespace: string | undefined;
  kubeconfig: string | undefined;
  context: string | undefined;
  commentId: number | undefined;
  attempt: number | undefined;
  again: boolean;
  dryRun: boolean;
}

/** A program, where no manifest is given. */
export interface ProgramInputs {
  image: string;
  command: readonly string[];
  framework: Framework;
  workers: number;
  runtime: string | undefined;
}

/** What goes into all pods. */
export interface PodInputs {
  env: Map<string, string>;
  secrets: SecretInputs;
  serviceAccount: string | undefined;
  priorityClass: string | undefined;
  /** A name in the configuration. */
  accelerator: string | undefined;
  gpus: number | undefined;
  cpu: string | undefined;
  memory: string | undefined;
}

const day = 86_400;

/** @throws ActionError `input` with the input's name, its value and what is allowed */
export function readInputs({ inputs, workspace }: Host): SubmitInputs {
  return {
    token: inputs.required('token'),
    sha: requiredSha(inputs),
    pullRequest: inputs.integer('pr-number', { min: 1 }),
    pipeline: checkPipelineName(inputs.text('pipeline') ?? 'default'),
    what: readWhat(inputs),
    parameters: mapOf(inputs, 'parameters', workspace),
    images: mapOf(inputs, 'images', workspace),
    sweep: inputs.text('sweep'),
    pods: {
      env: readEnv(inputs, workspace),
      secrets: readSecrets(inputs.text('env-from-secret')),
      serviceAccount: objectName(inputs, 'service-account'),
      priorityClass: objectName(inputs, 'priority-class'),
      accelerator: inputs.text('accelerator'),
      gpus: inputs.integer('gpus', { max: 100_000 }),
      cpu: quantity(inputs, 'cpu', '4 or 500m'),
      memory: quantity(inputs, 'memory', '16Gi'),
    },
    queue: objectName(inputs, 'queue'),
    dataVersion: inputs.text('data-version'),
    artifacts: readArtifacts(inputs),
    deadline: inputs.duration('deadline'),
    ttl: longEnough(inputs.duration('ttl') ?? 7 * day),
    kfp: readKfpInputs(inputs),
    argo: readArgoInputs(inputs),
    kfpSettings: readPipelineSettings(inputs),
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
export function identifyingInputs({ pods, queue, artifacts, deadline, kfp, kfpSettings }: SubmitInputs): Map<string, string> {
  const { env, secrets, ...others } = pods;
  const single = { ...others, queue, artifacts, deadline, ...(secrets.all.length > 0 ? { secrets: JSON.stringify(secrets.all) } : {}) };
  const pipeline = { url: kfp?.url, ...kfpSettings };
  return new Map([
    ...[...env].map(([name, value]) => [`env.${name}`, value] as const),
    ...[...secrets.variables].map(([name, { secret, key }]) => [`secret.${name}`, `${secret}/${key}`] as const),
    ...Object.entries(pipeline).flatMap(([name, value]) => (value === undefined ? [] : [[`kfp.${name}`, String(value)] as const])),
    ...Object.entries(single).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as const])),
  ]);
}

const ofPrograms = ['command', 'framework', 'workers', 'runtime'] as const;

function readWhat(inputs: Inputs): SubmitInputs['what'] {
  const manifest = inputs.text('manifest');
  const image = inputs.text('image');
  if (manifest !== undefined && image !== undefined) {
    throw new ActionError('input', 'both input "manifest" and input "image" were given', {
      remedy: 'give a manifest, and its images as "images"; or an "image" with a "command", and no manifest',
    });
  }
  if (manifest !== undefined) {
    const other = ofPrograms.find((name) => inputs.text(name) !== undefined);
    if (other === undefined) return { manifest };
    throw new ActionError('input', `input "${other}" was given beside "manifest", which says that itself`, {
      remedy: 'take one of them out',
    });
  }
  if (image === undefined) {
    throw new ActionError('input', 'neither input "manifest" nor input "image" was given', {
      remedy: 'give the path of a manifest, or an image and a command: image: ${{ steps.image.outputs.image }}',
    });
  }
  if (inputs.text('images') !== undefined) {
    throw new ActionError('input', 'input "images" was given beside "image"', { remedy: '"images" is for the containers of a manifest' });
  }
  if (!/^[^\s@]+@sha256:[0-9a-f]{64}$/u.test(image)) {
    throw new ActionError('input', `input "image" is ${JSON.stringify(image.slice(0, 300))}, which is not pinned`, {
      remedy: 'pass the output "image" of build-image: name@sha256:…',
    });
  }
  const command = inputs.text('command');
  const program: ProgramInputs = {
    image,
    command: command === undefined ? [] : parseCommand(command),
    framework: inputs.choice('framework', frameworks, 'job'),
    workers: inputs.integer('workers', { min: 1, max: 10_000 }) ?? 1,
    runtime: objectName(inputs, 'runtime'),
  };
  if (program.runtime !== undefined && !['trainer', 'pytorch', 'tensorflow', 'xgboost', 'mpi'].includes(program.framework)) {
    throw new ActionError('input', `input "runtime" was given with framework "${program.framework}", which has no TrainJob`, {
      remedy: 'set framework: trainer',
    });
  }
  return { program };
}

function readEnv(inputs: Inputs, workspace: string): Map<string, string> {
  const env = mapOf(inputs, 'env', workspace);
  const ours = [...env.keys()].find((name) => name.startsWith('SLASHTRAIN_'));
  if (ours === undefined) return env;
  throw new ActionError(
    'input',
    `input "env" names ${JSON.stringify(ours)}; allowed: names that do not begin with SLASHTRAIN_, which this action sets`,
  );
}

/** A name as Kubernetes has them (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names). */
function objectName(inputs: Inputs, name: string): string | undefined {
  const value = inputs.text(name);
  if (value === undefined || (value.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/u.test(value)))
    return value;
  throw refused(name, value, 'the name of an object in the cluster: lower-case letters, digits, "-" and "."');
}

function quantity(inputs: Inputs, name: string, example: string): string | undefined {
  const value = inputs.text(name);
  if (value === undefined || (parseQuantity(value) ?? 0) > 0) return value;
  throw refused(name, value, `a quantity above zero, such as ${example}`);
}

function readArtifacts(inputs: Inputs): string | undefined {
  const value = inputs.text('artifacts');
  if (value === undefined || /^[a-z][a-z0-9+.-]*:\/\/[^\s/]\S*$/u.test(value)) return value?.replace(/\/+$/u, '');
  throw refused('artifacts', value, 'a URI, such as s3://bucket/path');
}

function refused(name: string, value: string, allowed: string): ActionError {
  return new ActionError('input', `input "${name}" is ${JSON.stringify(value.slice(0, 200))}; allowed: ${allowed}`);
}

function requiredSha(inputs: Inputs): string {
  inputs.required('sha');
  return inputs.sha('sha') ?? '';
}

// The end is read from the cluster by whoever comes next, a scheduled sync for one: it must still be there.
function longEnough(seconds: number): number {
  if (seconds >= day) return seconds;
  throw new ActionError('input', `input "ttl" is ${seconds} seconds; allowed: 24h or longer`);
}
