import { ActionError } from '../action/errors.ts';
import { fieldsIn, isFields, listIn, type Fields } from './fields.ts';
import type { Container, ObjectMeta, PodSpec, PodTemplate } from './kind.ts';

/**
 * The pod templates of a Workflow's specification. Argo's templates are almost the specification of a pod, so they are
 * looked at, and written, as if they were one. What a WorkflowTemplate on the cluster holds is reached through
 * `podMetadata` and `templateDefaults`, whose values a template's own go before.
 */
export function workflowTemplates(spec: Fields): PodTemplate[] {
  const own = listIn(spec, 'templates').flatMap((template, index) => {
    const containers = containersIn(template);
    return containers.length > 0 ? [{ path: `spec.templates[${index}]`, template: asPod(template, containers) }] : [];
  });
  return refersElsewhere(spec) ? [...own, { path: 'spec.templateDefaults', template: elsewhere(spec) }] : own;
}

/** Whether a part of what runs is on the cluster. */
export function refersElsewhere(spec: Fields): boolean {
  return fieldsIn(spec, 'workflowTemplateRef') !== undefined || templateRefs(spec['templates']).length > 0;
}

/** Every `templateRef` below a value: of steps, tasks and hooks. */
export function templateRefs(value: unknown): Fields[] {
  if (Array.isArray(value)) return value.flatMap(templateRefs);
  if (!isFields(value)) return [];
  const own = fieldsIn(value, 'templateRef');
  return [...(own ? [own] : []), ...Object.entries(value).flatMap(([key, item]) => (key === 'templateRef' ? [] : templateRefs(item)))];
}

function containersIn(template: Fields): Container[] {
  const main = fieldsIn(template, 'container') ?? fieldsIn(template, 'script');
  const set = listIn(fieldsIn(template, 'containerSet'), 'containers');
  const all = [...(main ? [named(main, template['name'])] : []), ...set];
  return [...all, ...(all.length > 0 ? listIn(template, 'sidecars') : [])] as Container[];
}

/** A template's container needs no name, since Argo calls it `main`; people call it by its template's. */
function named(container: Fields, name: unknown): Fields {
  return new Proxy(container, {
    get: (target, key) => (key === 'name' && typeof name === 'string' ? name : target[key as string]),
  });
}

function asPod(template: Fields, containers: Container[]): PodTemplate['template'] {
  const spec = new Proxy(template, {
    get: (target, key) => (key === 'containers' ? containers : target[key as string]),
  }) as PodSpec;
  return {
    get metadata() {
      return (fieldsIn(template, 'metadata') ?? {}) as ObjectMeta;
    },
    set metadata({ labels, annotations }) {
      template['metadata'] = { ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) };
    },
    get spec() {
      return spec;
    },
    set spec({ containers: _, ...fields }) {
      Object.assign(template, fields);
    },
  };
}

// Where the workflow's own specification has what a pod's has; the others have the same name in both.
const workflowFields: ReadonlyMap<string, string> = new Map([['priorityClassName', 'podPriorityClassName']]);

/** All templates that are on the cluster, as one pod with one container that has no image. */
function elsewhere(spec: Fields): PodTemplate['template'] {
  const containers = [anyContainer(spec)];
  const pod = new Proxy(
    {},
    {
      get: (_, key) => (key === 'containers' ? containers : spec[workflowFields.get(key as string) ?? (key as string)]),
      set: (_, key, value) => Reflect.set(spec, workflowFields.get(key as string) ?? key, value),
    },
  ) as PodSpec;
  return {
    get metadata() {
      return (fieldsIn(spec, 'podMetadata') ?? {}) as ObjectMeta;
    },
    set metadata({ labels, annotations }) {
      spec['podMetadata'] = { ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) };
    },
    get spec() {
      return pod;
    },
    set spec({ containers: _, ...fields }) {
      for (const [key, value] of Object.entries(fields)) pod[key] = value;
    },
  };
}

/** What is set goes to containers and scripts alike; each template takes what is of its own type. */
function anyContainer(spec: Fields): Container {
  const defaults = (): Fields => (
    (spec['templateDefaults'] = fieldsIn(spec, 'templateDefaults') ?? {}),
    spec['templateDefaults'] as Fields
  );
  const name = 'a template on the cluster';
  return new Proxy(
    { name },
    {
      get: (_, key) => (key === 'name' ? name : (fieldsIn(fieldsIn(spec, 'templateDefaults'), 'container') ?? {})[key as string]),
      set(_, key, value: unknown) {
        if (key === 'image' || key === 'resources') {
          throw new ActionError('unsupported', `the ${key} of a template that is on the cluster cannot be set`, {
            remedy: 'make it a parameter of the WorkflowTemplate and give that under "parameters:", or write the Workflow out',
          });
        }
        for (const type of ['container', 'script']) defaults()[type] = { ...fieldsIn(defaults(), type), [key]: value };
        return true;
      },
    },
  );
}
