import { parseDocument } from 'yaml';
import { ActionError } from '../action/errors.ts';
import type { KubernetesObject, PodTemplate } from './kind.ts';

/** On a manifest's object: a YAML map of parameters and their defaults, such as `epochs: 10`. It does not reach the cluster. */
export const defaultsAnnotation = 'slashtrain.dev/parameters';

// As the kubelet reads it, "$$" is an escaped "$", so that "$$(params.x)" is text and no placeholder:
// https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
const token = /\$\$|\$\(params\.([A-Za-z0-9_][A-Za-z0-9_.-]*)\)/gu;

/**
 * Replaces `$(params.NAME)`, as Tekton writes it, in `command`, `args` and the values of `env` of all containers and
 * init containers. A value is put into the text as it stands: it can become neither YAML nor, since its `$` are doubled,
 * a reference to a variable of the container. A name that was not given takes its default from the annotation
 * `slashtrain.dev/parameters` of the object.
 * @param more texts outside of containers where the kind takes parameters
 * @throws ActionError `input` for a parameter that the manifest does not have, and for one that has no value;
 *   `manifest` for a default without placeholder, and for a placeholder where none is replaced
 */
export function substitute(
  object: KubernetesObject,
  templates: readonly PodTemplate[],
  given: ReadonlyMap<string, string>,
  more: readonly Place[] = [],
): void {
  const defaults = takeDefaults(object);
  const inContainers: Place[] = templates.flatMap(({ template }) =>
    [...(template.spec?.initContainers ?? []), ...(template.spec?.containers ?? [])].flatMap((container) => [
      ...stringsOf(container.command),
      ...stringsOf(container.args),
      ...(Array.isArray(container.env) ? container.env : []).map((variable) => ({
        read: (): unknown => variable.value,
        write: (value: string) => {
          variable.value = value;
        },
      })),
    ]),
  );
  const places = [...inContainers, ...more];
  const names = new Set(places.flatMap(({ read }) => placeholdersIn(read())));
  for (const name of given.keys()) {
    if (names.has(name)) continue;
    throw new ActionError('input', `input "parameters" names ${JSON.stringify(name)}, which the manifest does not have`, {
      remedy:
        names.size > 0
          ? `it has ${[...names].join(', ')}`
          : `it has none: write $(params.${/^[\w.-]+$/u.test(name) ? name : 'NAME'}) in a container's command, args or env`,
    });
  }
  for (const name of defaults.keys()) {
    if (!names.has(name))
      throw new ActionError(
        'manifest',
        `the annotation ${defaultsAnnotation} names ${JSON.stringify(name)}, and $(params.${name}) stands nowhere`,
      );
  }
  const values = new Map([...defaults, ...given]);
  for (const name of names) {
    if (!values.has(name)) {
      throw new ActionError('input', `the manifest's parameter "${name}" has no value`, {
        remedy: `give it under "parameters:", or a default in the annotation ${defaultsAnnotation}`,
      });
    }
  }
  for (const { read, write, encode = withoutVariables } of places) {
    const text = read();
    if (placeholdersIn(text).length === 0) continue;
    write(
      (text as string).replace(token, (whole, name: string | undefined) =>
        name === undefined ? whole : encode(values.get(name) ?? '', name),
      ),
    );
  }
  refuseLeftovers(object, '');
}

function takeDefaults(object: KubernetesObject): Map<string, string> {
  const { [defaultsAnnotation]: text, ...others } = object.metadata.annotations ?? {};
  if (text === undefined) return new Map();
  object.metadata.annotations = others;
  // The failsafe schema knows text alone: "1.10" stays "1.10".
  const annotation: unknown = text;
  const document = parseDocument(typeof annotation === 'string' ? annotation : 'null', { schema: 'failsafe', uniqueKeys: true });
  const values: unknown = document.errors.length > 0 ? undefined : document.toJS({ mapAsMap: true, maxAliasCount: 0 });
  if (!(values instanceof Map) || ![...values].every(([key, value]) => typeof key === 'string' && typeof value === 'string')) {
    throw new ActionError('manifest', `the annotation ${defaultsAnnotation} is no YAML map of names and texts`, {
      remedy: 'write one line for each, such as "epochs: 10"',
    });
  }
  return values as Map<string, string>;
}

/** A text in an object that may hold placeholders. */
export interface Place {
  read(): unknown;
  write(value: string): void;
  /** Makes a value safe to stand there. Absent: as the kubelet reads it, which knows references to variables. */
  encode?(value: string, name: string): string;
}

function withoutVariables(value: string): string {
  return value.replaceAll('$', '$$$$');
}

/** The texts of a list that may hold placeholders. */
export function stringsOf(list: unknown): Place[] {
  if (!Array.isArray(list)) return [];
  return list.map((_, index) => ({
    read: () => list[index] as unknown,
    write: (value) => {
      list[index] = value;
    },
  }));
}

function placeholdersIn(text: unknown): string[] {
  if (typeof text !== 'string') return [];
  return [...text.matchAll(token)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

/** A placeholder in a place where none is replaced would reach the cluster as it stands. */
function refuseLeftovers(value: unknown, path: string): void {
  if (typeof value === 'string') {
    const [name] = placeholdersIn(value);
    if (name !== undefined) {
      throw new ActionError('manifest', `$(params.${name}) stands in ${path}, where no parameter is put in`, {
        remedy: "use it in a container's command, args or the value of an env variable",
      });
    }
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseLeftovers(item, `${path}[${index}]`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) refuseLeftovers(item, path ? `${path}.${key}` : key);
  }
}
