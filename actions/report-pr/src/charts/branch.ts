import type { GitHub } from '@slashtrain/core/github/client';
import { answerOf, isNotFound } from '@slashtrain/core/github/failures';

const mostTries = 6;

/**
 * Commits files to a branch of their own by the git data API (https://docs.github.com/rest/git): a tree that holds them, a commit,
 * and the branch's ref, which is made without a parent where there is none. Others write there too: whoever was slower begins
 * again from the new tip, and nothing is ever forced. Files that stand there already make no commit. Five requests.
 * @param files by path
 * @returns the commit that holds them
 * @throws ActionError `permission` without contents: write
 */
export async function commitTo(github: GitHub, branch: string, files: ReadonlyMap<string, string>, message: string): Promise<string> {
  for (let round = 1; ; round++) {
    const tip = await tipOf(github, branch);
    const { data: tree } = await github.rest.git.createTree({
      ...github.at,
      ...(tip && { base_tree: tip.tree }),
      tree: [...files].map(([path, content]) => ({ path, mode: '100644' as const, type: 'blob' as const, content })),
    });
    if (tip?.tree === tree.sha) return tip.sha;
    const { data: commit } = await github.rest.git.createCommit({
      ...github.at,
      message,
      tree: tree.sha,
      parents: tip ? [tip.sha] : [],
    });
    try {
      if (tip) await github.rest.git.updateRef({ ...github.at, ref: `heads/${branch}`, sha: commit.sha, force: false });
      else await github.rest.git.createRef({ ...github.at, ref: `refs/heads/${branch}`, sha: commit.sha });
      return commit.sha;
    } catch (error) {
      // "Reference already exists", "Update is not a fast forward": somebody else was here in between.
      if (answerOf(error)?.status !== 422 || round >= mostTries) throw error;
    }
  }
}

async function tipOf(github: GitHub, branch: string): Promise<{ sha: string; tree: string } | undefined> {
  try {
    const { data: ref } = await github.rest.git.getRef({ ...github.at, ref: `heads/${branch}` });
    const { data: commit } = await github.rest.git.getCommit({ ...github.at, commit_sha: ref.object.sha });
    return { sha: commit.sha, tree: commit.tree.sha };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
