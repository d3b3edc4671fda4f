import { describe, expect, it } from '@jest/globals';
import { describe as words } from '../action/errors.ts';
import { refusal, type Asked } from './refusal.ts';

// The bodies are those of kube-apiserver 1.35.4, asked with curl on the real cluster.
const status = (message: string, reason: string, code: number, details: object = {}): string =>
  JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code });

const asked: Asked = {
  verb: 'create',
  resource: { group: 'batch', version: 'v1', plural: 'jobs' },
  namespace: 'ml',
  server: 'https://k:6443',
  context: 'prod',
};

describe('what an answer that is no success means', () => {
  it.each([
    [
      'a right is missing',
      asked,
      403,
      status(
        'jobs.batch is forbidden: User "bob" cannot create resource "jobs" in API group "batch" in the namespace "ml"',
        'Forbidden',
        403,
      ),
      'permission',
      'missing right: cannot create jobs.batch in namespace ml on https://k:6443; add it to the Role: {apiGroups: [batch], resources: [jobs], verbs: [create]}',
    ],
    [
      'the right to a subresource is missing',
      { ...asked, verb: 'get', resource: { group: '', version: 'v1', plural: 'pods' }, subresource: 'log', name: 'x' },
      403,
      status('pods "x" is forbidden: User "bob" cannot get resource "pods/log" in API group "" in the namespace "ml"', 'Forbidden', 403),
      'permission',
      'missing right: cannot get pods/log in namespace ml on https://k:6443; add it to the Role: {apiGroups: [""], resources: [pods/log], verbs: [get]}',
    ],
    [
      'a right on the whole cluster is missing',
      { ...asked, verb: 'list', resource: { group: '', version: 'v1', plural: 'nodes' }, namespace: undefined },
      403,
      status('nodes is forbidden: User "bob" cannot list resource "nodes" in API group "" at the cluster scope', 'Forbidden', 403),
      'permission',
      'missing right: cannot list nodes in the whole cluster on https://k:6443; add it to the ClusterRole: {apiGroups: [""], resources: [nodes], verbs: [list]}',
    ],
    [
      'a quota is used up',
      { ...asked, resource: { group: '', version: 'v1', plural: 'pods' }, name: 'x' },
      403,
      status(
        'pods "x" is forbidden: exceeded quota: gpus, requested: requests.nvidia.com/gpu=4, used: requests.nvidia.com/gpu=8, limited: requests.nvidia.com/gpu=8',
        'Forbidden',
        403,
      ),
      'policy',
      'the quota "gpus" (requests.nvidia.com/gpu: 4 asked, 8 of 8 used) forbids pods "x" in namespace ml; wait until others have ended, ask for less, or have the quota raised',
    ],
    [
      // As Kubernetes 1.35.4 said it of `kubectl create quota runs --hard=count/jobs.batch=1,requests.cpu=1`.
      'a quota counts objects',
      { ...asked, name: 'b' },
      403,
      status(
        'jobs.batch "b" is forbidden: exceeded quota: runs, requested: count/jobs.batch=1, used: count/jobs.batch=1, limited: count/jobs.batch=1',
        'Forbidden',
        403,
      ),
      'policy',
      'the quota "runs" (count/jobs.batch: 1 asked, 1 of 1 used) forbids jobs.batch "b" in namespace ml; wait until others have ended, ask for less, or have the quota raised',
    ],
    [
      'a field is unknown',
      { ...asked, name: 'x' },
      400,
      status(
        'Job in version "v1" cannot be handled as a Job: strict decoding error: unknown field "spec.template.spec.containers[0].imagee"',
        'BadRequest',
        400,
      ),
      'manifest',
      'https://k:6443 refuses jobs.batch "x" in namespace ml: Job in version "v1" cannot be handled as a Job: strict decoding error: unknown field "spec.template.spec.containers[0].imagee"',
    ],
    [
      'a field is wrong',
      { ...asked, name: 'x' },
      422,
      status(
        'Job.batch "x" is invalid: spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
        'Invalid',
        422,
        { name: 'x' },
      ),
      'manifest',
      'https://k:6443 refuses jobs.batch "x" in namespace ml: Job.batch "x" is invalid: spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ],
    [
      'the namespace is not there',
      { ...asked, name: 'x' },
      404,
      status('namespaces "ml" not found', 'NotFound', 404, { name: 'ml', kind: 'namespaces' }),
      'not-found',
      'there is no namespace "ml" on https://k:6443; create it, or set the input "namespace"',
    ],
    [
      'the kind is not there',
      asked,
      404,
      '404 page not found\n',
      'not-found',
      'https://k:6443 does not know jobs.batch in batch/v1; install the operator that brings this kind',
    ],
    [
      'the kind is not there in a group that is',
      asked,
      404,
      status('the server could not find the requested resource', 'NotFound', 404),
      'not-found',
      'https://k:6443 does not know jobs.batch in batch/v1; install the operator that brings this kind',
    ],
    [
      'the object is not there',
      { ...asked, verb: 'patch', name: 'x' },
      404,
      status('jobs.batch "x" not found', 'NotFound', 404, { name: 'x', group: 'batch', kind: 'jobs' }),
      'not-found',
      'there is no jobs.batch "x" in namespace ml on https://k:6443 (context prod)',
    ],
    [
      'the credentials are refused',
      asked,
      401,
      status('Unauthorized', 'Unauthorized', 401),
      'permission',
      'https://k:6443 does not accept the credentials of the context prod: Unauthorized; renew the token or certificate in the kubeconfig',
    ],
    [
      'a proxy answers',
      asked,
      502,
      '<html>\nBad Gateway',
      'unreachable',
      'https://k:6443 (context prod) cannot create jobs.batch in namespace ml now: 502 <html>',
    ],
  ])('%s', (_, request, code, text, errorCode, expected) => {
    const error = refusal({ status: code, text }, request);
    expect(words(error)).toBe(expected);
    expect([error.code, error.status]).toEqual([errorCode, code]);
  });
});
