import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BuiltIn } from './actions.ts';

/** `actions/checkout`, as far as writing the files of one commit. There is no `.git`. */
export const checkout = {
  inputs: ['ref', 'path', 'persist-credentials', 'fetch-depth', 'token'] as const,

  run({ inputs, github, sha, workspace, log }: BuiltIn): Promise<void> {
    const ref = inputs['ref'] || sha;
    const commit = /^[0-9a-f]{40}$/u.test(ref) ? ref : github.headOf(ref.replace(/^refs\/heads\//u, ''));
    const folder = join(workspace, inputs['path'] ?? '');
    const files = github.filesOf(commit);
    for (const [path, content] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    log(`Wrote ${files.size} files of ${commit}`);
    return Promise.resolve();
  },
};
