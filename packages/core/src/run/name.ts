import { ActionError } from '../action/errors.ts';

/** What a run's name is made of. */
export interface NameParts {
  pipeline: string;
  pullRequest?: number | undefined;
  /** Full commit SHA. */
  sha: string;
  /** Full request hash. */
  request: string;
  /** 1 for the first. */
  attempt: number;
}

/**
 * The name of a run and of its record: `<pipeline>-pr<N>-<sha7>-<request7>[-<attempt>]`, without a pull request
 * `<pipeline>-<sha7>-<request7>[-<attempt>]`. Only the pipeline is cut, and a leading letter is made, since kinds
 * that create Services need one.
 * @param limit the longest name that the kind takes, in characters
 */
export function runName(parts: NameParts, limit: number): string {
  const tail = `-${runSuffix(parts)}`;
  const room = limit - tail.length;
  if (room < 1) throw new ActionError('internal', `a name of ${limit} characters has no room for "${tail}"`);
  const slug = parts.pipeline.toLowerCase().replace(/[^a-z0-9]+/gu, '-');
  const head = (/^[a-z]/u.test(slug) ? slug : `r${slug.startsWith('-') ? '' : '-'}${slug}`).slice(0, room).replace(/-+$/u, '');
  return head + tail;
}

/** What tells a run from the others of its pipeline: the end of its name, without the hyphen before it. */
export function runSuffix({ pullRequest, sha, request, attempt }: Omit<NameParts, 'pipeline'>): string {
  return `${pullRequest === undefined ? '' : `pr${pullRequest}-`}${sha.slice(0, 7)}-${request.slice(0, 7)}${attempt > 1 ? `-${attempt}` : ''}`;
}

const pipelineName = /^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/u;

/** A pipeline's name, which becomes a label, a check's name and a part of names. @throws ActionError `input` */
export function checkPipelineName(name: string): string {
  if (!pipelineName.test(name)) {
    throw new ActionError(
      'input',
      `pipeline is ${JSON.stringify(name.slice(0, 100))}; allowed: up to 40 lower-case letters, digits and inner hyphens, such as "digits"`,
    );
  }
  return name;
}
