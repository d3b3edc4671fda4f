import { ActionError } from '../action/errors.ts';
import { numberOf, parsePythonJson } from '../metrics/lines.ts';
import type { MetricPoint } from '../metrics/metrics.ts';
import { openJson, understanding, type JsonClient, type JsonClientOptions } from './http.ts';
import type { TrackedRun } from './tracked.ts';

const pageSize = 100;
const samples = 500;
// As the public client's scan_history does: of a thousand steps a thousand samples are all.
const historyPage = 1000;
const mostPages = 50;

/** One project of Weights & Biases, read only. */
export interface Wandb {
  /** Runs that a filter of MongoDB's form finds, page by page. @example `{ $or: [{ commit: sha }, { group: name }] }` */
  searchRuns(filters: object): AsyncGenerator<TrackedRun[]>;
  /** At most 500 points of one metric by run; with `whole` all of them, of runs that were found before and have under 50,000 steps. */
  histories(runIds: readonly string[], metric: string, whole?: boolean): Promise<Map<string, MetricPoint[]>>;
}

/** A server of W&B's and who asks it. */
export type WandbOptions = Pick<JsonClientOptions, 'url' | 'from' | 'signal' | 'wait' | 'onRetry'> & {
  environment: NodeJS.ProcessEnv;
  mask(secret: string): void;
};

/** Opens `WANDB_BASE_URL` as `WANDB_API_KEY`. */
export function wandbServer(options: WandbOptions): JsonClient {
  const { environment, mask } = options;
  const key = environment['WANDB_API_KEY'] ?? '';
  const basic = Buffer.from(`api:${key}`).toString('base64');
  for (const secret of [key, basic]) if (key !== '') mask(secret);
  return openJson({
    ...options,
    tracker: 'W&B',
    credentials: 'WANDB_API_KEY',
    headers: key === '' ? {} : { authorization: `Basic ${basic}` },
  });
}

/**
 * Opens a project of `WANDB_BASE_URL`, as `WANDB_API_KEY`. The queries are those of W&B's own public client
 * (https://github.com/wandb/wandb/blob/v0.22.3/wandb/apis/public/runs.py); no real server has answered them yet.
 */
export function openWandb(options: WandbOptions & { entity: string; project: string }): Wandb {
  const { entity, project, environment } = options;
  const json = wandbServer(options);
  // As the search told them: where a curve ends.
  const lastSteps = new Map<string, number>();
  const app = environment['WANDB_APP_URL'] ?? json.url.replace('//api.', '//');
  return understanding('W&B', json.url, {
    async *searchRuns(filters) {
      for (let after: string | undefined, more = true; more;) {
        const { runs } = await ask(json, `${entity}/${project}`, runsQuery, {
          entity,
          project,
          filters: JSON.stringify(filters),
          order: '-created_at',
          perPage: pageSize,
          cursor: after ?? null,
        });
        for (const { node } of runs?.edges ?? []) lastSteps.set(String(node.name), node.historyKeys?.lastStep ?? Number.NaN);
        yield (runs?.edges ?? []).map(({ node }) => readRun(node, `${app}/${entity}/${project}`));
        after = runs?.pageInfo?.endCursor;
        more = runs?.pageInfo?.hasNextPage === true && after !== undefined;
      }
    },
    async histories(runIds, metric, whole = false) {
      const what = (run: string): string => `${entity}/${project}/${run}`;
      // A specification of several keys is an AND, and gives nothing without a word: one key each.
      const keys = ['_step', metric];
      const sampled = async (name: string): Promise<Row[]> => {
        const specs = [JSON.stringify({ keys, samples })];
        const { run } = await ask(json, what(name), sampleQuery, { entity, project, name, specs });
        return run?.sampledHistory?.[0] ?? [];
      };
      const paged = async (run: string, lastStep: number): Promise<Row[]> => {
        const rows: Row[] = [];
        for (let minStep = 0; minStep <= lastStep; minStep += historyPage) {
          const spec = JSON.stringify({ keys, minStep, maxStep: Math.min(minStep + historyPage, lastStep + 1), samples: historyPage });
          const page = await ask(json, what(run), pageQuery, { entity, project, run, spec });
          rows.push(...(page.run?.sampledHistory?.[0] ?? []));
        }
        return rows;
      };
      const curves = new Map<string, MetricPoint[]>();
      for (const id of runIds) {
        const lastStep = lastSteps.get(id) ?? Number.NaN;
        const rows = whole && lastStep < mostPages * historyPage ? await paged(id, lastStep) : await sampled(id);
        curves.set(
          id,
          rows.flatMap((row) => pointOf(row, metric)).sort((a, b) => a.step - b.step),
        );
      }
      return curves;
    },
  });
}

const runsQuery = `query Runs($project: String!, $entity: String!, $cursor: String, $perPage: Int = 50, $order: String, $filters: JSONString) {
  project(name: $project, entityName: $entity) {
    runCount(filters: $filters)
    readOnly
    runs(filters: $filters, after: $cursor, first: $perPage, order: $order) {
      edges { node { ...RunFragment } cursor }
      pageInfo { endCursor hasNextPage }
    }
  }
}
fragment RunFragment on Run {
  id tags name displayName sweepName state config group jobType commit readOnly createdAt heartbeatAt description notes
  systemMetrics summaryMetrics historyLineCount
  user { name username }
  historyKeys
}`;

const sampleQuery = `query RunSampledHistory($project: String!, $entity: String!, $name: String!, $specs: [JSONString!]!) {
  project(name: $project, entityName: $entity) { run(name: $name) { sampledHistory(specs: $specs) } }
}`;

const pageQuery = `query SampledHistoryPage($entity: String!, $project: String!, $run: String!, $spec: JSONString!) {
  project(name: $project, entityName: $entity) { run(name: $run) { sampledHistory(specs: [$spec]) } }
}`;

interface Node {
  name?: string;
  displayName?: string;
  state?: string;
  config?: string;
  summaryMetrics?: string;
  tags?: string[];
  commit?: string | null;
  createdAt?: string;
  group?: string | null;
  historyKeys?: { lastStep?: number } | null;
}

type Row = Record<string, unknown>;

interface Project {
  runs?: { edges?: { node: Node }[]; pageInfo?: { endCursor?: string; hasNextPage?: boolean } };
  run?: { sampledHistory?: Row[][] } | null;
}

async function ask(json: JsonClient, what: string, query: string, variables: object): Promise<Project> {
  const { project } = await askWandb<{ project?: Project | null }>(json, what, query, variables);
  if (project) return project;
  throw new ActionError('not-found', `W&B has no project ${what}, or the key may not read it`, {
    remedy: 'check input "experiment" (ENTITY/PROJECT) and WANDB_API_KEY',
  });
}

/** Sends a GraphQL operation. @param what it is about, for errors @throws ActionError in W&B's own words where it refuses */
export async function askWandb<T extends object>(json: JsonClient, what: string, query: string, variables: object): Promise<Partial<T>> {
  const { data, errors } = (await json.post('/graphql', { query, variables })) as { data?: T | null; errors?: { message?: string }[] };
  const problem = errors?.[0];
  if (problem) throw new ActionError('unreachable', `W&B refused the query for ${what}: ${String(problem.message).slice(0, 300)}`);
  return data ?? {};
}

const states: Record<string, TrackedRun['state']> = {
  finished: 'finished',
  failed: 'failed',
  crashed: 'failed',
  killed: 'killed',
  running: 'running',
  pending: 'running',
};

function readRun(node: Node, url: string): TrackedRun {
  const config = jsonMap(node.config);
  // `config.k.value`; what begins with _wandb is W&B's own.
  const parameters = [...config].flatMap(([name, entry]) => {
    const value = typeof entry === 'object' && entry !== null && 'value' in entry ? entry.value : entry;
    return name.startsWith('_') ? [] : [{ name, value: typeof value === 'string' ? value : (JSON.stringify(value) ?? '') }];
  });
  const commit = node.commit ?? parameters.find(({ name }) => name === 'github_sha')?.value;
  const series = [...jsonMap(node.summaryMetrics)].flatMap(([name, value]) => {
    const number = name.startsWith('_') ? undefined : numberOf(value);
    return number === undefined ? [] : [{ name, points: [{ step: 0, value: number }] }];
  });
  return {
    id: String(node.name),
    ...(node.displayName === undefined ? {} : { name: node.displayName }),
    url: `${url}/runs/${String(node.name)}`,
    ...(commit === undefined || commit === null ? {} : { commit }),
    ...(node.group ? { run: node.group } : {}),
    ...pullRequestIn(node.tags),
    state: states[String(node.state)] ?? 'unknown',
    startedAt: Date.parse(node.createdAt ?? '') || 0,
    parameters: parameters.filter(({ name }) => name !== 'github_sha'),
    series,
  };
}

/** submit-pipeline tags runs `pr-42`. */
function pullRequestIn(tags: readonly string[] = []): { pullRequest?: string } {
  const tag = tags.find((one) => /^pr-[0-9]+$/u.test(one));
  return tag === undefined ? {} : { pullRequest: tag.slice(3) };
}

function pointOf(row: Record<string, unknown>, metric: string): MetricPoint[] {
  const value = numberOf(Object.hasOwn(row, metric) ? row[metric] : undefined);
  const step = Number(row['_step']);
  return value === undefined || !(step >= 0) ? [] : [{ step, value }];
}

/** `config` and `summaryMetrics` are JSON within a text, with bare NaN. @returns without a prototype's names */
function jsonMap(text: string | undefined): Map<string, unknown> {
  const data = text ? parsePythonJson(text) : {};
  return new Map(typeof data === 'object' && data !== null ? Object.entries(data) : []);
}
