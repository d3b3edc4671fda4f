import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAction } from '@slashtrain/testing/bundle/environment';
import { Concurrency } from '@slashtrain/testing/runner/concurrency';
import type { Progress, WorkflowRun } from '@slashtrain/testing/runner/result';
import { runWorkflow, type RunOptions } from '@slashtrain/testing/runner/run';

let folder: string;
const issued: Record<string, string>[] = [];
const head = 'a'.repeat(40);
/** What a job calls: two jobs, an input with a default and one without, a secret. */
const called = `
on:
  workflow_call:
    inputs: { text: { type: string, required: true }, count: { type: number, default: 3 } }
    secrets: { key: { required: true } }
    outputs: { said: { value: '\${{ jobs.two.outputs.said }}' } }
jobs:
  one:
    runs-on: x
    permissions: { checks: write }
    steps: [{ uses: test/echo@v1, with: { text: '\${{ inputs.text }} \${{ inputs.count }} \${{ secrets.key }} \${{ secrets.OTHER }}' } }]
  two:
    name: Two of \${{ inputs.text }}
    needs: one
    runs-on: x
    outputs: { said: '\${{ steps.e.outputs.said }}' }
    steps: [{ id: e, uses: test/echo@v1, with: { text: HELLO } }]
`;
const github: RunOptions['github'] = {
  url: 'http://127.0.0.1:1',
  repository: { owner: 'o', name: 'r', id: 7 },
  issueToken: (permissions) => `token-${issued.push(permissions)}-of-a-job`,
  headOf: () => head,
  filesOf: () =>
    new Map([
      ['data/x.txt', 'hello'],
      ['.github/workflows/called.yml', called],
    ]),
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slashtrain-runner-test-'));
  action(
    'echo',
    "console.log(process.env.INPUT_TEXT); appendFileSync(process.env.GITHUB_OUTPUT, 'said=' + process.env.INPUT_TEXT + '\\n');",
  );
  action(
    'with-post',
    "console.log('main ' + process.env.INPUT_TEXT); appendFileSync(process.env.GITHUB_STATE, 'kept=' + process.env.INPUT_TEXT + '\\n'); if (process.env.INPUT_TEXT === 'bad') process.exitCode = 1;",
    "console.log('post ' + process.env.STATE_kept);",
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function action(name: string, main: string, post?: string): void {
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  const write = (file: string, code: string): void =>
    writeFileSync(join(place, file), `import { appendFileSync } from 'node:fs';\n${code}\n`);
  write('main.mjs', main);
  if (post !== undefined) write('post.mjs', post);
  const runs = post === undefined ? 'main: main.mjs' : 'main: main.mjs, post: post.mjs';
  writeFileSync(join(place, 'action.yml'), `inputs: { text: { default: nothing } }\nruns: { using: node24, ${runs} }\n`);
}

/** Runs a workflow that a push to main starts. */
async function run(jobs: string, more: Partial<RunOptions> = {}, top = ''): Promise<WorkflowRun> {
  const content = `on: push\n${top}\njobs:\n${jobs}`;
  const event = { name: 'push', payload: { ref: 'refs/heads/main', after: head }, ref: 'refs/heads/main', sha: head, actor: 'mona' };
  const done = await runWorkflow({
    workflow: { file: '.github/workflows/test.yml', content },
    event,
    github,
    actions: (uses) => {
      const name = /^test\/([a-z-]+)@v1$/u.exec(uses)?.[1];
      return name === undefined ? undefined : { kind: 'bundle', action: readAction(join(folder, name)) };
    },
    ...more,
  });
  if (!done) throw new Error('nothing was started');
  return done;
}

/** One job `a` with these steps, indented by two. */
function steps(text: string): string {
  return `  a:\n    runs-on: ubuntu-latest\n    steps:\n${text.replace(/^/gmu, '    ')}\n`;
}

/** What each step printed, by its name. */
function printed(done: WorkflowRun, job = 'a'): Record<string, string> {
  return Object.fromEntries(done.jobs.find((each) => each.id === job)?.steps.map((step) => [step.name, step.lines.join('\n')]) ?? []);
}

describe('an environment', () => {
  const job = `  a:\n    runs-on: x\n    environment: { name: '\${{ github.ref_name }}', deployment: false }\n    steps: [{ run: echo here }]\n`;

  it.each([
    [true, 'success', 'here'],
    [false, 'failure', ''],
  ])('that wants a review waits for it (approved: %s)', async (approved, conclusion, text) => {
    const seen: string[] = [];
    const done = await run(job, {
      environments: { isProtected: (name) => name === 'main', review: () => Promise.resolve({ by: 'ada', approved }) },
      onProgress: (progress) => void ('job' in progress && seen.push(progress.type)),
    });
    expect([done.conclusion, Object.values(printed(done)).join('')]).toEqual([conclusion, text]);
    expect(seen[0]).toBe('job-waiting');
    expect(done.jobs[0]?.annotations.map(({ message }) => message)).toEqual(approved ? [] : ['ada rejected the deployment to main.']);
  });

  it('ends with the run that is cancelled while it waits', async () => {
    const stop = new AbortController();
    const review = (): Promise<never> => {
      stop.abort();
      return new Promise(() => undefined);
    };
    const done = await run(job, { environments: { isProtected: () => true, review }, signal: stop.signal });
    expect(done.jobs.map(({ conclusion, steps: ran }) => [conclusion, ran.length])).toEqual([['cancelled', 0]]);
  });

  it('makes no deployment of its own', async () => {
    await expect(run(job.replace(', deployment: false', ''))).rejects.toThrow('jobs.a.environment without deployment: false');
  });
});

describe('steps', () => {
  it('pass outputs, variables, paths and folders on', async () => {
    const done = await run(
      steps(`
- id: one
  run: |
    echo "x=\${{ github.event_name }}" >> "$GITHUB_OUTPUT"
    echo "LATER=from \${WHERE}" >> "$GITHUB_ENV"
    mkdir -p "$RUNNER_TEMP/bin" && printf '#!/bin/sh\\necho tool' > "$RUNNER_TEMP/bin/tool" && chmod +x "$RUNNER_TEMP/bin/tool"
    echo "$RUNNER_TEMP/bin" >> "$GITHUB_PATH"
  env: { WHERE: '\${{ env.TOP }} \${{ github.actor }}' }
- name: two
  run: echo "\${{ steps.one.outputs.x }} $LATER \${{ env.LATER }}"; tool; pwd > here
- name: three
  shell: node {0}
  working-directory: sub
  run: import { readFileSync } from 'node:fs'; console.log(readFileSync('../here', 'utf8').trim() === process.env.GITHUB_WORKSPACE, process.env.GITHUB_JOB)
- { name: four, id: four, uses: test/echo@v1, with: { text: '\${{ steps.one.outputs.x }}!' } }
- { name: five, run: 'echo \${{ steps.four.outputs.said }} \${{ steps.four.outcome }}' }
`)
        .replace('working-directory: sub', 'working-directory: .')
        .replace('../here', 'here'),
      {},
      'env: { TOP: above }',
    );
    expect(printed(done)).toMatchObject({
      two: 'push from above mona from above mona\ntool',
      three: 'true a',
      four: 'push!',
      five: 'push! success',
    });
    expect(done.conclusion).toBe('success');
  });

  it('after a failure run only where they say so, and the job fails', async () => {
    const done = await run(
      steps(`
- { name: bad, id: bad, run: exit 3 }
- { name: next, run: echo never }
- { name: on-failure, if: failure(), run: 'echo \${{ steps.bad.outcome }} \${{ job.status }}' }
- { name: always, if: "\${{ always() && steps.bad.conclusion == 'failure' }}", run: echo still }
- { name: not-cancelled, if: "!cancelled()", run: echo yes }
- { name: cancelled, if: cancelled(), run: echo no }
`),
    );
    expect(done.jobs[0]?.steps.map((step) => step.conclusion)).toEqual(['failure', 'skipped', 'success', 'success', 'success', 'skipped']);
    expect(printed(done)).toMatchObject({ next: '', 'on-failure': 'failure failure', always: 'still', 'not-cancelled': 'yes' });
    expect(done.conclusion).toBe('failure');
  });

  it('that may fail are remembered as failed and fail nothing', async () => {
    const done = await run(
      steps(
        `- { name: bad, id: bad, run: exit 1, continue-on-error: true }\n- { name: next, run: 'echo \${{ steps.bad.outcome }} \${{ steps.bad.conclusion }}' }`,
      ),
    );
    expect(printed(done)['next']).toBe('failure success');
    expect(done.conclusion).toBe('success');
  });

  it('run their post steps in reverse, with their state, after a failure too', async () => {
    const done = await run(
      steps(
        `- { name: p1, uses: test/with-post@v1, with: { text: one } }\n- { name: p2, uses: test/with-post@v1, with: { text: bad } }\n- { name: p3, uses: test/with-post@v1 }`,
      ),
    );
    expect(done.jobs[0]?.steps.map((step) => `${step.name}: ${step.lines.join()}`)).toEqual([
      'p1: main one',
      'p2: main bad',
      'p3: ',
      'Post p2: post bad',
      'Post p1: post one',
    ]);
    expect(done.conclusion).toBe('failure');
  });

  it('end when their time is over', async () => {
    const done = await run(
      steps(`- { name: slow, run: exec sleep 60, timeout-minutes: 0.002 }\n- { name: after, if: failure(), run: echo over }`),
    );
    expect(done.jobs[0]?.steps[0]).toMatchObject({
      conclusion: 'failure',
      annotations: [{ message: 'The step has timed out after 0.002 minutes.' }],
    });
    expect(printed(done)['after']).toBe('over');
  });

  it('show no secret, not in a later step and not in an output of the job', async () => {
    const done = await run(
      `  a:\n    runs-on: x\n    outputs: { leak: '\${{ steps.one.outputs.leak }}', fine: ok }\n    steps:
    - { name: one, id: one, run: 'echo "::add-mask::derived-value"; echo "leak=a derived-value" >> "$GITHUB_OUTPUT"' }
    - { name: two, run: 'echo \${{ secrets.KEY }} derived-value \${{ github.token }} | sed s/x/x/; echo "# derived-value" >> $GITHUB_STEP_SUMMARY' }`,
      { secrets: { KEY: 'the-secret' } },
    );
    expect(printed(done)['two']).toBe('*** *** ***');
    expect(done.jobs[0]).toMatchObject({
      outputs: { fine: 'ok' },
      annotations: [{ message: "Skip output 'leak' since it may contain secret." }],
    });
    expect(done.jobs[0]?.outputs).not.toHaveProperty('leak');
    expect(done.jobs[0]?.steps[1]?.summary).toBe('# ***\n');
    expect(JSON.stringify(done.jobs.map((job) => job.steps.map((step) => step.lines)))).not.toMatch(/the-secret|token-\d/u);
  });

  it('check a commit out', async () => {
    const done = await run(steps(`- uses: actions/checkout@v5\n- { name: cat, run: cat data/x.txt }`), { actions: undefined as never });
    expect(printed(done)['cat']).toBe('hello');
  });
});

describe('jobs', () => {
  it('wait for what they need, and see its outputs and nothing else', async () => {
    const done =
      await run(`  c:\n    needs: [b]\n    runs-on: x\n    steps: [{ name: see, run: 'echo "\${{ needs.b.outputs.x }} \${{ needs.b.result }} [\${{ needs.a.outputs.x }}]"' }]
  b:\n    needs: a\n    runs-on: x\n    outputs: { x: '\${{ needs.a.outputs.x }}+' }\n    steps: [{ run: 'true' }]
  a:\n    runs-on: x\n    outputs: { x: '\${{ steps.s.outputs.x }}' }\n    steps: [{ id: s, run: 'echo x=1 >> $GITHUB_OUTPUT' }]\n`);
    expect(printed(done, 'c')['see']).toBe('1+ success []');
  });

  it('are skipped after a failure and after a skipped one, except where they say so', async () => {
    const job = (id: string, more: string): string => `  ${id}:\n    runs-on: x\n    ${more}\n    steps: [{ run: echo ${id} }]\n`;
    const done = await run(
      [
        job('off', 'if: false'),
        job('after-off', 'needs: off'),
        job('anyway', "needs: off\n    if: always() && needs.off.result == 'skipped'"),
        job('after-anyway', 'needs: anyway'),
        `  bad:\n    runs-on: x\n    steps: [{ run: exit 1 }]\n`,
        job('after-bad', 'needs: bad'),
        job('clean', 'needs: after-bad\n    if: failure()'),
      ].join(''),
    );
    expect(Object.fromEntries(done.jobs.map((each) => [each.id, each.conclusion]))).toEqual({
      off: 'skipped',
      'after-off': 'skipped',
      anyway: 'success',
      // A skipped job is in its line, although the one it needs succeeded (actions/runner#491).
      'after-anyway': 'skipped',
      bad: 'failure',
      'after-bad': 'skipped',
      clean: 'success',
    });
    expect(done.conclusion).toBe('failure');
  });

  it('have a token each, with exactly their permissions', async () => {
    issued.length = 0;
    await run(
      `  a:\n    runs-on: x\n    permissions: { checks: write }\n    steps: [{ run: 'true' }]\n  b:\n    needs: a\n    runs-on: x\n    steps: [{ run: 'true' }]\n  c:\n    needs: b\n    runs-on: x\n    permissions: {}\n    steps: [{ run: 'true' }]\n`,
      {},
      'permissions: { contents: read }',
    );
    expect(issued.map((permissions) => ({ ...permissions }))).toEqual([{ checks: 'write' }, { contents: 'read' }, {}]);
  });

  it('that are cancelled still run what is there for it', async () => {
    const stop = new AbortController();
    const done = await run(
      `${steps(`- { name: long, run: echo up; exec sleep 60 }\n- { name: next, run: echo never }\n- { name: clean, if: always(), run: echo cleaned }\n- { name: told, if: cancelled(), run: echo told }`)}  b:\n    needs: a\n    runs-on: x\n    steps: [{ run: 'true' }]\n`,
      { signal: stop.signal, onProgress: (progress: Progress) => progress.type === 'line' && progress.line === 'up' && stop.abort() },
    );
    expect(done.jobs[0]?.steps.map((step) => step.conclusion)).toEqual(['cancelled', 'skipped', 'success', 'success']);
    expect(printed(done)).toMatchObject({ clean: 'cleaned', told: 'told' });
    expect([done.conclusion, done.jobs[1]?.conclusion]).toEqual(['cancelled', 'cancelled']);
  });

  it('of one group: a newer one cancels the older one', async () => {
    const concurrency = new Concurrency();
    const jobs = (command: string): string =>
      `  a:\n    runs-on: x\n    concurrency: { group: 'g-\${{ github.ref_name }}', cancel-in-progress: true }\n    steps: [{ run: ${command} }]\n`;
    let second: Promise<WorkflowRun> | undefined;
    const first = await run(jobs('echo up; exec sleep 60'), {
      concurrency,
      onProgress: (progress) => {
        if (progress.type === 'line') second ??= run(jobs('echo second'), { concurrency });
      },
    });
    expect(first.conclusion).toBe('cancelled');
    expect((await second)?.conclusion).toBe('success');
  });
});

describe('a matrix', () => {
  const jobs = (strategy: string, step: string): string =>
    `  list: { runs-on: x, outputs: { all: '\${{ steps.l.outputs.said }}' }, steps: [{ id: l, uses: test/echo@v1, with: { text: '[{"n":1,"s":"a"},{"n":2}]' } }] }
  each:
    needs: list
    runs-on: x
    strategy: ${strategy}
    outputs: { last: '\${{ steps.e.outputs.said }}' }
    steps: [${step}]
  after: { needs: each, if: always(), runs-on: x, steps: [{ uses: test/echo@v1, with: { text: '\${{ needs.each.result }} \${{ needs.each.outputs.last }}' } }] }
`;
  const lines = (done: WorkflowRun, name: string): string[] | undefined => done.jobs.find((job) => job.name === name)?.steps[0]?.lines;

  it('of another job makes a job of each item, and an absent key is empty', async () => {
    const include = `{ max-parallel: 1, matrix: { include: '\${{ fromJSON(needs.list.outputs.all) }}' } }`;
    const done = await run(jobs(include, `{ id: e, uses: test/echo@v1, with: { text: 'n\${{ matrix.n }}s\${{ matrix.s }}' } }`));
    expect(done.jobs.map(({ name, conclusion }) => [name, conclusion])).toEqual([
      ['list', 'success'],
      ['each (1, a)', 'success'],
      ['each (2)', 'success'],
      ['after', 'success'],
    ]);
    expect([lines(done, 'each (1, a)'), lines(done, 'each (2)'), lines(done, 'after')]).toEqual([['n1sa'], ['n2s'], ['success n2s']]);
  });

  it.each([
    ['ends the others', 'true', ['failure', 'cancelled'], 'failure '],
    ['goes on', 'false', ['failure', 'success'], 'failure b'],
  ])('of which one fails %s with fail-fast: %s', async (_, failFast, conclusions, after) => {
    const strategy = `{ max-parallel: 1, fail-fast: ${failFast}, matrix: { v: [bad, b] } }`;
    const done = await run(
      jobs(strategy, `{ run: 'test \${{ matrix.v }} = b' }, { id: e, uses: test/echo@v1, with: { text: '\${{ matrix.v }}' } }`),
    );
    expect(done.jobs.filter(({ id }) => id === 'each').map(({ conclusion }) => conclusion)).toEqual(conclusions);
    expect(lines(done, 'after')).toEqual([after.trimEnd() === after ? after : 'failure ']);
  });

  it('without a job fails, as it does on GitHub', async () => {
    const done = await run(`  a: { runs-on: x, strategy: { matrix: { include: '\${{ fromJSON(''[]'') }}' } }, steps: [{ run: echo }] }\n`);
    expect(done.jobs).toMatchObject([{ conclusion: 'failure', annotations: [{ message: 'Matrix vector does not contain any values' }] }]);
  });
});

describe('a call of a reusable workflow', () => {
  const call = (more: string): string =>
    `  a: { permissions: { checks: write }, uses: ./.github/workflows/called.yml, ${more} }
  b: { needs: a, if: always(), runs-on: x, steps: [{ uses: test/echo@v1, with: { text: '\${{ needs.a.result }} \${{ needs.a.outputs.said }}' } }] }
`;
  const [own] = [{ secrets: { KEY: 'hush-hush', OTHER: 'never' } }];

  it('hands on inputs and secrets that are declared, runs its jobs in place of the caller, and gives its outputs', async () => {
    const done = await run(call(`with: { text: hello }, secrets: { key: '\${{ secrets.KEY }}' }`), own);
    expect(done.jobs.map(({ id, name, conclusion }) => [id, name, conclusion])).toEqual([
      ['a/one', 'a / one', 'success'],
      ['a/two', 'a / Two of hello', 'success'],
      ['b', 'b', 'success'],
    ]);
    expect(done.jobs[0]?.steps[0]?.lines).toEqual(['hello 3 *** ']);
    expect(done.jobs[2]?.steps[0]?.lines).toEqual(['success HELLO']);
    expect(done.jobs.map(({ permissions }) => ({ ...permissions }))).toMatchObject([{ checks: 'write' }, { checks: 'write' }, {}]);
  });

  it.each([
    ['an input that it has not', `with: { text: a, txt: b }, secrets: { key: x }`, 'has no input "txt"'],
    ['a required input left out', `secrets: { key: x }`, 'requires the input "text"'],
    ['a secret that it has not', `with: { text: a }, secrets: { key: x, other: y }`, 'has no secret "other"'],
    ['a required secret left out', `with: { text: a }`, 'requires the secret "key"'],
  ])('fails with %s', async (_, more, message) => {
    const done = await run(call(more), own);
    expect(done.conclusion).toBe('failure');
    expect(done.jobs.flatMap(({ annotations }) => annotations)[0]?.message).toContain(message);
  });

  it('is left out whole where its `if:` does not hold', async () => {
    const done = await run(call('if: false'), own);
    expect(done.jobs.map(({ conclusion }) => conclusion)).toEqual(['skipped', 'skipped', 'success']);
  });
});

describe('before anything runs', () => {
  it.each([
    ['a key that is no key', steps('- { run: echo, wiht: {} }'), "Unexpected value 'wiht'"],
    ['a context that is not there', steps("- { run: 'echo ${{ secret.x }}' }"), "Unrecognized named-value: 'secret'"],
    [
      'a cycle',
      `  a: { needs: b, runs-on: x, steps: [{ run: a }] }\n  b: { needs: a, runs-on: x, steps: [{ run: b }] }\n`,
      'at least one job with no dependencies',
    ],
    ['YAML that is none', '  a: [', 'Flow sequence'],
    [
      'a matrix that is changed afterwards',
      `  a:\n    runs-on: x\n    strategy: { matrix: { n: [1], exclude: [{ n: 1 }] } }\n    steps: [{ run: a }]\n`,
      'jobs.a.strategy.matrix.exclude',
    ],
    [
      'a called job that wants more than its caller may give',
      `  a: { permissions: { contents: read }, uses: ./.github/workflows/called.yml }\n`,
      'the nested job "one" is requesting "checks: write", but is only allowed "checks: none"',
    ],
    ['a container', `  a:\n    runs-on: x\n    container: alpine\n    steps: [{ run: a }]\n`, 'jobs.a.container'],
    ['a reusable workflow', `  a: { uses: o/r/.github/workflows/x.yml@v1 }\n`, 'jobs.a.uses'],
    ['hashFiles()', steps("- { run: 'echo ${{ hashFiles(github.sha) }}' }"), 'hashFiles() in jobs.a.steps[0].run'],
    ['hashFiles() in if:', steps("- { run: echo, if: hashFiles('x') != '' }"), 'hashFiles() in jobs.a.steps[0].if'],
    ['an action from elsewhere', steps('- uses: docker/login-action@v3'), 'uses: docker/login-action@v3'],
    [
      'an input that an action has not',
      steps('- { uses: test/echo@v1, with: { txt: a } }'),
      'the input "txt" of test/echo@v1 (it has: text)',
    ],
    ['all permissions at once', `  a: { runs-on: x, permissions: write-all, steps: [{ run: a }] }\n`, 'permissions: write-all'],
  ])('refuses %s', async (_, jobs, message) => {
    const seen: string[] = [];
    await expect(run(jobs, { onProgress: (progress) => seen.push(progress.type) })).rejects.toThrow(message);
    expect(seen).toEqual([]);
  });

  it('leaves alone what the event does not start', async () => {
    const workflow = { file: 'x.yml', content: `on: { issue_comment: { types: [created] } }\njobs:\n${steps('- run: echo')}` };
    expect(
      await runWorkflow({
        workflow,
        event: { name: 'issue_comment', payload: { action: 'edited' }, ref: 'refs/heads/main', sha: head, actor: 'mona' },
        github,
      }),
    ).toBeUndefined();
  });
});

it('leaves no folder behind', async () => {
  const outside = process.env['TMPDIR'];
  const empty = join(folder, 'tmp');
  mkdirSync(empty);
  process.env['TMPDIR'] = empty;
  try {
    await run(steps('- run: exit 1'));
    expect(readdirSync(empty)).toEqual([]);
  } finally {
    if (outside === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = outside;
  }
});
