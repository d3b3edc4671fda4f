import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBundle } from '@slashtrain/testing/bundle/bundle';
import { readAction } from '@slashtrain/testing/bundle/environment';
import { digitsFiles } from '@slashtrain/testing/demo/example';
import { openPlace } from '@slashtrain/testing/demo/place';
import { startGitHub } from '@slashtrain/testing/github/github';
import { ownActions, type ActionResolver } from '@slashtrain/testing/runner/actions';
import { fakeForRunner } from '@slashtrain/testing/runner/github';
import { WorkflowRuns } from '@slashtrain/testing/runner/workflow-runs';

/** What a smoke test saw of one action. */
export interface Smoke {
  action: string;
  /** What tried it: the example's workflow, or only a start without inputs, where it has no part in that. */
  by: 'workflow' | 'start';
}

/**
 * Tries release commits before they have a tag: examples/digits trains, reports and cancels on the embedded parts with
 * `uses:` answered out of these commits. What has no part in that workflow is started without inputs, and must refuse by itself.
 * @param commits SHAs of release commits, at most one an action
 * @throws Error that names the action and what it did
 */
export async function smoke(repository: string, commits: readonly string[]): Promise<Smoke[]> {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-smoke-'));
  try {
    const actions = new Map<string, string>();
    for (const commit of commits) {
      const place = join(folder, commit);
      mkdirSync(place);
      const archive = execFileSync('git', ['-C', repository, 'archive', commit], { maxBuffer: 1 << 28 });
      execFileSync('tar', ['-x', '-C', place], { input: archive });
      for (const action of existsSync(join(place, 'actions')) ? readdirSync(join(place, 'actions')) : [])
        actions.set(action, join(place, 'actions', action));
    }
    const used = new Set<string>();
    const resolver: ActionResolver = (uses) => {
      const action = /^slashtrain\/slashtrain\/actions\/([a-z-]+)@/u.exec(uses)?.[1] ?? '';
      const from = actions.get(action);
      if (from === undefined) return ownActions(uses);
      used.add(action);
      return { kind: 'bundle', action: readAction(from) };
    };
    await train(resolver);
    for (const [action, place] of actions) if (!used.has(action)) await refuses(action, place);
    return [...actions.keys()].map((action) => ({ action, by: used.has(action) ? 'workflow' : 'start' }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A comment trains, reports and cancels. */
async function train(actions: ActionResolver): Promise<void> {
  const place = await openPlace({ once: true });
  // A comment in the second of a push cannot know the commit.
  let past = 60_000;
  const github = await startGitHub({ now: () => Date.now() - past });
  try {
    const repository = github.createRepository({ owner: 'acme', name: 'digits', files: digitsFiles() });
    repository.setPermission('ada', 'write');
    const workflows = new WorkflowRuns({
      github: fakeForRunner(github, repository),
      actions,
      secrets: { KUBECONFIG: place.kubeconfig },
      vars: { SLASHTRAIN_IMAGE: `${place.registry}/acme/digits`, SLASHTRAIN_BASE: place.base },
    });
    repository.commit({ branch: 'topic', files: { 'NOTES.md': 'smoke\n' }, author: 'ada' });
    const number = repository.openPullRequest({ head: 'topic', author: 'ada' });
    past = 0;
    for (const text of ['/train epochs=1', '/cancel']) {
      const [run] = await workflows.dispatch(repository.events.issueComment(repository.comment(number, 'ada', text)));
      const failed = run?.jobs.flatMap(({ steps }) => steps).find(({ conclusion }) => conclusion === 'failure');
      if (run?.conclusion !== 'success')
        throw new Error(`"${text}" ended ${run?.conclusion ?? 'without a run'} at "${failed?.name ?? '?'}"`);
    }
  } finally {
    await github.close();
    await place.close();
  }
}

/** The bundle starts, reads its inputs, and says in one line what it lacks. */
async function refuses(action: string, folder: string): Promise<void> {
  const github = { url: 'http://127.0.0.1:1', token: 'none', repository: { owner: 'acme', name: 'digits', id: 1 } };
  const { code, annotations, shown } = await runBundle({ action: folder, github });
  const errors = annotations.filter(({ level }) => level === 'error');
  if (code !== 1 || errors.length !== 1 || /^\s+at /mu.test(shown))
    throw new Error(`${action} without inputs should end 1 with one error and no stack, and ended ${code}:\n${shown}`);
}
