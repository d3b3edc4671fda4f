import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

export const frameworks = ['scikit-learn', 'pytorch', 'tensorflow', 'node', 'other'] as const;
export type Framework = (typeof frameworks)[number];

/** What can be seen of a repository without asking. */
export interface Seen {
  /** A name for the pipeline, of the folder's. */
  name: string;
  framework: Framework;
  /** What looks like the training: a script or a notebook. */
  script: string | undefined;
  /** The image that the last stage of the Dockerfile begins with. */
  base: string | undefined;
  dockerfile: boolean;
  workflows: string[];
}

const packages: [Framework, RegExp][] = [
  ['pytorch', /^\s*["']?(torch|pytorch-lightning|lightning)\b/mu],
  ['tensorflow', /^\s*["']?(tensorflow|keras)\b/mu],
  ['scikit-learn', /^\s*["']?(scikit-learn|sklearn|xgboost|lightgbm)\b/mu],
];
const scripts = ['train.py', 'src/train.py', 'training/train.py', 'main.py', 'train.ipynb', 'train.js', 'train.mjs'];

/** Looks at the files of a folder. Nothing is executed. */
export function lookAt(folder: string): Seen {
  const read = (file: string): string => (existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : '');
  const wanted = ['requirements.txt', 'pyproject.toml', 'environment.yml'].map(read).join('\n');
  const script = scripts.find((file) => existsSync(join(folder, file))) ?? filesIn(folder, /\.ipynb$/u)[0];
  const isNode = script?.endsWith('js') === true && existsSync(join(folder, 'package.json'));
  const stages = [...read('Dockerfile').matchAll(/^FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/gimu)];
  const last = stages.at(-1)?.[1];
  const isStage = stages.some(([, , stage]) => stage !== undefined && stage === last);
  return {
    name: nameOf(basename(resolve(folder))),
    framework: packages.find(([, pattern]) => pattern.test(wanted.replaceAll(/[[,]\s*/gu, '\n')))?.[0] ?? (isNode ? 'node' : 'other'),
    script,
    base: isStage || last?.includes('$') ? undefined : last,
    dockerfile: stages.length > 0,
    workflows: workflowFiles(folder),
  };
}

/** The workflow files, by path in the repository. */
export function workflowFiles(folder: string): string[] {
  const place = '.github/workflows';
  return filesIn(join(folder, place), /\.ya?ml$/u).map((name) => `${place}/${name}`);
}

/** Names that fit, sorted; none where there is no such folder. Node 20 has no globSync. */
function filesIn(folder: string, pattern: RegExp): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => pattern.test(name) && !name.startsWith('.'))
    .sort();
}

/** A name that a pipeline and a Kubernetes object may have. */
export function nameOf(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/gu, '-')
    .replace(/^[^a-z]+|-+$/gu, '')
    .slice(0, 30);
  return name === '' ? 'model' : name.replace(/-+$/u, '');
}
