import { ActionError } from '../../action/errors.ts';
import { backoff, isBusy, mayPass, pause, persistent, readBody, type Exchange, type Patience } from '../../registry/http.ts';
import type { ApiPipelineVersion, ApiRun, NewRun, NewVersion } from './api.ts';
import { noApi, orRefused, parsed, refusal, strangerOf, unreachable, type Answered } from './answers.ts';
import type { Credentials } from './credentials.ts';

/** The REST API v2beta1 of one server. What fails is an ActionError that names what was asked. */
export interface KfpClient {
  readonly url: string;
  /** The page of a run. */
  pageOf(runId: string): string;
  /** Whether it keeps namespaces apart. */
  isMultiUser(): Promise<boolean>;
  getRun(id: string): Promise<ApiRun | undefined>;
  /** Runs with exactly this name, oldest first. */
  findRuns(name: string, where: { experimentId?: string; namespace?: string }): Promise<ApiRun[]>;
  /**
   * Sends it once. `sent` is false where the server cannot have made it, and true where its answer was lost.
   * @throws ActionError where it was refused
   */
  createRun(run: NewRun): Promise<ApiRun | { lost: unknown }>;
  /** The id of an experiment of this name; made where there is none. */
  experiment(name: string, namespace: string, description: string): Promise<string>;
  /** The id of a pipeline of this name; made, without a version, where there is none. */
  pipeline(name: string, namespace: string, description: string): Promise<string>;
  /**
   * The version of this name of a pipeline; uploaded where there is none. `isNew` is false where it was there: then its specification
   * may be another. Names are unique within a pipeline, so that a lost answer is healed by looking again.
   */
  version(version: NewVersion): Promise<{ version: ApiPipelineVersion; isNew: boolean }>;
  getVersion(pipelineId: string, id: string): Promise<ApiPipelineVersion | undefined>;
  /** Not an error where it has ended. */
  terminate(id: string): Promise<void>;
  retry(id: string): Promise<void>;
}

/** What {@link kfpClient} is made with. */
export interface KfpClientOptions extends Patience {
  url: string;
  /** Where people find its pages, where that is elsewhere. */
  pages?: string | undefined;
  credentials: Credentials;
  exchange: Exchange;
}

const largestAnswer = 64 * 1024 * 1024;
const createTries = 3;
// A hundred runs each: attempts of one record have a name of their own each.
const mostPages = 20;

export function kfpClient(options: KfpClientOptions): KfpClient {
  const { url: base, credentials } = options;
  const patient = persistent(options.exchange, options);

  const send = async (
    exchange: Exchange,
    method: string,
    path: string,
    query: Record<string, string>,
    body?: unknown,
  ): Promise<Answered> => {
    const sent = await payloadOf(body);
    const url = new URL(`${base}/apis/v2beta1/${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
    const what = `${method} ${url.origin}${url.pathname}`;
    for (let isFirst = true; ; isFirst = false) {
      const headers = {
        accept: 'application/json',
        'user-agent': 'slashtrain',
        ...(await credentials.headers()),
        ...(sent && { 'content-type': sent.type, 'content-length': String(sent.bytes.length) }),
      };
      const answer = await exchange({ method, url, headers, ...(sent && { body: sent.bytes }), idleSeconds: 30 });
      const text = (await readBody(answer, largestAnswer)).toString('utf8');
      const stranger = strangerOf(answer, text);
      // A session that has ended is sent to a page on which to sign in, as often as it is refused.
      const isOut = answer.status === 401 || stranger === 'sign-in';
      if (isOut && isFirst && credentials.renew()) continue;
      if (stranger !== undefined) throw noApi(what, stranger, answer);
      return { status: answer.status, data: parsed(what, answer, text) };
    }
  };
  const ask = async (method: string, path: string, query: Record<string, string> = {}, body?: unknown): Promise<Answered> => {
    try {
      return await send(patient, method, path, query, body);
    } catch (error) {
      throw error instanceof ActionError ? error : unreachable(`${method} ${base}/apis/v2beta1/${path}`, error);
    }
  };
  const need = async (method: string, path: string, query: Record<string, string> = {}, body?: unknown): Promise<unknown> =>
    orRefused(`${method} ${base}/apis/v2beta1/${path}`, await ask(method, path, query, body));

  let health: Promise<unknown> | undefined;
  return {
    url: base,
    pageOf: (runId) => `${options.pages ?? base}/#/runs/details/${encodeURIComponent(runId)}`,
    async isMultiUser() {
      health ??= need('GET', 'healthz');
      health.catch(() => (health = undefined));
      return ((await health) as { multi_user?: unknown }).multi_user === true;
    },
    async getRun(id) {
      const path = `runs/${encodeURIComponent(id)}`;
      const answer = await ask('GET', path);
      return answer.status === 404 ? undefined : (orRefused(`GET ${base}/apis/v2beta1/${path}`, answer) as ApiRun);
    },
    async findRuns(name, { experimentId, namespace }) {
      const query = {
        ...(experimentId === undefined ? {} : { experiment_id: experimentId }),
        ...(namespace === undefined ? {} : { namespace }),
        page_size: '100',
        sort_by: 'created_at asc',
        filter: equals('display_name', name),
      };
      const runs: ApiRun[] = [];
      for (let token: string | undefined = '', pages = 1; token !== undefined; pages += 1) {
        if (pages > mostPages) throw new ActionError('unreachable', `${base} lists the runs "${name}" without end`);
        const page = (await need('GET', 'runs', { ...query, ...(token === '' ? {} : { page_token: token }) })) as {
          runs?: ApiRun[];
          next_page_token?: string;
        };
        runs.push(...(page.runs ?? []));
        token = page.next_page_token || undefined;
      }
      return runs.filter((run) => run.display_name === name);
    },
    async createRun(run) {
      const what = `POST ${base}/apis/v2beta1/runs`;
      for (let attempt = 1; ; attempt++) {
        let answer: Answered;
        try {
          answer = await send(options.exchange, 'POST', 'runs', {}, run);
        } catch (error) {
          if (error instanceof ActionError && error.code === 'permission') throw error;
          if (error instanceof ActionError || mayPass(error)) return { lost: error };
          throw unreachable(what, error);
        }
        const { status } = answer;
        // It says itself that it did nothing.
        if (status === 429 && attempt < createTries) {
          await pause(backoff(attempt), options);
          continue;
        }
        if (isBusy(status)) return { lost: refusal(what, answer) };
        return orRefused(what, answer) as ApiRun;
      }
    },
    async experiment(name, namespace, description) {
      const space = (await this.isMultiUser()) ? { namespace } : {};
      const find = async (): Promise<string | undefined> => {
        const found = (await need('GET', 'experiments', { ...space, page_size: '100', filter: equals('display_name', name) })) as {
          experiments?: { experiment_id?: string; display_name?: string }[];
        };
        return found.experiments?.find((one) => one.display_name === name)?.experiment_id;
      };
      const there = await find();
      if (there !== undefined) return there;
      const answer = await ask('POST', 'experiments', {}, { display_name: name, description, ...space });
      // Another step was faster, or our first try's answer was lost: names are unique.
      const made =
        answer.status === 409 ? await find() : (orRefused('POST experiments', answer) as { experiment_id?: string }).experiment_id;
      if (made === undefined) throw new ActionError('unreachable', `${base} made no experiment "${name}", and did not say why`);
      return made;
    },
    async pipeline(name, namespace, description) {
      const space = (await this.isMultiUser()) ? { namespace } : {};
      const find = async (): Promise<string | undefined> => {
        const found = (await need('GET', 'pipelines', { ...space, page_size: '100', filter: equals('name', name) })) as {
          pipelines?: { pipeline_id?: string; name?: string; display_name?: string }[];
        };
        return found.pipelines?.find((one) => (one.name ?? one.display_name) === name)?.pipeline_id;
      };
      const there = await find();
      if (there !== undefined) return there;
      const answer = await ask('POST', 'pipelines', {}, { name, display_name: name, description, ...space });
      // Another step was faster, or our first try's answer was lost: names are unique.
      const made =
        answer.status === 409
          ? await find()
          : (orRefused(`POST ${base}/apis/v2beta1/pipelines`, answer) as { pipeline_id?: string }).pipeline_id;
      if (made === undefined) throw new ActionError('unreachable', `${base} made no pipeline "${name}", and did not say why`);
      return made;
    },
    async version({ pipelineId, name, description, file }) {
      const path = `pipelines/${encodeURIComponent(pipelineId)}/versions`;
      const find = async (): Promise<ApiPipelineVersion | undefined> => {
        const found = (await need('GET', path, { page_size: '100', filter: equals('name', name) })) as {
          pipeline_versions?: ApiPipelineVersion[];
        };
        return found.pipeline_versions?.find((one) => (one.name ?? one.display_name) === name);
      };
      const there = await find();
      if (there) return { version: there, isNew: false };
      const form = new FormData();
      form.append('uploadfile', new Blob([file], { type: 'application/yaml' }), 'pipeline.yaml');
      const query = { name, display_name: name, pipelineid: pipelineId, description };
      const answer = await ask('POST', 'pipelines/upload_version', query, form);
      if (answer.status < 300) return { version: answer.data as ApiPipelineVersion, isNew: true };
      // Of one that is there already 2.17 says 409, and 2.0 said 500: look again in any case.
      const made = await find();
      if (made) return { version: made, isNew: false };
      return orRefused(`POST ${base}/apis/v2beta1/pipelines/upload_version`, answer) as never;
    },
    async getVersion(pipelineId, id) {
      const path = `pipelines/${encodeURIComponent(pipelineId)}/versions/${encodeURIComponent(id)}`;
      const answer = await ask('GET', path);
      return answer.status === 404 ? undefined : (orRefused(`GET ${base}/apis/v2beta1/${path}`, answer) as ApiPipelineVersion);
    },
    async terminate(id) {
      const path = `runs/${encodeURIComponent(id)}:terminate`;
      const answer = await ask('POST', path);
      if (answer.status < 300 || answer.status === 404) return;
      // What has ended cannot be terminated, and the server has no code of its own for it.
      const run = await this.getRun(id);
      if (run === undefined || ['SUCCEEDED', 'FAILED', 'CANCELED', 'SKIPPED', 'CANCELING'].includes(run.state ?? '')) return;
      orRefused(`POST ${base}/apis/v2beta1/${path}`, answer);
    },
    async retry(id) {
      await need('POST', `runs/${encodeURIComponent(id)}:retry`);
    },
  };
}

/** A body as it is sent: a form by parts, anything else as JSON. */
async function payloadOf(body: unknown): Promise<{ type: string; bytes: Buffer } | undefined> {
  if (body === undefined) return undefined;
  if (!(body instanceof FormData)) return { type: 'application/json', bytes: Buffer.from(JSON.stringify(body)) };
  const form = new Response(body);
  return { type: form.headers.get('content-type') ?? '', bytes: Buffer.from(await form.arrayBuffer()) };
}

/** A filter as the API takes it. */
function equals(key: string, value: string): string {
  return JSON.stringify({ predicates: [{ operation: 'EQUALS', key, string_value: value }] });
}
