/** A port of a Service. */
export interface ServicePort {
  namespace: string;
  name: string;
  /** A number or a name; absent where it has one port alone. */
  port?: string;
}

const name = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
const form = new RegExp(`^(${name})/(${name})(?::(\\d{1,5}|${name}))?$`, 'u');

/**
 * `namespace/name`, or `namespace/name:port` with a number or a name.
 * @returns undefined for any other text
 */
export function parseService(text: string): ServicePort | undefined {
  const [, namespace, service, port] = form.exec(text) ?? [];
  if (namespace === undefined || service === undefined) return undefined;
  return { namespace, name: service, ...(port === undefined ? {} : { port }) };
}
