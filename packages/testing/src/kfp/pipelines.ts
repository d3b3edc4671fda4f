import { randomUUID } from 'node:crypto';
import { parse } from 'yaml';
import type { Answer } from '../trackers/server.ts';

/** A pipeline with its versions. */
export interface FakePipeline {
  id: string;
  name: string;
  namespace: string;
  versions: FakeVersion[];
}

export interface FakeVersion {
  id: string;
  name: string;
  description: string;
  /** As the API tells it: where there are settings for Kubernetes, both documents under names of their own. */
  spec: object;
}

/** What is asked of pipelines: `path` is what follows `pipelines`. */
export interface PipelineRequest {
  method: string;
  path: string[];
  namespace: string;
  wanted: string | undefined;
  body: Record<string, unknown>;
  multiUser: boolean;
}

export function ofPipelines(pipelines: FakePipeline[], { method, path, namespace, wanted, body, multiUser }: PipelineRequest): Answer {
  const [id, , versionId] = path;
  if (id === undefined && method === 'GET') {
    if (multiUser && namespace === '') return refuse(400, 3, 'Namespace cannot be empty in multi-user mode');
    const found = pipelines.filter((one) => one.namespace === namespace && (wanted === undefined || one.name === wanted));
    return { pipelines: found.map(pipelineView), total_size: found.length };
  }
  if (id === undefined) {
    const one: FakePipeline = { id: randomUUID(), name: String(body['name']), namespace: String(body['namespace'] ?? ''), versions: [] };
    if (pipelines.some(({ name, namespace: space }) => name === one.name && space === one.namespace)) {
      return refuse(409, 6, `Failed to create a new pipeline. The name ${one.name} already exist. Please specify a new name`);
    }
    pipelines.push(one);
    return pipelineView(one);
  }
  const pipeline = pipelines.find((one) => one.id === id);
  if (!pipeline) return refuse(404, 5, `Pipeline ${id} not found`);
  if (versionId === undefined) {
    const found = pipeline.versions.filter((one) => wanted === undefined || one.name === wanted);
    return { pipeline_versions: found.map((one) => versionView(pipeline, one)), total_size: found.length };
  }
  const version = pipeline.versions.find((one) => one.id === versionId);
  return version ? versionView(pipeline, version) : refuse(404, 5, `PipelineVersion ${versionId} not found`);
}

/**
 * Takes a file as a version, as UploadPipelineVersion does
 * (https://github.com/kubeflow/pipelines/blob/2.17.0/backend/src/apiserver/server/pipeline_upload_server.go); what `kfp` compiled comes
 * through its protobuf as it was.
 */
export function upload(pipelines: readonly FakePipeline[], query: URLSearchParams, file: { name: string; text: string }): Answer {
  const say = (status: number, words: string): Answer => ({ status, body: { error_message: words, error_details: words } });
  const pipeline = pipelines.find(({ id }) => id === query.get('pipelineid'));
  const name = query.get('name') ?? '';
  if (!pipeline || !file.name.endsWith('.yaml')) return say(400, 'Failed to create a pipeline version');
  if (pipeline.versions.some((one) => one.name === name)) return say(409, 'Failed to create a pipeline version');
  const documents = file.text.split('\n---\n').map((document) => parse(document) as Record<string, unknown>);
  const pipelineSpec = documents.find((one) => 'pipelineInfo' in one);
  const platformSpec = documents.find((one) => 'platforms' in one);
  if (!pipelineSpec) return say(400, 'unknown template format: pipeline spec is invalid');
  const spec = platformSpec ? { pipeline_spec: pipelineSpec, platform_spec: platformSpec } : pipelineSpec;
  const version: FakeVersion = { id: randomUUID(), name, description: query.get('description') ?? '', spec };
  pipeline.versions.push(version);
  return versionView(pipeline, version);
}

function pipelineView({ id, name, namespace }: FakePipeline): object {
  return {
    pipeline_id: id,
    name,
    display_name: name,
    created_at: '2026-11-21T10:00:00Z',
    ...(namespace === '' ? {} : { namespace }),
  };
}

function versionView({ id: pipelineId }: FakePipeline, { id, name, description, spec }: FakeVersion): object {
  return {
    pipeline_id: pipelineId,
    pipeline_version_id: id,
    name,
    display_name: name,
    description,
    created_at: '2026-11-21T10:00:00Z',
    pipeline_spec: spec,
  };
}

/** As grpc-gateway answers (https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto). */
export function refuse(status: number, code: number, message: string): Answer {
  return { status, body: { code, message, details: [] } };
}
