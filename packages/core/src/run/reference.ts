import { ActionError } from '../action/errors.ts';

/**
 * Names one run for ever: a name that is made again has another UID, hence is another run.
 * Written `<plural>.<group>/<namespace>/<name>@<uid>`, such as `jobs.batch/ml/digits-pr42-1a2b3c4-9f8e7d6@0f0c…`.
 */
export interface RunReference {
  /** The resource's plural name, lower case, e.g. `jobs`. */
  readonly plural: string;
  /** The API group, e.g. `batch`. */
  readonly group: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

// Each part is what the API server accepts there: DNS labels and subdomains (RFC 1123), and the UID it makes (RFC 4122);
// KFP ids are UUIDs as well.
const label = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
const subdomain = `${label}(?:\\.${label})*`;
const pattern = new RegExp(
  `^(${label})\\.(${subdomain})/(${label})/(${subdomain})@([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$`,
  'u',
);

/** The reference as text. {@link parseReference} reads it back. */
export function formatReference(reference: RunReference): string {
  return `${reference.plural}.${reference.group}/${reference.namespace}/${reference.name}@${reference.uid}`;
}

/** @throws ActionError `input`, with the form that is expected */
export function parseReference(text: string): RunReference {
  const match = text.length <= 1024 ? pattern.exec(text) : null;
  if (!match) {
    throw new ActionError('input', `${JSON.stringify(text.slice(0, 200))} is no run reference`, {
      remedy: 'pass the output "run" of submit-pipeline as it is: <plural>.<group>/<namespace>/<name>@<uid>',
    });
  }
  const [, plural, group, namespace, name, uid] = match as unknown as [string, string, string, string, string, string];
  return { plural, group, namespace, name, uid };
}
