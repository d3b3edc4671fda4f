import { ActionError } from '../../action/errors.ts';
import { fieldsIn, isFields, type Fields } from '../../kinds/fields.ts';
import type { NewRun } from './api.ts';
import type { KfpClient } from './client.ts';

/**
 * What a run is made from: its own specification, or where `spec.version` names a pipeline and a version, that version. It is uploaded
 * where it is not there yet.
 * @throws ActionError `conflict` where the version is there with another specification
 */
export async function sourceOf(
  client: Pick<KfpClient, 'url' | 'pipeline' | 'version'>,
  spec: Fields,
  namespace: string,
): Promise<Pick<NewRun, 'pipeline_spec' | 'pipeline_version_reference'>> {
  const { pipelineSpec, platformSpec } = spec;
  const { pipeline, name } = fieldsIn(spec, 'version') ?? {};
  // As kfp's own client sends the two documents of one file.
  const both = platformSpec === undefined ? (pipelineSpec as object) : { pipeline_spec: pipelineSpec, platform_spec: platformSpec };
  if (typeof pipeline !== 'string' || typeof name !== 'string') return { pipeline_spec: both };

  const pipelineId = await client.pipeline(pipeline, namespace, 'Versions by Slashtrain, each named by its commit');
  const file = [pipelineSpec, ...(platformSpec === undefined ? [] : [platformSpec])].map((one) => JSON.stringify(one)).join('\n---\n');
  const { version, isNew } = await client.version({ pipelineId, name, description: String(spec['description'] ?? ''), file });
  const differences = isNew ? [] : differencesOf(both, version.pipeline_spec);
  if (differences.length > 0) {
    const more = differences.length > 5 ? ` and ${differences.length - 5} more` : '';
    throw new ActionError(
      'conflict',
      `the pipeline "${pipeline}" on ${client.url} has a version "${name}" with another specification: ${differences.slice(0, 5).join(', ')}${more}`,
      {
        remedy:
          'give what changes from run to run as parameters of the pipeline, leave kfp-pipeline out for this run, or delete that version',
      },
    );
  }
  if (version.pipeline_version_id === undefined) {
    throw new ActionError('unreachable', `${client.url} told no id of the version "${name}" of the pipeline "${pipeline}"`);
  }
  return { pipeline_version_reference: { pipeline_id: pipelineId, pipeline_version_id: version.pipeline_version_id } };
}

/**
 * The paths at which two specifications differ. What the server stores has gone through protobuf
 * (https://github.com/kubeflow/pipelines/blob/2.17.0/backend/src/apiserver/template/v2_template.go, Bytes): an empty value is as good
 * as none.
 */
export function differencesOf(one: unknown, other: unknown, path = ''): string[] {
  if (isFields(one) && isFields(other)) {
    const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
    return keys.flatMap((key) => {
      const inner = path === '' ? key : `${path}.${key}`;
      // Here protobuf keeps the difference between an empty value and none.
      const isValue = key === 'defaultValue' || key === 'constant';
      if (isValue && Object.hasOwn(one, key) !== Object.hasOwn(other, key)) return [inner];
      return differencesOf(own(one, key), own(other, key), inner);
    });
  }
  if (Array.isArray(one) && Array.isArray(other)) {
    const length = Math.max(one.length, other.length);
    return Array.from({ length }, (_, at) => differencesOf(one[at], other[at], `${path}[${at}]`)).flat();
  }
  return one === other || (isEmpty(one) && isEmpty(other)) ? [] : [path];
}

function own(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isFields(value) && Object.keys(value).length === 0;
}
