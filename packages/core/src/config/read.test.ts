import { describe, expect, it } from '@jest/globals';
import { ActionError } from '../action/errors.ts';
import { defaultConfig } from './defaults.ts';
import type { GitHub } from '../github/client.ts';
import { fetchFromDefaultBranch, loadConfig } from './load.ts';
import { readConfig } from './read.ts';

const file = '.github/slashtrain.yml';

/** The messages of a text that is refused, a line each. */
function problems(text: string): string[] {
  try {
    readConfig(text, file);
  } catch (error) {
    if (error instanceof ActionError && error.code === 'config') return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('a whole configuration', () => {
  const config = readConfig(
    `
commands:
  train:
    description: Train this pull request
    permission: triage
    teams: [ml]
    bots: ["renovate[bot]"]
    arguments:
      epochs: { type: integer, min: 1, max: 100, default: 10 }
      gpu: { type: choice, options: [a100, h100] }
      version: { type: string, default: "1.10", pattern: "[0-9.]+" }
  deploy:
    environments:
      staging:
      production: { permission: admin, confirm: true }
    wait-for: ci
    timeout: 10m
triggers:
  labels: { "train/now": /train epochs=1 }
  merge: /deploy environment=staging
forks: by-sha
accelerators:
  a100: { resource: nvidia.com/gpu, node-selector: { gpu: a100 }, tolerations: [{ key: gpu, operator: Exists }], price-per-hour: 2.5 }
policy: { max-gpus: 8, max-deadline: 12h, registries: [ghcr.io/acme] }
pipelines:
  digits:
    manifest: pipelines/train.yaml
    gates: [{ metric: accuracy, direction: higher, min: 0.9, max-regression: 2% }]
    paths: ["src/**"]
    no-baseline: fail
kinds:
  - kind: PipelineRun.tekton.dev
    version: v1
    plural: pipelineruns
    pod-selector: tekton.dev/pipelineRun={name}
    states: [{ state: succeeded, path: "$.status.phase", equals: Done }]
retention: 30d
`.replace('      staging:\n', '      staging: {}\n'),
    file,
  );

  it('has typed commands, /cancel among them', () => {
    expect([...config.commands.keys()]).toEqual(['train', 'deploy', 'cancel']);
    expect(config.commands.get('train')).toMatchObject({ permission: 'triage', teams: ['ml'], bots: ['renovate[bot]'], confirm: false });
    expect(config.commands.get('train')?.arguments.map(({ name, default: value }) => [name, value])).toEqual([
      ['epochs', 10],
      ['gpu', undefined],
      ['version', '1.10'],
    ]);
  });

  it('makes an argument of environments, each with its own guard over the command’s', () => {
    const deploy = config.commands.get('deploy');
    expect(deploy?.arguments[0]).toMatchObject({ name: 'environment', type: 'choice', required: true, options: ['staging', 'production'] });
    expect(deploy?.environments.get('staging')).toEqual({ permission: 'write', teams: [], confirm: false, waitFor: 'ci' });
    expect(deploy?.environments.get('production')).toEqual({ permission: 'admin', teams: [], confirm: true, waitFor: 'ci' });
    expect(deploy?.waitSeconds).toBe(600);
  });

  it('has everything else', () => {
    expect(config.triggers).toEqual({ labels: new Map([['train/now', '/train epochs=1']]), merge: '/deploy environment=staging' });
    expect(config.forks).toBe('by-sha');
    expect(config.accelerators.get('a100')).toMatchObject({ resource: 'nvidia.com/gpu', pricePerHour: 2.5 });
    expect({ ...config.accelerators.get('a100')?.nodeSelector }).toEqual({ gpu: 'a100' });
    expect(config.policy).toMatchObject({
      maxGpus: 8,
      maxDeadlineSeconds: 43_200,
      registries: ['ghcr.io/acme'],
      gpuResources: ['nvidia.com/gpu'],
    });
    expect(config.policy.given).toEqual(new Set(['max-gpus', 'max-deadline', 'registries']));
    expect(config.policy.kinds).toContain('PipelineRun.tekton.dev');
    expect(config.pipelines.get('digits')).toMatchObject({ noBaseline: 'fail', paths: ['src/**'] });
    expect(config.pipelines.get('digits')?.gates[0]).toEqual({
      metric: 'accuracy',
      direction: 'higher',
      min: 0.9,
      'max-regression': '2%',
      place: { file: '.github/slashtrain.yml', line: 28 },
    });
    expect(config.retentionSeconds).toBe(30 * 86_400);
  });
});

it.each([
  ['nothing', ''],
  ['comments alone', '# later\n'],
  ['an empty map', '{}'],
])('%s is the defaults', (_, text) => {
  expect(readConfig(text, file)).toMatchObject({ commands: defaultConfig.commands, forks: 'never', retentionSeconds: 90 * 86_400 });
});

describe('what is refused, with the place and what is allowed', () => {
  it.each([
    [
      'an unknown key',
      'comands: {}\n',
      '1:1: unknown key "comands" in the file; did you mean "commands"? allowed: commands, triggers, forks',
    ],
    [
      'an unknown key within',
      'commands:\n  train:\n    permision: write\n',
      '3:5: unknown key "permision" in "commands.train"; did you mean "permission"? allowed: description, permission,',
    ],
    [
      'a value that is none',
      'commands:\n  train: { permission: owner }\n',
      '2:24: "commands.train.permission" is "owner"; allowed: read, triage, write, maintain, admin',
    ],
    ['another type', 'commands: []\n', '1:11: "commands" is a list; allowed: a map'],
    ['emptiness', 'commands:\n', '1:10: "commands" is empty; allowed: a map'],
    ['a number for a text', 'retention: 90\n', '1:12: "retention" is 90; allowed: a whole number with a unit, such as 90s, 15m, 2h or 3d'],
    ['a lacking key', 'commands:\n  train:\n    arguments:\n      lr: { min: 0 }\n', '4:7: "commands.train.arguments.lr" lacks "type"'],
    ['a reserved name', 'commands: { help: {} }\n', '1:13: the name "help" in "commands" is not allowed; allowed: lower-case letters'],
    ['a name that pollutes', 'commands: { __proto__: {} }\n', '1:13: the name "__proto__" in "commands" is not allowed; allowed: '],
    ['a prototype as a key', '__proto__: { forks: by-sha }\n', '1:1: unknown key "__proto__" in the file; allowed: commands'],
    ['a key twice', 'forks: never\nforks: by-sha\n', '2:1: Map keys must be unique'],
    ['a file that is no YAML', 'commands: { train\n', '2:1: Flow map in block collection must be sufficiently indented and end with a }'],
    ['an unknown tag', 'forks: !!js/function never\n', '1:8: Unresolved tag'],
    ['two documents', 'forks: never\n---\nforks: by-sha\n', '2:1: Source contains multiple documents'],
    [
      'a default of another type',
      'commands:\n  train:\n    arguments:\n      v: { type: string, default: 1.10 }\n',
      '4:35: the default of "v" is 1.1; allowed: a text of 0 to 1024 characters',
    ],
    [
      'a default outside',
      'commands: { train: { arguments: { n: { type: integer, max: 3, default: 4 } } } }\n',
      '1:72: the default of "n" is 4; allowed: a whole number up to 3',
    ],
    ['a choice of nothing', 'commands: { train: { arguments: { n: { type: choice } } } }\n', '1:38: the choice "n" lacks "options"'],
    ['a broken pattern', 'commands: { train: { arguments: { n: { type: string, pattern: "(" } } } }\n', '1:63: no regular expression'],
    [
      'what a type does not have',
      'commands: { train: { arguments: { n: { type: boolean, min: 1 } } } }\n',
      '1:60: "min" means nothing for the type boolean; allowed: it with integer, number, string, list',
    ],
    [
      'names that look alike',
      'commands: { train: { arguments: { batch_size: { type: integer }, batch-size: { type: integer } } } }\n',
      '1:78: "batch-size" and "batch_size" can be taken for each other',
    ],
    ['a trigger without its command', 'triggers: { push: /deploy }\n', '1:19: there is no command /deploy; allowed: /train, /cancel'],
    [
      'a gate that asks for nothing',
      'pipelines: { a: { gates: [{ metric: m, direction: lower }] } }\n',
      '1:27: the gate of "m" asks for nothing',
    ],
    ['a kind without its group', 'policy: { kinds: [Job] }\n', '1:19: "policy.kinds[0]" is "Job"; allowed: Kind.group, such as Job.batch'],
    [
      'a registry with a slash at its end',
      'policy: { registries: [ghcr.io/] }\n',
      '1:24: "policy.registries[0]" is "ghcr.io/"; allowed: a registry’s host',
    ],
    ['a list with an item twice', 'policy: { namespaces: [a, a] }\n', '1:23: "policy.namespaces" is a list; allowed: each item once'],
    ['half a surrogate pair', '"\\ud800": 1\n', '1:1: a key with half a surrogate pair'],
  ])('%s', (_, text, expected) => {
    expect(problems(text)[0]).toContain(`${file}:${expected}`);
  });

  it('all of them, in the order of the file', () => {
    expect(problems('forks: yes\npolicy: { max-gpus: -1 }\nretention: soon\n')).toEqual([
      `${file}:1:8: "forks" is "yes"; allowed: never, by-sha`,
      `${file}:2:21: "policy.max-gpus" is -1; allowed: a whole number from 0`,
      expect.stringContaining(`${file}:3:12: "retention" is "soon"`),
    ]);
  });

  it('aliases that would grow without end', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x, x]',
      ...'bcdefg'.split('').map((name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcdef'[i]}`).join(', ')}]`),
    ];
    expect(problems(bomb.join('\n'))[0]).toContain('too much in one file');
    expect(problems('a: &a [*a]\n')[0]).toMatch(/too much in one file|Unresolved alias/u);
  });
});

describe('loading', () => {
  it('takes the defaults and hints where there is no file', async () => {
    const { config, hint } = await loadConfig(async () => undefined);
    expect(config).toBe(defaultConfig);
    expect(hint).toContain('add one');
  });

  it('refuses a named file that is not there', async () => {
    await expect(loadConfig(async () => undefined, 'other.yml')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('asks for the path alone: no commit can be given', async () => {
    const asked: unknown[] = [];
    await loadConfig(async (...given) => void asked.push(given));
    expect(asked).toEqual([[file]]);
  });

  /** A repository with these answers to GET contents, by path; 404 for the rest, as GitHub answers whom it hides it from. */
  const repository = (answers: Record<string, unknown>): GitHub => {
    const missing = Object.assign(new Error('Not Found'), { status: 404, response: { headers: {}, data: { message: 'Not Found' } } });
    const getContent = ({ path }: { path: string }): Promise<unknown> =>
      path in answers ? Promise.resolve({ data: answers[path] }) : Promise.reject(missing);
    return { at: { owner: 'acme', repo: 'digits' }, rest: { repos: { getContent } } } as unknown as GitHub;
  };

  it('reads a file of the default branch', async () => {
    const content = { type: 'file', encoding: 'base64', content: Buffer.from('forks: by-sha').toString('base64'), sha: '1' };
    const { config } = await loadConfig(fetchFromDefaultBranch(repository({ [file]: content })));
    expect(config.forks).toBe('by-sha');
  });

  it('takes a missing file for missing where the rest can be read', async () => {
    expect((await loadConfig(fetchFromDefaultBranch(repository({ '': [] })))).config).toBe(defaultConfig);
  });

  it('does not take a file that is hidden from the token for missing', async () => {
    await expect(loadConfig(fetchFromDefaultBranch(repository({})))).rejects.toMatchObject({
      code: 'permission',
      remedy: expect.stringContaining('contents: read') as unknown,
    });
  });
});
