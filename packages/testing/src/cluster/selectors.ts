import { badRequest } from './errors.ts';
import { asText, type Stored } from './objects.ts';
import type { ResourceType } from './resources.ts';

export type Matches = (object: Stored) => boolean;

const label = String.raw`(?:[A-Za-z0-9][-A-Za-z0-9_.]*/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?`;
const requirement = new RegExp(
  String.raw`^\s*(?:(!)\s*(${label})|(${label})(?:\s*(==?|!=)\s*([-A-Za-z0-9_.]*)|\s+(in|notin)\s*\(([^)]*)\))?)\s*$`,
  'u',
);

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors @throws ApiError 400 */
export function labelSelector(text: string): Matches {
  const rules = split(text).map((part): Matches => {
    const match = requirement.exec(part);
    if (!match) throw badRequest(`unable to parse requirement: ${part.trim()}`);
    const [, not, absent, name, operator, value, set, values] = match;
    const read = (object: Stored): string | undefined => {
      const labels = object.metadata.labels ?? {};
      const wanted = (absent ?? name)!;
      return Object.hasOwn(labels, wanted) ? labels[wanted] : undefined;
    };
    if (not) return (object) => read(object) === undefined;
    if (set) {
      const listed = new Set(values!.split(',').map((item) => item.trim()));
      return set === 'in' ? (object) => listed.has(read(object) ?? '\0') : (object) => !listed.has(read(object) ?? '\0');
    }
    if (operator === undefined) return (object) => read(object) !== undefined;
    return operator === '!=' ? (object) => read(object) !== value : (object) => read(object) === value;
  });
  return (object) => rules.every((rule) => rule(object));
}

/** Splits at commas outside brackets. */
function split(text: string): string[] {
  if (text.trim() === '') return [];
  return text.split(/,(?![^(]*\))/u);
}

// Which fields can be selected is each type's own decision upstream: pkg/apis/*/conversion.go of kubernetes.
const fields: Record<string, string[]> = {
  Pod: ['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName', 'status.phase', 'status.podIP'],
  Event: [
    ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map((field) => `involvedObject.${field}`),
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  Job: ['status.successful'],
  Secret: ['type'],
  Node: ['spec.unschedulable'],
  Namespace: ['status.phase'],
};

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/ @throws ApiError 400 */
export function fieldSelector(text: string, type: ResourceType): Matches {
  const allowed = new Set(['metadata.name', ...(type.namespaced ? ['metadata.namespace'] : []), ...(fields[type.kind] ?? [])]);
  const rules = text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part): Matches => {
      const match = /^([^=!]+)(==?|!=)(.*)$/u.exec(part.trim());
      if (!match) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
      const [, field, operator, value] = match as unknown as [string, string, string, string];
      if (!allowed.has(field)) {
        const only = [...allowed].map((name) => JSON.stringify(name)).join(', ');
        throw badRequest(
          fields[type.kind]
            ? `field label "${field}" not supported for ${type.kind}`
            : `"${field}" is not a known field selector: only ${only}`,
        );
      }
      return (object) => (read(object, field) === value) === (operator !== '!=');
    });
  return (object) => rules.every((rule) => rule(object));
}

function read(object: Stored, field: string): string {
  const path = field === 'status.successful' ? 'status.succeeded' : field;
  let value: unknown = object;
  for (const part of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[part];
  if (path === 'source') value = (value as { component?: string } | undefined)?.component;
  return asText(value) || (path === 'status.succeeded' ? '0' : '');
}
