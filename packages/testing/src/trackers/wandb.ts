import queries from './wandb-queries.json' with { type: 'json' };
import { WandbArtifacts, type WandbArtifact } from './wandb-artifacts.ts';
import { serveTracker, type Answer, type FakeTracker } from './server.ts';

/** A run of a project, as its program logged it. */
export interface WandbRun {
  name: string;
  displayName?: string;
  state?: 'finished' | 'failed' | 'crashed' | 'killed' | 'running';
  config?: Record<string, unknown>;
  /** Rows of the history, `_step` in each; a key's last value is its summary. */
  history?: Record<string, number | string>[];
  tags?: string[];
  commit?: string;
  group?: string;
  sweepName?: string;
}

export interface FakeWandb extends FakeTracker {
  log(runs: readonly WandbRun[]): void;
  /** Logs an artifact of a run, by default a whole one of type `model`. */
  logArtifact(run: string, name: string, more?: Partial<WandbArtifact>): WandbArtifact;
}

/**
 * One project of W&B in memory. It takes the queries that W&B's own public client sends (`wandb-queries.json`, which
 * `wandb-queries.py` printed), and refuses all others; what it answers no real server has confirmed.
 */
export async function startWandb(options: { key: string; entity: string; project: string }): Promise<FakeWandb> {
  const runs: WandbRun[] = [];
  // W&B names an organization's own entity after it.
  const artifacts = new WandbArtifacts(options, { name: 'Acme Inc', entity: 'acme-org' });
  const authorization = `Basic ${Buffer.from(`api:${options.key}`).toString('base64')}`;
  const tracker = await serveTracker('W&B', (request) => {
    if (request.headers.authorization !== authorization) return Promise.resolve({ status: 401, body: { error: 'invalid api key' } });
    const { query, variables } = JSON.parse(request.body) as { query: string; variables: Record<string, string | undefined> };
    return Promise.resolve(answer(query.replace(/\s+/gu, ' ').trim(), variables));
  });
  const answer = (query: string, variables: Record<string, string | undefined>): Answer => {
    const refuse = (message: string): Answer => ({ errors: [{ message }], data: null });
    const known = artifacts.answer(query, variables);
    if (known) return known;
    if (variables['entity'] !== options.entity || variables['project'] !== options.project) return { data: { project: null } };
    switch (query) {
      case queries.Runs: {
        const filter = filterOf(JSON.parse(variables['filters'] ?? '{}'));
        if (!filter) return refuse(`the fake does not have the filter ${variables['filters'] ?? ''}`);
        const found = runs.filter(filter).toReversed();
        const from = Number(variables['cursor'] ?? 0);
        const some = found.slice(from, from + Number(variables['perPage']));
        const edges = some.map((run, index) => ({ node: describeRun(run), cursor: String(from + index + 1) }));
        const to = from + some.length;
        return {
          data: {
            project: {
              runCount: found.length,
              readOnly: false,
              runs: { edges, pageInfo: { endCursor: String(to), hasNextPage: to < found.length } },
            },
          },
        };
      }
      case queries.RunSampledHistory:
      case queries.SampledHistoryPage: {
        const run = runs.find(({ name }) => name === (variables['name'] ?? variables['run']));
        const specs = [variables['specs'] ?? variables['spec'] ?? ''].flat().map((spec) => JSON.parse(spec) as Spec);
        return { data: { project: { run: run ? { sampledHistory: specs.map((spec) => sample(run.history ?? [], spec)) } : null } } };
      }
      default:
        return refuse(`W&B's public client sends no such query: ${query.slice(0, 100)}`);
    }
  };
  return {
    ...tracker,
    log: (more) => void runs.push(...more),
    logArtifact: (run, name, more) => artifacts.log(run, name, more),
  };
}

interface Spec {
  keys: string[];
  samples: number;
  minStep?: number;
  maxStep?: number;
}

/** Rows that have all keys, evenly thinned to `samples`. */
function sample(history: readonly Record<string, number | string>[], { keys, samples, minStep = 0, maxStep = Infinity }: Spec): object[] {
  const rows = history.filter(
    (row) => keys.every((key) => Object.hasOwn(row, key)) && Number(row['_step']) >= minStep && Number(row['_step']) < maxStep,
  );
  const every = Math.max(1, Math.ceil(rows.length / samples));
  return rows.filter((_, index) => index % every === 0).map((row) => Object.fromEntries(keys.map((key) => [key, row[key]])));
}

type Filter = (run: WandbRun) => boolean;

/** What fetch-metrics and deploy-model filter by. */
function filterOf(filters: unknown): Filter | undefined {
  const all: Filter[] = [];
  for (const [key, wanted] of Object.entries(filters as Record<string, unknown>)) {
    const config = /^config\.(.+)\.value$/u.exec(key)?.[1];
    if (key === '$or') {
      const any = (wanted as unknown[]).map(filterOf);
      if (any.includes(undefined)) return undefined;
      all.push((run) => any.some((one) => one?.(run)));
    } else if (key === 'commit' || key === 'group' || key === 'name') all.push((run) => run[key] === wanted);
    else if (key === 'tags') all.push(({ tags = [] }) => (wanted as { $in: string[] }).$in.some((tag) => tags.includes(tag)));
    else if (config !== undefined) all.push((run) => run.config?.[config] === wanted);
    else return undefined;
  }
  return (run) => all.every((one) => one(run));
}

function describeRun(run: WandbRun): object {
  const { name, displayName = name, state = 'finished', config = {}, history = [], tags = [], commit, group, sweepName } = run;
  const summary = Object.assign({}, ...history) as Record<string, unknown>;
  return {
    id: Buffer.from(`Run:v1:${name}`).toString('base64'),
    name,
    displayName,
    state,
    config: JSON.stringify(Object.fromEntries(Object.entries(config).map(([key, value]) => [key, { desc: null, value }]))),
    summaryMetrics: JSON.stringify(summary).replace(/"(NaN|-?Infinity)"/gu, '$1'),
    tags,
    commit: commit ?? null,
    group: group ?? null,
    sweepName: sweepName ?? null,
    createdAt: '2026-01-01T00:00:00Z',
    historyLineCount: history.length,
    historyKeys: { lastStep: Number(history.at(-1)?.['_step'] ?? -1), sets: [], keys: {} },
  };
}
