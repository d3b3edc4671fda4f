import { parseDocument, type Document, type YAMLSeq } from 'yaml';
import { clouds } from './access.ts';
import type { Choices } from './choices.ts';

/** The files that it starts from: those of examples/digits, by path. */
export type Template = Record<'workflow' | 'config' | 'manifest', string>;

/** A file to write. */
export interface Written {
  path: string;
  content: string;
  /** What it is for, as one sentence. */
  what: string;
}

export const paths = {
  workflow: '.github/workflows/slashtrain.yml',
  config: '.github/slashtrain.yml',
  manifest: 'pipelines/train.yaml',
} as const;

/** The part of a workflow file that is read here. */
interface Jobs {
  jobs: Record<string, { steps: { uses?: string; if?: string; with?: Record<string, unknown> }[] }>;
}

/** The three files of a repository: the example's, with what was chosen in the place of what is the digits'. */
export function generate(template: Template, choices: Choices): Written[] {
  return [
    {
      path: paths.workflow,
      content: workflow(template.workflow, choices),
      what: 'what happens on a comment, a push, and when a pull request is closed',
    },
    {
      path: paths.config,
      content: config(template.config, choices),
      what: 'who may say what, what may be submitted, and which metrics must hold; read from the default branch alone',
    },
    {
      path: paths.manifest,
      content: manifest(template.manifest, choices),
      what: 'the Kubernetes Job that trains; the workflow puts the image in',
    },
  ];
}

function workflow(text: string, { name, base, script, cluster, tracker }: Choices): string {
  const document = parseDocument(text);
  document.setIn(['env', 'PIPELINE'], name);
  // What is deployed, and where, is a second step for a repository: docs of deploy-model.
  const { jobs: all } = document.toJS() as Jobs;
  for (const [job, { steps }] of Object.entries(all))
    if (steps.some(({ uses }) => uses?.includes('/deploy-model@'))) document.deleteIn(['jobs', job]);
  const start = ['jobs', 'command', 'if'];
  document.setIn(
    start,
    String(document.getIn(start)).replaceAll(/ *contains\(github\.event\.comment\.body, '\/(deploy|rollback)'\) \|\|/gu, ''),
  );
  const image = stepAt(document, 'train', 'build-image');
  document.setIn([...image, 'with', 'base'], `\${{ vars.SLASHTRAIN_BASE || '${base}' }}`);
  if (script.endsWith('.ipynb')) document.setIn([...image, 'with', 'notebook'], script);
  if (tracker !== 'none') {
    const metrics = stepAt(document, 'train', 'fetch-metrics');
    document.setIn([...metrics, 'with', 'source'], `[run, ${tracker}]`);
    if (tracker === 'mlflow') {
      document.setIn([...metrics, 'with', 'tracker-url'], '${{ vars.MLFLOW_TRACKING_URI }}');
      document.setIn([...metrics, 'env', 'MLFLOW_TRACKING_TOKEN'], '${{ secrets.MLFLOW_TRACKING_TOKEN }}');
    } else {
      document.setIn([...metrics, 'env', 'WANDB_API_KEY'], '${{ secrets.WANDB_API_KEY }}');
    }
    document.setIn([...metrics, 'with', 'experiment'], '${{ vars.EXPERIMENT }}');
    if (tracker === 'wandb') document.setIn([...stepAt(document, 'train', 'submit-pipeline'), 'with', 'env-from-secret'], '- wandb');
  }
  if (cluster !== 'kubeconfig') reach(document, cluster);
  return written(document);
}

/** Takes the stored kubeconfig out: the runner is in the cluster, or a cloud signs it in. */
function reach(document: Document, cluster: Exclude<Choices['cluster'], 'kubeconfig'>): void {
  const { jobs } = document.toJS() as Jobs;
  for (const [job, { steps }] of Object.entries(jobs)) {
    const users = steps.flatMap((step, index) => (step.with?.['kubeconfig'] === undefined ? [] : [index]));
    const [first] = users;
    if (first === undefined) continue;
    for (const index of users) document.deleteIn(['jobs', job, 'steps', index, 'with', 'kubeconfig']);
    if (cluster === 'in-cluster') {
      document.setIn(['jobs', job, 'runs-on'], 'self-hosted');
      continue;
    }
    // GitHub's token, by which the cloud knows this repository.
    document.setIn(['jobs', job, 'permissions', 'id-token'], 'write');
    const nodes = document.getIn(['jobs', job, 'steps']) as YAMLSeq;
    // After the image is built: who may push images need not be signed in for it.
    const condition = steps[first]?.if;
    const login = clouds[cluster].steps.map(({ name, ...step }) => ({
      name,
      ...(condition === undefined ? {} : { if: condition }),
      ...step,
    }));
    nodes.items.splice(first, 0, ...login.map((step) => document.createNode(step)));
  }
}

function config(text: string, { name, metric, direction, gpus }: Choices): string {
  const document = parseDocument(text);
  document.setIn(['commands', 'train', 'description'], `Train ${name} of this pull request and compare it with the base branch`);
  // Arguments become parameters of the manifest, and only its author knows which there are.
  document.deleteIn(['commands', 'train', 'arguments']);
  for (const command of Object.keys((document.toJS() as { commands: object }).commands))
    if (command !== 'train') document.deleteIn(['commands', command]);
  document.setIn(['policy', 'kinds'], document.createNode(['Job.batch'], { flow: true }));
  document.setIn(['policy', 'max-gpus'], gpus);
  const pipeline = document.getIn(['pipelines', 'digits']);
  document.deleteIn(['pipelines', 'digits']);
  document.setIn(['pipelines', name], pipeline);
  const gate = document.createNode({ metric, direction, 'max-regression': '1%' }, { flow: true });
  document.setIn(['pipelines', name, 'gates'], document.createNode([gate]));
  return written(document);
}

function manifest(text: string, { name, script, gpus }: Choices): string {
  const document = parseDocument(text);
  document.setIn(['metadata', 'name'], name);
  document.deleteIn(['metadata', 'annotations']);
  const container = ['spec', 'template', 'spec', 'containers', 0];
  document.setIn([...container, 'image'], name);
  document.setIn([...container, 'command'], document.createNode(commandOf(script), { flow: true }));
  document.setIn([...container, 'resources'], {
    requests: { cpu: '1', memory: '2Gi' },
    limits: { memory: '4Gi', ...(gpus > 0 && { 'nvidia.com/gpu': gpus }) },
  });
  return written(document);
}

/** How the program is started in its image. A notebook is a script of the same name there. */
function commandOf(script: string): string[] {
  return /\.[cm]?js$/u.test(script) ? ['node', script] : ['python3', script.replace(/\.ipynb$/u, '.py')];
}

/** Where the job's step with this action stands. @throws Error where the example has none */
function stepAt(document: Document, job: string, action: string): (string | number)[] {
  const { jobs } = document.toJS() as Jobs;
  const index = jobs[job]?.steps.findIndex(({ uses }) => uses?.includes(`/${action}@`)) ?? -1;
  if (index < 0) throw new Error(`the example's job "${job}" has no step with ${action}`);
  return ['jobs', job, 'steps', index];
}

const written = (document: Document): string => document.toString({ lineWidth: 120, singleQuote: true, flowCollectionPadding: false });
