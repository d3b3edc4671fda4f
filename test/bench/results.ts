import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import type { PartName, Row } from './part.ts';

/** Where something was measured. */
export interface Machine {
  cpu: string;
  cores: number;
  /** GiB */
  memory: number;
  kernel: string;
  node: string;
  /** Processes that wanted a core in the minute before. */
  load: number;
}

/** A part that was not measured, and why. */
export interface Skipped {
  part: PartName;
  why: string;
}

/** All that a run of the bench leaves: `--json`. */
export interface Results {
  version: 1;
  /** The commit, with `+` behind it where files had changed. */
  commit: string;
  /** ISO 8601, of the begin. */
  at: string;
  seconds: number;
  quick: boolean;
  machine: Machine;
  rows: Row[];
  skipped: Skipped[];
  /** Parts that were measured again by themselves. */
  again?: ({ parts: PartName[] } & Pick<Results, 'commit' | 'at' | 'machine'>)[];
}

/** A run of all parts, with those that a later run measured in their place. */
export function withLater(kept: Results, later: Results): Results {
  const isLater = ({ id }: Row): boolean => later.rows.some((row) => partOf(row) === partOf({ id }));
  const parts = [...new Set(later.rows.map(partOf))];
  const earlier = (kept.again ?? []).map((one) => ({ ...one, parts: one.parts.filter((part) => !parts.includes(part)) }));
  return {
    ...kept,
    rows: [...kept.rows.filter((row) => !isLater(row)), ...later.rows],
    skipped: kept.skipped.filter(({ part }) => !parts.includes(part)),
    again: [...earlier.filter((one) => one.parts.length > 0), { parts, commit: later.commit, at: later.at, machine: later.machine }],
  };
}

function partOf({ id }: Pick<Row, 'id'>): PartName {
  return id.slice(0, id.indexOf('/')) as PartName;
}

export function machine(): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model.trim() ?? arch(),
    cores: availableParallelism(),
    memory: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

export function commitOf(folder: string): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--untracked-files=no', 'actions', 'packages', 'test/bench') !== '';
  return git('rev-parse', 'HEAD') + (changed ? '+' : '');
}

/** @throws Error where the file holds no results of this version */
export function readResults(file: string): Results {
  const results = JSON.parse(readFileSync(file, 'utf8')) as Results;
  if (results.version !== 1 || !Array.isArray(results.rows)) throw new Error(`${file} holds no results of the bench in version 1`);
  return results;
}
