import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { clouds, ways } from './access.ts';
import { check, type Ask } from './check.ts';
import { bases, defaults, type Choices } from './choices.ts';
import { generate, type Template } from './generate.ts';
import { frameworks, lookAt, nameOf } from './repository.ts';

export const usage = `npm create slashtrain [-- FLAGS]

  --cluster ${ways.join('|')}   how the workflow reaches the cluster
  --framework ${frameworks.join('|')}
  --tracker none|mlflow|wandb       where metrics come from, besides the lines that the program prints
  --name NAME  --script FILE  --base IMAGE  --metric NAME  --lower  --gpus COUNT
  --yes                             ask nothing, and take what was found
  --dry-run                         show the files, write none
  --check [--namespace NAME]        look at a set-up that is there`;

/** What the program has of its surroundings. */
export interface Surroundings {
  /** The repository. */
  folder: string;
  template: Template;
  say: (line: string) => void;
  /** Asks a person; undefined where nobody can answer. */
  question: ((text: string) => Promise<string>) | undefined;
  ask: Ask;
}

/** A flag that cannot be. */
export class UsageError extends Error {}

/** Sets a repository up, or checks one. @returns the exit code */
export async function main(args: string[], { folder, template, say, question, ask }: Surroundings): Promise<number> {
  const flags = readFlags(args);
  if (flags.help) {
    say(usage);
    return 0;
  }
  if (flags.check) return tellFindings(check(folder, ask, flags.namespace), say);

  const seen = lookAt(folder);
  const found = defaults(seen);
  say(
    `Found: ${seen.framework === 'other' ? 'no framework that I know' : seen.framework}, ${seen.script ?? 'no training script'}, ${seen.workflows.length} workflow files.`,
  );
  if (seen.dockerfile) say('The Dockerfile is not executed: your files become a layer on its base. docs/images.md tells how to build it.');
  const choices = await choose(found, flags, flags.yes ? undefined : question);
  const files = generate(template, choices);
  const taken = new Set(files.map(({ path }) => path).filter((path) => existsSync(join(folder, path))));
  for (const { path, content, what } of files) {
    if (taken.has(path)) say(`kept    ${path}: it is there already, and nothing is overwritten. Compare it with --dry-run.`);
    else if (!flags['dry-run']) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content, { flag: 'wx' });
    }
    if (flags['dry-run'] || !taken.has(path)) say(`${flags['dry-run'] ? 'would write' : 'wrote'}  ${path}: ${what}`);
    if (flags['dry-run']) say(`\n${content}`);
  }
  for (const [index, line] of next(choices).entries()) say(`${index + 1}. ${line}`);
  return 0;
}

function reached(cluster: Choices['cluster']): string[] {
  if (cluster === 'kubeconfig')
    return ['Store a kubeconfig as the secret KUBECONFIG: gh secret set KUBECONFIG < FILE (which rights it needs: docs/access.md).'];
  if (cluster === 'in-cluster') return ['Give the runner’s service account the Roles of docs/access.md.'];
  return [clouds[cluster].todo, 'Bind that identity to the Roles of docs/access.md, and pin the cloud’s actions to commits.'];
}

/** What is left for a person. */
function next({ cluster, tracker, metric, script, name }: Choices): string[] {
  return [
    ...reached(cluster),
    ...(tracker === 'mlflow' ? ['Set the variables MLFLOW_TRACKING_URI and EXPERIMENT, and the secret MLFLOW_TRACKING_TOKEN.'] : []),
    ...(tracker === 'wandb'
      ? [
          'Set the variable EXPERIMENT (entity/project) and the secret WANDB_API_KEY; in the namespace the Secret wandb with the key WANDB_API_KEY.',
        ]
      : []),
    `Print the metric from ${script}: slashtrain-metric {"name":"${metric}","value":0.93}`,
    'Commit these files to the default branch, and comment /train on a pull request.',
    `Require the check "metrics: ${name}" (docs/branch-protection.md), and look with: npm create slashtrain -- --check`,
  ];
}

function tellFindings(findings: ReturnType<typeof check>, say: (line: string) => void): number {
  const words = { wrong: 'WRONG', advice: 'advice', 'not-seen': 'not looked at' };
  for (const { level, where, what, remedy } of findings) say(`${words[level]}  ${where}: ${what}; ${remedy}`);
  const wrong = findings.filter(({ level }) => level === 'wrong').length;
  say(wrong === 0 ? 'Nothing is wrong with what could be seen.' : `${wrong} wrong.`);
  return wrong === 0 ? 0 : 1;
}

type Flags = ReturnType<typeof readFlags>;

function readFlags(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      args,
      options: {
        ...{
          cluster: text,
          framework: text,
          tracker: text,
          name: text,
          script: text,
          base: text,
          metric: text,
          gpus: text,
          namespace: text,
        },
        ...{ lower: flag, yes: flag, 'dry-run': flag, check: flag, help: flag },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Flags count; what they do not say is asked where somebody can answer, with what was found as the answer to an empty line. */
async function choose(found: Choices, flags: Flags, question: Surroundings['question']): Promise<Choices> {
  const ask = async <T extends string>(flag: string | undefined, text: string, fallback: T, read: (answer: string) => T): Promise<T> => {
    if (flag !== undefined) return read(flag);
    const answer = (await question?.(`${text} [${fallback}] `))?.trim();
    return answer ? read(answer) : fallback;
  };
  const name = await ask(flags.name, 'A name for the pipeline?', found.name, (answer) => {
    if (nameOf(answer) !== answer)
      throw new UsageError(`--name ${answer}: lower case, digits and dashes, at most 30, such as ${nameOf(answer)}`);
    return answer;
  });
  const cluster = await ask(
    flags.cluster,
    `How does the workflow reach the cluster: ${ways.join(', ')}?`,
    found.cluster,
    oneOf('cluster', ways),
  );
  const framework = await ask(
    flags.framework,
    `Which framework: ${frameworks.join(', ')}?`,
    found.framework,
    oneOf('framework', frameworks),
  );
  const base = framework === found.framework ? found.base : bases[framework];
  const gpus = flags.gpus ?? '0';
  if (!/^\d{1,3}$/u.test(gpus)) throw new UsageError(`--gpus ${gpus}: a whole number from 0 to 999`);
  return {
    name,
    cluster,
    framework,
    script: await ask(flags.script, 'What is trained?', found.script, plain('script', /^[\w./-]+$/u)),
    base: await ask(flags.base, 'On which image, with your framework?', base, plain('base', /^[\w./:@-]+$/u)),
    tracker: await ask(flags.tracker, 'A tracker: none, mlflow or wandb?', found.tracker, oneOf('tracker', ['none', 'mlflow', 'wandb'])),
    metric: await ask(flags.metric, 'Which metric is compared?', found.metric, plain('metric', /^[\w./-]+$/u)),
    direction: flags.lower ? 'lower' : 'higher',
    gpus: Number(gpus),
  };
}

function oneOf<T extends string>(flag: string, allowed: readonly T[]): (answer: string) => T {
  return (answer) => {
    const found = allowed.find((one) => one === answer);
    if (found === undefined) throw new UsageError(`--${flag} ${answer}: it is one of ${allowed.join(', ')}`);
    return found;
  };
}

/** Nothing that could end a text of the YAML that it stands in. */
function plain(flag: string, pattern: RegExp): (answer: string) => string {
  return (answer) => {
    if (!pattern.test(answer)) throw new UsageError(`--${flag} ${answer}: only what ${pattern.source} allows`);
    return answer;
  };
}

/** Reads the files that it starts from: beside the bundle, or in the checkout. */
export function readTemplate(places: readonly string[]): Template {
  const folder = places.find((place) => existsSync(join(place, '.github/slashtrain.yml')));
  if (folder === undefined) throw new Error(`the example's files are in none of ${places.join(', ')}`);
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  return {
    workflow: read('.github/workflows/slashtrain.yml'),
    config: read('.github/slashtrain.yml'),
    manifest: read('pipelines/train.yaml'),
  };
}
