import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Makes description.json, what the fake checks requests and answers against: the operations that the actions use, with all types
 * that they refer to, out of upstream's own description.
 *   git -C pipelines show 2.17.0:backend/api/v2beta1/swagger/kfp_api_single_file.swagger.json > kfp.json
 *   node extract.ts kfp.json
 */
const [file = ''] = process.argv.slice(2);
const upstream = JSON.parse(readFileSync(file, 'utf8')) as Swagger;

interface Swagger {
  paths: Record<string, Record<string, Operation>>;
  definitions: Record<string, unknown>;
}

interface Operation {
  parameters?: { name: string; in: string; required?: boolean; type?: string; enum?: string[]; schema?: unknown }[];
  responses: Record<string, { schema?: unknown }>;
}

const used = [
  'healthz',
  'experiments',
  'pipelines',
  'pipelines/{pipeline_id}/versions',
  'pipelines/{pipeline_id}/versions/{pipeline_version_id}',
  'pipelines/upload_version',
  'runs',
  'runs/{run_id}',
  'runs/{run_id}:terminate',
  'runs/{run_id}:retry',
];
const definitions: Record<string, unknown> = {};

/** Without words for people, and with closed objects: a field that the description lacks is a mistake. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const { description: _, title: __, default: ___, $ref, ...rest } = value as Record<string, unknown>;
  if (typeof $ref === 'string') {
    const name = $ref.replace('#/definitions/', '');
    if (!(name in definitions)) {
      definitions[name] = {};
      definitions[name] = plain(upstream.definitions[name]);
    }
    return { $ref: `#/$defs/${name}` };
  }
  const entries = Object.entries(rest).map(([key, item]): [string, unknown] =>
    key === 'properties'
      ? [key, Object.fromEntries(Object.entries(item as object).map(([name, one]) => [name, plain(one)]))]
      : [key, plain(item)],
  );
  const isClosed = rest['type'] === 'object' && 'properties' in rest && !('additionalProperties' in rest);
  // A 64-bit number is a text in the JSON of protobuf; "int64" is no format of JSON schema.
  return Object.fromEntries([
    ...entries.filter(([key]) => key !== 'format' || rest['format'] === 'date-time'),
    ...(isClosed ? [['additionalProperties', false]] : []),
  ]);
}

function formOf(names: string[]): { form?: string[] } {
  return names.length > 0 ? { form: names } : {};
}

const operations = used.flatMap((path) =>
  Object.entries(upstream.paths[`/apis/v2beta1/${path}`] ?? {}).map(([method, { parameters = [], responses }]) => ({
    method: method.toUpperCase(),
    path: `/apis/v2beta1/${path}`,
    query: parameters.filter((one) => one.in === 'query').map(({ name }) => name),
    ...Object.fromEntries(parameters.filter((one) => one.in === 'body').map(({ schema }) => ['body', plain(schema)])),
    ...formOf(parameters.filter((one) => one.in === 'formData').map(({ name }) => name)),
    answer: plain(responses['200']?.schema),
    refusal: plain(responses['default']?.schema),
  })),
);
// The parameter `filter` is a text that holds one.
const filter = plain({ $ref: '#/definitions/v2beta1Filter' });
const header =
  'Extracted by extract.ts from backend/api/v2beta1/swagger/kfp_api_single_file.swagger.json of kubeflow/pipelines, tag 2.17.0, Copyright The Kubeflow Authors, Apache License 2.0 (https://github.com/kubeflow/pipelines/blob/2.17.0/LICENSE). Not edited by hand.';
writeFileSync(
  join(import.meta.dirname, 'description.json'),
  `${JSON.stringify({ $comment: header, operations, filter, $defs: definitions }, null, 1)}\n`,
);
