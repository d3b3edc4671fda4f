import { ObjectStore } from './git/objects.ts';

/*
 * All that the fake GitHub knows, as plain data: pages read it, routes and the handles of tests change it.
 * Times are ISO 8601 as in the API, without milliseconds.
 */

export interface Account {
  id: number;
  login: string;
  type: 'User' | 'Bot' | 'Organization';
}

/** A GitHub App. Its bot is the author of what its tokens make. */
export interface App {
  id: number;
  slug: string;
  name: string;
  bot: Account;
}

export type Access = 'read' | 'write';

/** An installation token. */
export interface Token {
  value: string;
  app: App;
  /** As in a workflow: `pull-requests` is kept as `pull_requests`. */
  permissions: ReadonlyMap<string, Access>;
  /** The only repository that it is for; all where undefined. */
  repositoryId: number | undefined;
  /** Requests of this hour. */
  used: number;
}

export type Role = 'none' | 'read' | 'triage' | 'write' | 'maintain' | 'admin';

export interface Label {
  id: number;
  name: string;
  color: string;
}

export interface Reaction {
  id: number;
  user: Account;
  content: string;
  createdAt: string;
}

export interface Comment {
  id: number;
  issue: number;
  user: Account;
  app: App | undefined;
  body: string;
  createdAt: string;
  updatedAt: string;
  reactions: Reaction[];
}

/** A comment on lines of a pull request's new side. */
export interface ReviewComment extends Comment {
  /** Absent where a test's handle made it, on no line in particular. */
  place?: ReviewPlace;
}

export interface ReviewPlace {
  path: string;
  /** As it was asked for: its lines are those of this commit. */
  commit: string;
  line: number;
  /** The first of several lines. */
  startLine: number | undefined;
}

/** A review of a pull request, with its comments on lines. */
export interface Review {
  id: number;
  issue: number;
  user: Account;
  state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED';
  body: string;
  /** The head when it was written. */
  commit: string;
  submittedAt: string;
}

export interface Pull {
  head: { repositoryId: number; ref: string; sha: string };
  base: { ref: string; sha: string };
  draft: boolean;
  merged?: { at: string; by: Account; sha: string };
}

/** An issue; a pull request is one with `pull`. */
export interface Issue {
  id: number;
  number: number;
  title: string;
  body: string;
  user: Account;
  state: 'open' | 'closed';
  labels: Label[];
  createdAt: string;
  updatedAt: string;
  closedAt: string | undefined;
  pull?: Pull;
}

export type CheckConclusion =
  'success' | 'failure' | 'neutral' | 'cancelled' | 'skipped' | 'timed_out' | 'action_required' | 'stale' | 'startup_failure';

export interface CheckRun {
  id: number;
  suiteId: number;
  name: string;
  headSha: string;
  externalId: string;
  detailsUrl: string;
  status: 'queued' | 'in_progress' | 'completed';
  conclusion: CheckConclusion | undefined;
  startedAt: string | undefined;
  completedAt: string | undefined;
  output: { title: string | undefined; summary: string | undefined; text: string | undefined };
  annotations: CheckAnnotation[];
  app: App;
  /** It is a job of a workflow: GitHub Actions alone changes it. */
  isJob: boolean;
}

/** As a request gave it. */
export interface CheckAnnotation {
  path: string;
  startLine: number;
  endLine: number;
  startColumn: number | undefined;
  endColumn: number | undefined;
  level: 'notice' | 'warning' | 'failure';
  message: string;
  title: string | undefined;
  rawDetails: string | undefined;
}

export interface CheckSuite {
  id: number;
  headSha: string;
  app: App;
}

export interface Status {
  id: number;
  sha: string;
  state: 'error' | 'failure' | 'pending' | 'success';
  context: string;
  description: string;
  targetUrl: string;
  creator: Account;
  createdAt: string;
}

export type DeploymentState = 'error' | 'failure' | 'inactive' | 'in_progress' | 'queued' | 'pending' | 'success';

export interface DeploymentStatus {
  id: number;
  state: DeploymentState;
  description: string;
  environment: string;
  environmentUrl: string;
  logUrl: string;
  creator: Account;
  createdAt: string;
}

export interface Deployment {
  id: number;
  sha: string;
  ref: string;
  task: string;
  environment: string;
  description: string;
  payload: unknown;
  transient: boolean;
  production: boolean;
  creator: Account;
  app: App | undefined;
  createdAt: string;
  updatedAt: string;
  statuses: DeploymentStatus[];
}

export interface Activity {
  id: number;
  before: string;
  after: string;
  ref: string;
  at: string;
  type: 'push' | 'force_push' | 'branch_deletion' | 'branch_creation' | 'pr_merge' | 'merge_queue_merge';
  actor: Account;
}

/** What a branch asks for before a merge. */
export interface Protection {
  /** `appId` pins who must have made the check. */
  requiredChecks: { context: string; appId?: number }[];
  /** The head must contain the base. */
  upToDate: boolean;
}

export interface RepositoryData {
  id: number;
  owner: Account;
  name: string;
  private: boolean;
  defaultBranch: string;
  /** Where it was forked from. */
  parentId: number | undefined;
  git: ObjectStore;
  /** `refs/heads/main` → commit. */
  refs: Map<string, string>;
  /** By login in lower case. */
  roles: Map<string, Role>;
  issues: Map<number, Issue>;
  comments: Map<number, Comment>;
  reviews: Map<number, Review>;
  /** Comments on lines. */
  reviewComments: Map<number, ReviewComment>;
  checkRuns: Map<number, CheckRun>;
  checkSuites: Map<number, CheckSuite>;
  statuses: Status[];
  deployments: Map<number, Deployment>;
  labels: Map<string, Label>;
  activity: Activity[];
  /** By branch. */
  protection: Map<string, Protection>;
  createdAt: string;
}

/** One request as it was answered. */
export interface RecordedRequest {
  method: string;
  /** With the query, without `/api/v3`. */
  path: string;
  /** 0 where the connection was cut. */
  status: number;
  /** Parsed JSON, or undefined. */
  body: unknown;
  /** Of the token that asked. */
  actor: string | undefined;
}

export class Store {
  readonly accounts = new Map<string, Account>();
  readonly apps = new Map<number, App>();
  readonly tokens = new Map<string, Token>();
  readonly repositories = new Map<number, RepositoryData>();
  /** `org/slug` in lower case → logins in lower case. Members of nested teams are among them. */
  readonly teams = new Map<string, Set<string>>();
  readonly requests: RecordedRequest[] = [];
  readonly now: () => number;
  #lastId = 1000;

  constructor(now: () => number) {
    this.now = now;
  }

  /** Ids grow, so that the older of two things has the smaller one. */
  nextId(): number {
    return ++this.#lastId;
  }

  time(): string {
    return isoTime(this.now());
  }

  account(login: string, type: Account['type'] = 'User', id?: number): Account {
    const key = login.toLowerCase();
    const known = this.accounts.get(key);
    if (known) return known;
    const account = { id: id ?? this.nextId(), login, type };
    this.accounts.set(key, account);
    return account;
  }

  find(owner: string, name: string): RepositoryData | undefined {
    const wanted = `${owner}/${name}`.toLowerCase();
    return [...this.repositories.values()].find((one) => fullName(one).toLowerCase() === wanted);
  }
}

export function fullName(repository: RepositoryData): string {
  return `${repository.owner.login}/${repository.name}`;
}

export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/u, 'Z');
}

/** The commit that a SHA, branch, tag, `refs/…` or `HEAD` means; short SHAs of 7 digits or more too. */
export function resolve(repository: RepositoryData, ref: string): string | undefined {
  const name = ref === 'HEAD' || ref === '' ? repository.defaultBranch : ref;
  const named =
    repository.refs.get(`refs/heads/${name}`) ??
    repository.refs.get(`refs/tags/${name}`) ??
    repository.refs.get(name) ??
    repository.refs.get(`refs/${name}`);
  if (named !== undefined) return named;
  if (!/^[0-9a-f]{7,40}$/u.test(name)) return undefined;
  if (repository.git.commits.has(name)) return name;
  const matches = [...repository.git.commits.keys()].filter((sha) => sha.startsWith(name));
  return matches.length === 1 ? matches[0] : undefined;
}

/** An empty repository. It is not in the store yet. */
export function newRepository(store: Store, owner: string, name: string, isPrivate: boolean, defaultBranch: string): RepositoryData {
  const account = store.account(owner);
  return {
    id: store.nextId(),
    owner: account,
    name,
    private: isPrivate,
    defaultBranch,
    parentId: undefined,
    git: new ObjectStore(),
    refs: new Map(),
    roles: new Map([[account.login.toLowerCase(), 'admin']]),
    issues: new Map(),
    comments: new Map(),
    reviews: new Map(),
    reviewComments: new Map(),
    checkRuns: new Map(),
    checkSuites: new Map(),
    statuses: [],
    deployments: new Map(),
    labels: new Map(),
    activity: [],
    protection: new Map(),
    createdAt: store.time(),
  };
}
