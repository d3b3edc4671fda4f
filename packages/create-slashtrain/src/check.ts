import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '@slashtrain/core/config/read';
import { describe } from '@slashtrain/core/action/errors';
import { parseAllDocuments } from 'yaml';
import { workflowFiles } from './repository.ts';
import { rights } from './rights.ts';

/** One thing about a set-up. */
export interface Finding {
  level: 'wrong' | 'advice' | 'not-seen';
  /** File and job, or where else. */
  where: string;
  what: string;
  /** What to do. */
  remedy: string;
}

/** Runs a program without a shell. @returns its standard output, or undefined where it is not there or failed */
export type Ask = (program: string, args: string[]) => string | undefined;

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}
interface Job {
  permissions?: Record<string, string> | string;
  steps?: Step[];
  uses?: string;
}
interface Workflow {
  on: string | string[] | Record<string, unknown>;
  permissions?: Record<string, string> | string;
  jobs?: Record<string, Job>;
}

const ours = /^slashtrain\/slashtrain\/actions\/([a-z-]+)@(.+)$/u;

/** Looks at the set-up in a folder; what does not stand in files it asks of `gh` and `kubectl`. */
export function check(folder: string, ask: Ask, namespace?: string): Finding[] {
  const files = workflowFiles(folder);
  const workflows = files.flatMap((file): { file: string; text: string; workflow: Workflow }[] => {
    const text = readFileSync(join(folder, file), 'utf8');
    if (!text.includes('slashtrain/slashtrain/')) return [];
    const workflow = parseAllDocuments(text)[0]?.toJS() as Workflow | null | undefined;
    return workflow ? [{ file, text, workflow }] : [];
  });
  if (workflows.length === 0)
    return [{ level: 'wrong', where: '.github/workflows', what: 'no workflow uses Slashtrain', remedy: 'run: npm create slashtrain' }];
  return [
    ...workflows.flatMap(({ file, workflow }) => checkWorkflow(file, workflow)),
    ...checkConfig(folder),
    ...checkSecrets(workflows.map(({ text }) => text).join('\n'), ask),
    ...checkProtection(folder, ask),
    ...checkCluster(ask, namespace),
  ];
}

/** Permissions, strangers' code, and pins: pure. */
export function checkWorkflow(file: string, { on, permissions, jobs = {} }: Workflow): Finding[] {
  const events = typeof on === 'string' ? [on] : Array.isArray(on) ? on : Object.keys(on ?? {});
  return Object.entries(jobs).flatMap(([name, job]) => {
    const where = `${file}, job "${name}"`;
    const steps = job.steps ?? [];
    const uses = steps.map((step) => step.uses ?? '');
    const found: Finding[] = [];
    const given = job.permissions ?? permissions;
    for (const action of uses.flatMap((one) => ours.exec(one)?.[1] ?? [])) {
      for (const [right, level] of Object.entries(rights[action] ?? {}))
        if (!allows(given, right, level))
          found.push({
            level: 'wrong',
            where,
            what: `${action} needs "${right}: ${level}"`,
            remedy: `add it under permissions: in the job`,
          });
    }
    if (given === 'write-all')
      found.push({
        level: 'wrong',
        where,
        what: 'permissions: write-all gives a stolen token everything',
        remedy: 'name each permission that the job needs',
      });
    if (events.includes('pull_request_target') && uses.some((one) => one.startsWith('actions/checkout@')))
      found.push({
        level: 'wrong',
        where,
        what: "checks a stranger's commit out beside the repository's secrets",
        remedy: 'leave the checkout out: the actions read the commit by API',
      });
    if (
      events.includes('issue_comment') &&
      steps.some(({ with: given = {}, uses: one = '' }) => one.startsWith('actions/checkout@') && given['ref'] !== undefined) &&
      uses.some((one) => ours.test(one))
    )
      found.push({
        level: 'advice',
        where,
        what: 'checks the pull request out in a job that has secrets',
        remedy: 'build and run its code in a job with contents: read and no secret',
      });
    if (
      steps.some(({ run = '', with: given = {} }) =>
        /\$\{\{[^}]*github\.event\.(comment|issue|pull_request\.(title|body|head\.ref))/u.test(`${run}${String(given['script'] ?? '')}`),
      )
    )
      found.push({
        level: 'wrong',
        where,
        what: 'puts what a stranger wrote into a script, where it becomes code',
        remedy: 'hand it on by env: and write "$NAME" in the script',
      });
    for (const one of uses) {
      const version = ours.exec(one)?.[2];
      if (version !== undefined && !/^([a-z-]+\/v\d|[0-9a-f]{40}$)/u.test(version))
        found.push({ level: 'wrong', where, what: `${one} has no version`, remedy: `write @${ours.exec(one)?.[1]}/v1, or a commit's SHA` });
      else if (version === undefined && one.includes('@') && !/@[0-9a-f]{40}$/u.test(one))
        found.push({
          level: 'advice',
          where,
          what: `${one} can be moved by whoever owns it`,
          remedy: "pin it to a commit's SHA, with the version as a comment",
        });
    }
    return found;
  });
}

const order = ['none', 'read', 'write'];

function allows(given: Record<string, string> | string | undefined, right: string, level: string): boolean {
  if (typeof given === 'string') return given === 'write-all' || (given === 'read-all' && level === 'read');
  // Without a word the repository's setting counts, which is not seen here: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#permissions
  if (given === undefined) return false;
  return order.indexOf(given[right] ?? 'none') >= order.indexOf(level);
}

function checkConfig(folder: string): Finding[] {
  const where = '.github/slashtrain.yml';
  if (!existsSync(join(folder, where)))
    return [
      {
        level: 'advice',
        where,
        what: 'is not there: the commands are /train, /cancel and /help, without gates',
        remedy: 'run: npm create slashtrain',
      },
    ];
  try {
    const { forks, pipelines } = readConfig(readFileSync(join(folder, where), 'utf8'), where);
    const missing = [...pipelines].flatMap(([name, { manifest }]): Finding[] =>
      manifest === undefined || existsSync(join(folder, manifest))
        ? []
        : [
            {
              level: 'wrong',
              where,
              what: `the pipeline "${name}" has the manifest ${manifest}, which is not there`,
              remedy: 'write it, or correct the path',
            },
          ],
    );
    const byForks: Finding[] =
      forks === 'never'
        ? []
        : [
            {
              level: 'advice',
              where,
              what: `forks: ${forks} lets the code of strangers run on your cluster`,
              remedy: 'keep it only with a namespace of its own, whose service account may do nothing',
            },
          ];
    return [...missing, ...byForks];
  } catch (error) {
    return [{ level: 'wrong', where, what: describe(error), remedy: 'correct the line that is named' }];
  }
}

function checkSecrets(text: string, ask: Ask): Finding[] {
  const wanted = [...new Set([...text.matchAll(/\bsecrets\.([A-Za-z_]\w*)/gu)].map(([, name = '']) => name.toUpperCase()))]
    .filter((name) => name !== 'GITHUB_TOKEN')
    .sort();
  if (wanted.length === 0) return [];
  const answer = ask('gh', ['secret', 'list', '--json', 'name', '--jq', '.[].name']);
  const where = 'the repository’s secrets';
  if (answer === undefined)
    return [
      {
        level: 'not-seen',
        where,
        what: `whether there are ${wanted.join(', ')}`,
        remedy: 'install gh and run gh auth login, or look in Settings → Secrets and variables → Actions',
      },
    ];
  const there = new Set(answer.split('\n').map((name) => name.trim().toUpperCase()));
  return wanted
    .filter((name) => !there.has(name))
    .map((name): Finding => ({ level: 'wrong', where, what: `there is no ${name}`, remedy: `gh secret set ${name} < FILE` }));
}

function checkProtection(folder: string, ask: Ask): Finding[] {
  const where = 'the default branch';
  const branch = ask('gh', ['repo', 'view', '--json', 'defaultBranchRef', '--jq', '.defaultBranchRef.name'])?.trim();
  const rules = branch
    ? ask('gh', [
        'api',
        `repos/{owner}/{repo}/rules/branches/${encodeURIComponent(branch)}`,
        '--jq',
        '.[].parameters.required_status_checks[]?.context',
      ])
    : undefined;
  if (rules === undefined)
    return [
      {
        level: 'not-seen',
        where,
        what: 'which checks it requires',
        remedy: 'install gh and run gh auth login, or see docs/branch-protection.md',
      },
    ];
  const required = rules.split('\n');
  const file = join(folder, '.github/slashtrain.yml');
  const pipelines = /^pipelines:\n((?:[ #].*\n|\n)*)/mu.exec(existsSync(file) ? readFileSync(file, 'utf8') : '')?.[1] ?? '';
  return [...pipelines.matchAll(/^ {2}([a-z0-9-]+):/gmu)].flatMap(([, name = '']): Finding[] =>
    required.includes(`metrics: ${name}`)
      ? []
      : [
          {
            level: 'advice',
            where,
            what: `does not require the check "metrics: ${name}", so that an untrained or worse model can be merged`,
            remedy: 'add it to a ruleset: docs/branch-protection.md',
          },
        ],
  );
}

const clusterRights: [string, string][] = [
  ['create', 'configmaps'],
  ['patch', 'configmaps'],
  ['create', 'jobs.batch'],
  ['delete', 'jobs.batch'],
  ['watch', 'jobs.batch'],
  ['watch', 'pods'],
  ['get', 'pods/log'],
];

function checkCluster(ask: Ask, namespace: string | undefined): Finding[] {
  const where = `the namespace ${namespace ?? '?'}`;
  const notSeen = (remedy: string): Finding[] => [{ level: 'not-seen', where, what: 'what the kubeconfig may do', remedy }];
  if (namespace === undefined) return notSeen('run it with --namespace NAME and the kubeconfig of the secret in KUBECONFIG');
  if (ask('kubectl', ['version', '--client']) === undefined) return notSeen('install kubectl');
  return clusterRights.flatMap(([verb, resource]): Finding[] =>
    ask('kubectl', ['auth', 'can-i', verb, resource, '--namespace', namespace])?.trim() === 'yes'
      ? []
      : [{ level: 'wrong', where, what: `the kubeconfig may not ${verb} ${resource}`, remedy: 'add it to the Role: docs/access.md' }],
  );
}
