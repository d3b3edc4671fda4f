import { readFileSync } from 'node:fs';
import { ActionError } from '../action/errors.ts';

/** What the runner says about the workflow run, read once. */
export interface GitHubContext {
  owner: string;
  repo: string;
  /** GitHub's numeric id: a name can change hands. */
  repositoryId: number;
  /** e.g. `https://api.github.com`, or a GitHub Enterprise Server's. */
  apiUrl: string;
  graphqlUrl: string;
  /** e.g. `https://github.com` */
  serverUrl: string;
  runId: number;
  /** 1 for the first; re-runs count up. */
  runAttempt: number;
  /** Who started the run; at a re-run still the first. */
  actor: string;
  /** Who started this attempt. */
  triggeringActor: string;
  eventName: string;
  /** The webhook's payload. Hostile text all through. */
  event: Record<string, unknown>;
}

/**
 * Reads the runner's environment
 * (https://docs.github.com/actions/reference/workflows-and-actions/variables#default-environment-variables).
 * @throws ActionError `input` that names the variable which is missing
 */
export function readContext(environment: NodeJS.ProcessEnv): GitHubContext {
  const need = (name: string): string => {
    const value = environment[name];
    if (!value)
      throw new ActionError('input', `the environment variable ${name} is not set`, {
        remedy: 'run this action in a GitHub Actions workflow',
      });
    return value;
  };
  const whole = (name: string, value: string): number => {
    const number = Number(value);
    if (!/^\d+$/u.test(value) || !Number.isSafeInteger(number))
      throw new ActionError('input', `the environment variable ${name} is ${JSON.stringify(value)}; allowed: a whole number`);
    return number;
  };
  const [owner = '', repo = ''] = need('GITHUB_REPOSITORY').split('/');
  const serverUrl = environment['GITHUB_SERVER_URL'] ?? 'https://github.com';
  const apiUrl = environment['GITHUB_API_URL'] ?? 'https://api.github.com';
  return {
    owner,
    repo,
    repositoryId: whole('GITHUB_REPOSITORY_ID', need('GITHUB_REPOSITORY_ID')),
    apiUrl,
    graphqlUrl: environment['GITHUB_GRAPHQL_URL'] ?? `${apiUrl}/graphql`,
    serverUrl,
    runId: whole('GITHUB_RUN_ID', need('GITHUB_RUN_ID')),
    runAttempt: whole('GITHUB_RUN_ATTEMPT', environment['GITHUB_RUN_ATTEMPT'] ?? '1'),
    actor: environment['GITHUB_ACTOR'] ?? '',
    triggeringActor: environment['GITHUB_TRIGGERING_ACTOR'] ?? environment['GITHUB_ACTOR'] ?? '',
    eventName: environment['GITHUB_EVENT_NAME'] ?? '',
    event: readEvent(environment['GITHUB_EVENT_PATH']),
  };
}

function readEvent(path: string | undefined): Record<string, unknown> {
  if (!path) return {};
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw new ActionError('input', `the event file ${path} cannot be read`, { cause: error });
  }
}
