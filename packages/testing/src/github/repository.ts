import {
  addComment,
  addIssue,
  addLabel,
  addReaction,
  addReview,
  addReviewComment,
  addCheckRun,
  moveBranch,
  type NewCheckRun,
} from './changes.ts';
import { EventMaker } from './events.ts';
import type { FileEntry } from './git/objects.ts';
import type { Urls } from './http/api.ts';
import { mergeGroup, mergePull, personOf, type MergeMethod } from './merging.ts';
import { mergeability, type Mergeability } from './protection.ts';
import {
  fullName,
  newRepository,
  type Account,
  type CheckRun,
  type Comment,
  type Issue,
  type Protection,
  type Pull,
  type RepositoryData,
  type Review,
  type ReviewComment,
  type Role,
  type Store,
} from './store.ts';

/** What a commit makes of a path: its text or bytes, the same with a mode, or nothing any more. */
export type FileChange = string | Buffer | { mode: '100644' | '100755' | '120000'; content: string | Buffer } | null;
export type FileChanges = Readonly<Record<string, FileChange>> | ReadonlyMap<string, FileChange>;

/** A repository of the fake GitHub, as people and git act on it: by a login, without tokens. */
export class Repository {
  readonly data: RepositoryData;
  /** Payloads of webhooks, as workflows get them. */
  readonly events: EventMaker;
  readonly #store: Store;
  readonly #urls: Urls;

  constructor(store: Store, urls: Urls, data: RepositoryData) {
    this.#store = store;
    this.#urls = urls;
    this.data = data;
    this.events = new EventMaker(store, urls, data);
  }

  get id(): number {
    return this.data.id;
  }
  get owner(): string {
    return this.data.owner.login;
  }
  get name(): string {
    return this.data.name;
  }
  get fullName(): string {
    return fullName(this.data);
  }

  /**
   * Commits on top of a branch and pushes it. A branch that is not there begins at the default branch.
   * Hashes are git's own: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
   * @returns the commit's SHA
   */
  commit(change: { branch?: string; files?: FileChanges; message?: string; author?: string; date?: number }): string {
    const branch = change.branch ?? this.data.defaultBranch;
    const { git, refs } = this.data;
    const parent = refs.get(`refs/heads/${branch}`) ?? refs.get(`refs/heads/${this.data.defaultBranch}`);
    const files = git.readFiles((parent === undefined ? undefined : git.commits.get(parent)?.tree) ?? '');
    for (const [path, content] of entriesOf(change.files ?? {})) {
      if (content === null) files.delete(path);
      else files.set(path, this.#file(content));
    }
    const author = this.#store.account(change.author ?? this.owner);
    const person = personOf(author, change.date ?? this.#store.now());
    const sha = git.addCommit({
      tree: git.writeFiles(files),
      parents: parent === undefined ? [] : [parent],
      author: person,
      committer: person,
      message: `${(change.message ?? `Change ${branch}`).trimEnd()}\n`,
    });
    moveBranch(this.#store, this.data, branch, sha, author);
    return sha;
  }

  /** Points a branch at a commit that is there already; `undefined` deletes it. */
  push(branch: string, sha: string | undefined, by = this.owner): void {
    if (sha !== undefined && !this.data.git.commits.has(sha)) throw new Error(`no commit ${sha}`);
    moveBranch(this.#store, this.data, branch, sha, this.#store.account(by));
  }

  /** The commit of a branch. */
  head(branch = this.data.defaultBranch): string {
    const sha = this.data.refs.get(`refs/heads/${branch}`);
    if (sha === undefined) throw new Error(`${this.fullName} has no branch ${branch}`);
    return sha;
  }

  /** The git tree of a commit. */
  tree(sha: string): string {
    const commit = this.data.git.commits.get(sha);
    if (!commit) throw new Error(`no commit ${sha}`);
    return commit.tree;
  }

  /** A copy at another owner, on the same objects. */
  fork(owner: string): Repository {
    const { data } = this;
    const fork: RepositoryData = {
      ...newRepository(this.#store, owner, data.name, data.private, data.defaultBranch),
      parentId: data.id,
      git: data.git,
      refs: new Map([...data.refs].filter(([ref]) => ref.startsWith('refs/heads/'))),
    };
    this.#store.repositories.set(fork.id, fork);
    return new Repository(this.#store, this.#urls, fork);
  }

  /** Pull requests from it keep their head; its repository is null then. */
  delete(): void {
    this.#store.repositories.delete(this.id);
  }

  openPullRequest(pull: {
    head: string;
    base?: string;
    author?: string;
    title?: string;
    body?: string;
    draft?: boolean;
    fork?: Repository;
  }): number {
    const from = pull.fork ?? this;
    const base = pull.base ?? this.data.defaultBranch;
    const { number } = addIssue(this.#store, this.data, {
      title: pull.title ?? pull.head,
      body: pull.body ?? '',
      user: this.#store.account(pull.author ?? from.owner),
      pull: {
        head: { repositoryId: from.id, ref: pull.head, sha: from.head(pull.head) },
        base: { ref: base, sha: this.head(base) },
        draft: pull.draft ?? false,
      },
    });
    this.data.refs.set(`refs/pull/${number}/head`, from.head(pull.head));
    return number;
  }

  openIssue(issue: { title: string; body?: string; author?: string }): number {
    return addIssue(this.#store, this.data, { ...issue, user: this.#store.account(issue.author ?? this.owner) }).number;
  }

  issue(number: number): Issue {
    const issue = this.data.issues.get(number);
    if (!issue) throw new Error(`${this.fullName} has no #${number}`);
    return issue;
  }

  pull(number: number): Pull {
    const { pull } = this.issue(number);
    if (!pull) throw new Error(`#${number} is no pull request`);
    return pull;
  }

  merge(number: number, method: MergeMethod = 'merge', by = this.owner): string {
    return mergePull(this.#store, this.data, this.issue(number), method, this.#store.account(by));
  }

  /** Puts pull requests into the merge queue's next group. */
  mergeGroup(...numbers: number[]): { sha: string; ref: string; base: string } {
    return mergeGroup(
      this.#store,
      this.data,
      numbers.map((number) => this.issue(number)),
    );
  }

  close(number: number): void {
    const issue = this.issue(number);
    issue.state = 'closed';
    issue.closedAt = this.#store.time();
  }

  label(number: number, name: string): void {
    this.issue(number).labels.push(addLabel(this.#store, this.data, name));
  }

  comment(number: number, author: string, body: string): Comment {
    return addComment(this.#store, this.data, this.issue(number).number, this.#store.account(author), body);
  }

  /** A comment on a line. */
  reviewComment(number: number, author: string, body: string): ReviewComment {
    return addReviewComment(this.#store, this.data, this.issue(number).number, this.#store.account(author), body);
  }

  review(number: number, author: string, state: Review['state'], body = ''): Review {
    const commit = this.pull(number).head.sha;
    return addReview(this.#store, this.data, { issue: number, user: this.#store.account(author), state, body, commit });
  }

  /** All comments on lines, oldest first. */
  reviewComments(number: number): ReviewComment[] {
    return [...this.data.reviewComments.values()].filter((comment) => comment.issue === number);
  }

  /** All comments of a conversation, oldest first. */
  comments(number: number): Comment[] {
    return [...this.data.comments.values()].filter((comment) => comment.issue === number);
  }

  editComment(comment: Comment, body: string): void {
    comment.body = body;
    comment.updatedAt = this.#store.time();
  }

  react(comment: Comment, author: string, content: string): void {
    addReaction(this.#store, comment, this.#store.account(author), content);
  }

  /** Check runs of a commit, oldest first. */
  checks(sha: string): CheckRun[] {
    return [...this.data.checkRuns.values()].filter((run) => run.headSha === sha);
  }

  /** Somebody's check, e.g. a job's. */
  addCheck(check: NewCheckRun): CheckRun {
    return addCheckRun(this.#store, this.data, check);
  }

  setPermission(login: string, role: Role): Account {
    const account = this.#store.account(login);
    this.data.roles.set(login.toLowerCase(), role);
    return account;
  }

  protect(branch: string, protection: Partial<Protection>): void {
    this.data.protection.set(branch, { requiredChecks: [], upToDate: false, ...protection });
  }

  canMerge(number: number): Mergeability {
    return mergeability(this.data, this.issue(number));
  }

  #file(content: Exclude<FileChange, null>): FileEntry {
    const { mode, content: bytes } =
      typeof content === 'string' || Buffer.isBuffer(content) ? { mode: '100644' as const, content } : content;
    return { mode, sha: this.data.git.addBlob(Buffer.from(bytes as string)) };
  }
}

function entriesOf(files: FileChanges): Iterable<[string, FileChange]> {
  return files instanceof Map ? (files as ReadonlyMap<string, FileChange>) : Object.entries(files);
}
