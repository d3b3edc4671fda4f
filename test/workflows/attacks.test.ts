import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { Repository } from '@slashtrain/testing/github/github';
import type { WorkflowEvent } from '@slashtrain/testing/github/events';
import { digitsFiles } from '@slashtrain/testing/demo/example';
import type { Progress, WorkflowRun } from '@slashtrain/testing/runner/result';
import { keptLog } from '../support/kubernetes.ts';
import { openWorld, said, type World } from '../support/world.ts';

/*
 * The 23 attacks of docs/security.md through a workflow file: the one that users copy, with the bundles that they run. What is refused
 * has to be refused before a job that trains has begun; what is let in as text has to stay text to the end.
 */
const workflow = String(digitsFiles()['.github/workflows/slashtrain.yml'])
  // A command with a second person, as docs/commands.md has it.
  .replace("contains(github.event.comment.body, '/help'))", "contains(github.event.comment.body, '/help') || contains(github.event.comment.body, '/confirm'))"); // prettier-ignore

const config = `
commands:
  train:
    arguments:
      epochs: { type: integer, min: 1, max: 200, default: 1 }
      note: { type: string, default: none }
  deploy:
    environments: { production: { confirm: true } }
  sweep: { bots: ["renovate[bot]"] }
policy:
  kinds: [Job.batch]
pipelines:
  digits:
    manifest: pipelines/train.yaml
    gates: [{ metric: accuracy, direction: higher, min: 0.9 }]
`;

const manifest = JSON.stringify({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'digits', annotations: { 'slashtrain.dev/parameters': 'epochs: "1"\nnote: ""\n' } },
  spec: {
    backoffLimit: 0,
    template: {
      spec: {
        restartPolicy: 'Never',
        containers: [{ name: 'train', image: 'digits', command: ['node', 'train.js', '$(params.note)', '$(params.epochs)'] }],
      },
    },
  },
});

/** Says all that an attacker would, and what it was given. */
const evil = `
const metric = (name, value) => console.log('slashtrain-metric ' + JSON.stringify({ name, value }));
console.log('note ' + JSON.stringify(process.argv[2]));
console.log('::error::from the log');
console.log('a\\u2028::add-mask::acme ##[error]and here');
console.log('::stop-commands::x');
metric('accuracy', 0.5);
metric('a | b </details> @octocat <!-- slashtrain:report:digits --> ![x](https://evil.example/x.png)\\n# big', 1);
`;
const note = '$(touch /tmp/slashtrain-attack); `id` "; rm -rf / # --privileged';

let world: World;
let repository: Repository;
let onProgress: (progress: Progress) => void = () => undefined;
let branches = 0;

beforeAll(async () => {
  const files = { 'pipelines/train.yaml': manifest, 'train.js': '', '.github/slashtrain.yml': config };
  world = await openWorld({ files: { ...files, '.github/workflows/slashtrain.yml': workflow }, onProgress: (one) => onProgress(one) });
  ({ repository } = world);
  repository.setPermission('mia', 'write');
});
afterAll(() => world.close());

interface Pull {
  branch: string;
  number: number;
  sha: string;
}

function open(files: Record<string, string> = { a: 'b' }, from: Repository = repository): Pull {
  const branch = `change-${++branches}`;
  const sha = from.commit({ branch, files, author: 'ada' });
  return {
    branch,
    sha,
    number: repository.openPullRequest({ head: branch, author: 'ada', ...(from === repository ? {} : { fork: from }) }),
  };
}

/** Starts what the event starts, and sees that nothing comes of it: no job after the command's, no check, and these words if any. */
async function isRefused(event: WorkflowEvent, { number }: Pull, words?: RegExp, again?: { attempt: number; by: string }): Promise<void> {
  const [run] = await world.workflows.dispatch(event, again);
  const jobs = Object.fromEntries((run?.jobs ?? []).map(({ id, conclusion }) => [id, conclusion]));
  const expected = { train: 'skipped', deploy: 'skipped', cancel: 'skipped', pushed: 'skipped', closed: 'skipped' };
  expect(jobs).toEqual({ command: words ? 'failure' : 'success', ...expected });
  const { head } = repository.pull(number);
  expect(repository.checks(head.sha)).toEqual([]);
  const replies = repository.comments(number).filter(({ app }) => app !== undefined);
  expect(replies).toHaveLength(words ? 1 : 0);
  if (run && words) expect(said(run)).toMatch(words);
}

const say = (pull: Pull, by: string, body: string): WorkflowEvent => world.comment(pull.number, by, body).event;
const pushed = (pull: Pull): string => repository.commit({ branch: pull.branch, files: { a: 'evil' }, author: 'ada' });

describe('a comment starts nothing where', () => {
  it('attack 1: the commit came after it, whatever its date says', async () => {
    const pull = open();
    const event = say(pull, 'ada', '/train');
    repository.commit({ branch: pull.branch, files: { a: 'evil' }, author: 'ada', date: Date.parse('2020-01-01') });
    await isRefused(event, pull, /the pull request has moved: the head then was/u);
  });

  it('attack 2: the commit had been taken back, and is restored after it', async () => {
    const pull = open();
    const bad = pushed(pull);
    repository.push(pull.branch, pull.sha);
    const event = say(pull, 'ada', '/train');
    repository.push(pull.branch, bad);
    await isRefused(event, pull, new RegExp(`the head then was ${pull.sha}`, 'u'));
  });

  it('attack 4: somebody runs it again who may not', async () => {
    const pull = open();
    await isRefused(say(pull, 'ada', '/train'), pull, /needs write permission, and eve has/u, { attempt: 2, by: 'eve' });
  });

  it('attack 5: it was edited', async () => {
    const { number } = open();
    const { comment } = world.comment(number, 'ada', 'Hello');
    repository.editComment(comment, '/train');
    // The workflow does not even listen; that the action refuses it too is chatops-parse's own test.
    const runs = await world.workflows.dispatch(repository.events.issueComment(comment, { action: 'edited', by: 'eve', before: 'Hello' }));
    expect(runs).toEqual([]);
  });

  it('attack 6: only author_association says that its author may', async () => {
    const pull = open();
    const event = say(pull, 'eve', '/train');
    (event.payload['comment'] as Record<string, unknown>)['author_association'] = 'OWNER';
    await isRefused(event, pull, /needs write permission, and eve has/u);
  });

  it('attack 7: the pull request comes from a fork that is gone', async () => {
    const fork = repository.fork('mallory');
    const pull = open({ a: 'evil' }, fork);
    fork.delete();
    await isRefused(say(pull, 'ada', `/train sha=${pull.sha}`), pull, /the repository that #\d+ comes from is gone/u);
  });

  it('attack 8: it would bring a fork’s code beside secrets', async () => {
    const pull = open({ a: 'evil' }, repository.fork('trudy'));
    await isRefused(say(pull, 'ada', '/train'), pull, /comes from a fork, and commands do not work on forks here/u);
  });

  it.each([
    ['attack 12: an argument is named like a part of every object', '/train constructor=x', /no argument .*constructor/u],
    ['attack 19: an argument is an option of some program', '/train "--privileged; rm -rf"', /must be a whole number/u],
  ])('%s', async (_, body, words) => {
    const pull = open();
    await isRefused(say(pull, 'ada', body), pull, words);
  });

  it('attack 16: a bot wrote it', async () => {
    world.github.user('other[bot]', 'Bot');
    const pull = open();
    await isRefused(say(pull, 'other[bot]', '/train'), pull);
  });

  it('attack 17: it is the command of another bot', async () => {
    const pull = open();
    await isRefused(say(pull, 'ada', '/train-all'), pull);
  });

  it('attack 18: its author confirms it alone', async () => {
    const pull = open();
    await world.workflows.dispatch(say(pull, 'ada', '/deploy environment=production'));
    repository.data.comments.forEach(({ app }, id) => app && repository.data.comments.delete(id));
    await isRefused(say(pull, 'ada', `/confirm ${pull.sha}`), pull, /no command of another person waits/u);
  });
});

it('attack 3: a head that moves between the command and the submission is not trained', async () => {
  const pull = open();
  let newer = '';
  onProgress = ({ type, ...one }) => {
    if (type === 'job-ended' && 'job' in one && one.job.id === 'command') newer = pushed(pull);
  };
  const [run] = await world.workflows.dispatch(say(pull, 'ada', '/train'));
  onProgress = () => undefined;
  expect(run && said(run)).toContain(`is ${newer} by now, and ${pull.sha} was to be trained`);
  const checks = [...repository.checks(pull.sha), ...repository.checks(newer)];
  expect(checks.filter(({ conclusion }) => conclusion !== 'failure')).toEqual([]);
});

describe('a training of whoever may, with all that a pull request can bring', () => {
  let pull: Pull;
  let run: WorkflowRun;
  let spoof: { body: string };
  const lines = (): string => run.jobs.flatMap(({ steps }) => steps.flatMap((step) => [...step.lines, step.summary])).join('\n');
  const report = (): string =>
    repository
      .comments(pull.number)
      .filter(({ app }) => app !== undefined)
      .map(({ body }) => body)
      .join('\n');

  beforeAll(async () => {
    pull = open({
      'train.js': evil,
      '.github/slashtrain.yml': config.replace('min: 0.9', 'min: 0.1').replace('commands:', 'forks: by-sha\ncommands:'),
      'metrics.json': '{"accuracy": 0.1}',
    });
    spoof = repository.comment(pull.number, 'eve', '<!-- slashtrain:report:digits -->\nAll gates passed.');
    // The answer to the making of each is lost.
    for (const path of [/check-runs$/u, /issues\/\d+\/comments$/u]) world.github.disturb({ kind: 'cut', done: true, method: 'POST', path });
    const [first] = await world.workflows.dispatch(say(pull, 'ada', `/train 1 ${JSON.stringify(note)}`));
    if (!first) throw new Error('the comment started no workflow');
    run = first;
  }, 120_000);

  it('attack 9: hands text on to the program, and to no shell', () => {
    expect(lines()).toContain(`note ${JSON.stringify(note)}`);
  });

  it('attack 10: has no workflow command of its log', () => {
    expect(lines()).toContain('from the log');
    const { annotations } = run.jobs.flatMap(({ steps }) => steps).find(({ id }) => id === 'wait') ?? { annotations: [] };
    expect(annotations.filter(({ message }) => /from the log|and here/u.test(message))).toEqual([]);
    // Nothing was masked, and commands were not stopped: later lines and outputs are there.
    expect(run.jobs.find(({ id }) => id === 'train')?.steps.map(({ conclusion }) => conclusion)).toEqual([
      ...Array<string>(5).fill('success'),
      'skipped',
    ]);
  });

  it('attack 11: has the outputs that it should have', () => {
    const outputs = run.jobs.flatMap(({ steps }) => steps).find(({ id }) => id === 'metrics')?.outputs ?? {};
    expect(Object.keys(outputs).sort()).toEqual(['best-parameters', 'best-run', 'markdown', 'metrics', 'metrics-file', 'verdict']);
    expect(outputs['verdict']).toBe('fail');
  });

  it('attack 13: leaves a stranger’s comment with our marker alone', () => {
    expect(spoof.body).toContain('All gates passed.');
    expect(report()).toMatch(/^<!-- slashtrain:report:digits -->\n/u);
  });

  it('attack 14: shows hostile names as text', () => {
    expect(report()).toContain('octoca');
    expect(report()).not.toMatch(/@octocat|!\[x\]|<\/details> |\n# big/u);
  });

  it('attack 15 and 23: is judged by the default branch, whatever it says itself', () => {
    const check = repository.checks(pull.sha).find(({ name }) => name === 'metrics: digits');
    expect(check?.conclusion).toBe('failure');
    expect(report()).toMatch(/0\.9/u);
  });

  it('attack 20: runs its image by digest', async () => {
    const log = keptLog();
    const client = await openKubernetes({ kubeconfig: world.place.kubeconfig, environment: {}, log });
    const { items } = await client.list({ group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job' }, 'default', {});
    const images = items.map(
      (job) => (job['spec'] as { template: { spec: { containers: { image: string }[] } } }).template.spec.containers,
    );
    expect(images.flat().map(({ image }) => image)).toEqual([expect.stringMatching(/@sha256:[0-9a-f]{64}$/u)]);
  });

  it('attack 21: shows neither a token nor the kubeconfig', () => {
    const checks = JSON.stringify(repository.checks(pull.sha));
    const said = [lines(), report(), checks].join('\n').replaceAll(/.*::add-mask::.*/gu, '');
    const tokens = [...world.github.store.tokens.keys()];
    expect(tokens.length).toBeGreaterThan(0);
    expect([...tokens, world.place.kubeconfig].filter((secret) => said.includes(secret))).toEqual([]);
  });

  it('attack 22: has one check of each name and one comment, although their answers were lost', () => {
    expect(
      repository
        .checks(pull.sha)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['metrics: digits', 'train: digits']);
    expect(repository.comments(pull.number).filter(({ app }) => app !== undefined)).toHaveLength(1);
  });
});
