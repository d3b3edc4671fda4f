import type { FileEntry } from './objects.ts';

type Files = ReadonlyMap<string, FileEntry>;

/**
 * Merges whole files: what one side alone changed is taken, what both changed differently is a conflict. Real git goes on to
 * merge within a file; no example needs that yet.
 */
export function mergeFiles(base: Files, ours: Files, theirs: Files): { files: Map<string, FileEntry>; conflicts: string[] } {
  const files = new Map<string, FileEntry>();
  const conflicts: string[] = [];
  for (const path of new Set([...base.keys(), ...ours.keys(), ...theirs.keys()])) {
    const [before, a, b] = [base.get(path), ours.get(path), theirs.get(path)];
    if (!same(a, b) && !same(before, a) && !same(before, b)) conflicts.push(path);
    const merged = same(before, a) ? b : a;
    if (merged) files.set(path, merged);
  }
  return { files, conflicts };
}

export interface FileChange {
  path: string;
  status: 'added' | 'removed' | 'modified' | 'renamed';
  previousPath?: string;
  /** The blob after the change; before it where it was removed. */
  sha: string;
}

/** What changed from one tree to another. A file that is gone and stands elsewhere unchanged was renamed. */
export function diffFiles(before: Files, after: Files): FileChange[] {
  const changes: FileChange[] = [];
  const removed = new Map<string, string>();
  for (const [path, { sha }] of before) if (!after.has(path)) removed.set(sha, path);
  const renamed = new Set<string>();
  for (const [path, file] of after) {
    const old = before.get(path);
    if (same(old, file)) continue;
    const previousPath = old ? undefined : removed.get(file.sha);
    if (previousPath !== undefined && !renamed.has(previousPath)) {
      renamed.add(previousPath);
      changes.push({ path, status: 'renamed', previousPath, sha: file.sha });
    } else {
      changes.push({ path, status: old ? 'modified' : 'added', sha: file.sha });
    }
  }
  for (const [path, { sha }] of before) if (!after.has(path) && !renamed.has(path)) changes.push({ path, status: 'removed', sha });
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function same(a: FileEntry | undefined, b: FileEntry | undefined): boolean {
  return a?.sha === b?.sha && a?.mode === b?.mode;
}
