import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { refused, type Inputs } from '@slashtrain/core/action/inputs';
import { listOf, mapOf } from '@slashtrain/core/action/yaml-inputs';
import { isPinned } from '@slashtrain/core/registry/image-name';
import { checkPipelineName } from '@slashtrain/core/run/name';
import type { ContainerInputs } from './targets/container.ts';
import { targetNames, type TargetName } from './types.ts';

/** What every form of deploy-model is told. */
export interface CommonInputs {
  token: string;
  namespace: string | undefined;
  kubeconfig: string | undefined;
  context: string | undefined;
  /** Seconds for a rollout to be ready, smoke test included. */
  timeout: number;
  /** How a kind that we do not know says that it is ready, by `Kind.group`. */
  readiness: Map<string, string>;
  /** How a target that is no Kubernetes object is deployed, and taken back. */
  command: string | undefined;
  rollbackCommand: string | undefined;
  /** Where it answers, where the cluster does not say. */
  url: string | undefined;
  /** The longest pause of a canary that this runner waits for, in seconds. */
  detachAfter: number;
}

/** What is to be done. */
export type DeployInputs = CommonInputs & (NewInputs | RollbackInputs | FinishInputs);

/** What a deploy and a rollback are told alike. */
interface IntoEnvironment {
  environment: string;
  /** Of the deployed thing. */
  name: string;
  /** Where whoever asked is told of a failure. */
  pullRequest: number | undefined;
  commentId: number | undefined;
  attempt: number | undefined;
  /** Seconds to wait for another deploy of the environment. */
  lockTimeout: number;
  takeOver: boolean;
  dryRun: boolean;
}

/** A run's model goes into an environment. */
export interface NewInputs extends IntoEnvironment {
  what: 'deploy';
  target: TargetName;
  sha: string;
  pipeline: string;
  run: string | undefined;
  image: string | undefined;
  modelUri: string | undefined;
  /** An environment whose deploy goes on to this one. */
  promote: string | undefined;
  allowInconclusive: boolean;
  /** The reason, where it is forced. */
  force: string | undefined;
  manifest: string | undefined;
  container: ContainerInputs;
  replicas: number | undefined;
  minReplicas: number | undefined;
  maxReplicas: number | undefined;
  serviceAccount: string | undefined;
  modelFormat: string | undefined;
  runtime: string | undefined;
  protocolVersion: string | undefined;
  transformer: string | undefined;
  mode: 'standard' | 'knative' | undefined;
}

/** An environment goes back to an older deploy. */
export interface RollbackInputs extends IntoEnvironment {
  what: 'rollback';
  /** `last-good`, a revision, or the first 7 to 40 digits of a SHA. */
  to: string;
}

/** A rollout that nobody works on is finished. */
export interface FinishInputs {
  what: 'finish';
  /** The name that sync-runs gives. */
  rollout: string;
}

const longestReason = 200;

/** @throws ActionError `input` with the input's name, its value and what is allowed */
export function readInputs(host: Host): DeployInputs {
  const { inputs, workspace } = host;
  const common: CommonInputs = {
    token: inputs.required('token'),
    namespace: inputs.text('namespace'),
    kubeconfig: inputs.text('kubeconfig'),
    context: inputs.text('kube-context'),
    timeout: inputs.duration('timeout') ?? 600,
    readiness: mapOf(inputs, 'readiness', workspace),
    command: inputs.text('command'),
    rollbackCommand: inputs.text('rollback-command'),
    url: readUrl(inputs),
    detachAfter: inputs.duration('detach-after') ?? 600,
  };
  const rollout = inputs.text('rollout');
  if (rollout !== undefined) return { ...common, what: 'finish', rollout: checkLabel('rollout', rollout, 253) };
  const into: IntoEnvironment = {
    environment: readEnvironment(inputs),
    name: checkLabel('name', inputs.text('name') ?? inputs.text('pipeline') ?? 'default', 40),
    pullRequest: inputs.integer('pr-number', { min: 1 }),
    commentId: inputs.integer('comment-id', { min: 1 }),
    attempt: inputs.integer('attempt', { min: 1 }),
    lockTimeout: inputs.boolean('wait', true) ? (inputs.duration('lock-timeout') ?? 900) : 0,
    takeOver: inputs.boolean('take-over', false),
    dryRun: inputs.boolean('dry-run', false),
  };
  const rollback = inputs.text('rollback');
  if (rollback !== undefined) return { ...common, ...into, what: 'rollback', to: readRollback(rollback) };
  return { ...common, ...into, ...readNew(host, common) };
}

function readNew({ inputs, workspace }: Host, { command }: CommonInputs): Omit<NewInputs, keyof IntoEnvironment> {
  inputs.required('sha');
  const target = inputs.choice('target', targetNames, 'deployment');
  const image = readImage(inputs, 'image');
  const [minReplicas, maxReplicas] = [
    inputs.integer('min-replicas', { max: 10_000 }),
    inputs.integer('max-replicas', { min: 1, max: 10_000 }),
  ];
  if (minReplicas !== undefined && maxReplicas !== undefined && minReplicas > maxReplicas)
    throw refused('min-replicas', String(minReplicas), `at most "max-replicas", which is ${maxReplicas}`);
  const read: Omit<NewInputs, keyof IntoEnvironment> = {
    what: 'deploy',
    target,
    sha: inputs.sha('sha') ?? '',
    pipeline: checkPipelineName(inputs.text('pipeline') ?? 'default'),
    run: inputs.text('run'),
    image,
    modelUri: readModelUri(inputs),
    promote: inputs.text('promote'),
    allowInconclusive: inputs.boolean('allow-inconclusive', false),
    force: readForce(inputs),
    manifest: inputs.text('manifest'),
    container: {
      port: inputs.integer('port', { min: 1, max: 65_535 }) ?? 8080,
      args: listOf(inputs, 'args', workspace),
      env: mapOf(inputs, 'env', workspace),
      cpu: inputs.text('cpu'),
      memory: inputs.text('memory'),
      gpus: inputs.integer('gpus', { min: 1, max: 1000 }),
      healthPath: inputs.text('health-path'),
    },
    replicas: inputs.integer('replicas', { min: 1, max: 10_000 }),
    minReplicas,
    maxReplicas,
    serviceAccount: inputs.text('service-account'),
    modelFormat: inputs.text('model-format'),
    runtime: inputs.text('runtime'),
    protocolVersion: inputs.text('protocol-version'),
    transformer: readImage(inputs, 'transformer'),
    mode:
      inputs.text('mode') === undefined ? undefined : inputs.choice<'standard' | 'knative'>('mode', ['standard', 'knative'], 'standard'),
  };
  refuseMisplaced(inputs, target);
  if (target === 'manifest' && read.manifest === undefined) inputs.required('manifest');
  if (target === 'command' && command === undefined) inputs.required('command');
  return read;
}

/** Inputs that only some targets know: said to another, they would be silently nothing. */
const places: ReadonlyMap<string, readonly TargetName[]> = new Map([
  ['manifest', ['manifest']],
  ['command', ['command']],
  ['rollback-command', ['command']],
  ['replicas', ['deployment']],
  ['min-replicas', ['kserve', 'knative']],
  ['max-replicas', ['kserve', 'knative']],
  ['port', ['deployment', 'kserve', 'knative']],
  ['args', ['deployment', 'kserve', 'knative']],
  ['env', ['deployment', 'kserve', 'knative']],
  ['cpu', ['deployment', 'kserve', 'knative']],
  ['memory', ['deployment', 'kserve', 'knative']],
  ['gpus', ['deployment', 'kserve', 'knative']],
  ['health-path', ['deployment', 'kserve', 'knative']],
  ['service-account', ['deployment', 'kserve', 'knative']],
  ['model-format', ['kserve']],
  ['runtime', ['kserve']],
  ['protocol-version', ['kserve']],
  ['transformer', ['kserve']],
  ['mode', ['kserve']],
  ['readiness', ['manifest']],
]);

function refuseMisplaced(inputs: Inputs, target: TargetName): void {
  for (const [name, targets] of places) {
    if (inputs.text(name) === undefined || targets.includes(target)) continue;
    throw new ActionError('input', `input "${name}" was given with target "${target}", which has no use for it`, {
      remedy: `it is for target ${targets.join(', ')}`,
    });
  }
}

function readForce(inputs: Inputs): string | undefined {
  const reason = inputs.text('reason');
  if (!inputs.boolean('force', false)) return undefined;
  if (reason === undefined) {
    throw new ActionError('input', 'input "force" is true, and input "reason" was not given', {
      remedy: 'say why: it stands on the deployment, with your name',
    });
  }
  if (reason.length > longestReason || /[\n\r]/u.test(reason))
    throw refused('reason', reason, `one line of at most ${longestReason} characters`);
  return reason;
}

function readImage(inputs: Inputs, name: string): string | undefined {
  const value = inputs.text(name);
  if (value === undefined || isPinned(value)) return value;
  throw new ActionError('input', `input "${name}" is ${JSON.stringify(value.slice(0, 300))}, which is not pinned`, {
    remedy: 'pass the output "image" of build-image: name@sha256:…; a tag can be moved',
  });
}

function readModelUri(inputs: Inputs): string | undefined {
  const value = inputs.text('model-uri');
  if (value === undefined || /^[a-z][a-z0-9+.-]*:\/[^\s]+$/u.test(value)) return value;
  throw refused('model-uri', value, 'a URI, such as s3://bucket/path, pvc://claim/path or models:/digits@champion');
}

function readUrl(inputs: Inputs): string | undefined {
  const value = inputs.text('url');
  if (value === undefined || (/^https?:\/\//u.test(value) && URL.canParse(value))) return value?.replace(/\/+$/u, '');
  throw refused('url', value, 'an address that begins with http:// or https://');
}

function readEnvironment(inputs: Inputs): string {
  const value = inputs.required('environment');
  if (value.length <= 100 && /^[A-Za-z0-9][A-Za-z0-9._/ -]*$/u.test(value)) return value;
  throw refused('environment', value, 'the name of a GitHub environment, such as staging');
}

function readRollback(value: string): string {
  if (value === 'last-good' || /^[0-9a-f]{7}-[0-9a-z]+$/u.test(value) || /^[0-9a-f]{7,40}$/u.test(value)) return value;
  throw refused('rollback', value, 'last-good, a revision such as 1a2b3c4-t5k2x9, or the first 7 or more digits of a SHA');
}

/** A DNS label, since Services and pods are named by it. */
function checkLabel(name: string, value: string, longest: number): string {
  if (value.length <= longest && /^[a-z]([-a-z0-9]*[a-z0-9])?$/u.test(value)) return value;
  throw refused(name, value, `up to ${longest} lower-case letters, digits and inner hyphens, beginning with a letter`);
}
