import { ActionError, type ErrorCode } from '../action/errors.ts';
import type { Resource } from '../kinds/kind.ts';
import type { ApiAnswer } from './http.ts';

/** What was asked of the server, for the words of an error. */
export interface Asked {
  /** As RBAC has it: get, list, watch, create, patch, update, delete. */
  verb: string;
  resource: Pick<Resource, 'group' | 'plural' | 'version'>;
  subresource?: string | undefined;
  /** Empty or absent for all namespaces and for resources that have none. */
  namespace?: string | undefined;
  name?: string | undefined;
  server: string;
  context: string;
}

/** An answer of the API server that is no success. `status` is HTTP's, `reason` and the words are the server's. */
export class ServerRefusal extends ActionError {
  readonly status: number;
  /** e.g. `AlreadyExists`, `Conflict`, `Expired`; empty where the answer is no Status object. */
  readonly reason: string;

  constructor(code: ErrorCode, message: string, remedy: string | undefined, answer: { status: number; reason: string }) {
    super(code, message, remedy === undefined ? {} : { remedy });
    this.status = answer.status;
    this.reason = answer.reason;
  }
}

/** The parts of a Status object that matter (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/). */
export interface ServerStatus {
  message: string;
  reason: string;
  /** Whether the answer is about an object by name, and not about the whole path. */
  namesObject: boolean;
}

/** Reads a Status object; of a text that is none, its first line. */
export function readStatus(text: string): ServerStatus {
  try {
    const status = JSON.parse(text) as { kind?: unknown; message?: unknown; reason?: unknown; details?: { name?: unknown } };
    if (status.kind === 'Status') {
      return {
        message: typeof status.message === 'string' ? status.message : '',
        reason: typeof status.reason === 'string' ? status.reason : '',
        namesObject: typeof status.details?.name === 'string' && status.details.name !== '',
      };
    }
  } catch {
    // No JSON: a proxy's page, or "404 page not found".
  }
  return { message: text.trim().split('\n', 1)[0]?.slice(0, 500) ?? '', reason: '', namesObject: false };
}

/** `jobs.batch`, `pods`, `pods/log`. */
export function resourceName({ resource, subresource }: Pick<Asked, 'resource' | 'subresource'>): string {
  return `${resource.plural}${resource.group ? `.${resource.group}` : ''}${subresource ? `/${subresource}` : ''}`;
}

/** What an answer that is no success means for a person. */
export function refusal(answer: ApiAnswer, asked: Asked): ServerRefusal {
  const { status } = answer;
  const said = readStatus(answer.text);
  const what = `${resourceName(asked)}${asked.name ? ` "${asked.name}"` : ''}${asked.namespace ? ` in namespace ${asked.namespace}` : ''}`;
  const make = (code: ErrorCode, message: string, remedy?: string): ServerRefusal =>
    new ServerRefusal(code, message, remedy, { status, reason: said.reason });

  if (status === 401) {
    return make(
      'permission',
      `${asked.server} does not accept the credentials of the context ${asked.context}: ${said.message}`,
      'renew the token or certificate in the kubeconfig',
    );
  }
  if (status === 403) return forbidden(asked, said, make, what);
  if (status === 404 && /^namespaces "/u.test(said.message)) {
    return make('not-found', `there is no namespace "${asked.namespace}" on ${asked.server}`, 'create it, or set the input "namespace"');
  }
  if (status === 404 && !said.namesObject) {
    const version = `${asked.resource.group ? `${asked.resource.group}/` : ''}${asked.resource.version}`;
    return make(
      'not-found',
      `${asked.server} does not know ${resourceName(asked)} in ${version}`,
      'install the operator that brings this kind',
    );
  }
  if (status === 404) return make('not-found', `there is no ${what} on ${asked.server} (context ${asked.context})`);
  if (status === 400 || status === 422) {
    return make('manifest', `${asked.server} refuses ${what}: ${said.message}`);
  }
  if (status === 409) return make('conflict', `${asked.server} refuses to ${asked.verb} ${what}: ${said.message}`);
  if (status === 429 || (status >= 500 && status !== 501)) {
    return make('unreachable', `${asked.server} (context ${asked.context}) cannot ${asked.verb} ${what} now: ${status} ${said.message}`);
  }
  return make('unsupported', `${asked.server} answered ${status} to ${asked.verb} ${what}: ${said.message}`);
}

function forbidden(
  asked: Asked,
  said: ServerStatus,
  make: (code: ErrorCode, message: string, remedy?: string) => ServerRefusal,
  what: string,
): ServerRefusal {
  // RBAC's own words; everything else that forbids is admission: quota, pod security, webhooks.
  if (!/cannot \w+ resource/u.test(said.message) && said.message) {
    const quota = exceededQuota(said.message);
    if (quota) return make('policy', `${quota} forbids ${what}`, 'wait until others have ended, ask for less, or have the quota raised');
    return make('policy', `${asked.server} forbids ${what}: ${said.message}`);
  }
  const { group, plural } = asked.resource;
  const { subresource, namespace, verb } = asked;
  const rule = `{apiGroups: [${group || '""'}], resources: [${plural}${subresource ? `/${subresource}` : ''}], verbs: [${verb}]}`;
  return make(
    'permission',
    `missing right: cannot ${verb} ${resourceName(asked)} ${namespace ? `in namespace ${namespace}` : 'in the whole cluster'} on ${asked.server}`,
    `add it to the ${namespace ? 'Role' : 'ClusterRole'}: ${rule}`,
  );
}

/**
 * A quota that is used up, as `the quota "gpus" (requests.nvidia.com/gpu: 4 asked, 8 of 8 used)`, from the words of
 * https://github.com/kubernetes/kubernetes/blob/v1.36.3/staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go
 */
function exceededQuota(message: string): string | undefined {
  const match = /exceeded quota: (\S+), requested: (\S+), used: (\S+), limited: (\S+)/u.exec(message);
  if (!match) return undefined;
  const [, name, requested = '', used = '', limited = ''] = match;
  const amounts = (list: string): Map<string, string> =>
    new Map(list.split(',').map((pair) => [pair.slice(0, pair.lastIndexOf('=')), pair.slice(pair.lastIndexOf('=') + 1)]));
  const [before, most] = [amounts(used), amounts(limited)];
  const each = [...amounts(requested)].map(([resource, asked]) => {
    return `${resource}: ${asked} asked, ${before.get(resource) ?? '?'} of ${most.get(resource) ?? '?'} used`;
  });
  return `the quota ${JSON.stringify(name)} (${each.join('; ')})`;
}
