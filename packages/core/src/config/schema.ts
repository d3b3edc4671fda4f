import { reasons, runStates } from '../run/state.ts';
import { argumentTypes, permissions } from './types.ts';

/** JSON Schema as far as it is used here. `patternErrorMessage` is what editors (VS Code) and our errors show. */
export interface Schema {
  readonly [keyword: string]: unknown;
}

const said = (description: string): Schema => (description === '' ? {} : { description });
const text = (description: string, more: Schema = {}): Schema => ({
  type: 'string',
  ...said(description),
  minLength: 1,
  maxLength: 1000,
  ...more,
});
const patterned = (description: string, pattern: string, patternErrorMessage: string): Schema => ({
  type: 'string',
  ...said(description),
  pattern,
  patternErrorMessage,
});
const flag = (description: string): Schema => ({ type: 'boolean', ...said(description) });
const list = (description: string, items: Schema): Schema => ({
  type: 'array',
  ...said(description),
  items,
  uniqueItems: true,
  maxItems: 500,
});
const object = (description: string, properties: Record<string, Schema>, required: string[] = []): Schema => ({
  type: 'object',
  ...said(description),
  additionalProperties: false,
  ...(required.length > 0 ? { required } : {}),
  properties,
});
const map = (description: string, keys: Schema, values: Schema): Schema => ({
  type: 'object',
  ...said(description),
  propertyNames: keys,
  additionalProperties: values,
  maxProperties: 200,
});

const dnsLabel = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';
const lowerName = 'lower-case letters, digits and inner hyphens';
const duration = (description: string): Schema =>
  patterned(description, '^[1-9][0-9]{0,8}[smhd]$', 'a whole number with a unit, such as 90s, 15m, 2h or 3d');
const command = (description: string): Schema =>
  patterned(description, '^/[a-z][a-z0-9-]{0,38}( [^\\n\\r]*)?$', 'a command on one line, such as "/train epochs=5"');

const guard = {
  permission: { enum: permissions, description: 'The right in the repository that a person needs.' },
  teams: list(
    'Slugs of teams of the organisation: the person must be in one of them too. Needs the input org-token.',
    patterned('', '^[a-z0-9][a-z0-9._-]{0,99}$', 'a team’s slug, such as ml-platform'),
  ),
  confirm: flag('A second person with the same right has to write "/confirm <full SHA>".'),
  'wait-for': { enum: ['ci'], description: 'Wait until the other checks of the commit are green.' },
};

const argument = object(
  'One argument. Arguments without a name in the comment are taken in this order.',
  {
    type: { enum: argumentTypes, description: 'What it may be. Nothing is converted: 1.10 stays "1.10" in a string.' },
    description: text('Shown by /help.'),
    required: flag('Refuse the command without it.'),
    default: { description: 'Used where the comment does not give it; of the argument’s type.' },
    options: list('What a choice, or each item of a list, may be.', text('')),
    min: { type: 'number', description: 'Least number, length of a string, or count of a list.' },
    max: { type: 'number', description: 'Largest number, length of a string, or count of a list.' },
    pattern: text('A regular expression (JavaScript, flag u) for the whole string, or for each item of a list.'),
  },
  ['type'],
);

const commands = map(
  'What people may write on a pull request. /help is always there, /cancel unless it is defined otherwise.',
  {
    pattern: '^(?!(?:help|confirm)$)[a-z][a-z0-9-]{0,38}$',
    patternErrorMessage: `${lowerName}, beginning with a letter; help and confirm are built in`,
  },
  object('', {
    description: text('Shown by /help.'),
    ...guard,
    bots: list('Logins of bots that may give it, such as "renovate[bot]".', text('')),
    arguments: map(
      'Arguments by name.',
      {
        pattern: '^(?!no-|sha$)[A-Za-z][A-Za-z0-9_-]{0,62}$',
        patternErrorMessage: 'letters, digits, - and _, beginning with a letter but not with "no-"; sha is built in',
      },
      argument,
    ),
    environments: map(
      'Makes an argument "environment" with these choices, each with its own permission, teams, confirm and wait-for.',
      { pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$', patternErrorMessage: 'the name of a GitHub environment, such as staging' },
      object('', guard),
    ),
    excludes: list('Checks that wait-for: ci leaves out.', text('')),
    timeout: duration('How long wait-for: ci waits; 30m unless said.'),
  }),
);

const policy = object('What may be submitted, whatever a pull request’s manifest says.', {
  kinds: list(
    'Kinds with their group.',
    patterned(
      '',
      '^(Pod|ConfigMap|Secret|Service|PersistentVolumeClaim|[A-Z][A-Za-z0-9]*\\.[a-z0-9][a-z0-9.-]*)$',
      'Kind.group, such as Job.batch or PyTorchJob.kubeflow.org; a core kind (Pod, ConfigMap, Secret, Service, PersistentVolumeClaim) without a group',
    ),
  ),
  namespaces: list('Namespaces.', patterned('', dnsLabel, lowerName)),
  'service-accounts': list('Service accounts that pods may run as; only "default" unless said.', text('')),
  queues: list('Kueue and Volcano queues.', text('')),
  'priority-classes': list('Priority classes; any but system-… unless said.', text('')),
  registries: list(
    'Where images may come from.',
    patterned(
      '',
      '^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*$',
      'a registry’s host, with a path or not and without a slash at the end, such as ghcr.io/acme; images without a host are docker.io/…',
    ),
  ),
  'max-gpus': { type: 'integer', minimum: 0, description: 'GPUs of all pods of a submission together.' },
  'max-gpu-hours': { type: 'number', minimum: 0, description: 'GPUs × deadline. Needs a deadline.' },
  'max-deadline': duration('The longest deadline. Needs a deadline.'),
  'require-deadline': flag('Refuse what has no deadline.'),
  privileged: flag('Allow privileged containers and unconfined profiles.'),
  'host-path': flag('Allow hostPath volumes.'),
  'host-network': flag('Allow hostNetwork, hostPID, hostIPC and hostPort.'),
  capabilities: list(
    'Linux capabilities that a container may add.',
    patterned('', '^(?!CAP_)[A-Z][A-Z_]*$', 'a name without CAP_, such as IPC_LOCK'),
  ),
  'embedded-manifests': flag('Allow manifests and patches that stand as text inside an object (Argo resource templates, podSpecPatch).'),
});

const amountPattern = '^(0|[1-9][0-9]*)(\\.[0-9]+)?%?$';
const amountAllowed = 'a text in quotes such as "0.01" or "2%"';
const gate = object(
  'A gate.',
  {
    metric: text('The metric’s name; where there is none of that name, * in it stands for any text.'),
    direction: { enum: ['higher', 'lower'], description: 'Which way is better. Never guessed.' },
    min: { type: 'number' },
    max: { type: 'number' },
    'max-regression': patterned('How much worse than the baseline is allowed.', amountPattern, amountAllowed),
    'min-improvement': patterned('How much better than the baseline it must be.', amountPattern, amountAllowed),
    on: { enum: ['last', 'best', 'min', 'max', 'mean'], description: 'Which value of the curve counts; last unless said.' },
    'require-seeds': { type: 'integer', minimum: 1, maximum: 1000, description: 'The fewest samples a side.' },
    confidence: { type: 'number', minimum: 0.5, maximum: 0.9999, description: 'Of the comparison; 0.95 unless said.' },
    level: { enum: ['fail', 'warn'], description: 'With warn the verdict does not know it; fail unless said.' },
  },
  ['metric', 'direction'],
);

const jsonPath = (description: string): Schema => patterned(description, '^\\$', 'a JSONPath that begins with $, such as $.spec.template');

/** The published schema of `.github/slashtrain.yml`; `schemas/slashtrain.schema.json` is this, written out. */
export const configSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://raw.githubusercontent.com/slashtrain/slashtrain/main/packages/core/schemas/slashtrain.schema.json',
  title: 'Slashtrain configuration (.github/slashtrain.yml)',
  ...object('Read at the default branch alone, never from a pull request.', {
    commands,
    triggers: object('Commands that something else than a comment gives.', {
      labels: map('By label.', text('', { maxLength: 50 }), command('The command.')),
      push: command('At a push to a pull request, and when it is opened (pull_request_target).'),
      review: command('At an approving review, within the repository.'),
      merge: command('When a pull request is merged.'),
    }),
    forks: {
      enum: ['never', 'by-sha'],
      description: 'Whether commands work on pull requests from forks: never, or only with sha=<full head SHA> in the command.',
    },
    accelerators: map(
      'What gpu=a100 means on this cluster.',
      { pattern: '^[a-z0-9][a-z0-9._-]{0,62}$', patternErrorMessage: 'lower-case letters, digits, ".", "_" and "-"' },
      object(
        '',
        {
          resource: text('The resource’s name, such as nvidia.com/gpu.'),
          'node-selector': map('Labels of the nodes.', text(''), { type: 'string', maxLength: 63 }),
          tolerations: list(
            'As in a pod.',
            object('', {
              key: text(''),
              operator: { enum: ['Exists', 'Equal'] },
              value: { type: 'string' },
              effect: { enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] },
              tolerationSeconds: { type: 'integer', minimum: 0 },
            }),
          ),
          'price-per-hour': { type: 'number', minimum: 0, description: 'For one accelerator.' },
        },
        ['resource'],
      ),
    ),
    policy,
    pipelines: map(
      'The repository’s pipelines.',
      { pattern: '^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$', patternErrorMessage: `up to 40 ${lowerName}` },
      object('', {
        manifest: text('Path of the manifest in the repository.'),
        gates: list('What the metrics must hold.', gate),
        baseline: text('What to compare with, as fetch-metrics’ input baseline.'),
        paths: list('Globs; pull requests that touch none of them are skipped.', text('')),
        'no-baseline': { enum: ['pass', 'fail'], description: 'What the check says where there is no baseline; pass unless said.' },
      }),
    ),
    kinds: list(
      'Rules for kinds that Slashtrain does not know.',
      object(
        '',
        {
          kind: patterned('', '^[A-Z][A-Za-z0-9]*\\.[a-z0-9][a-z0-9.-]*$', 'Kind.group, such as PipelineRun.tekton.dev'),
          version: patterned('Its API version.', '^v[0-9]+((alpha|beta)[0-9]+)?$', 'a version such as v1 or v1beta1'),
          plural: patterned('Its plural name.', '^[a-z][a-z0-9]*$', 'lower-case letters, such as pipelineruns'),
          'name-limit': { type: 'integer', minimum: 20, maximum: 253, description: 'The longest name it takes; 63 unless said.' },
          operator: text('What brings it to a cluster, for the error where it is not there.'),
          'pod-templates': list('JSONPaths of its pod templates, each with metadata and spec.', jsonPath('')),
          containers: list(
            'JSONPaths of what has image, env, command and args as a container has, outside of pod templates.',
            jsonPath(''),
          ),
          parameters: jsonPath('JSONPath of its list of {name, value}; without it, $(params.NAME) is replaced in containers.'),
          placeholders: list('JSONPaths of other texts, or lists of texts, in which $(params.NAME) is replaced.', jsonPath('')),
          'pod-selector': text('A label selector; {name} and {uid} stand for the run’s. Without it, pod templates get a label of ours.'),
          deadline: object(
            'Where its controller takes a deadline.',
            {
              path: jsonPath('A path of names.'),
              format: { enum: ['seconds', 'duration'], description: 'A number, or a text such as 3600s; seconds unless said.' },
            },
            ['path'],
          ),
          ttl: jsonPath('A path of names: how many seconds it stays when it has ended.'),
          queue: {
            enum: ['run', 'pods'],
            description: 'What Kueue holds back, where it does: the run by a label on it, or its pods one by one.',
          },
          states: {
            type: 'array',
            description: 'The first that holds decides; none: unknown. Without a status it is queued.',
            minItems: 1,
            maxItems: 100,
            items: object(
              '',
              {
                state: { enum: runStates },
                path: jsonPath('What is looked at.'),
                equals: { type: 'string', maxLength: 1000, description: 'What must stand there, as text; it may be empty.' },
                reason: { enum: reasons, description: 'Why it is in that state.' },
              },
              ['state', 'path', 'equals'],
            ),
          },
          message: jsonPath('What it says of its state.'),
          'started-at': jsonPath('When it started, ISO 8601.'),
          'ended-at': jsonPath('When it ended, ISO 8601.'),
          outputs: jsonPath('JSONPath of its list of {name, value} once it has ended.'),
          'cancel-patch': { type: 'object', description: 'A merge patch that stops it; without it, it is deleted.' },
        },
        ['kind', 'version', 'plural', 'states'],
      ),
    ),
    retention: duration('How long ended records are kept; 90d unless said.'),
  }),
};
