import { ActionError } from '@slashtrain/core/action/errors';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { Helper } from './helpers.ts';

/** New names of helpers by kind and old name. */
export interface Names {
  of(kind: string, name: string): string | undefined;
  /** By the old name alone, for `$(names.NAME)`. */
  any(name: string): string | undefined;
  all: readonly string[];
}

// A Service's name is a DNS label; the others' are subdomains (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/).
const longest = 63;

/**
 * Gives each helper the suffix of the run; only what is before it is cut.
 * @throws ActionError `manifest` where two would have one name, or one has that of the run's record
 */
export function nameChanges(helpers: readonly Helper[], { suffix, name: run }: { suffix: string; name: string }): Names {
  const changes = new Map<string, string>();
  const taken = new Map<string, string>([[`ConfigMap/${run}`, 'the record of the run']]);
  for (const { object, resource, at } of helpers) {
    const old = object.metadata.name ?? '';
    const name = `${old.slice(0, longest - suffix.length - 1).replace(/[-.]+$/u, '')}-${suffix}`;
    const other = taken.get(`${resource.kind}/${name}`);
    if (other !== undefined) {
      throw new ActionError('manifest', `${at}: the ${resource.kind} "${old}" would be called "${name}", as ${other} is`, {
        remedy: 'give it another name, short enough for a suffix',
      });
    }
    taken.set(`${resource.kind}/${name}`, at);
    changes.set(`${resource.kind}/${old}`, name);
  }
  return {
    of: (kind, name) => changes.get(`${kind}/${name}`),
    any: (name) => [...changes].find(([key]) => key.slice(key.indexOf('/') + 1) === name)?.[1],
    all: helpers.map(({ object }) => object.metadata.name ?? ''),
  };
}

/**
 * Puts new names wherever an object refers to a helper: in the fields that Kubernetes has for it, whatever kind they
 * stand in, and for `$(names.NAME)` in any text.
 * @returns a copy
 */
export function rename(object: KubernetesObject, names: Names): KubernetesObject {
  const { metadata, ...rest } = object;
  const renamed = walk(rest, '', names) as Omit<KubernetesObject, 'metadata'>;
  return { ...renamed, metadata } as KubernetesObject;
}

type Fields = Record<string, unknown>;

function walk(value: unknown, key: string, names: Names): unknown {
  if (typeof value === 'string') return fill(value, names);
  if (Array.isArray(value)) return value.map((item) => walk(item, key, names));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item, name, names)]));
  for (const { kind, field } of referencesAt(key)) replace(fields, field, kind, names);
  // The DNS names of pods behind a headless Service.
  for (const field of ['subdomain', 'serviceName']) replace(fields, field, 'Service', names);
  return fields;
}

/** Which kind a map refers to, by the key at which it stands, and in which of its fields. */
function referencesAt(key: string): { kind: string; field: string }[] {
  if (key === 'persistentVolumeClaim') return [{ kind: 'PersistentVolumeClaim', field: 'claimName' }];
  if (key === 'configMap' || key === 'configMapRef' || key === 'configMapKeyRef') return [{ kind: 'ConfigMap', field: 'name' }];
  if (key === 'secret') {
    return [
      { kind: 'Secret', field: 'secretName' },
      { kind: 'Secret', field: 'name' },
    ];
  }
  const isSecret = key === 'secretRef' || key === 'secretKeyRef' || key === 'imagePullSecrets' || /Secret$/u.test(key);
  return isSecret ? [{ kind: 'Secret', field: 'name' }] : [];
}

function replace(fields: Fields, field: string, kind: string, names: Names): void {
  const old = fields[field];
  const name = typeof old === 'string' ? names.of(kind, old) : undefined;
  if (name !== undefined) fields[field] = name;
}

// As with parameters, "$$" is an escaped "$".
const placeholder = /\$\$|\$\(names\.([A-Za-z0-9.-]*)\)/gu;

function fill(text: string, names: Names): string {
  if (!text.includes('$(names.')) return text;
  return text.replace(placeholder, (whole, name: string | undefined) => {
    if (name === undefined) return whole;
    const found = names.any(name);
    if (found !== undefined) return found;
    throw new ActionError('manifest', `$(names.${name}) names no document of the manifest`, {
      remedy: `it has ${names.all.join(', ')}`,
    });
  });
}
