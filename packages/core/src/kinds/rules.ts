import { compile, type JSONPathNode, type JSONValue } from 'json-p3';
import { ActionError } from '../action/errors.ts';
import type { KindRule } from '../config/types.ts';
import { labels } from '../run/record.ts';
import { isEnded, type Status } from '../run/state.ts';
import { isFields, type Fields } from './fields.ts';
import type { Container, Kind, KubernetesObject, PodSettings, PodTemplate } from './kind.ts';
import { heldBack } from './kueue.ts';
import { stringsOf, substitute, type Place } from './parameters.ts';
import { setPods } from './pods.ts';

/** A kind as a rule of `.github/slashtrain.yml` describes it. The rule's paths are JSONPaths already: reading it checked them. */
export function kindFromRule(rule: KindRule): Kind {
  const [name, group] = splitOnce(rule.kind, '.');
  const { deadline, ttl, outputs, cancelPatch } = rule;
  const templates = (object: KubernetesObject): PodTemplate[] => [...podTemplates(rule, object), ...looseContainers(rule, object)];
  return {
    resource: { group, version: rule.version, plural: rule.plural, kind: name },
    ...(rule.operator === undefined ? {} : { operator: rule.operator }),
    deadlineBy: deadline ? 'controller' : 'pods',
    kueue: rule.queue ?? 'none',
    nameLimit: rule.nameLimit ?? 63,
    podTemplates: templates,
    setParameters(object, parameters) {
      if (rule.parameters === undefined) substitute(object, templates(object), parameters, textsAt(rule, object));
      else setListed(rule, rule.parameters, object, parameters);
    },
    setPods: (object, settings) => putSettings(rule, object, settings),
    setDeadline(object, seconds) {
      const own = podTemplates(rule, object);
      if (!deadline && own.length === 0) {
        throw new ActionError('unsupported', `input "deadline": the rule for ${rule.kind} says nowhere to put it`, {
          remedy: 'add "deadline" with the path of the field to the rule in .github/slashtrain.yml, or write it into the manifest',
        });
      }
      if (deadline) setAt(object, deadline.path, deadline.format === 'duration' ? `${seconds}s` : seconds);
      for (const { template } of own) template.spec = { ...template.spec, activeDeadlineSeconds: seconds };
    },
    setTtl(object, seconds) {
      if (ttl === undefined) return;
      const own = first(object, ttl);
      setAt(object, ttl, Math.max(typeof own === 'number' ? own : 0, seconds));
    },
    ...(rule.podSelector === undefined ? { finish: (object: KubernetesObject) => labelPods(rule, object) } : {}),
    ...(outputs === undefined ? {} : { outputs: (object: KubernetesObject) => namesAndValues(object, outputs) }),
    status: (object) => statusOf(rule, object),
    podSelector: ({ metadata }) =>
      (rule.podSelector ?? `${labels.run}={name}`).replaceAll('{name}', metadata.name ?? '').replaceAll('{uid}', metadata.uid ?? ''),
    cancel: cancelPatch ? { how: 'patch', patch: cancelPatch } : { how: 'delete' },
  };
}

function statusOf(rule: KindRule, object: KubernetesObject): Status {
  const { status } = object;
  // It is not looked at yet: that is no sign of anything else.
  if (!isFields(status) || Object.keys(status).length === 0) return { state: 'queued' };
  const found = rule.states.find(({ path, equals }) => nodes(object, path).some(({ value }) => asText(value) === equals));
  const message = textAt(object, rule.message);
  const said = message ? { message } : {};
  if (!found) return { state: 'unknown', ...(message ? said : { message: `no state of the rule for ${rule.kind} holds` }) };
  if (found.state === 'suspended') return heldBack(object.metadata, said);
  const startedAt = textAt(object, rule.startedAt);
  const endedAt = isEnded(found.state) ? textAt(object, rule.endedAt) : undefined;
  return {
    state: found.state,
    ...(found.reason ? { reason: found.reason } : {}),
    ...said,
    ...(found.state === 'succeeded' ? { progress: 1 } : {}),
    ...(startedAt ? { startedAt } : {}),
    ...(endedAt ? { endedAt } : {}),
  };
}

function podTemplates(rule: KindRule, object: KubernetesObject): PodTemplate[] {
  return mapsAt(object, rule.podTemplates).map(({ path, fields }) => ({ path, template: fields }));
}

/** What has a container's fields and stands in no pod template. One without a name has that of its field. */
function looseContainers(rule: KindRule, object: KubernetesObject): PodTemplate[] {
  return mapsAt(object, rule.containers).map(({ path, fields, key }) => {
    // What is set reaches the object; the name is only what we call it.
    const container = new Proxy(fields, {
      get: (target, field) => (field === 'name' ? (target['name'] ?? key) : (Reflect.get(target, field) as unknown)),
    });
    return { path, template: { spec: { containers: [container as Container] } } };
  });
}

function putSettings(rule: KindRule, object: KubernetesObject, settings: PodSettings): void {
  const { nodeSelector, tolerations, serviceAccount, priorityClass, ...rest } = settings;
  const own = podTemplates(rule, object);
  const asked = [
    [nodeSelector ?? tolerations, 'accelerator'],
    [serviceAccount, 'service-account'],
    [priorityClass, 'priority-class'],
  ] as const;
  const refused = own.length > 0 ? undefined : asked.find(([value]) => value !== undefined);
  if (refused) {
    throw new ActionError('unsupported', `input "${refused[1]}": the rule for ${rule.kind} names no pod templates to put it into`, {
      remedy: 'write it into the manifest',
    });
  }
  if (own.length > 0) setPods(own, settings);
  // Outside of a pod template there is no place for labels.
  const loose = looseContainers(rule, object);
  if (loose.length > 0) setPods(loose, rest);
}

function labelPods(rule: KindRule, object: KubernetesObject): void {
  for (const { template } of podTemplates(rule, object)) {
    template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, [labels.run]: object.metadata.name ?? '' } };
  }
}

/** Gives the entries of the kind's own list their values. */
function setListed(rule: KindRule, path: string, object: KubernetesObject, given: ReadonlyMap<string, string>): void {
  const entries = lists(object, path).flat().filter(isFields);
  for (const [name, value] of given) {
    const entry = entries.find((one) => one['name'] === name);
    if (!entry) {
      const names = entries.map((one) => String(one['name']));
      throw new ActionError(
        'input',
        `input "parameters" names ${JSON.stringify(name)}, which the ${splitOnce(rule.kind, '.')[0]} does not have at ${path}`,
        {
          remedy: names.length > 0 ? `it has ${names.join(', ')}` : 'it has none: list them there with a name and a value each',
        },
      );
    }
    entry['value'] = value;
  }
}

function textsAt(rule: KindRule, object: KubernetesObject): Place[] {
  return rule.placeholders.flatMap((path) =>
    nodes(object, path).flatMap((node): Place[] => {
      if (Array.isArray(node.value)) return stringsOf(node.value).map((place) => ({ ...place, encode: refuseReferences(path) }));
      const key = node.location.at(-1);
      const parent = parentOf(object, node.location);
      if (key === undefined || parent === undefined) return [];
      return [{ read: () => parent[key], write: (value) => void (parent[key] = value), encode: refuseReferences(path) }];
    }),
  );
}

/** What becomes of a text outside of a container nobody knows: it may be a container's args after all, or a shell's. */
function refuseReferences(path: string): (value: string, name: string) => string {
  return (value, name) => {
    if (!/[$`]/u.test(value)) return value;
    throw new ActionError('input', `the parameter "${name}" is ${JSON.stringify(value.slice(0, 100))}, and stands at ${path}`, {
      remedy: 'allowed there: text without $ and `',
    });
  };
}

function namesAndValues(object: KubernetesObject, path: string): { name: string; value: string }[] {
  return lists(object, path)
    .flat()
    .filter(isFields)
    .map(({ name, value }) => ({ name: String(name), value: asText(value) ?? JSON.stringify(value) }));
}

function nodes(object: KubernetesObject, path: string): JSONPathNode[] {
  return compile(path).query(object as unknown as JSONValue).nodes;
}

function first(object: KubernetesObject, path: string): unknown {
  return nodes(object, path)[0]?.value;
}

function lists(object: KubernetesObject, path: string): unknown[][] {
  return nodes(object, path).flatMap(({ value }) => (Array.isArray(value) ? [value] : []));
}

function mapsAt(object: KubernetesObject, paths: readonly string[]): { path: string; key: string; fields: Fields }[] {
  return paths.flatMap((path) =>
    nodes(object, path).flatMap(({ value, location }) =>
      isFields(value) ? [{ path: dotted(location), key: String(location.at(-1) ?? ''), fields: value }] : [],
    ),
  );
}

function textAt(object: KubernetesObject, path: string | undefined): string | undefined {
  return path === undefined ? undefined : asText(first(object, path));
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function parentOf(object: KubernetesObject, location: readonly (string | number)[]): Record<string | number, unknown> | undefined {
  let found: unknown = object;
  for (const key of location.slice(0, -1)) found = (found as Record<string | number, unknown>)[key];
  return typeof found === 'object' && found !== null ? (found as Record<string | number, unknown>) : undefined;
}

/** Sets the field at a path of names, and makes the maps above it. */
function setAt(object: KubernetesObject, path: string, value: unknown): void {
  const keys = path.split('.').slice(1);
  const last = keys.pop() ?? '';
  let found: Fields = object;
  for (const key of keys) {
    const next = Object.hasOwn(found, key) ? found[key] : undefined;
    if (isFields(next)) found = next;
    else found = found[key] = {};
  }
  found[last] = value;
}

/** `spec.tasks[0].template` of a JSONPath's location. */
function dotted(location: readonly (string | number)[]): string {
  return location.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${key}`)).join('');
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
