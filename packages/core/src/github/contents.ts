import { ActionError } from '../action/errors.ts';
import type { GitHub } from './client.ts';
import { answerOf } from './failures.ts';

/** A file at a commit. */
export interface RepositoryFile {
  /** Hostile text, unless the commit is trusted. */
  text: string;
  /** SHA of the git blob. */
  sha: string;
}

/**
 * Reads a text file by API, without a checkout.
 * @param ref a full SHA, a branch or a tag; the default branch where not given
 * @returns undefined where the commit has no such file
 * @throws ActionError `not-found` where there is no such ref, `input` where the path is no file or is above 1 MB
 */
export async function readFileAt(github: GitHub, path: string, ref?: string): Promise<RepositoryFile | undefined> {
  const where = `${path} at ${ref ?? 'the default branch'} of ${github.at.owner}/${github.at.repo}`;
  const response = await github.rest.repos
    .getContent({ ...github.at, path, ...(ref === undefined ? {} : { ref }) })
    .catch((error: unknown) => {
      const answer = answerOf(error);
      if (answer?.status === 404 && !/^No commit found/u.test(answer.message)) return undefined;
      throw error;
    });
  if (response === undefined) return undefined;
  const { data } = response;
  if (Array.isArray(data) || data.type !== 'file' || !('content' in data)) throw new ActionError('input', `${where} is no file`);
  // From 1 MB on GitHub leaves the content out (https://docs.github.com/rest/repos/contents#get-repository-content).
  if (data.encoding !== 'base64')
    throw new ActionError('input', `${where} is ${data.size} bytes long; GitHub's API gives files up to 1 MB`);
  return { text: Buffer.from(data.content, 'base64').toString('utf8'), sha: data.sha };
}
