import { ActionError } from '../action/errors.ts';
import { templateRefs } from './argo-workflow-templates.ts';
import { fieldsIn, isFields, listIn, type Fields } from './fields.ts';
import type { KubernetesObject, Reference } from './kind.ts';

const api = { group: 'argoproj.io', version: 'v1alpha1' };
const kinds = {
  cluster: { ...api, plural: 'clusterworkflowtemplates', kind: 'ClusterWorkflowTemplate', namespaced: false },
  namespace: { ...api, plural: 'workflowtemplates', kind: 'WorkflowTemplate', namespaced: true },
};

/** The WorkflowTemplates and ClusterWorkflowTemplates that a Workflow, and those found so far, refer to and that are not found yet. */
export function missing(object: KubernetesObject, found: readonly KubernetesObject[]): Reference[] {
  const all = [object, ...found].flatMap(referencesOf);
  const isNew = ({ resource, name }: Reference, index: number): boolean =>
    !found.some((one) => one.kind === resource.kind && one.metadata.name === name) &&
    all.findIndex((other) => other.resource === resource && other.name === name) === index;
  return all.filter(isNew);
}

function referencesOf(object: KubernetesObject): Reference[] {
  const spec = fieldsIn(object, 'spec') ?? {};
  const whole = fieldsIn(spec, 'workflowTemplateRef');
  return [...(whole ? [whole] : []), ...templateRefs(spec)].map((reference) => {
    const name = reference['name'];
    // Argo fills in expressions when it runs: what would be run could not be checked before.
    if (typeof name !== 'string' || !/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/u.test(name)) {
      throw new ActionError('manifest', `the Workflow refers to a template named ${JSON.stringify(name)}`, {
        remedy: 'write the name of a WorkflowTemplate out',
      });
    }
    return { resource: reference['clusterScope'] === true ? kinds.cluster : kinds.namespace, name };
  });
}

/**
 * The Workflow with everything that it refers to written into it, as its controller will run it: of fields that both
 * have, a list holds the items of both, and another value is the Workflow's own. It is there to be checked, and not to
 * be sent.
 */
export function joined(object: KubernetesObject, found: readonly KubernetesObject[]): KubernetesObject {
  const { workflowTemplateRef, ...spec } = structuredClone(fieldsIn(object, 'spec') ?? {});
  const base = isFields(workflowTemplateRef) ? specOf(workflowTemplateRef, found) : undefined;
  const whole = base ? (merged(spec, structuredClone(base)) as Fields) : spec;
  const imported = found.flatMap((template) => {
    const of = { name: template.metadata.name, clusterScope: template.kind === kinds.cluster.kind };
    return listIn(structuredClone(fieldsIn(template, 'spec')), 'templates').map((one): Fields => {
      const local = renamed(one, (name) => nameIn(of, name)) as Fields;
      return { ...local, name: nameIn(of, one['name']) };
    });
  });
  const isImported = templateRefs(whole).length > 0;
  const templates = [...listIn(whole, 'templates'), ...(isImported ? imported : [])];
  return { ...object, spec: { ...whole, ...(templates.length > 0 ? { templates: templates.map((one) => resolved(one) as Fields) } : {}) } };
}

function specOf(reference: Fields, found: readonly KubernetesObject[]): Fields | undefined {
  const { kind } = reference['clusterScope'] === true ? kinds.cluster : kinds.namespace;
  const object = found.find((one) => one.kind === kind && one.metadata.name === reference['name']);
  return object && fieldsIn(object, 'spec');
}

function nameIn({ name, clusterScope }: Fields, template: unknown): string {
  return `${clusterScope === true ? 'cluster/' : ''}${String(name)}/${String(template)}`;
}

/** Replaces names of local templates below a template. */
function renamed(value: unknown, change: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, change));
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (key === 'templateRef') return [key, item];
      return [key, key === 'template' && typeof item === 'string' ? change(item) : renamed(item, change)];
    }),
  );
}

/** Replaces each `templateRef` by the name that its template has here. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (!isFields(value)) return value;
  const { templateRef, ...rest } = value;
  const fields = Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, resolved(item)]));
  return isFields(templateRef) ? { ...fields, template: nameIn(templateRef, templateRef['template']) } : fields;
}

function merged(own: unknown, base: unknown): unknown {
  if (own === undefined) return base;
  if (Array.isArray(own) && Array.isArray(base)) return [...(own as unknown[]), ...(base as unknown[])];
  if (!isFields(own) || !isFields(base)) return own;
  return Object.fromEntries([...new Set([...Object.keys(own), ...Object.keys(base)])].map((key) => [key, merged(own[key], base[key])]));
}

/**
 * A Workflow's own parameters, and those that are known to exist: its own, then its WorkflowTemplate's.
 * `isComplete` is false where that template was not read.
 */
export function parametersOf(
  object: KubernetesObject,
  found: readonly KubernetesObject[] | undefined,
): { own: Fields[]; known: Map<string, Fields>; isComplete: boolean } {
  const spec = fieldsIn(object, 'spec') ?? {};
  const reference = fieldsIn(spec, 'workflowTemplateRef');
  const base = reference && found ? specOf(reference, found) : undefined;
  const own = listIn(fieldsIn(spec, 'arguments'), 'parameters');
  const known = new Map<string, Fields>();
  for (const parameter of [...listIn(fieldsIn(base, 'arguments'), 'parameters'), ...own]) {
    const { name } = parameter;
    if (typeof name === 'string') known.set(name, { ...known.get(name), ...parameter });
  }
  return { own, known, isComplete: reference === undefined || base !== undefined };
}
