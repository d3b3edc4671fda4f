import type { ServerResponse } from 'node:http';
import { badRequest, invalid, notFound } from './errors.ts';
import { format, type ContainerLog, type LogEntry } from './logs.ts';
import type { ContainerStatus, Pod } from './objects.ts';
import { flag, integer, type Answer, type ApiRequest } from './request.ts';
import { types } from './resources.ts';
import type { Store } from './store.ts';

/** Where the logs of a node are, by the pod's UID and the ID of one run of a container. */
export type LogFinder = (uid: string, containerID: string) => ContainerLog | undefined;

/** GET of `pods/log`: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod */
export function podLog(store: Store, find: LogFinder, request: ApiRequest): Answer {
  const { query, namespace, name } = request;
  const pod = store.get(types.pods, namespace, name!) as Pod | undefined;
  if (!pod) throw notFound(types.pods, name!);
  const container = chooseContainer(pod, query.get('container'));
  const options = readOptions(query, name!);
  const previous = flag(query, 'previous');
  const follow = flag(query, 'follow');
  // On no node there is no log, and no error.
  if (pod.spec.nodeName === undefined) return (response) => void response.writeHead(204).end();
  const status = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])].find(
    (item) => item.name === container,
  );
  const id = chooseRun(name!, container, status, previous);
  const log = find(pod.metadata.uid, id);
  // Sic: with 200, as if it were the log. The run before last is removed as soon as the last one has ended.
  if (!log) return (response) => void begin(response).end(`unable to retrieve container logs for ${id}`);

  return (response) => {
    begin(response);
    let bytes = 0;
    const send = (entries: LogEntry[]): void => {
      for (const entry of entries) {
        if (options.since !== undefined && entry.time < options.since) continue;
        let line = format(entry);
        if (options.timestamps) line = Buffer.concat([Buffer.from(`${entry.time} `), line]);
        if (options.limitBytes !== undefined) line = line.subarray(0, Math.max(0, options.limitBytes - bytes));
        bytes += line.length;
        if (line.length > 0) response.write(line);
      }
    };
    const full = (): boolean => options.limitBytes !== undefined && bytes >= options.limitBytes;
    let next = log.next;
    send(options.tailLines === undefined ? log.from(0) : log.last(options.tailLines));
    if (!follow || log.ended || full()) {
      response.end();
      return;
    }
    const stop = log.onChange(() => {
      send(log.from(next));
      next = log.next;
      if (log.ended || full()) response.end();
    });
    response.on('close', stop);
  };
}

function begin(response: ServerResponse): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  return response;
}

function chooseContainer(pod: Pod, asked: string | null): string {
  const { name } = pod.metadata;
  const main = pod.spec.containers.map((container) => container.name);
  const init = pod.spec.initContainers?.map((container) => container.name) ?? [];
  if (!asked) {
    if (main.length === 1) return main[0]!;
    const also = init.length > 0 ? ` or one of the init containers: [${init.join(' ')}]` : '';
    throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${main.join(' ')}]${also}`);
  }
  if (![...main, ...init].includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${name}`);
  return asked;
}

/** Which run's log is meant, by the rules of kubelet's validateContainerLogStatus. @returns its container ID */
function chooseRun(pod: string, container: string, status: ContainerStatus | undefined, previous: boolean): string {
  const last = status?.lastState.terminated?.containerID;
  if (previous) {
    if (!last) throw badRequest(`previous terminated container "${container}" in pod "${pod}" not found`);
    return last;
  }
  if (status?.state.running && status.containerID) return status.containerID;
  const ended = status?.state.terminated?.containerID ?? last;
  if (ended) return ended;
  const { reason = 'ContainerCreating' } = status?.state.waiting ?? {};
  const why = reason === 'ErrImagePull' || reason === 'ImagePullBackOff' ? 'trying and failing to pull image' : reason;
  throw badRequest(`container "${container}" in pod "${pod}" is waiting to start: ${why}`);
}

interface Options {
  timestamps: boolean;
  tailLines?: number;
  limitBytes?: number;
  /** RFC 3339, whole seconds. */
  since?: string;
}

function readOptions(query: URLSearchParams, pod: string): Options {
  const options: Options = { timestamps: flag(query, 'timestamps') };
  const refuse = (field: string, message: string): never => {
    throw invalid({ ...types.pods, kind: 'PodLogOptions', group: '' }, pod, [{ reason: 'FieldValueInvalid', message, field }]);
  };
  const tail = integer(query, 'tailLines');
  if (tail !== undefined) {
    if (tail < 0) refuse('tailLines', `Invalid value: ${tail}: must be greater than or equal to 0`);
    options.tailLines = tail;
  }
  const limit = integer(query, 'limitBytes');
  if (limit !== undefined) {
    if (limit < 1) refuse('limitBytes', `Invalid value: ${limit}: must be greater than 0`);
    options.limitBytes = limit;
  }
  const seconds = integer(query, 'sinceSeconds');
  const time = query.get('sinceTime');
  if (seconds !== undefined && time) refuse('[]', 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified');
  if (seconds !== undefined) {
    if (seconds < 1) refuse('sinceSeconds', `Invalid value: ${seconds}: must be greater than 0`);
    options.since = new Date(Date.now() - seconds * 1000).toISOString();
  }
  if (time) {
    if (Number.isNaN(Date.parse(time)))
      throw badRequest(`parsing time ${JSON.stringify(time)} as "2006-01-02T15:04:05Z07:00": cannot parse`);
    options.since = `${new Date(Math.floor(Date.parse(time) / 1000) * 1000).toISOString().slice(0, 19)}.000000000Z`;
  }
  return options;
}
