import { ActionError, messageOf } from '@slashtrain/core/action/errors';
import { kfpRun } from '@slashtrain/core/kinds/kfp-run';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { LineCounter, parseAllDocuments } from 'yaml';
import type { Manifest, ManifestSource } from '../manifest.ts';

/** Whether a text is a pipeline that `kfp` compiled, of whichever version: they have no `kind`. */
export function isPipeline(text: string): boolean {
  return /^(?:pipelineInfo|pipelineSpec):/mu.test(text) || /^\s*\{[^]*"(?:pipelineInfo|pipelineSpec)"\s*:/u.test(text);
}

/**
 * Reads what `kfp` 2 compiled: one document with the pipeline, and maybe a second one with settings for Kubernetes
 * (https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/compile-a-pipeline/).
 * @throws ActionError `manifest` with file, line and column, or with how to compile it anew
 */
export function readPipeline(source: ManifestSource): Manifest {
  const lines = new LineCounter();
  const documents = parseAllDocuments(source.text, { lineCounter: lines, uniqueKeys: true, version: '1.2' });
  const all = Array.isArray(documents) ? documents : [];
  const [problem] = all.flatMap(({ errors }) => errors);
  if (problem) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new ActionError('manifest', `${source.file}:${line}:${col}: not YAML: ${problem.message.split(/ at line \d+/u)[0] ?? ''}`, {
      cause: problem,
    });
  }
  const maps = all
    .filter(({ contents }) => contents !== null)
    .map((document) => asMap(() => document.toJS({ maxAliasCount: 100 }), source.file));
  const pipelineSpec = maps.find((map) => 'pipelineInfo' in map);
  const platformSpec = maps.find((map) => 'platforms' in map);
  const other = maps.find((map) => map !== pipelineSpec && map !== platformSpec);
  if (other && 'pipelineSpec' in other) throw recompile(source.file, 'the job that kfp 1.8 compiled for Vertex AI', other);
  if (!pipelineSpec) throw new ActionError('manifest', `${source.file} has no "pipelineInfo"`);
  if (other) throw new ActionError('manifest', `${source.file} has a document beside the pipeline that is none of settings ("platforms")`);
  const version = String(pipelineSpec['schemaVersion'] ?? '');
  if (!/^2\.1\./u.test(version))
    throw recompile(source.file, `a pipeline of the schema ${version === '' ? 'that it does not name' : version}`, pipelineSpec);
  for (const [path, keys] of [
    ['root.dag.tasks', ['root', 'dag', 'tasks']],
    ['deploymentSpec.executors', ['deploymentSpec', 'executors']],
  ] as const) {
    let found: unknown = pipelineSpec;
    for (const key of keys) found = typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[key] : undefined;
    if (typeof found !== 'object' || found === null) throw new ActionError('manifest', `${source.file} has no "${path}"`);
  }
  const object: KubernetesObject = {
    apiVersion: `${kfpRun.resource.group}/${kfpRun.resource.version}`,
    kind: kfpRun.resource.kind,
    metadata: {},
    spec: { pipelineSpec, ...(platformSpec ? { platformSpec } : {}) },
  };
  return { object, kind: kfpRun };
}

const sdkAnnotation = 'pipelines.kubeflow.org/kfp_sdk_version';

/** @throws ActionError `manifest` for what `kfp` 1 compiled, which is an Argo Workflow that says so */
export function refuseOldPipeline({ metadata, kind }: KubernetesObject, file: string): void {
  const version: unknown = metadata.annotations?.[sdkAnnotation];
  if (kind === 'Workflow' && version !== undefined)
    throw recompile(file, `a pipeline that kfp ${String(version).slice(0, 20)} compiled`, {});
}

function recompile(file: string, what: string, { sdkVersion }: Record<string, unknown>): ActionError {
  const by = typeof sdkVersion === 'string' ? ` (${sdkVersion.slice(0, 40)})` : '';
  return new ActionError('manifest', `${file} is ${what}${by}, and Kubeflow Pipelines v2 takes what kfp 2 compiles`, {
    remedy:
      "install kfp 2 (pip install 'kfp>=2'), move its components to @dsl.component, and run: kfp dsl compile --py pipeline.py --output pipeline.yaml",
  });
}

function asMap(read: () => unknown, file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = read();
  } catch (error) {
    throw new ActionError('manifest', `${file}: ${messageOf(error)}`, { cause: error });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ActionError('manifest', `${file} has a document that is no map`);
}
