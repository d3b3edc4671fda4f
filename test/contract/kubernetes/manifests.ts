import type { Api } from './api.ts';

type Json = Record<string, unknown>;

/** A pod's specification that runs a JavaScript program. */
export function podSpec(api: Api, script: string, container: Json = {}, spec: Json = {}): Json {
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image: api.target.base, command: ['node', '-e', script], ...container }],
    ...spec,
  };
}

export function pod(api: Api, name: string, script: string, container: Json = {}, spec: Json = {}): Json {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: podSpec(api, script, container, spec) };
}

export function job(api: Api, name: string, script: string, spec: Json = {}, container: Json = {}, ofPod: Json = {}): Json {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { template: { spec: podSpec(api, script, container, ofPod) }, ...spec },
  };
}

export function configMap(name: string, data: Record<string, string> = {}, labels?: Record<string, string>): Json {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...(labels ? { labels } : {}) }, data };
}

/** Runs until it is ended, and does not mind SIGTERM. */
export const forever = 'setInterval(() => {}, 1000)';
