import { createHash } from 'node:crypto';

/** git's file modes: file, executable, symbolic link, folder, submodule. */
export type Mode = '100644' | '100755' | '120000' | '40000' | '160000';

export interface TreeEntry {
  mode: Mode;
  name: string;
  sha: string;
}

export interface Person {
  name: string;
  email: string;
  /** Milliseconds since 1970; git keeps whole seconds, we write UTC. */
  date: number;
}

export interface CommitObject {
  sha: string;
  tree: string;
  parents: string[];
  author: Person;
  committer: Person;
  message: string;
}

/** A file of a commit. A symbolic link's content is its target. */
export interface FileEntry {
  mode: Mode;
  sha: string;
}

/** The objects of a repository and all its forks: on GitHub too a fork network shares them. */
export class ObjectStore {
  readonly blobs = new Map<string, Buffer>();
  readonly trees = new Map<string, TreeEntry[]>();
  readonly commits = new Map<string, CommitObject>();

  addBlob(content: Buffer): string {
    const sha = hashObject('blob', content);
    this.blobs.set(sha, content);
    return sha;
  }

  addTree(entries: readonly TreeEntry[]): string {
    const sorted = entries.toSorted((a, b) => Buffer.compare(sortKey(a), sortKey(b)));
    const sha = hashObject(
      'tree',
      Buffer.concat(sorted.flatMap(({ mode, name, sha: id }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')])),
    );
    this.trees.set(sha, sorted);
    return sha;
  }

  addCommit(commit: Omit<CommitObject, 'sha'>): string {
    const person = ({ name, email, date }: Person): string => `${name} <${email}> ${Math.floor(date / 1000)} +0000`;
    const lines = [
      `tree ${commit.tree}`,
      ...commit.parents.map((parent) => `parent ${parent}`),
      `author ${person(commit.author)}`,
      `committer ${person(commit.committer)}`,
      '',
      commit.message,
    ];
    const sha = hashObject('commit', Buffer.from(lines.join('\n')));
    this.commits.set(sha, { ...commit, sha });
    return sha;
  }

  /** Makes the trees of a flat list of files, and gives the top one. */
  writeFiles(files: ReadonlyMap<string, FileEntry>): string {
    const entries: TreeEntry[] = [];
    const folders = new Map<string, Map<string, FileEntry>>();
    for (const [path, { mode, sha }] of files) {
      const slash = path.indexOf('/');
      if (slash < 0) {
        entries.push({ mode, name: path, sha });
        continue;
      }
      const folder = path.slice(0, slash);
      folders.set(folder, (folders.get(folder) ?? new Map<string, FileEntry>()).set(path.slice(slash + 1), { mode, sha }));
    }
    for (const [name, inner] of folders) entries.push({ mode: '40000', name, sha: this.writeFiles(inner) });
    return this.addTree(entries);
  }

  /** All files below a tree by path, in git's order. */
  readFiles(tree: string, prefix = ''): Map<string, FileEntry> {
    const files = new Map<string, FileEntry>();
    for (const { mode, name, sha } of this.trees.get(tree) ?? []) {
      if (mode === '40000') for (const [path, file] of this.readFiles(sha, `${prefix}${name}/`)) files.set(path, file);
      else files.set(prefix + name, { mode, sha });
    }
    return files;
  }

  /** What stands at a path: a file's or a folder's entry; the tree itself for the empty path. */
  lookUp(tree: string, path: string): TreeEntry | undefined {
    let entry: TreeEntry | undefined = { mode: '40000', name: '', sha: tree };
    for (const part of path.split('/').filter((name) => name !== '')) {
      if (entry?.mode !== '40000') return undefined;
      entry = this.trees.get(entry.sha)?.find(({ name }) => name === part);
    }
    return entry;
  }

  /** A commit and all its ancestors, newest first, as `git log` and GitHub list them. */
  history(sha: string): CommitObject[] {
    const seen = new Set<string>();
    const pending = [sha];
    const found: CommitObject[] = [];
    while (pending.length > 0) {
      const next = pending.pop() ?? '';
      const commit = this.commits.get(next);
      if (seen.has(next) || !commit) continue;
      seen.add(next);
      found.push(commit);
      pending.push(...commit.parents);
    }
    return inOrder(found);
  }

  /** Commits of `head` that `base` does not have, newest first. */
  between(base: string, head: string): CommitObject[] {
    const known = new Set(this.history(base).map((commit) => commit.sha));
    return this.history(head).filter((commit) => !known.has(commit.sha));
  }

  /** The newest commit that both descend from. */
  mergeBase(a: string, b: string): string | undefined {
    const known = new Set(this.history(a).map((commit) => commit.sha));
    return this.history(b).find((commit) => known.has(commit.sha))?.sha;
  }
}

/** By date, and never a parent before its child, however the dates are: the order of `git log --date-order`. */
function inOrder(commits: CommitObject[]): CommitObject[] {
  const children = new Map<string, number>();
  for (const { parents } of commits) for (const parent of parents) children.set(parent, (children.get(parent) ?? 0) + 1);
  const bySha = new Map(commits.map((commit) => [commit.sha, commit]));
  const ready = commits.filter((commit) => !children.get(commit.sha));
  const ordered: CommitObject[] = [];
  while (ready.length > 0) {
    ready.sort((a, b) => a.committer.date - b.committer.date);
    const commit = ready.pop();
    if (!commit) break;
    ordered.push(commit);
    for (const sha of commit.parents) {
      const left = (children.get(sha) ?? 0) - 1;
      children.set(sha, left);
      const parent = bySha.get(sha);
      if (left === 0 && parent) ready.push(parent);
    }
  }
  return ordered;
}

/** git's name of an object: SHA-1 of its type, size and content (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects). */
export function hashObject(type: 'blob' | 'tree' | 'commit', content: Buffer): string {
  return createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
}

/** git sorts a folder as if its name ended in a slash. */
function sortKey({ mode, name }: TreeEntry): Buffer {
  return Buffer.from(mode === '40000' ? `${name}/` : name);
}
