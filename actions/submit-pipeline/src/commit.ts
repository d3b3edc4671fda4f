import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { ActionError, messageOf } from '@slashtrain/core/action/errors';
import { fetchFromDefaultBranch, loadConfig } from '@slashtrain/core/config/load';
import type { SlashtrainConfig } from '@slashtrain/core/config/types';
import type { GitHub } from '@slashtrain/core/github/client';
import { readCommit as readGitCommit } from '@slashtrain/core/github/commits';
import { readFileAt } from '@slashtrain/core/github/contents';
import { readPullRequest } from '@slashtrain/core/github/pull-request';
import type { SubmitInputs } from './inputs.ts';
import type { ManifestSource } from './manifest.ts';

/** What GitHub says about the commit that is to be trained. */
export interface Commit {
  /** SHA of its git tree. */
  tree: string;
  /** Absent where the inputs name a program instead. */
  manifest: ManifestSource | undefined;
  /** The trials to make of it; absent where it is one run. */
  sweep: ManifestSource | undefined;
  /** From the default branch, never from the pull request. */
  config: SlashtrainConfig;
}

/**
 * Reads everything that a submission needs of GitHub, at once.
 * @throws ActionError `mismatch` where the pull request's head is another commit by now
 */
export async function readCommit(inputs: SubmitInputs, github: GitHub): Promise<Commit> {
  const { what, sweep: asked } = inputs;
  const [{ tree }, manifest, sweep, { config }] = await Promise.all([
    readGitCommit(github, inputs.sha),
    'manifest' in what ? readText('manifest', what.manifest, inputs, github) : undefined,
    asked === undefined ? undefined : readText('sweep', asked, inputs, github),
    loadConfig(fetchFromDefaultBranch(github)),
    checkHead(inputs, github),
  ]);
  return { tree, manifest, sweep, config };
}

/** A push between the command and this step would be trained unseen, or reported on the wrong commit. */
async function checkHead({ pullRequest, sha }: SubmitInputs, github: GitHub): Promise<void> {
  if (pullRequest === undefined) return;
  const { head } = await readPullRequest(github, pullRequest);
  if (head.sha === sha) return;
  throw new ActionError('mismatch', `the head of #${pullRequest} is ${head.sha} by now, and ${sha} was to be trained`, {
    remedy: 'look at the new commit and give the command again',
  });
}

/** What an input holds that is a path of the commit, an absolute path on the runner, or the text itself. */
async function readText(input: 'manifest' | 'sweep', value: string, { sha }: SubmitInputs, github: GitHub): Promise<ManifestSource> {
  if (value.includes('\n') || value.startsWith('{')) return { text: value, file: `input "${input}"` };
  if (isAbsolute(value)) return { text: readLocal(input, value), file: value };
  const path = value.replace(/^\.\//u, '');
  const file = await readFileAt(github, path, sha);
  if (file) return { text: file.text, file: path };
  throw new ActionError('input', `input "${input}" is "${value.slice(0, 300)}", and the commit ${sha} has no such file`, {
    remedy: `give a path from the root of the repository, an absolute path of a file on the runner, or the ${input} itself`,
  });
}

function readLocal(input: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ActionError('input', `input "${input}" names the file "${path}", which cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
