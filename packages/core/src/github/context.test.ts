import { describe, expect, it } from '@jest/globals';
import { readContext } from './context.ts';

const least = { GITHUB_REPOSITORY: 'ada/digits', GITHUB_REPOSITORY_ID: '7', GITHUB_RUN_ID: '9' };

describe('readContext', () => {
  it('reads what a runner of github.com says at least', () => {
    expect(readContext(least)).toEqual({
      owner: 'ada',
      repo: 'digits',
      repositoryId: 7,
      apiUrl: 'https://api.github.com',
      graphqlUrl: 'https://api.github.com/graphql',
      serverUrl: 'https://github.com',
      runId: 9,
      runAttempt: 1,
      actor: '',
      triggeringActor: '',
      eventName: '',
      event: {},
    });
  });

  it.each([
    ['GITHUB_REPOSITORY', '', 'the environment variable GITHUB_REPOSITORY is not set'],
    ['GITHUB_REPOSITORY_ID', '7x', 'the environment variable GITHUB_REPOSITORY_ID is "7x"'],
    ['GITHUB_RUN_ID', '1e3', 'the environment variable GITHUB_RUN_ID is "1e3"'],
    ['GITHUB_RUN_ATTEMPT', '-1', 'the environment variable GITHUB_RUN_ATTEMPT is "-1"'],
    ['GITHUB_EVENT_PATH', '/nowhere/event.json', 'the event file /nowhere/event.json cannot be read'],
  ])('refuses %s=%j', (name, value, words) => {
    expect(() => readContext({ ...least, [name]: value })).toThrow(words);
  });
});
