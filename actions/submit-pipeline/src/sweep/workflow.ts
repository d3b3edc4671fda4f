import { ActionError } from '@slashtrain/core/action/errors';
import { isFields, needFields, type Fields } from '@slashtrain/core/kinds/fields';
import { labels } from '@slashtrain/core/run/record';
import type { Source } from '../source.ts';
import type { SweepRequest } from './read.ts';
import type { Settings } from './settings.ts';

const fan = 'slashtrain-sweep';
const indexName = 'slashtrain-trial';

/**
 * A Workflow whose entrypoint runs once for each trial, by Argo's withParam, `parallel` at a time. Argo gives each its inputs, so
 * that nothing is put before the program. A step that fails ends no other; the Workflow has then failed when all have ended. With
 * `continueOn` Argo calls succeeded also what was stopped or ran out of time (seen with 4.0.7).
 * @throws ActionError `unsupported` for an entrypoint that is no pod of its own, `input` for a parameter that is none of its inputs
 */
export function fannedWorkflow(source: Source, request: SweepRequest, { names, trials }: Settings): Source {
  const object = structuredClone(source.object);
  const spec = needFields('Workflow', object, 'spec');
  const templates = (Array.isArray(spec['templates']) ? spec['templates'] : []).filter(isFields);
  const entrypoint = spec['entrypoint'];
  const template = templates.find(({ name }) => name === entrypoint);
  if (!template || !(isFields(template['container']) || isFields(template['script']))) {
    throw new ActionError(
      'unsupported',
      `the entrypoint ${JSON.stringify(entrypoint ?? null)} of the Workflow is no container of its own`,
      {
        remedy: 'a sweep runs one template once for each trial: write it out in the Workflow, with "container" or "script"',
      },
    );
  }
  const inputs = (template['inputs'] ??= {}) as Fields;
  const declared = (Array.isArray(inputs['parameters']) ? inputs['parameters'] : []).filter(isFields);
  const missing = names.find((name) => !declared.some((one) => one['name'] === name));
  if (missing !== undefined) {
    throw new ActionError('input', `the sweep has the parameter "${missing}", which is no input of the template "${String(entrypoint)}"`, {
      remedy: `declare it under its inputs.parameters, and use it as {{inputs.parameters.${missing}}}`,
    });
  }
  const odd = trials.flat().find((value) => value.includes('{{'));
  if (odd !== undefined)
    throw new ActionError('input', `a value of the sweep holds "{{", which Argo would evaluate: ${JSON.stringify(odd.slice(0, 100))}`);
  inputs['parameters'] = [...declared, { name: indexName }];
  const metadata = (template['metadata'] ??= {}) as Fields;
  metadata['labels'] = {
    ...(isFields(metadata['labels']) ? metadata['labels'] : {}),
    [labels.trial]: `{{inputs.parameters.${indexName}}}`,
  };

  const own = new Set([...names, indexName]);
  const given = [...names, indexName].map((name) => ({ name, value: `{{item.${name}}}` }));
  // What the Workflow's arguments gave the entrypoint, they give it still.
  const passed = declared
    .filter(({ name, value, valueFrom, default: fallback }) => !own.has(String(name)) && (value ?? valueFrom ?? fallback) === undefined)
    .map(({ name }) => ({ name, value: `{{workflow.parameters.${String(name)}}}` }));
  const step = {
    name: 'trial',
    template: entrypoint,
    arguments: { parameters: [...given, ...passed] },
    withParam: JSON.stringify(
      trials.map((row, index) => ({ ...Object.fromEntries(names.map((name, at) => [name, row[at]])), [indexName]: String(index) })),
    ),
  };
  spec['templates'] = [...(spec['templates'] as unknown[]), { name: fan, parallelism: request.parallel, steps: [[step]] }];
  spec['entrypoint'] = fan;
  // For the policy as well, which counts what can run at once.
  spec['parallelism'] = request.parallel;
  return { ...source, object };
}
