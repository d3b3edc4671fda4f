import { ActionError } from '../../../action/errors.ts';
import { persistent, readBody, type Exchange, type Patience } from '../../../registry/http.ts';
import type { Credentials } from '../credentials.ts';
import { doubleOf, integerOf, messagesOf, readMessage, textOf, writeMessage, type Message } from './wire.ts';

/** What a task of a run made, as ML Metadata has it. Hostile. */
export interface Artifact {
  /** The task's name; empty where none made it. */
  task: string;
  name: string;
  /** `system.Metrics`, `system.Model`, … */
  type: string;
  uri: string;
  /** Metrics among them: numbers, texts, and objects or lists. */
  properties: ReadonlyMap<string, unknown>;
  /** What its task was given: `prepare.data`, or a name alone where no task of the run made it. */
  from: string[];
  /** Its task took it from the cache. */
  isCached: boolean;
}

/** What ML Metadata says of a run. */
export interface RunMetadata {
  artifacts: Artifact[];
  /** Tasks that took their results from the cache. */
  cached: string[];
}

/** How to reach it. */
export interface MetadataOptions extends Patience {
  /** The address of the pages: they pass `/ml_metadata.…` on. */
  url: string;
  credentials: Credentials;
  exchange: Exchange;
}

const largestAnswer = 64 * 1024 * 1024;
const mostPages = 100;
const cachedState = 5n;
// https://github.com/kubeflow/pipelines/blob/2.17.0/third_party/ml-metadata/ml_metadata/proto/metadata_store.proto, Event.Type
const isOutput = (type: bigint | undefined): boolean => type === 1n || type === 4n;
const isInput = (type: bigint | undefined): boolean => type === 2n || type === 3n;

/**
 * Reads what a run's tasks made from ML Metadata, over gRPC-Web, as the pages of Kubeflow Pipelines do: the API says nothing of it
 * (https://github.com/kubeflow/pipelines/blob/2.17.0/third_party/ml-metadata/ml_metadata/proto/metadata_store.proto).
 * @returns undefined where there is no ML Metadata at this address, or it does not know the run
 * @throws ActionError where it does not answer as such a server does
 */
export async function readMetadata(runId: string, options: MetadataOptions): Promise<RunMetadata | undefined> {
  const exchange = persistent(options.exchange, options);
  const call = async (method: string, fields: Parameters<typeof writeMessage>[0]): Promise<Message | undefined> => {
    const request = writeMessage(fields);
    const frame = Buffer.alloc(5 + request.length);
    frame.writeUInt32BE(request.length, 1);
    request.copy(frame, 5);
    for (const base of basesOf(options.url)) {
      const answer = await exchange({
        method: 'POST',
        url: new URL(`${base}/ml_metadata.MetadataStoreService/${method}`),
        headers: {
          ...(await options.credentials.headers()),
          'content-type': 'application/grpc-web+proto',
          accept: 'application/grpc-web+proto',
          'x-grpc-web': '1',
          'user-agent': 'slashtrain',
          'content-length': String(frame.length),
        },
        body: frame,
        idleSeconds: 30,
      });
      const body = await readBody(answer, largestAnswer);
      if (answer.status !== 200 || !String(answer.headers['content-type']).startsWith('application/grpc-web')) continue;
      return messageIn(body, method, answer.headers);
    }
    return undefined;
  };
  const all = async (method: string, contextId: bigint): Promise<Message[]> => {
    const found: Message[] = [];
    let token: string | undefined;
    for (let page = 0; page < mostPages; page++) {
      // The options' field 3 is the token of the next page.
      const next = token === undefined ? [] : [[2, writeMessage([[3, token]])] as [number, Buffer]];
      const answer = await call(method, [[1, contextId], ...next]);
      found.push(...(answer ? messagesOf(answer, 1) : []));
      token = answer && textOf(answer, 2);
      if (!token) return found;
    }
    return found;
  };

  const [context] = messagesOf(
    (await call('GetContextByTypeAndName', [
      [1, 'system.PipelineRun'],
      [2, runId],
    ])) ?? new Map(),
    1,
  );
  const contextId = context && integerOf(context, 1);
  if (contextId === undefined) return undefined;
  const [executions, artifacts] = await Promise.all([all('GetExecutionsByContext', contextId), all('GetArtifactsByContext', contextId)]);
  const ids = executions.flatMap((one) => integerOf(one, 1) ?? []);
  const events = ids.length === 0 ? [] : messagesOf((await call('GetEventsByExecutionIDs', [[1, ids]])) ?? new Map(), 1);
  return joined(executions, artifacts, events);
}

/** Below a path only the front end of Kubeflow Pipelines alone has it; a whole Kubeflow has it at its root. */
function basesOf(url: string): string[] {
  const { origin } = new URL(url);
  return origin === url ? [url] : [origin, url];
}

/** A message, a length before it, and trailers (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md). */
function messageIn(body: Buffer, method: string, headers: NodeJS.Dict<string | string[]>): Message | undefined {
  let message: Message | undefined;
  let trailers = `grpc-status:${String(headers['grpc-status'] ?? '0')}\r\ngrpc-message:${String(headers['grpc-message'] ?? '')}`;
  try {
    for (let at = 0; at + 5 <= body.length;) {
      const [flags, length] = [body.readUInt8(at), body.readUInt32BE(at + 1)];
      const content = body.subarray(at + 5, at + 5 + length);
      at += 5 + length;
      if (flags >= 0x80) trailers = content.toString('utf8');
      else message = readMessage(content);
    }
  } catch (error) {
    throw new ActionError('unreachable', `ML Metadata answered ${method} with what is no message`, { cause: error });
  }
  const status = /grpc-status:\s*(\d+)/iu.exec(trailers)?.[1] ?? '0';
  // What it does not know is not found.
  if (status === '0' || status === '5') return message;
  throw new ActionError(
    'unreachable',
    `ML Metadata answered ${method} with the status ${status}: ${/grpc-message:\s*(.*)/iu.exec(trailers)?.[1] ?? ''}`,
  );
}

function joined(executions: readonly Message[], artifacts: readonly Message[], events: readonly Message[]): RunMetadata {
  const tasks = new Map<bigint, string>();
  const cached = new Set<bigint>();
  for (const execution of executions) {
    const properties = propertiesOf(execution);
    const name = properties.get('task_name') ?? properties.get('display_name');
    const id = integerOf(execution, 1);
    if (typeof name !== 'string' || id === undefined) continue;
    tasks.set(id, name);
    if (integerOf(execution, 3) === cachedState) cached.add(id);
  }
  // By the artifact: the execution that made it, and by what name; by the execution: what it was given.
  const makers = new Map<bigint, bigint>();
  const names = new Map<bigint, string>();
  const given = new Map<bigint, bigint[]>();
  for (const event of events) {
    const [artifact, execution] = [integerOf(event, 1), integerOf(event, 2)];
    if (artifact === undefined || execution === undefined) continue;
    if (isInput(integerOf(event, 4))) given.set(execution, [...(given.get(execution) ?? []), artifact]);
    if (!isOutput(integerOf(event, 4))) continue;
    if (tasks.has(execution)) makers.set(artifact, execution);
    const [path] = messagesOf(event, 3);
    const key = path && messagesOf(path, 1).flatMap((step) => textOf(step, 2) ?? [])[0];
    if (key !== undefined) names.set(artifact, key);
  }
  const read = artifacts.map((artifact) => {
    const id = integerOf(artifact, 1) ?? 0n;
    const properties = propertiesOf(artifact);
    const own = properties.get('display_name');
    const maker = makers.get(id);
    const task = maker === undefined ? '' : (tasks.get(maker) ?? '');
    const name = names.get(id) ?? (typeof own === 'string' ? own : String(id));
    return { id, maker, task, name, type: textOf(artifact, 8) ?? '', uri: textOf(artifact, 3) ?? '', properties };
  });
  const called = new Map(read.map(({ id, task, name }) => [id, task === '' ? name : `${task}.${name}`]));
  return {
    cached: [...cached].map((id) => tasks.get(id) ?? ''),
    artifacts: read.map(({ id: _, maker, ...artifact }) => {
      const inputs = maker === undefined ? [] : (given.get(maker) ?? []);
      const from = new Set(inputs.flatMap((input) => called.get(input) ?? []));
      return { ...artifact, from: [...from], isCached: maker !== undefined && cached.has(maker) };
    }),
  };
}

/** `custom_properties` of an execution or an artifact. */
function propertiesOf(message: Message): Map<string, unknown> {
  return new Map(
    messagesOf(message, 5).flatMap((entry): [string, unknown][] => {
      const [value] = messagesOf(entry, 2);
      return value ? [[textOf(entry, 1) ?? '', valueOf(value)]] : [];
    }),
  );
}

/** A `Value` of ML Metadata. Objects and lists stand in a `Struct` with the one key `struct` or `list`. */
function valueOf(value: Message): unknown {
  const integer = integerOf(value, 1);
  if (integer !== undefined) return Number(integer);
  const [struct] = messagesOf(value, 4);
  if (struct) {
    const fields = structOf(struct, 0);
    return fields.get('struct') ?? fields.get('list') ?? plain(fields);
  }
  return doubleOf(value, 2) ?? textOf(value, 3) ?? integerOf(value, 6) === 1n;
}

const deepest = 20;

// https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/struct.proto
function structOf(struct: Message, depth: number): Map<string, unknown> {
  return new Map(
    messagesOf(struct, 1).flatMap((entry): [string, unknown][] => {
      const [value] = messagesOf(entry, 2);
      return value ? [[textOf(entry, 1) ?? '', jsonOf(value, depth + 1)]] : [];
    }),
  );
}

function jsonOf(value: Message, depth: number): unknown {
  if (depth > deepest) return null;
  const [struct] = messagesOf(value, 5);
  if (struct) return plain(structOf(struct, depth));
  const [list] = messagesOf(value, 6);
  if (list) return messagesOf(list, 1).map((item) => jsonOf(item, depth + 1));
  const truth = integerOf(value, 4);
  return doubleOf(value, 2) ?? textOf(value, 3) ?? (truth === undefined ? null : truth === 1n);
}

function plain(fields: ReadonlyMap<string, unknown>): Record<string, unknown> {
  return Object.assign(Object.create(null) as Record<string, unknown>, Object.fromEntries(fields));
}
