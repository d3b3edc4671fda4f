import { randomUUID } from 'node:crypto';
import { ModelRegistry } from './mlflow-models.ts';
import { serveTracker, type Answer, type FakeTracker } from './server.ts';

/** A run as `mlflow-log.py` takes it too, so that the same runs can be logged to a real server. */
export interface LoggedRun {
  experiment: string;
  name?: string;
  /** Tags that MLFLOW_RUN_CONTEXT gives it, as submit-pipeline sets it in pods. */
  context?: Record<string, string>;
  parameters?: Record<string, string>;
  /** Step and value; NaN and infinities as texts. */
  metrics?: Record<string, [step: number, value: number | string][]>;
  status?: 'FINISHED' | 'RUNNING' | 'FAILED' | 'KILLED';
  model?: { name: string; alias: string };
}

/** An MLflow tracking server in memory: what fetch-metrics asks of it, as MLFlow 3.17 with SQLite answered. */
export interface FakeMlflow extends FakeTracker {
  /** @returns the runs' ids */
  log(runs: readonly LoggedRun[]): Promise<string[]>;
}

interface Run extends LoggedRun {
  id: string;
  startedAt: number;
}

/** @param token what `Authorization: Bearer` must have; nothing is asked for without it */
export async function startMlflow(options: { token?: string } = {}): Promise<FakeMlflow> {
  const runs: Run[] = [];
  const experiments: string[] = [];
  const models = new ModelRegistry();
  let clock = 1_700_000_000_000;

  const answer = (path: string, query: URLSearchParams, body: Record<string, unknown>, method: string): Answer => {
    const page = <T>(all: readonly T[], size: number, token: unknown): { some: T[]; next?: string } => {
      const from = Number(token ?? 0);
      const to = from + size;
      return { some: all.slice(from, to), ...(to < all.length ? { next: String(to) } : {}) };
    };
    switch (path) {
      case 'experiments/get-by-name': {
        const name = query.get('experiment_name') ?? '';
        const id = experiments.indexOf(name);
        return id < 0 ? missing(`Could not find experiment with name '${name}'`) : { experiment: { experiment_id: String(id + 1), name } };
      }
      case 'experiments/search': {
        const { some, next } = page(experiments, Number(body['max_results']), body['page_token']);
        return {
          experiments: some.map((name) => ({ experiment_id: String(experiments.indexOf(name) + 1), name })),
          ...(next && { next_page_token: next }),
        };
      }
      case 'runs/search': {
        const ids = body['experiment_ids'] as string[];
        const filter = parseFilter(String(body['filter'] ?? ''));
        if (!filter) return { status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE', message: 'Invalid filter' } };
        const found = runs
          .filter((run) => ids.includes(experimentOf(run)) && filter.every(([tag, value]) => run.context?.[tag] === value))
          .toReversed();
        const { some, next } = page(found, Number(body['max_results']), body['page_token']);
        return some.length === 0 ? {} : { runs: some.map(describeRun), ...(next && { next_page_token: next }) };
      }
      case 'runs/get': {
        const run = runs.find(({ id }) => id === query.get('run_id'));
        return run ? { run: describeRun(run) } : missing(`Run with id=${query.get('run_id') ?? ''} not found`);
      }
      case 'metrics/get-history-bulk-interval': {
        const wanted = query.getAll('run_ids');
        const key = query.get('metric_key') ?? '';
        const most = Number(query.get('max_results'));
        if (wanted.length > 100 || most > 2500)
          return { status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE', message: 'too many' } };
        const of = wanted.flatMap((id) => runs.filter((run) => run.id === id));
        const steps = [...new Set(of.flatMap((run) => (run.metrics?.[key] ?? []).map(([step]) => step)))].sort((a, b) => a - b);
        const every = Math.max(1, Math.ceil(steps.length / most));
        const kept = new Set(steps.filter((step, index) => index % every === 0 || step === steps.at(-1)));
        return {
          metrics: of.flatMap((run) =>
            pointsOf(run, key)
              .filter(({ step }) => kept.has(step))
              .map((point) => ({ ...point, run_id: run.id })),
          ),
        };
      }
      case 'metrics/get-history': {
        const run = runs.find(({ id }) => id === query.get('run_id'));
        if (!run) return missing(`Run with id=${query.get('run_id') ?? ''} not found`);
        const { some, next } = page(
          pointsOf(run, query.get('metric_key') ?? ''),
          Number(query.get('max_results') ?? 1e9),
          query.get('page_token'),
        );
        return { metrics: some, ...(next && { next_page_token: next }) };
      }
      default:
        return models.answer(method, path, query, body) ?? { status: 501, body: { message: `the fake MLflow does not have ${path}` } };
    }
  };
  const experimentOf = (run: LoggedRun): string => String(experiments.indexOf(run.experiment) + 1);
  const describeRun = (run: Run): object => ({
    info: {
      run_id: run.id,
      run_name: run.name ?? run.id.slice(0, 8),
      experiment_id: experimentOf(run),
      status: run.status ?? 'FINISHED',
      start_time: run.startedAt,
      lifecycle_stage: 'active',
    },
    data: {
      ...(run.metrics && { metrics: Object.keys(run.metrics).flatMap((key) => pointsOf(run, key).slice(-1)) }),
      ...(run.parameters && { params: entries(run.parameters) }),
      tags: entries(run.context ?? {}),
    },
  });

  const tracker = await serveTracker('MLflow', async (request) => {
    if (options.token !== undefined && request.headers.authorization !== `Bearer ${options.token}`) {
      return { status: 401, body: { error_code: 'UNAUTHENTICATED', message: 'You are not authenticated.' } };
    }
    const path = request.url.pathname.replace(/^\/(?:ajax-)?api\/2\.0\/mlflow\//u, '');
    return answer(
      path,
      request.url.searchParams,
      (request.body ? JSON.parse(request.body) : {}) as Record<string, unknown>,
      request.method,
    );
  });
  return {
    ...tracker,
    async log(logged) {
      return logged.map((run) => {
        const id = randomUUID().replaceAll('-', '');
        if (!experiments.includes(run.experiment)) experiments.push(run.experiment);
        runs.push({ ...run, id, startedAt: clock++ });
        if (run.model) {
          const { version } = models.register(run.model.name, id, `runs:/${id}/model`);
          models.setAlias(run.model.name, run.model.alias, version);
        }
        return id;
      });
    },
  };
}

function entries(map: Record<string, string>): { key: string; value: string }[] {
  return Object.entries(map).map(([key, value]) => ({ key, value }));
}

function pointsOf(run: LoggedRun, key: string): { key: string; value: number | string; timestamp: number; step: number }[] {
  return (run.metrics?.[key] ?? []).map(([step, value]) => ({ key, value: stored(value), timestamp: 1_700_000_000_000 + step, step }));
}

/** SQL has no infinity: the largest number stands for it. */
function stored(value: number | string): number | string {
  if (value === 'Infinity') return Number.MAX_VALUE;
  return value === '-Infinity' ? -Number.MAX_VALUE : value;
}

/** What fetch-metrics asks for: tags that are equal, joined by AND. */
function parseFilter(filter: string): [tag: string, value: string][] | undefined {
  if (filter === '') return [];
  const parts = filter.split(' AND ').map((part) => /^tags\.`([^`]+)` = '([^']*)'$/u.exec(part));
  return parts.every((part) => part !== null) ? parts.map(([, tag = '', value = '']) => [tag, value]) : undefined;
}

function missing(message: string): Answer {
  return { status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message } };
}
