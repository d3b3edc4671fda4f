import { ActionError } from '../action/errors.ts';
import { isAccelerator } from './accelerators.ts';
import { joined, missing, parametersOf } from './argo-workflow-references.ts';
import { workflowOutputs, workflowStatus } from './argo-workflow-status.ts';
import { workflowTemplates } from './argo-workflow-templates.ts';
import { fieldsIn, needFields, type Fields } from './fields.ts';
import type { Kind, KubernetesObject, PodTemplate } from './kind.ts';
import { defaultsAnnotation } from './parameters.ts';
import { setPods } from './pods.ts';

/** Argo Workflows (https://argo-workflows.readthedocs.io/en/latest/fields/#workflow). */
export const argoWorkflow: Kind = {
  resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'workflows', kind: 'Workflow' },
  operator: 'Argo Workflows',
  // The controller gives each pod the time that is left to the workflow as its own deadline, too:
  // https://github.com/argoproj/argo-workflows/blob/v4.0.7/workflow/controller/workflowpod.go
  deadlineBy: 'controller',
  kueue: 'pods',
  // A label of its pods holds the name.
  nameLimit: 63,
  suspension: {
    set: (object) => void (specOf(object)['suspend'] = true),
    release: { spec: { suspend: null } },
  },
  helperContainers: new Set(['init', 'wait']),
  podTemplates: (object) => workflowTemplates(specOf(object)),
  setParameters,
  setPods(object, settings) {
    const templates = workflowTemplates(specOf(object));
    // Of several steps it cannot be known which one trains.
    if (settings.resources && templates.length > 1 && !templates.some(asksForAccelerator)) {
      throw new ActionError('input', 'the Workflow has several templates, and none asks for an accelerator', {
        remedy:
          'inputs "gpus", "accelerator", "cpu" and "memory" are for one: give that one a limit such as nvidia.com/gpu: 1, or write the resources out',
      });
    }
    setPods(templates, settings);
  },
  setDeadline: (object, seconds) => void (specOf(object)['activeDeadlineSeconds'] = seconds),
  setTtl(object, seconds) {
    const spec = specOf(object);
    const own = fieldsIn(spec, 'ttlStrategy') ?? {};
    const longer = (value: unknown): number => Math.max(typeof value === 'number' ? value : 0, seconds);
    spec['ttlStrategy'] = {
      ...own,
      ...Object.fromEntries(Object.keys(own).map((key) => [key, longer(own[key])])),
      secondsAfterCompletion: longer(own['secondsAfterCompletion']),
    };
  },
  elsewhere: { missing, joined },
  outputs: workflowOutputs,
  status: workflowStatus,
  podSelector: ({ metadata }) => `workflows.argoproj.io/workflow=${metadata.name ?? ''}`,
  // The exit handler runs. While a workflow is suspended its controller does not look at "shutdown".
  cancel: { how: 'patch', patch: { spec: { shutdown: 'Stop', suspend: null } } },
};

function specOf(object: KubernetesObject): Fields {
  return needFields('Workflow', object, 'spec');
}

function asksForAccelerator({ template }: PodTemplate): boolean {
  const asked = (template.spec?.containers ?? []).flatMap(({ resources }) => Object.keys({ ...resources?.requests, ...resources?.limits }));
  return asked.some((name) => isAccelerator(name));
}

/**
 * Puts values into `spec.arguments.parameters`. Which names there are, the template on the cluster says, where the
 * workflow is made from one.
 */
function setParameters(object: KubernetesObject, given: ReadonlyMap<string, string>, found?: readonly KubernetesObject[]): void {
  const spec = specOf(object);
  if (object.metadata.annotations?.[defaultsAnnotation] !== undefined) {
    throw new ActionError('manifest', `a Workflow has the annotation ${defaultsAnnotation}, and parameters of its own`, {
      remedy: 'write the defaults under spec.arguments.parameters',
    });
  }
  const { own, known, isComplete } = parametersOf(object, found);
  for (const [name, value] of given) {
    const parameter = known.get(name);
    if (!parameter && isComplete) {
      throw new ActionError('input', `input "parameters" names ${JSON.stringify(name)}, which the Workflow does not have`, {
        remedy: known.size > 0 ? `it has ${[...known.keys()].join(', ')}` : 'it has none: declare it under spec.arguments.parameters',
      });
    }
    // Argo puts values into templates as text and reads what comes of it again (ran on 4.0.7: {{=1+1}} became 2).
    if (value.includes('{{')) {
      throw new ActionError('input', `the parameter "${name}" holds "{{", which Argo would evaluate`, {
        remedy: 'pass a value without it',
      });
    }
    const allowed = parameter?.['enum'];
    if (Array.isArray(allowed) && !allowed.map(String).includes(value)) {
      throw new ActionError('input', `the parameter "${name}" is ${JSON.stringify(value)}; allowed: ${allowed.map(String).join(', ')}`);
    }
  }
  for (const [name, parameter] of known) {
    if (given.has(name) || ['value', 'valueFrom', 'default'].some((key) => (parameter[key] ?? undefined) !== undefined)) continue;
    throw new ActionError('input', `the Workflow's parameter "${name}" has no value`, {
      remedy: 'give it under "parameters:", or a value in spec.arguments.parameters',
    });
  }
  if (given.size === 0) return;
  const others = own.filter((one) => !given.has(String(one['name'])));
  const set = [...given].map(([name, value]) => {
    const { valueFrom: _, default: __, ...parameter } = own.find((one) => one['name'] === name) ?? {};
    return { ...parameter, name, value };
  });
  spec['arguments'] = { ...fieldsIn(spec, 'arguments'), parameters: [...others, ...set] };
}
