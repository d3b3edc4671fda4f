import { ActionError } from '../action/errors.ts';
import { numberOf } from '../metrics/lines.ts';
import type { MetricPoint } from '../metrics/metrics.ts';
import { openJson, understanding, type JsonClient, type JsonClientOptions } from './http.ts';
import type { TrackedRun } from './tracked.ts';

/** The most runs of one page; the server allows 50,000, whose JSON is 100 MB with 20 metrics each. */
const pageSize = 1000;
// https://mlflow.org/docs/latest/api_reference/rest-api.html: at most 100 runs and 2,500 points a request.
const mostRuns = 100;
const mostPoints = 2500;
const historyPage = 25_000;

/** Which runs of which experiments. */
export interface RunSearch {
  experimentIds: readonly string[];
  /** @example ``tags.`slashtrain.run` = 'digits-pr1-…'`` */
  filter?: string;
  orderBy?: readonly string[];
}

/** An MLflow tracking server, read only. */
export interface Mlflow {
  readonly url: string;
  /** Ids of the experiments of these names, of all where none is named. @throws ActionError `not-found` */
  experimentIds(names: readonly string[]): Promise<string[]>;
  /** Page by page, so that ten thousand runs take no more memory than one thousand. */
  searchRuns(search: RunSearch): AsyncGenerator<TrackedRun[]>;
  run(id: string): Promise<TrackedRun>;
  /** Curves of one metric by run. Above 2,500 points a sample of them, unless `whole`. */
  histories(runIds: readonly string[], metric: string, whole?: boolean): Promise<Map<string, MetricPoint[]>>;
  /** The run of a registered model's version, by `models:/NAME/VERSION`, `models:/NAME@ALIAS`. @throws ActionError `not-found` */
  modelRun(uri: string): Promise<{ runId: string; version: string }>;
}

/**
 * Opens the server of `MLFLOW_TRACKING_URI`, as MLFLOW_TRACKING_USERNAME and _PASSWORD or MLFLOW_TRACKING_TOKEN
 * (https://mlflow.org/docs/latest/self-hosting/security/basic-http-auth/).
 */
export function openMlflow(options: MlflowOptions): Mlflow {
  const json = mlflowServer(options);
  return understanding('MLflow', json.url, {
    url: json.url,
    experimentIds: (names) => experimentIds(json, names),
    searchRuns: (search) => searchRuns(json, search),
    async run(id) {
      const { run } = (await json.get('/api/2.0/mlflow/runs/get', [['run_id', id]])) as { run?: RunData };
      return readRun(run ?? {}, json.url);
    },
    histories: (runIds, metric, whole = false) => histories(json, runIds, metric, whole),
    modelRun: (uri) => modelRun(json, uri),
  });
}

/** Where an MLflow server is, and how one signs in. */
export type MlflowOptions = Pick<JsonClientOptions, 'url' | 'from' | 'signal' | 'wait' | 'onRetry'> & {
  environment: NodeJS.ProcessEnv;
  mask(secret: string): void;
};

/** The server's REST API, signed in to. */
export function mlflowServer(options: MlflowOptions): JsonClient {
  const { environment, mask } = options;
  const { MLFLOW_TRACKING_USERNAME: user, MLFLOW_TRACKING_PASSWORD: password, MLFLOW_TRACKING_TOKEN: token } = environment;
  const basic = user && password ? Buffer.from(`${user}:${password}`).toString('base64') : undefined;
  for (const secret of [password, token, basic]) if (secret) mask(secret);
  const authorization = basic ? `Basic ${basic}` : token ? `Bearer ${token}` : undefined;
  return openJson({
    ...options,
    tracker: 'MLflow',
    credentials: 'MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD,',
    headers: authorization ? { authorization } : {},
  });
}

async function experimentIds(json: JsonClient, names: readonly string[]): Promise<string[]> {
  const byName = async (name: string): Promise<string> => {
    const { experiment } = (await json.get('/api/2.0/mlflow/experiments/get-by-name', [['experiment_name', name]])) as {
      experiment?: { experiment_id?: string };
    };
    if (experiment?.experiment_id === undefined)
      throw new ActionError(
        'unreachable',
        `${json.url} does not answer as MLflow does: the experiment ${JSON.stringify(name.slice(0, 200))} has no id`,
      );
    return experiment.experiment_id;
  };
  if (names.length > 0) return Promise.all(names.map(byName));
  const ids: string[] = [];
  for await (const page of pages((page_token) => json.post('/api/2.0/mlflow/experiments/search', { max_results: 1000, ...page_token }))) {
    ids.push(...(page.experiments ?? []).map((one) => one.experiment_id));
  }
  return ids;
}

async function* searchRuns(json: JsonClient, { experimentIds: ids, filter, orderBy }: RunSearch): AsyncGenerator<TrackedRun[]> {
  if (ids.length === 0) return;
  const body = { experiment_ids: ids, ...(filter && { filter }), ...(orderBy && { order_by: orderBy }), max_results: pageSize };
  for await (const { runs = [] } of pages((token) => json.post('/api/2.0/mlflow/runs/search', { ...body, ...token })))
    yield runs.map((run) => readRun(run, json.url));
}

/** What the lists of MLflow's API have. */
interface Page {
  next_page_token?: string;
  runs?: RunData[];
  metrics?: MetricData[];
  experiments?: { experiment_id: string }[];
}

/** Goes on while there is a `next_page_token`; asks for the next page while one is worked on. An empty result is `{}`. */
async function* pages(ask: (token: { page_token?: string }) => Promise<unknown>): AsyncGenerator<Page> {
  let next: Promise<unknown> | undefined = ask({});
  while (next) {
    const page = (await next) as Page;
    const token = page.next_page_token;
    next = token ? ask({ page_token: token }) : undefined;
    // Who breaks off has no use for its failure.
    next?.catch(() => undefined);
    yield page;
  }
}

async function histories(json: JsonClient, runIds: readonly string[], metric: string, whole: boolean): Promise<Map<string, MetricPoint[]>> {
  if (whole) return new Map(await Promise.all(runIds.map(async (id) => [id, await history(json, id, metric)] as const)));
  const curves = new Map<string, MetricPoint[]>();
  for (let from = 0; from < runIds.length; from += mostRuns) {
    const some = runIds.slice(from, from + mostRuns);
    const query: [string, string][] = [
      ...some.map((id): [string, string] => ['run_ids', id]),
      ['metric_key', metric],
      ['max_results', String(mostPoints)],
    ];
    let answer: { metrics?: MetricData[] };
    try {
      answer = (await json.get('/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval', query)) as typeof answer;
    } catch (error) {
      // Servers before 2.11 do not have it.
      if (error instanceof ActionError && error.code === 'not-found') return histories(json, runIds, metric, true);
      throw error;
    }
    for (const data of answer.metrics ?? []) {
      const points = curves.get(String(data.run_id)) ?? [];
      curves.set(String(data.run_id), points);
      points.push({ step: stepOf(data), value: valueOf(data.value) });
    }
  }
  for (const [id, points] of curves) curves.set(id, inOrder(points));
  return curves;
}

async function history(json: JsonClient, runId: string, metric: string): Promise<MetricPoint[]> {
  const points: MetricPoint[] = [];
  for await (const page of pages((token) =>
    json.get('/api/2.0/mlflow/metrics/get-history', [
      ['run_id', runId],
      ['metric_key', metric],
      ['max_results', String(historyPage)],
      ...Object.entries(token),
    ]),
  )) {
    for (const data of page.metrics ?? []) points.push({ step: stepOf(data), value: valueOf(data.value) });
  }
  return inOrder(points);
}

/** By ascending step; of two points of one step the later counts. */
function inOrder(points: readonly MetricPoint[]): MetricPoint[] {
  const latest = new Map(points.map(({ step, value }) => [step, value]));
  return [...latest].map(([step, value]) => ({ step, value })).sort((a, b) => a.step - b.step);
}

async function modelRun(json: JsonClient, uri: string): Promise<{ runId: string; version: string }> {
  const [, name = '', separator = '', which = ''] = /^models:\/([^/@]+)([/@])([^/@]+)$/u.exec(uri) ?? [];
  const answer =
    separator === '@'
      ? await json.get('/api/2.0/mlflow/registered-models/alias', [
          ['name', name],
          ['alias', which],
        ])
      : await json.get('/api/2.0/mlflow/model-versions/get', [
          ['name', name],
          ['version', which],
        ]);
  const { model_version: found } = answer as { model_version?: { run_id?: string; version?: string } };
  if (!found?.run_id) throw new ActionError('not-found', `${uri} on ${json.url} was made by no run: it has no run_id`);
  return { runId: found.run_id, version: String(found.version) };
}

interface MetricData {
  key?: string;
  value?: unknown;
  step?: string | number;
  run_id?: string;
}

interface RunData {
  info?: { run_id?: string; run_name?: string; status?: string; start_time?: string | number; experiment_id?: string };
  data?: { metrics?: MetricData[]; params?: { key: string; value: string }[]; tags?: { key: string; value: string }[] };
}

const states: Record<string, TrackedRun['state']> = {
  FINISHED: 'finished',
  FAILED: 'failed',
  KILLED: 'killed',
  RUNNING: 'running',
  SCHEDULED: 'running',
};

function readRun({ info = {}, data = {} }: RunData, url: string): TrackedRun {
  const tags = new Map((data.tags ?? []).map(({ key, value }) => [key, value]));
  const text = (name: string, tag: string): object => {
    const value = tags.get(tag);
    return value === undefined ? {} : { [name]: value };
  };
  const id = String(info.run_id);
  return {
    id,
    ...(info.run_name === undefined ? {} : { name: info.run_name }),
    url: `${url}/#/experiments/${String(info.experiment_id)}/runs/${id}`,
    ...text('commit', 'mlflow.source.git.commit'),
    ...text('run', 'slashtrain.run'),
    ...text('pipeline', 'slashtrain.pipeline'),
    ...text('pullRequest', 'slashtrain.pull-request'),
    ...text('dataVersion', 'slashtrain.data-version'),
    ...text('gpu', 'gpu'),
    state: states[String(info.status)] ?? 'unknown',
    startedAt: Number(info.start_time ?? 0),
    parameters: (data.params ?? []).map(({ key, value }) => ({ name: key, value })),
    series: (data.metrics ?? []).map((metric) => ({
      name: String(metric.key),
      points: [{ step: stepOf(metric), value: valueOf(metric.value) }],
    })),
  };
}

function stepOf({ step }: MetricData): number {
  return Math.max(0, Number(step ?? 0));
}

/** NaN is a text in the JSON; SQL stores make the largest number of an infinity. */
function valueOf(value: unknown): number {
  const number = numberOf(value) ?? Number.NaN;
  return Math.abs(number) === Number.MAX_VALUE ? number * 2 : number;
}

/** A text within a filter; a quote cannot be escaped there. @throws ActionError `input` */
export function quoted(text: string): string {
  if (!/^[^'"`\\]*$/u.test(text)) throw new ActionError('input', `${JSON.stringify(text.slice(0, 100))} cannot be searched for in MLflow`);
  return `'${text}'`;
}
