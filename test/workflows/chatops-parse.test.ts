import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runBundle, type BundleResult, type BundleRun } from '@slashtrain/testing/bundle/bundle';
import type { WorkflowEvent } from '@slashtrain/testing/github/events';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import type { Comment } from '@slashtrain/testing/github/store';
import { ScriptedServer } from '../support/scripted-server.ts';
import { unique } from '../support/targets.ts';
import { inPublishedShape } from '../support/webhooks.ts';

/*
 * chatops-parse as a runner calls it, against the fake GitHub. Numbers in names are the attacks in docs/security.md.
 */

const config = `
commands:
  train:
    description: Train this pull request
    arguments:
      epochs: { type: integer, min: 1, max: 100, default: 10 }
      gpu: { type: choice, options: [a100, h100] }
      note: { type: string }
  sweep:
    permission: admin
    bots: ["renovate[bot]"]
  deploy:
    environments:
      staging: {}
      production: { permission: maintain, confirm: true }
  check: { wait-for: ci, timeout: 1s, excludes: [slow] }
  team: { teams: [ml] }
triggers:
  labels: { train-it: /train epochs=3 }
  push: /train epochs=1
  review: /train epochs=2
  merge: /deploy environment=staging
`;

let github: FakeGitHub;
let repository: Repository;
let number: number;
let head: string;
/** The server's clock: a step forward where order matters, since GitHub counts in seconds. */
let seconds = Date.parse('2026-03-01T12:00:00Z') / 1000;

beforeAll(async () => {
  github = await startGitHub({ now: () => seconds * 1000, hourlyLimit: 1_000_000 });
});
afterAll(() => github.close());
beforeEach(() => {
  repository = github.createRepository({ owner: 'acme', name: unique('digits'), files: { '.github/slashtrain.yml': config } });
  repository.setPermission('ada', 'write');
  repository.setPermission('mia', 'maintain');
  repository.setPermission('root', 'admin');
  open('change');
});

/** Opens a pull request from a branch of ours, a while ago. */
function open(branch: string, fork?: Repository): void {
  head = (fork ?? repository).commit({ branch, files: { 'train.js': unique('') } });
  number = repository.openPullRequest({ head: branch, author: 'ada', ...(fork ? { fork } : {}) });
  seconds += 60;
}

const permissions: Record<string, 'read' | 'write'> = { contents: 'read', 'pull-requests': 'write', checks: 'read', statuses: 'read' };

function run(event: WorkflowEvent, more: Partial<BundleRun> = {}, rights = permissions): Promise<BundleResult> {
  github.requests.length = 0;
  return runBundle({
    action: 'chatops-parse',
    event: inPublishedShape(event),
    actor: event.actor,
    github: {
      url: github.url,
      token: github.token(rights, { repository }),
      repository: { owner: 'acme', name: repository.name, id: repository.id },
    },
    ...more,
  });
}

/** Writes a comment on the pull request and runs the action on it. */
async function comment(body: string, by = 'ada', more: Partial<BundleRun> = {}): Promise<BundleResult & { comment: Comment }> {
  const written = repository.comment(number, by, body);
  return { ...(await run(repository.events.issueComment(written), more)), comment: written };
}

/** Our replies on the pull request. */
const replies = (): string[] =>
  repository
    .comments(number)
    .filter(({ user }) => user.login === 'github-actions[bot]')
    .map(({ body }) => body);

const reactions = (written: Comment): string[] => written.reactions.map(({ content }) => content);

/** What a refused command leaves: a failed step, nothing matched, one reply that says why. */
function expectRefused(result: BundleResult & { comment?: Comment }, why: string | RegExp): void {
  expect(result.outputs).toMatchObject({ matched: 'false', command: '', sha: '', arguments: '{}' });
  expect(result.code).toBe(1);
  expect(result.shown).toMatch(why);
  expect(replies()).toHaveLength(1);
  expect(replies()[0]!.replaceAll('\u200b', '')).toMatch(why);
  expect(replies()[0]).toContain('**Nothing was started:**');
  if (result.comment) expect(reactions(result.comment)).toContain('confused');
}

/** What something that is not for us leaves: nothing. */
function expectNothing(result: BundleResult & { comment?: Comment }): void {
  expect(result.outputs).toMatchObject({ matched: 'false', command: '', sha: '' });
  expect(result.code).toBe(0);
  expect(replies()).toEqual([]);
  if (result.comment) expect(reactions(result.comment)).toEqual([]);
}

describe('a command by somebody who may', () => {
  it('comes out with person, arguments and commit, in six requests', async () => {
    const result = await comment('Looks good.\n\n/train 20 --gpu a100 | for the paper');
    expect(result.shown).toContain(`/train by ada at ${head}`);
    expect(result.code).toBe(0);
    expect({ ...result.outputs, arguments: JSON.parse(result.outputs['arguments']!) as unknown }).toEqual({
      matched: 'true',
      command: 'train',
      arguments: { epochs: 20, gpu: 'a100' },
      'pr-number': String(number),
      sha: head,
      'head-ref': 'change',
      'base-ref': 'main',
      'base-sha': repository.head(),
      actor: 'ada',
      'is-fork': 'false',
      'comment-id': String(result.comment.id),
      attempt: '1',
    });
    expect(reactions(result.comment)).toEqual(['eyes', 'rocket']);
    expect(replies()).toEqual([]);
    const asked = github.requests.map(
      ({ method, path }) =>
        `${method} ${decodeURIComponent(path)
          .replace(/^\/repos\/acme\/[^/]+/u, '')
          .replace(/\d+/gu, 'N')}`,
    );
    const reaction = 'POST /issues/comments/N/reactions';
    // The first of the two is on its way while the others are asked; the second comes after everything.
    expect([asked.indexOf(reaction) > 0, asked.at(-1)]).toEqual([true, reaction]);
    expect(asked.filter((one) => one !== reaction)).toEqual([
      'GET /contents/.github/slashtrain.yml',
      'GET /collaborators/ada/permission',
      'GET /pulls/N',
      'GET /activity?ref=refs/heads/change&per_page=N',
    ]);
    expect(asked).toHaveLength(6);
    expect(result.summary).toContain(head);
  });

  it('takes the defaults of what was not given', async () => {
    const { outputs } = await comment('/train');
    expect(JSON.parse(outputs['arguments']!)).toEqual({ epochs: 10 });
  });

  it('is carried out by its reaction missing', async () => {
    github.disturb({ kind: 'status', status: 500, method: 'POST', path: /reactions/u, times: 2 });
    const result = await comment('/train');
    expect(result.outputs['matched']).toBe('true');
    expect(result.annotations.map(({ message }) => message).join()).toContain('the reaction could not be written');
  });

  it('may stop at any commit', async () => {
    const written = repository.comment(number, 'ada', '/cancel');
    seconds += 5;
    head = repository.commit({ branch: 'change', files: { 'b.js': 'b' } });
    const result = await run(repository.events.issueComment(written));
    expect(result.outputs).toMatchObject({ matched: 'true', command: 'cancel', sha: head });
  });
});

describe('what is not for us', () => {
  it.each([
    ['a comment without a command', 'Nothing to see here, please /train tomorrow.'],
    ['a command in a quote', '> /train'],
    ['a command in a fence', '```\n/train\n```'],
    ['a command in an HTML comment', 'Hello\n<!--\n/train\n-->'],
  ])('%s costs no request', async (_, body) => {
    expectNothing(await comment(body));
    expect(github.requests).toEqual([]);
  });

  it.each(['/lgtm', '/kind bug <!-- or feature -->', '/train-all', '/assign @ada', '/usr/bin/python train.py', '/retest'])(
    'attack 17: %s, another bot’s command, costs one look at the configuration',
    async (body) => {
      expectNothing(await comment(body));
      expect(github.requests.map(({ method }) => method)).toEqual(['GET']);
    },
  );

  it('an issue', async () => {
    const issue = repository.openIssue({ title: 'a' });
    expectNothing(await run(repository.events.issueComment(repository.comment(issue, 'ada', '/train'))));
    expect(github.requests).toEqual([]);
  });

  it('a comment that is deleted', async () => {
    const written = repository.comment(number, 'ada', '/train');
    expectNothing(await run(repository.events.issueComment(written, { action: 'deleted' })));
  });
});

describe('a command that is not understood is refused with one reply', () => {
  it.each<[string, string, RegExp]>([
    ['an unknown argument', '/train epoch=3', /no argument .*epoch.*did you mean .*epochs/u],
    ['a wrong value', '/train epochs=many', /must be a whole number from 1 to 100/u],
    ['a near name', '/tarin epochs=3', /did you mean \/train\?/u],
    ['two commands', '/train\n\n/cancel', /2 commands in one comment: \/train, \/cancel/u],
    ['a lacking argument', '/deploy', /the argument .*environment.* is missing; allowed: one of staging, production/u],
    ['what nobody sees', '/train <!-- epochs=100 -->', /holds an HTML comment, which nobody sees/u],
    ['attack 12: a prototype', '/train constructor=x', /no argument .*constructor/u],
    ['attack 19: an argument of a command line', '/train "--privileged; rm -rf"', /must be a whole number/u],
  ])('%s', async (_, body, why) => {
    const result = await comment(body);
    expectRefused(result, why);
    // Who it is and what the pull request is was not asked.
    expect(github.requests.filter(({ method, path }) => method === 'GET' && /collaborators|pulls/u.test(path))).toEqual([]);
  });

  it('points at the place and shows the usage', async () => {
    await comment('/train epochs=many gpu=a100');
    expect(replies()[0]).toContain('```\n/train epochs=many gpu=a100\n              ^^^^\n\nUsage: /train [epochs=<whole number>]');
  });

  it('keeps one reply when the job is run again', async () => {
    const { comment: written } = await comment('/train epochs=0');
    await run(repository.events.issueComment(written), { runAttempt: 2 });
    expect(replies()).toHaveLength(1);
  });

  it('attack 14: shows hostile text as text', async () => {
    await comment('/train "a```` @acme/everyone <img src=x> | #1"');
    expect(replies()[0]).toContain('`````\n/train "a```` @acme/everyone <img src=x> | #1"\n       ^');
    const [beforeTheFence] = replies()[0]!.split('`````');
    expect(beforeTheFence).not.toMatch(/@acme|<img|#1/u);
    await comment('/help "@root <img> [x](http://e.dev)"');
    expect(replies()[1]).toContain('there is no command');
    expect(replies()[1]).not.toMatch(/@root|<img|\]\(|http:\/\/e/u);
  });

  it('attack 10: has no workflow command in its log', async () => {
    const result = await comment('/help "::add-mask::a ##[error]b" | ::error::c');
    expect(result.code).toBe(1);
    expect(result.stdout).toContain('::add-mask::a ##\u200b[error]b');
    expect(result.commands.filter(({ name }) => name !== 'error' && name !== 'add-mask')).toEqual([]);
    expect(result.masks.filter((one) => one.includes('a ##'))).toEqual([]);
    expect(result.annotations).toHaveLength(1);
  });

  it('attack 11: an argument cannot make an output', async () => {
    const result = await comment('/train note="x\\nmatched=false\\nsha<<EOF\\nevil\\nEOF"');
    expect(result.outputs).toMatchObject({ matched: 'true', sha: head });
    expect(JSON.parse(result.outputs['arguments']!)).toEqual({ epochs: 10, note: 'x\nmatched=false\nsha<<EOF\nevil\nEOF' });
    expect(Object.keys(result.outputs)).toHaveLength(12);
  });

  it('attack 9: a comment body reaches no shell', async () => {
    const result = await comment('/train note="$(touch /tmp/x) `id` ; exit 1"');
    expect(JSON.parse(result.outputs['arguments']!)).toEqual({ epochs: 10, note: '$(touch /tmp/x) `id` ; exit 1' });
  });
});

describe('who', () => {
  it('attack 6: the permission is asked for, whatever author_association says', async () => {
    const written = repository.comment(number, 'eve', '/train');
    const event = repository.events.issueComment(written);
    (event.payload['comment'] as Record<string, unknown>)['author_association'] = 'OWNER';
    expectRefused(await run(event), /needs write permission, and eve has (none|read)/u);
  });

  it('each command has its own permission', async () => {
    expectRefused(await comment('/sweep'), /\/sweep needs admin permission, and ada has write/u);
    expect((await comment('/sweep', 'root')).outputs['command']).toBe('sweep');
  });

  it('an environment has its own permission', async () => {
    expectRefused(await comment('/deploy environment=production'), /\/deploy needs maintain permission, and ada has write/u);
    expect((await comment('/deploy environment=staging')).outputs['matched']).toBe('true');
  });

  it('fails closed where the permission cannot be asked for', async () => {
    // Years from now: the server's clock is not the runner's.
    github.disturb({ kind: 'primary', resetIn: 300_000_000, path: /permission$/u });
    expectRefused(await comment('/train'), /the permission of ada could not be asked for/u);
  });

  it('a login that changed hands has no right', async () => {
    const event = repository.events.issueComment(repository.comment(number, 'ada', '/train'));
    (event.payload['sender'] as Record<string, unknown>)['id'] = 4;
    expectRefused(await run(event), /ada has none/u);
  });

  it('attack 16: bots are refused in silence, unless they are named', async () => {
    github.user('renovate[bot]', 'Bot');
    github.user('other[bot]', 'Bot');
    expectNothing(await comment('/sweep', 'other[bot]'));
    expectNothing(await comment('/tarin', 'other[bot]'));
    expectNothing(await comment('/train', 'renovate[bot]'));
    expectNothing(await comment('/train epochs=wrong', 'renovate[bot]'));
    expect((await comment('/sweep', 'renovate[bot]')).outputs).toMatchObject({ matched: 'true', actor: 'renovate[bot]' });
  });

  it('teams are refused without org-token, and it says so', async () => {
    expectRefused(
      await comment('/team'),
      /\/team is for ml, and teams cannot be read with this workflow’s token[;.:] give chatops-parse the input org-token/iu,
    );
  });

  it.each<[string, number, string, RegExp | undefined]>([
    ['a member', 200, 'active', undefined],
    ['somebody who was invited', 200, 'pending', /ada is in none of them/u],
    ['another', 404, '', /ada is in none of them/u],
    ['a token without the right', 403, '', /the team ml could not be read/u],
  ])('teams with org-token: %s', async (_, status, state, why) => {
    const server = await ScriptedServer.start();
    server.otherwise = async (response, { method, path, body, headers }) => {
      if (path === '/api/v3/orgs/acme/teams/ml/memberships/ada') {
        expect(headers['authorization']).toBe('token org-secret');
        return void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ state, message: 'No' }));
      }
      const answer = await fetch(`${github.url}${path}`, {
        method,
        headers: { authorization: headers['authorization'] ?? '', 'content-type': 'application/json' },
        ...(body ? { body } : {}),
      });
      return void response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    };
    const written = repository.comment(number, 'ada', `/team sha=${head}`);
    const result = await run(repository.events.issueComment(written), {
      inputs: { 'org-token': 'org-secret' },
      github: {
        url: server.url,
        token: github.token(permissions, { repository }),
        repository: { owner: 'acme', name: repository.name, id: repository.id },
      },
    });
    await server.stop();
    if (why) expectRefused(result, why);
    else expect(result.outputs['matched']).toBe('true');
    expect(result.shown).not.toContain('org-secret');
  });

  it('attack 5: an edited comment starts nothing', async () => {
    const written = repository.comment(number, 'ada', 'Hello');
    repository.editComment(written, '/train');
    const event = repository.events.issueComment(written, { action: 'edited', by: 'root', before: 'Hello' });
    expectRefused(await run(event), /an edited comment starts nothing/u);
  });

  it('attack 4: whoever runs it again must hold the permission too', async () => {
    const written = repository.comment(number, 'ada', '/train');
    const event = repository.events.issueComment(written);
    expectRefused(await run(event, { runAttempt: 2, triggeringActor: 'eve' }), /needs write permission, and eve has (none|read)/u);
    const again = await run(event, { runAttempt: 2, triggeringActor: 'mia' });
    expect(again.outputs).toMatchObject({ matched: 'true', actor: 'ada', attempt: '2' });
    expect(replies()).toEqual([expect.stringContaining('Started by attempt 2')]);
  });

  it('attack 4: somebody who lost the permission cannot have an old command run again', async () => {
    const written = repository.comment(number, 'ada', '/train');
    repository.setPermission('ada', 'read');
    expectRefused(await run(repository.events.issueComment(written), { runAttempt: 2, triggeringActor: 'mia' }), /ada has read/u);
  });
});

describe('which commit', () => {
  it('attack 1: a push after the comment is refused with both SHAs, whatever date it claims', async () => {
    const written = repository.comment(number, 'ada', '/train 7 a100');
    seconds += 5;
    const evil = repository.commit({ branch: 'change', files: { 'train.js': 'evil' }, date: Date.parse('2020-01-01') });
    const result = await run(repository.events.issueComment(written));
    expectRefused(result, new RegExp(`the head then was ${head}, and its head is ${evil} now`, 'u'));
    expect(replies()[0]).toContain(`\`\`\`\n/train epochs=7 gpu=a100 sha=${evil}\n\`\`\``);
  });

  it('attack 1: a push in the comment’s second counts as later', async () => {
    repository.commit({ branch: 'change', files: { 'train.js': 'evil' } });
    expectRefused(await comment('/train'), /the pull request has moved/u);
  });

  it('attack 4: a run again after a push is refused', async () => {
    const { comment: written } = await comment('/train');
    seconds += 5;
    repository.commit({ branch: 'change', files: { 'train.js': 'evil' } });
    expectRefused(await run(repository.events.issueComment(written), { runAttempt: 2 }), /the pull request has moved/u);
  });

  it('attack 2: a commit that was taken back and is restored after the comment is refused', async () => {
    const evil = repository.commit({ branch: 'change', files: { 'train.js': 'evil' } });
    repository.push('change', head);
    seconds += 60;
    const written = repository.comment(number, 'ada', '/train');
    seconds += 5;
    repository.push('change', evil);
    expectRefused(await run(repository.events.issueComment(written)), new RegExp(`the head then was ${head}`, 'u'));
  });

  it('the SHA in the command decides, where it is the head', async () => {
    const result = await comment(`/train sha=${head}`);
    expect(result.outputs).toMatchObject({ matched: 'true', sha: head, arguments: '{"epochs":10}' });
    expect(github.requests.filter(({ path }) => path.includes('activity'))).toEqual([]);
  });

  it('the SHA in the command is refused, where it is another', async () => {
    expectRefused(await comment(`/train sha=${repository.head()}`), /the pull request has moved: the command names/u);
  });

  it('a short SHA is refused', async () => {
    expectRefused(await comment(`/train sha=${head.slice(0, 7)}`), /must be a full commit SHA/u);
  });

  it('a branch that was deleted after the merge has its last head', async () => {
    repository.merge(number);
    repository.push('change', undefined);
    seconds += 60;
    expect((await comment('/deploy environment=staging')).outputs).toMatchObject({ matched: 'true', sha: head });
  });

  it('a server without a record of pushes has to be told the SHA', async () => {
    repository.data.activity.length = 0;
    expectRefused(await comment('/train'), new RegExp(`GitHub has no record of the pushes.*its head is ${head} now`, 'iu'));
  });
});

describe('forks', () => {
  const fromFork = (): Repository => {
    const fork = repository.fork(unique('eve'));
    open('change', fork);
    return fork;
  };

  it('attack 7: are refused', async () => {
    fromFork();
    expectRefused(await comment('/train'), /comes from a fork, and commands do not work on forks here/u);
  });

  it('attack 7: are told by repository id, not by their name or a flag', async () => {
    fromFork();
    const event = repository.events.issueComment(repository.comment(number, 'ada', '/train'));
    expectRefused(await run(event), /comes from a fork/u);
  });

  it('attack 7: that are deleted are refused, by SHA too', async () => {
    repository.commit({ files: { '.github/slashtrain.yml': `${config}forks: by-sha\n` } });
    fromFork().delete();
    expectRefused(await comment(`/train sha=${head}`), /the repository that #.*comes from is gone/u);
  });

  it('attack 2: work with the full SHA in the command, where the configuration says so', async () => {
    repository.commit({ files: { '.github/slashtrain.yml': `${config}forks: by-sha\n` } });
    fromFork();
    expectRefused(await comment('/train'), new RegExp(`comes from a fork, so the command has to name the commit in full.*${head}`, 'u'));
    expect(replies()[0]).toContain(`/train sha=${head}`);
    expect((await comment(`/train sha=${head}`)).outputs).toMatchObject({ matched: 'true', 'is-fork': 'true', sha: head });
  });

  it('attack 8: never come out without the full SHA, so that no later step checks their code out unseen', async () => {
    repository.commit({ files: { '.github/slashtrain.yml': `${config}forks: by-sha\n` } });
    fromFork();
    repository.label(number, 'train-it');
    const result = await run(repository.events.pullRequestTarget(number, { action: 'labeled', label: 'train-it', by: 'ada' }));
    expectRefused(result, /comes from a fork/u);
  });
});

describe('the configuration', () => {
  it('attack 15: is the default branch’s, never the pull request’s', async () => {
    head = repository.commit({ branch: 'change', files: { '.github/slashtrain.yml': 'commands: { train: { permission: read } }\n' } });
    seconds += 60;
    expectRefused(await comment('/train', 'eve'), /needs write permission/u);
  });

  it('is a default where there is none, and it says so', async () => {
    repository.commit({ files: { '.github/slashtrain.yml': null } });
    expect((await comment('/train')).outputs).toMatchObject({ matched: 'true', arguments: '{}' });
    await comment('/train epochs=3');
    expect(replies()[0]).toContain('there is no .github/slashtrain.yml on the default branch');
  });

  it('is not taken for missing where it cannot be read', async () => {
    const written = repository.comment(number, 'ada', '/train');
    const result = await run(repository.events.issueComment(written), {}, { 'pull-requests': 'write' });
    expectRefused(result, /contents: read/u);
  });

  it('that is broken is said with its line, to who wrote a command of ours alone', async () => {
    repository.commit({ files: { '.github/slashtrain.yml': 'comands: {}\n' } });
    expectNothing(await comment('/lgtm'));
    expectRefused(await comment('/train'), /\.github\/slashtrain\.yml:1:1: unknown key .*comands.*did you mean .*commands/u);
  });
});

describe('/help', () => {
  it('shows the commands, and starts nothing', async () => {
    const result = await comment('/help', 'eve');
    expect(result).toMatchObject({ code: 0, outputs: expect.objectContaining({ matched: 'false' }) as unknown });
    expect(replies()).toHaveLength(1);
    for (const text of [
      '/train [epochs=<whole number>]',
      '/cancel',
      '/help',
      '/confirm',
      'Needs: admin permission',
      'a whole number from 1 to 100',
    ]) {
      expect(replies()[0]).toContain(text);
    }
  });

  it('shows one of them', async () => {
    await comment('/help deploy');
    expect(replies()[0]).toContain('/deploy environment=<staging|production>');
    expect(replies()[0]).not.toContain('/train');
  });

  it('refuses one that is not there', async () => {
    expectRefused(await comment('/help fly'), /there is no command \/fly/u);
  });
});

describe('/confirm', () => {
  it('attack 18: takes a second person, behind more than one page of comments', async () => {
    const asked = await comment('/deploy environment=production', 'mia');
    expect(asked).toMatchObject({ code: 0, outputs: expect.objectContaining({ matched: 'false' }) as unknown });
    expect(replies()).toEqual([expect.stringContaining(`/confirm ${head} comment=${asked.comment.id}`)]);
    for (let count = 0; count < 120; count++) repository.comment(number, 'eve', 'me too');

    const result = await comment(`/confirm ${head}`, 'root');
    expect(result.outputs).toMatchObject({
      matched: 'true',
      command: 'deploy',
      arguments: '{"environment":"production"}',
      actor: 'mia',
      sha: head,
      'comment-id': String(asked.comment.id),
    });
    expect(replies()).toEqual([expect.stringContaining('Confirmed by `root`.')]);
    expect(reactions(asked.comment)).toEqual(['eyes', 'rocket']);
  });

  it.each<[string, string, (asked: Comment) => string, RegExp]>([
    ['the same person', 'mia', () => `/confirm ${head}`, /no command of another person waits/u],
    ['somebody without the permission', 'ada', () => `/confirm ${head}`, /\/deploy needs maintain permission, and ada has write/u],
    ['another commit', 'root', () => `/confirm ${repository.head()}`, /no command of another person waits/u],
    ['a short SHA', 'root', () => `/confirm ${head.slice(0, 10)}`, /must be a full commit SHA/u],
    ['another comment', 'root', (asked) => `/confirm ${head} comment=${asked.id - 1}`, /no command of another person waits/u],
  ])('attack 18: refuses %s', async (_, by, body, why) => {
    const asked = await comment('/deploy environment=production', 'mia');
    repository.data.comments.forEach((one, id) => {
      if (one.user.login === 'github-actions[bot]') repository.data.comments.delete(id);
    });
    expectRefused(await comment(body(asked.comment), by), why);
  });

  it('does not believe a command that was edited, nor one of somebody who may not', async () => {
    const asked = repository.comment(number, 'mia', '/deploy environment=staging');
    seconds += 1;
    repository.editComment(asked, '/deploy environment=production');
    repository.comment(number, 'ada', '/deploy environment=production');
    expectRefused(await comment(`/confirm ${head}`, 'root'), /no command of another person waits/u);
  });

  it('refuses a head that moved in between', async () => {
    await comment('/deploy environment=production', 'mia');
    repository.data.comments.forEach((one, id) => {
      if (one.user.login === 'github-actions[bot]') repository.data.comments.delete(id);
    });
    seconds += 5;
    repository.commit({ branch: 'change', files: { a: 'b' } });
    seconds += 60;
    expectRefused(await comment(`/confirm ${head}`, 'root'), /no command of another person waits/u);
  });
});

describe('wait-for: ci', () => {
  const check = (name: string, conclusion?: 'success' | 'failure'): void => {
    repository.addCheck({
      name,
      headSha: head,
      app: github.actions,
      status: conclusion ? 'completed' : 'in_progress',
      ...(conclusion ? { conclusion } : {}),
    });
  };

  it('lets a command through when the other checks are green', async () => {
    check('test', 'success');
    check('slow');
    check('train: digits');
    expect((await comment('/check')).outputs['matched']).toBe('true');
  });

  it.each<[string, () => void, RegExp]>([
    ['failed', () => check('test', 'failure'), /checks of [0-9a-f]{40} failed: test/u],
    ['have not ended', () => check('test'), /have not ended: test, after 1 seconds/u],
    ['are not there', () => undefined, /has no checks, after 1 seconds/u],
  ])('refuses it where they %s', async (_, prepare, why) => {
    prepare();
    expectRefused(await comment('/check'), why);
  });
});

describe('triggers beyond comments', () => {
  it('a label', async () => {
    repository.label(number, 'train-it');
    const result = await run(repository.events.pullRequestTarget(number, { action: 'labeled', label: 'train-it', by: 'ada' }));
    expect(result.outputs).toMatchObject({
      matched: 'true',
      command: 'train',
      arguments: '{"epochs":3}',
      actor: 'ada',
      sha: head,
      'comment-id': '',
    });
  });

  it('another label', async () => {
    repository.label(number, 'bug');
    expectNothing(await run(repository.events.pullRequestTarget(number, { action: 'labeled', label: 'bug', by: 'ada' })));
  });

  it('a label by somebody who may not, with one reply', async () => {
    repository.setPermission('tom', 'triage');
    repository.label(number, 'train-it');
    const event = repository.events.pullRequestTarget(number, { action: 'labeled', label: 'train-it', by: 'tom' });
    expectRefused(await run(event), /needs write permission, and tom has triage/u);
    await run(event, { runAttempt: 2 });
    expect(replies()).toHaveLength(1);
  });

  it('a push, and a push that was followed by another', async () => {
    const event = repository.events.pullRequestTarget(number, { action: 'synchronize', by: 'ada' });
    expect((await run(event)).outputs).toMatchObject({ matched: 'true', arguments: '{"epochs":1}', sha: head });
    repository.commit({ branch: 'change', files: { a: 'b' } });
    const late = await run(event);
    expect(late).toMatchObject({ code: 0, outputs: expect.objectContaining({ matched: 'false' }) as unknown });
    expect(late.annotations.map(({ message }) => message).join()).toContain('the pull request has moved');
    expect(replies()).toEqual([]);
  });

  it('a fork’s push is refused without a failure and without a reply', async () => {
    const fork = repository.fork(unique('eve'));
    open('change', fork);
    expectNothing(await run(repository.events.pullRequestTarget(number, { action: 'opened', by: 'ada' })));
  });

  it('a merge', async () => {
    repository.merge(number);
    const result = await run(repository.events.pullRequestTarget(number, { action: 'closed', by: 'ada' }));
    expect(result.outputs).toMatchObject({ matched: 'true', command: 'deploy', arguments: '{"environment":"staging"}', sha: head });
  });

  it('a pull request that is closed without a merge', async () => {
    repository.close(number);
    expectNothing(await run(repository.events.pullRequestTarget(number, { action: 'closed', by: 'ada' })));
  });

  it('an approving review', async () => {
    const approved = repository.review(number, 'ada', 'APPROVED', 'Fine');
    const { outputs } = await run(repository.events.pullRequestReview(approved));
    expect(outputs).toMatchObject({ matched: 'true', arguments: '{"epochs":2}', sha: head, 'comment-id': '' });
    expectNothing(await run(repository.events.pullRequestReview(repository.review(number, 'ada', 'COMMENTED', 'Fine'))));
    expectNothing(await run(repository.events.pullRequestReview(approved, 'dismissed')));
  });

  it('a review with a command', async () => {
    const written = repository.review(number, 'ada', 'COMMENTED', '/train epochs=4');
    expect((await run(repository.events.pullRequestReview(written))).outputs).toMatchObject({ matched: 'true', arguments: '{"epochs":4}' });
  });

  it('a review of a head that moved is refused', async () => {
    const approved = repository.review(number, 'ada', 'APPROVED');
    repository.commit({ branch: 'change', files: { a: 'b' } });
    expectRefused(await run(repository.events.pullRequestReview(approved)), /the pull request has moved: the review is of/u);
  });

  it('a comment on a line', async () => {
    const written = repository.reviewComment(number, 'ada', '/train epochs=6');
    const event = repository.events.pullRequestReviewComment(written);
    expect((await run(event)).outputs).toMatchObject({ matched: 'true', arguments: '{"epochs":6}', sha: head, 'comment-id': '' });
    expect(reactions(written)).toEqual(['eyes', 'rocket']);
    repository.commit({ branch: 'change', files: { a: 'b' } });
    expectRefused({ ...(await run(event)), comment: written }, /the pull request has moved/u);
  });

  it.each<[string, () => WorkflowEvent, string]>([
    ['schedule', () => repository.events.schedule('0 3 * * *'), 'acme'],
    ['push', () => repository.events.push('main', undefined), 'acme'],
    ['workflow_dispatch', () => repository.events.workflowDispatch({}, 'ada'), 'ada'],
    ['repository_dispatch', () => repository.events.repositoryDispatch('retrain', { drift: 0.2 }, 'ada'), 'ada'],
  ])('%s, with the input command', async (_, event, actor) => {
    const result = await run(event(), { inputs: { command: '/train epochs=5' } });
    expect(result.outputs).toMatchObject({
      matched: 'true',
      arguments: '{"epochs":5}',
      sha: repository.head(),
      'head-ref': 'main',
      'pr-number': '',
      actor,
    });
  });

  it('merge_group, with the input command', async () => {
    const group = repository.mergeGroup(number);
    const result = await run(repository.events.mergeGroup(group), { inputs: { command: '/train' } });
    expect(result.outputs).toMatchObject({ matched: 'true', sha: group.sha, 'base-sha': group.base, 'base-ref': 'main' });
  });

  it('workflow_dispatch for a pull request', async () => {
    const result = await run(repository.events.workflowDispatch({}, 'ada'), { inputs: { command: '/train', 'pr-number': String(number) } });
    expect(result.outputs).toMatchObject({ matched: 'true', sha: head, 'pr-number': String(number) });
  });

  it.each([
    ['workflow_dispatch', () => repository.events.workflowDispatch({}, 'ada')],
    ['repository_dispatch', () => repository.events.repositoryDispatch('sweep', { command: '/train' }, 'ada')],
  ])('%s by somebody who may not', async (_, event) => {
    const result = await run(event(), { inputs: { command: '/sweep' } });
    expect(result).toMatchObject({ code: 1, outputs: expect.objectContaining({ matched: 'false' }) as unknown });
    expect(result.shown).toContain('/sweep needs admin permission, and ada has write');
  });

  it.each([
    ['none', {}, 'the event "schedule" brings no command of its own'],
    ['one that is none', { command: 'train' }, 'input "command" is "train"; allowed: one command'],
    ['an unknown one', { command: '/fly' }, 'input "command" is "/fly"; allowed: one command'],
    ['a wrong one', { command: '/train epochs=x' }, '"epochs" must be a whole number'],
  ])('an input command that is wrong: %s', async (_, inputs, why) => {
    const result = await run(repository.events.schedule('0 3 * * *'), { inputs });
    expect(result).toMatchObject({ code: 1, outputs: expect.objectContaining({ matched: 'false' }) as unknown });
    expect(result.shown).toContain(why);
  });
});

describe('replies', () => {
  it('attack 13: somebody else’s comment with our marker is left alone', async () => {
    const written = repository.comment(number, 'ada', '/train epochs=0');
    const spoof = repository.comment(number, 'eve', `<!-- slashtrain:reply:comment:${written.id} -->\nStarted.`);
    await run(repository.events.issueComment(written));
    expect(spoof.body).toContain('Started.');
    expect(replies()).toHaveLength(1);
  });

  it('attack 22: a lost answer makes no second reply', async () => {
    github.disturb({ kind: 'cut', done: true, method: 'POST', path: /comments$/u });
    await comment('/train epochs=0');
    expect(replies()).toHaveLength(1);
  });

  it('attack 21: neither token shows, with debug logging neither', async () => {
    const token = github.token(permissions, { repository });
    const written = repository.comment(number, 'ada', '/train epochs=0');
    const result = await run(repository.events.issueComment(written), {
      env: { RUNNER_DEBUG: '1' },
      github: { url: github.url, token, repository: { owner: 'acme', name: repository.name, id: repository.id } },
    });
    expect(result.masks).toContain(token);
    expect(result.stdout.replaceAll(`::add-mask::${token}`, '')).not.toContain(token);
    expect(JSON.stringify(replies())).not.toContain(token);
  });

  it('a token that may not write says which permission is lacking, and the refusal stands', async () => {
    const written = repository.comment(number, 'ada', '/train epochs=0');
    const result = await run(repository.events.issueComment(written), {}, { contents: 'read', 'pull-requests': 'read' });
    expect(result.code).toBe(1);
    expect(result.shown).toContain('must be a whole number');
    expect(result.annotations.map(({ message }) => message).join()).toContain('pull-requests: write');
  });
});
