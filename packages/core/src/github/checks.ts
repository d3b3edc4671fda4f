import { ActionError } from '../action/errors.ts';
import type { GitHub } from './client.ts';
import { answerOf, isNotFound } from './failures.ts';

/** Which check: one of a name on a commit for a record (or `untrained`, the placeholder). */
export interface CheckKey {
  /** Full head SHA. */
  sha: string;
  /** e.g. `train: digits` */
  name: string;
  externalId: string;
  /** Where it is known, nothing is searched. */
  id?: number;
}

/** What a check shows: markdown. Cut to {@link checkTextLimit} bytes where it is longer. */
export interface CheckText {
  title: string;
  summary: string;
  text?: string;
  /**
   * At most {@link mostAnnotations}, of plain text. GitHub adds them to those that the check has, so they belong to the request
   * that concludes it.
   */
  annotations?: Annotation[];
}

/** A remark at a line of a file, as the files of the pull request show it. */
export interface Annotation {
  /** In the repository. */
  path: string;
  /** Counted from 1. */
  line: number;
  level: 'notice' | 'warning' | 'failure';
  /** Cut to 255 characters. */
  title: string;
  message: string;
}

/** The most annotations that GitHub takes in a request (https://docs.github.com/rest/checks/runs#update-a-check-run). */
export const mostAnnotations = 50;

/** GitHub counts `neutral` and `skipped` as passed. */
export type Conclusion = 'success' | 'failure' | 'neutral' | 'cancelled' | 'skipped' | 'timed_out' | 'action_required';

/** An unfinished status, or a conclusion, which ends it. */
export type CheckState = { status: 'queued' | 'in_progress' } | { conclusion: Conclusion };

/** A check run as GitHub has it. */
export interface CheckRun {
  id: number;
  name: string;
  sha: string;
  externalId: string;
  completed: boolean;
  conclusion: string | null;
  htmlUrl: string | null;
  /** The App that made it; only it can change it. GITHUB_TOKEN's is 15368. */
  appId: number | undefined;
}

/** The most that GitHub takes as summary and as text, in bytes of UTF-8. */
export const checkTextLimit = 65_535;

/** Of an annotation's message, in bytes. */
const annotationLimit = 64 * 1024;

interface RawCheckRun {
  id: number;
  name: string;
  head_sha: string;
  external_id: string | null;
  status: string;
  conclusion: string | null;
  html_url: string | null;
  app: { id: number } | null;
}

function toCheckRun(raw: RawCheckRun): CheckRun {
  return {
    id: raw.id,
    name: raw.name,
    sha: raw.head_sha,
    externalId: raw.external_id ?? '',
    completed: raw.status === 'completed',
    conclusion: raw.conclusion,
    htmlUrl: raw.html_url,
    appId: raw.app?.id,
  };
}

/**
 * Check runs on commits of one repository (https://docs.github.com/rest/checks/runs). POST does not deduplicate, and a completed
 * check cannot be reopened: GitHub answers 200 to a PATCH back to `in_progress` and leaves it completed.
 */
export class CheckRuns {
  readonly #github: GitHub;

  constructor(github: GitHub) {
    this.#github = github;
  }

  /** By id, else the newest of that name, commit and external id, an unfinished one before completed ones. */
  async find(key: CheckKey): Promise<CheckRun | undefined> {
    if (key.id !== undefined) {
      const byId = await this.#byId(key.id);
      if (byId && byId.sha === key.sha && byId.name === key.name) return byId;
    }
    const found = (await this.list(key.sha, key.name)).filter((check) => check.externalId === key.externalId);
    return found.find((check) => !check.completed) ?? found[0];
  }

  /** All check runs of a commit, newest first; of a name, where one is given. Anybody who may push a workflow can make them. */
  async list(sha: string, name?: string): Promise<CheckRun[]> {
    const all = await this.#github.paginate(this.#github.rest.checks.listForRef, {
      ...this.#github.at,
      ref: sha,
      // `latest` would hide an unfinished check behind a newer one of the same name.
      filter: 'all',
      per_page: 100,
      ...(name === undefined ? {} : { check_name: name }),
    });
    return all.map(toCheckRun).sort((a, b) => b.id - a.id);
  }

  /** Makes a check. After a lost answer it looks for it before it makes another. */
  async create(key: CheckKey, state: CheckState, text: CheckText): Promise<CheckRun> {
    const make = async (): Promise<CheckRun> => {
      const { data } = await this.#github.rest.checks.create({
        ...this.#github.at,
        head_sha: key.sha,
        name: key.name,
        external_id: key.externalId,
        output: outputOf(text),
        ...fieldsOf(state),
      });
      return toCheckRun(data);
    };
    try {
      return await make();
    } catch (error) {
      if (!(error instanceof ActionError) || error.code !== 'unreachable') throw error;
      const { id: _, ...search } = key;
      const found = await this.find(search);
      return found && found.completed === 'conclusion' in state ? found : await make();
    }
  }

  /**
   * Sets a check's state and text: the unfinished one is patched; where there is none, or it is another App's, a new one is made.
   * With an `id` that is an unfinished check's it is one request.
   */
  async put(key: CheckKey, state: CheckState, text: CheckText): Promise<CheckRun> {
    let { id } = key;
    if (id === undefined) {
      const found = await this.find(key);
      if (found && !found.completed) ({ id } = found);
    }
    const patched = id === undefined ? undefined : await this.#patch(id, key.externalId, state, text);
    // Asked to go on and still completed: somebody concluded it before.
    if (patched && patched.completed === 'conclusion' in state) return patched;
    return this.create(key, state, text);
  }

  async #byId(id: number): Promise<CheckRun | undefined> {
    try {
      return toCheckRun((await this.#github.rest.checks.get({ ...this.#github.at, check_run_id: id })).data);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** @returns undefined where it is gone, or not ours to change */
  async #patch(id: number, externalId: string, state: CheckState, text: CheckText): Promise<CheckRun | undefined> {
    try {
      const { data } = await this.#github.rest.checks.update({
        ...this.#github.at,
        check_run_id: id,
        // A placeholder becomes the record's, else its next report would not know it.
        external_id: externalId,
        output: outputOf(text),
        ...fieldsOf(state),
      });
      return toCheckRun(data);
    } catch (error) {
      const answer = answerOf(error);
      // "Invalid app_id `15368` - check run can only be modified by the GitHub App that created it.", and since 2025-03-31 "Check
      // run status and conclusions can only be updated internally by GitHub Actions" for the checks that are jobs.
      const foreign = answer?.status === 403 && /can only be (modified|updated)/u.test(answer.message);
      if (foreign || answer?.status === 404) return undefined;
      throw error;
    }
  }
}

function fieldsOf(state: CheckState): { status: 'queued' | 'in_progress' } | { status: 'completed'; conclusion: Conclusion } {
  return 'conclusion' in state ? { status: 'completed', conclusion: state.conclusion } : state;
}

interface RawOutput {
  title: string;
  summary: string;
  text?: string;
  annotations?: {
    path: string;
    start_line: number;
    end_line: number;
    annotation_level: Annotation['level'];
    title: string;
    message: string;
  }[];
}

function outputOf({ title, summary, text, annotations = [] }: CheckText): RawOutput {
  return {
    title: fitBytes(title.replaceAll(/\s+/gu, ' '), 255),
    summary: fitBytes(summary, checkTextLimit),
    ...(text === undefined ? {} : { text: fitBytes(text, checkTextLimit) }),
    ...(annotations.length === 0 ? {} : { annotations: annotations.slice(0, mostAnnotations).map(rawAnnotation) }),
  };
}

function rawAnnotation({ path, line, level, title, message }: Annotation): NonNullable<RawOutput['annotations']>[number] {
  return {
    path,
    start_line: line,
    end_line: line,
    annotation_level: level,
    title: fitBytes(title, 255),
    message: fitBytes(message, annotationLimit),
  };
}

/** The last resort: whole characters from the start, and a word that something is missing. Sections are dropped by who writes them. */
export function fitBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= limit) return text;
  const note = limit > 1000 ? '\n\n… (cut: it is longer than GitHub takes)' : '…';
  let end = limit - Buffer.byteLength(note);
  // Not inside a character: its further bytes are 10xxxxxx.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end).toString('utf8') + note;
}
