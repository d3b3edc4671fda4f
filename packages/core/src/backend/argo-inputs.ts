import { ActionError } from '../action/errors.ts';
import type { Inputs } from '../action/inputs.ts';
import type { RunReference } from '../run/reference.ts';

/** Where Argo's server is, and who we are there. */
export interface ArgoInputs {
  /** Without a slash at its end. */
  url: string;
  token: string | undefined;
}

/**
 * The inputs `argo-server` and `argo-token`.
 * @returns undefined where no server is given
 */
export function readArgoInputs(inputs: Inputs): ArgoInputs | undefined {
  const text = inputs.text('argo-server');
  const token = inputs.text('argo-token')?.replace(/^Bearer\s+/iu, '');
  if (text === undefined) {
    if (token === undefined) return undefined;
    throw new ActionError('input', 'input "argo-token" was given without "argo-server"', { remedy: 'add argo-server: https://…' });
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/u.test(url.protocol) && `${url.username}${url.password}${url.search}${url.hash}` === '') {
    return { url: `${url.origin}${url.pathname.replace(/\/+$/u, '')}`, token };
  }
  throw new ActionError(
    'input',
    `input "argo-server" is ${JSON.stringify(text.slice(0, 200))}; allowed: http(s)://host[:port][/path], such as https://argo.example.com`,
  );
}

export function isWorkflow({ plural, group }: Pick<RunReference, 'plural' | 'group'>): boolean {
  return plural === 'workflows' && group === 'argoproj.io';
}

/** The page of a Workflow, which shows it from the archive too when it is gone. Undefined for other runs. */
export function workflowPages({ url }: Pick<ArgoInputs, 'url'>): (run: RunReference) => string | undefined {
  return (run) => (isWorkflow(run) ? `${url}/workflows/${run.namespace}/${run.name}?uid=${run.uid}` : undefined);
}
