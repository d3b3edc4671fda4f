import type { ImageConfig } from './images.ts';
import { asText, type EnvVar, type Pod, type PodContainer, type Stored } from './objects.ts';
import { types } from './resources.ts';
import { amount } from './quantity.ts';
import type { Store } from './store.ts';

/** A container cannot be made from what its pod says: the kubelet's `CreateContainerConfigError`. */
export class ConfigError extends Error {}

/**
 * The variables of a container: the image's, then `envFrom`, then `env`, each seeing those before it as `$(NAME)`.
 * @throws ConfigError in the kubelet's words
 */
export function environmentOf(store: Store, pod: Pod, container: PodContainer, image: ImageConfig): Map<string, string> {
  const variables = new Map<string, string>();
  for (const line of image.env ?? []) {
    const at = line.indexOf('=');
    if (at > 0) variables.set(line.slice(0, at), line.slice(at + 1));
  }
  const declared = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    for (const [kind, reference] of [
      ['configmap', source.configMapRef],
      ['secret', source.secretRef],
    ] as const) {
      if (!reference) continue;
      const found = find(store, pod, kind, reference.name);
      if (!found && !reference.optional) throw new ConfigError(`${kind} "${reference.name}" not found`);
      for (const [name, value] of Object.entries(found ? dataOf(found) : {})) declared.set((source.prefix ?? '') + name, value);
    }
  }
  for (const variable of container.env ?? []) {
    const value = variable.valueFrom ? read(store, pod, container, variable) : expand(variable.value ?? '', declared);
    if (value !== undefined) declared.set(variable.name, value);
  }
  return new Map([...variables, ...declared]);
}

/** `$(NAME)` becomes its value, `$$(NAME)` stays `$(NAME)`, what is not known stays as it is. */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$(\$|\(([^()]*)\))/gu, (whole, what: string, name?: string) => {
    if (what === '$') return '$';
    return variables.get(name ?? '') ?? whole;
  });
}

function read(store: Store, pod: Pod, container: PodContainer, variable: EnvVar): string | undefined {
  const { fieldRef, resourceFieldRef, secretKeyRef, configMapKeyRef } = variable.valueFrom!;
  if (fieldRef) return field(pod, fieldRef.fieldPath);
  if (resourceFieldRef) {
    const [which, name] = resourceFieldRef.resource.split('.') as ['limits' | 'requests', string];
    const value = container.resources?.[which]?.[name];
    return String(value === undefined ? 0 : Math.ceil(amount(String(value))));
  }
  for (const [kind, reference] of [
    ['secret', secretKeyRef],
    ['configmap', configMapKeyRef],
  ] as const) {
    if (!reference) continue;
    const found = find(store, pod, kind, reference.name);
    const data = found ? dataOf(found) : {};
    if (Object.hasOwn(data, reference.key)) return data[reference.key];
    if (reference.optional) return undefined;
    if (!found) throw new ConfigError(`${kind} "${reference.name}" not found`);
    const where = `${pod.metadata.namespace}/${reference.name}`;
    throw new ConfigError(`couldn't find key ${reference.key} in ${kind === 'secret' ? 'Secret' : 'ConfigMap'} ${where}`);
  }
  return undefined;
}

function find(store: Store, pod: Pod, kind: 'configmap' | 'secret', name: string): Stored | undefined {
  return store.get(kind === 'secret' ? types.secrets : types.configMaps, pod.metadata.namespace, name);
}

function dataOf(object: Stored): Record<string, string> {
  const data = (object['data'] ?? {}) as Record<string, string>;
  if (object.kind === 'ConfigMap') return data;
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, Buffer.from(value, 'base64').toString()]));
}

/** https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#downwardapi-fieldRef */
function field(pod: Pod, path: string): string {
  const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/u.exec(path);
  if (keyed) return pod.metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2]!] ?? '';
  let value: unknown = pod;
  for (const part of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[part];
  return asText(value);
}
