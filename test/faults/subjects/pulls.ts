import { unique } from '../../support/targets.ts';
import type { Place } from '../subject.ts';

export interface Pull {
  sha: string;
  number: number;
}

export function pullRequest({ repository }: Place, files: Record<string, string> = {}): Pull {
  const branch = unique('change');
  const sha = repository.commit({ branch, files: { 'NOTES.md': branch, ...files } });
  return { sha, number: repository.openPullRequest({ head: branch, author: 'ada' }) };
}
