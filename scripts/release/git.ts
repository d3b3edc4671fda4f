import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files by path. */
export type Tree = ReadonlyMap<string, Buffer>;

/**
 * Runs git in a repository.
 * @returns its standard output without the last line end
 * @throws Error with git's own words
 */
export function git(repository: string, args: string[], options: { input?: Buffer | string; env?: Record<string, string> } = {}): string {
  const { status, stdout, stderr, error } = spawnSync('git', ['-C', repository, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...options.env },
    maxBuffer: 1 << 28,
    ...(options.input !== undefined && { input: options.input }),
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`git ${args.join(' ')} ended ${status}: ${stderr.trim()}`);
  return stdout.replace(/\n$/u, '');
}

// https://api.github.com/users/github-actions[bot]
const bot = { name: 'github-actions[bot]', email: '41898282+github-actions[bot]@users.noreply.github.com' };

/**
 * Makes a commit without parents whose tree is exactly these files. The index and the work tree are left alone.
 * The same files, message and date give the same SHA on every machine, so that two builds are compared by it.
 * @param date seconds since 1970, with the zone: `1700000000 +0000`
 */
export function commitOrphan(repository: string, tree: Tree, { message, date }: { message: string; date: string }): string {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-index-'));
  try {
    const env = { GIT_INDEX_FILE: join(folder, 'index') };
    const entries = [...tree].map(([path, content]) => {
      const blob = git(repository, ['hash-object', '-w', '--stdin'], { input: content });
      return `100644 ${blob}\t${path}\0`;
    });
    git(repository, ['update-index', '--add', '-z', '--index-info'], { env, input: entries.join('') });
    const written = git(repository, ['write-tree'], { env });
    return git(repository, ['commit-tree', written, '-F', '-'], {
      input: message,
      env: {
        GIT_AUTHOR_NAME: bot.name,
        GIT_AUTHOR_EMAIL: bot.email,
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_NAME: bot.name,
        GIT_COMMITTER_EMAIL: bot.email,
        GIT_COMMITTER_DATE: date,
      },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The names of all tags. */
export function tagsOf(repository: string): string[] {
  return git(repository, ['tag', '--list']).split('\n').filter(Boolean);
}
