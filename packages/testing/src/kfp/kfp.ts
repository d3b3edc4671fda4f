import { randomUUID } from 'node:crypto';
import { serveTracker, type Answer, type FakeTracker, type TrackerRequest } from '../trackers/server.ts';
import metadata from './metadata.json' with { type: 'json' };
import { ofPipelines, refuse, upload, type FakePipeline } from './pipelines.ts';
import { answerFault, faultOf, operationOf } from './description.ts';

export type KfpState = 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'SKIPPED' | 'FAILED' | 'CANCELING' | 'CANCELED' | 'PAUSED';

/** How a run stands at one look: its tasks by name. `cached`: done, its executor skipped. */
export interface Frame {
  state: KfpState;
  tasks?: Record<string, KfpState | 'cached' | { state: KfpState; message: string }>;
}

/** A run as it was created, and where it stands. */
export interface FakeRun {
  id: string;
  experimentId: string;
  name: string;
  body: Record<string, unknown>;
  createdAt: string;
  finishedAt: string;
  /** What is still to be shown: each look takes the next, the last one stays. */
  frames: Frame[];
  retries: number;
}

/**
 * The API v2beta1 of Kubeflow Pipelines in memory. Every request and every answer is checked against the description that upstream
 * publishes. What the description leaves open is as version 2.17.0 does it, by its sources (backend/src/apiserver of
 * https://github.com/kubeflow/pipelines/tree/2.17.0): unfinished times are the year 1970, tasks are the nodes of an Argo Workflow
 * without messages, what was terminated ends as FAILED.
 */
export interface FakeKfp extends FakeTracker {
  readonly runs: FakeRun[];
  readonly experiments: { id: string; name: string; namespace: string }[];
  readonly pipelines: FakePipeline[];
  /** What the next runs go through. */
  play(frames: Frame[]): void;
  /** What a retried run goes through. */
  playRetry(frames: Frame[]): void;
  /** The tokens that are let in; none: nobody is asked. */
  tokens: Set<string>;
  /** What who is not let in gets, instead of 401. */
  signIn?: { status: number; headers: Record<string, string>; body: unknown };
  /** Whether ML Metadata is passed on, as the pages do and the API server does not. It knows one run: every one. */
  hasMetadata: boolean;
  /** Makes the next run, or what else is made at the end of the path, and cuts the connection before the answer. */
  loseNextAnswer(to?: 'runs' | 'pipelines' | 'upload_version'): void;
  /** Another step makes the next run as well, a moment before. */
  raceNextRun(): void;
}

export interface KfpOptions {
  multiUser?: boolean;
}

const never = '1970-01-01T00:00:00Z';

export async function startKfp({ multiUser = false }: KfpOptions = {}): Promise<FakeKfp> {
  const runs: FakeRun[] = [];
  const experiments: FakeKfp['experiments'] = [];
  let script: Frame[] = [{ state: 'SUCCEEDED' }];
  let retryScript: Frame[] = [{ state: 'SUCCEEDED' }];
  const pipelines: FakePipeline[] = [];
  let losing: string | undefined;
  let isRacing = false;
  let clock = Date.parse('2026-11-21T10:00:00Z');
  // Whole seconds, as its database has them.
  const tick = (): string => new Date((clock += 1000)).toISOString().replace('.000', '');

  const answer = async (request: TrackerRequest): Promise<Answer> => {
    const { method, url, body: text } = request;
    const operation = operationOf(method, url.pathname);
    if (!operation) return refuse(501, 12, `the fake Kubeflow Pipelines does not have ${method} ${url.pathname}`);
    const type = request.headers['content-type'] ?? '';
    const isForm = type.startsWith('multipart/form-data');
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- deprecated for servers that strangers reach, which this one is not
    const form = isForm ? await new Response(text, { headers: { 'content-type': type } }).formData() : undefined;
    const body: unknown = form ?? (text === '' ? undefined : JSON.parse(text));
    const fault = faultOf(operation, url.searchParams, body);
    if (fault !== undefined) return refuse(400, 3, `not as the description has it: ${fault}`);
    const file = form?.get('uploadfile');
    const given =
      file instanceof File
        ? upload(pipelines, url.searchParams, { name: file.name, text: await file.text() })
        : respond(method, url, (body ?? {}) as Record<string, unknown>);
    const { status, data } =
      'status' in given && 'body' in given ? { status: given.status, data: given.body } : { status: 200, data: given };
    const wrong = answerFault(operation, status, JSON.parse(JSON.stringify(data)));
    if (wrong !== undefined) throw new Error(`the answer to ${method} ${url.pathname} is not as the description has it: ${wrong}`);
    return given;
  };

  const respond = (method: string, url: URL, body: Record<string, unknown>): Answer => {
    const path = url.pathname.replace('/apis/v2beta1/', '');
    const namespace = url.searchParams.get('namespace') ?? '';
    const wanted = nameIn(url.searchParams.get('filter'), path.startsWith('pipelines') ? 'name' : 'display_name');
    const [, id = '', verb] = /^runs\/([^:]+)(?::(\w+))?$/u.exec(path) ?? [];
    const run = runs.find((one) => one.id === id);
    if (id !== '' && !run) return refuse(404, 5, `Run ${id} not found`);
    if (path === 'healthz') return { multi_user: multiUser, pipeline_store: 'database' };
    if (path === 'experiments' && method === 'GET') {
      if (multiUser && namespace === '') return refuse(400, 3, 'An experiment cannot have an empty namespace in multi-user mode');
      const found = experiments.filter((one) => one.namespace === namespace && (wanted === undefined || one.name === wanted));
      return { experiments: found.map(experimentView), total_size: found.length };
    }
    if (path === 'experiments') {
      const one = { id: randomUUID(), name: String(body['display_name']), namespace: String(body['namespace'] ?? '') };
      if (experiments.some(({ name, namespace: space }) => name === one.name && space === one.namespace)) {
        return refuse(409, 6, `Already exist error: Failed to create a new experiment. The name ${one.name} already exists`);
      }
      experiments.push(one);
      return experimentView(one);
    }
    if (path.startsWith('pipelines'))
      return ofPipelines(pipelines, { method, path: path.split('/').slice(1), namespace, wanted, body, multiUser });
    if (path === 'runs' && method === 'GET') {
      const experiment = url.searchParams.get('experiment_id');
      const within = (one: FakeRun): boolean => experiment === null || one.experimentId === experiment;
      const found = runs.filter((one) => within(one) && (wanted === undefined || one.name === wanted));
      return { runs: found.map((one) => view(one)), total_size: found.length };
    }
    if (path === 'runs') {
      if (isRacing) create(body);
      isRacing = false;
      return create(body);
    }
    if (run && verb === 'terminate') {
      if (!['PENDING', 'RUNNING', 'PAUSED'].includes(run.frames[0]?.state ?? '')) {
        return refuse(400, 3, `Invalid input error: Failed to terminate a run ${run.id}. Row not found`);
      }
      const tasks = run.frames[0]?.tasks ?? {};
      run.frames = [
        { state: 'CANCELING', tasks },
        { state: 'CANCELING', tasks },
        { state: 'FAILED', tasks },
      ];
      return {};
    }
    if (run && verb === 'retry') {
      if (run.frames[0]?.state !== 'FAILED') return refuse(500, 13, `Failed to retry run ${run.id} as it does not allow retries`);
      run.frames = structuredClone(retryScript);
      run.retries += 1;
      return {};
    }
    if (!run) return refuse(501, 12, `the fake Kubeflow Pipelines does not do ${method} ${path}`);
    const seen = view(run);
    if (run.frames.length > 1) run.frames.shift();
    return seen;
  };

  const create = (body: Record<string, unknown>): Answer => {
    const { display_name: name, experiment_id: experimentId, pipeline_spec: spec, pipeline_version_reference: reference } = body;
    if (!name) return refuse(400, 3, 'The run name is empty. Please specify a valid name');
    if (!experiments.some(({ id }) => id === experimentId)) return refuse(404, 5, `Experiment ${String(experimentId)} not found`);
    const { pipeline_id: pipelineId, pipeline_version_id: versionId } = (reference ?? {}) as Record<string, unknown>;
    const version = pipelines.find(({ id }) => id === pipelineId)?.versions.find(({ id }) => id === versionId);
    if (reference && !version) return refuse(404, 5, `Failed to fetch a pipeline version from pipeline version ${String(versionId)}`);
    if (!spec && !reference) return refuse(400, 3, 'Failed to create a run due to error fetching manifest');
    const run: FakeRun = {
      id: randomUUID(),
      experimentId: String(experimentId),
      name: String(name),
      body,
      createdAt: tick(),
      finishedAt: never,
      frames: structuredClone(script),
      retries: 0,
    };
    runs.push(run);
    return view(run);
  };

  const view = (run: FakeRun): object => {
    const { state, tasks = {} } = run.frames[0] ?? { state: 'PENDING' };
    const isEnded = ['SUCCEEDED', 'FAILED', 'CANCELED', 'SKIPPED'].includes(state);
    if (isEnded && run.finishedAt === never) run.finishedAt = tick();
    if (!isEnded) run.finishedAt = never;
    const { description, pipeline_spec, pipeline_version_reference, runtime_config, service_account } = run.body;
    return {
      experiment_id: run.experimentId,
      run_id: run.id,
      display_name: run.name,
      storage_state: 'AVAILABLE',
      description,
      // One of the two.
      ...(pipeline_version_reference ? { pipeline_version_reference } : { pipeline_spec }),
      runtime_config,
      service_account,
      created_at: run.createdAt,
      scheduled_at: run.createdAt,
      finished_at: run.finishedAt,
      state,
      ...(Object.keys(tasks).length > 0 ? { run_details: { task_details: nodes(run, tasks, state) } } : {}),
      state_history: [{ update_time: run.createdAt, state: 'PENDING' }],
    };
  };

  const ids = new Map<string, string>();
  const nodes = (run: FakeRun, tasks: NonNullable<Frame['tasks']>, state: KfpState): object[] => {
    const node = (name: string, nodeState: KfpState, key = name, message?: string): object => {
      const taskId = ids.get(`${run.id}/${key}`) ?? randomUUID();
      ids.set(`${run.id}/${key}`, taskId);
      const isOver = nodeState !== 'RUNNING' && nodeState !== 'PENDING';
      return {
        run_id: run.id,
        task_id: taskId,
        display_name: name,
        create_time: run.createdAt,
        start_time: nodeState === 'PENDING' ? never : run.createdAt,
        end_time: isOver ? run.createdAt : never,
        state: nodeState,
        ...(message === undefined ? {} : { error: { code: 13, message } }),
      };
    };
    return [
      node(`${run.name}-x7k2p`, state),
      node('root-driver', 'SUCCEEDED'),
      node('root', state),
      ...Object.entries(tasks).flatMap(([name, given]) => {
        const { state: own, message } = typeof given === 'object' ? given : { state: given, message: undefined };
        const isCached = own === 'cached';
        return [
          node(`${name}-driver`, 'SUCCEEDED'),
          node(name, isCached ? 'SUCCEEDED' : own, name, message),
          node('executor', isCached ? 'SKIPPED' : own, `${name}/executor`),
        ];
      }),
    ];
  };

  const tracker = await serveTracker('Kubeflow Pipelines', async (request) => {
    const token = request.headers.authorization?.replace(/^Bearer /u, '') ?? request.headers.cookie ?? '';
    if (fake.tokens.size > 0 && !fake.tokens.has(token)) {
      return fake.signIn ?? refuse(401, 16, 'User identity is empty in the request header.');
    }
    const method = /^\/ml_metadata\.MetadataStoreService\/(\w+)$/u.exec(request.url.pathname)?.[1];
    if (method !== undefined) return fake.hasMetadata ? grpcWeb(method) : refuse(404, 5, 'Not Found');
    const given = await answer(request);
    if (request.method === 'POST' && losing !== undefined && request.url.pathname.endsWith(`/${losing}`)) {
      losing = undefined;
      throw new Error('lost');
    }
    return given;
  });
  const experimentView = ({ id, name, namespace }: FakeKfp['experiments'][number]): object => ({
    experiment_id: id,
    display_name: name,
    created_at: '2026-11-21T10:00:00Z',
    storage_state: 'AVAILABLE',
    ...(namespace === '' ? {} : { namespace }),
  });
  const fake: FakeKfp = {
    ...tracker,
    runs,
    experiments,
    pipelines,
    tokens: new Set(),
    hasMetadata: true,
    play: (frames) => void (script = frames),
    playRetry: (frames) => void (retryScript = frames),
    raceNextRun: () => void (isRacing = true),
    loseNextAnswer: (to = 'runs') => void (losing = to),
  };
  return fake;
}

/** A message and its trailers, as Envoy sends them (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md). */
function grpcWeb(method: string): Answer {
  const message = Buffer.from((metadata as Record<string, string>)[method] ?? '', 'base64');
  const frame = (flags: number, content: Buffer): Buffer => {
    const head = Buffer.from([flags, 0, 0, 0, 0]);
    head.writeUInt32BE(content.length, 1);
    return Buffer.concat([head, content]);
  };
  const body = Buffer.concat([frame(0, message), frame(0x80, Buffer.from('grpc-status:0\r\n'))]);
  return { status: 200, headers: { 'content-type': 'application/grpc-web+proto' }, body };
}

function nameIn(filter: string | null, key: string): string | undefined {
  if (filter === null) return undefined;
  const { predicates = [] } = JSON.parse(filter) as { predicates?: { key?: string; operation?: string; string_value?: string }[] };
  const [first] = predicates;
  if (predicates.length !== 1 || first?.key !== key || first.operation !== 'EQUALS') throw new Error(`the filter ${filter}`);
  return first.string_value;
}
