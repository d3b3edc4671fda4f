import { ActionError } from '../action/errors.ts';
import type { GitHub } from '../github/client.ts';
import { readFileAt } from '../github/contents.ts';
import { defaultConfig } from './defaults.ts';
import { configPath, type SlashtrainConfig } from './types.ts';

/** The text of a repository's file at its default branch; undefined where there is none. */
export type FetchFile = (path: string) => Promise<string | undefined>;

/** A configuration and, where it is the default one, how to get one's own. */
export interface LoadedConfig {
  config: SlashtrainConfig;
  hint?: string;
}

/**
 * The configuration of the default branch: never a pull request's, whose author could allow himself everything.
 * The reader is loaded only when there is something to read.
 * @param path where the file stands, {@link configPath} unless somebody moved it; a file that was named must exist
 * @throws ActionError `config` for a file that is not valid, `not-found` for a named one that is not there
 */
export async function loadConfig(fetchFile: FetchFile, path: string = configPath): Promise<LoadedConfig> {
  const text = await fetchFile(path);
  if (text !== undefined) {
    const { readConfig } = await import('./read.ts');
    return { config: readConfig(text, path) };
  }
  if (path !== configPath) {
    throw new ActionError('not-found', `there is no ${path} on the default branch`, {
      remedy: `merge it to the default branch first, or leave the input "config" out for ${configPath}`,
    });
  }
  return {
    config: defaultConfig,
    hint: `there is no ${configPath} on the default branch, so the defaults hold; add one to name your commands and their arguments`,
  };
}

/**
 * Reads files of the default branch by API.
 *
 * To a token that may not read contents a private repository's file looks like one that is not there, and the defaults
 * would hold where stricter rules stand. So a missing file counts only when the repository's root can be read.
 */
export function fetchFromDefaultBranch(github: GitHub): FetchFile {
  return async (path) => {
    const file = await readFileAt(github, path);
    if (file) return file.text;
    try {
      await github.rest.repos.getContent({ ...github.at, path: '' });
    } catch (error) {
      throw new ActionError('permission', `${path} cannot be read, nor anything else of ${github.at.owner}/${github.at.repo}`, {
        remedy: 'add "contents: read" under permissions: in the job',
        cause: error,
      });
    }
    return undefined;
  };
}
