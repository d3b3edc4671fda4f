import { parseCommand } from '../../action/command.ts';
import { ActionError } from '../../action/errors.ts';
import type { Inputs } from '../../action/inputs.ts';
import { parseService, type ServicePort } from '../../kubernetes/service-port.ts';

/** Where Kubeflow Pipelines is, and who we are there. */
export interface KfpInputs {
  /** What requests go to, without a slash at its end. Where `service` is, a name for people. */
  url: string;
  /** Reached through the API server of the cluster instead. */
  service: ServicePort | undefined;
  /** Where people find its pages, without a slash at the end; undefined where nobody said. */
  pages: string | undefined;
  token: string | undefined;
  /** A program that prints a token; empty for none. */
  tokenCommand: readonly string[];
}

/**
 * The inputs `kfp-url`, `kfp-service`, `kfp-token` and `kfp-token-command`.
 * @returns undefined where neither an address nor a Service is given
 */
export function readKfpInputs(inputs: Inputs): KfpInputs | undefined {
  const url = inputs.text('kfp-url');
  const token = inputs.text('kfp-token');
  const command = inputs.text('kfp-token-command');
  const service = serviceIn(inputs.text('kfp-service'));
  if (url === undefined && service === undefined) {
    const other = token === undefined ? (command === undefined ? undefined : 'kfp-token-command') : 'kfp-token';
    if (other === undefined) return undefined;
    throw new ActionError('input', `input "${other}" was given without "kfp-url"`, {
      remedy: 'add kfp-url: https://…, or kfp-service: kubeflow/ml-pipeline-ui',
    });
  }
  if (token !== undefined && command !== undefined) {
    throw new ActionError('input', 'both input "kfp-token" and input "kfp-token-command" were given', { remedy: 'take one of them out' });
  }
  const pages = url === undefined ? undefined : checked(url);
  // Also the name by which its requests call it.
  const at = service ? `http://${service.name}.${service.namespace}` : (pages ?? '');
  return { url: at, service, pages, token, tokenCommand: command === undefined ? [] : parseCommand(command, 'kfp-token-command') };
}

function serviceIn(text: string | undefined): ServicePort | undefined {
  if (text === undefined) return undefined;
  const service = parseService(text);
  if (service) return service;
  throw new ActionError(
    'input',
    `input "kfp-service" is ${JSON.stringify(text.slice(0, 200))}; allowed: namespace/name or namespace/name:port, such as kubeflow/ml-pipeline-ui`,
  );
}

function checked(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url && /^https?:$/u.test(url.protocol) && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (isPlain) return `${url.origin}${url.pathname.replace(/\/+$/u, '')}`;
  throw new ActionError(
    'input',
    `input "kfp-url" is ${JSON.stringify(text.slice(0, 200))}; allowed: http(s)://host[:port][/path], without a name, a password or what follows ? or #`,
    { remedy: 'give the address of the pages without "#/…", such as https://kubeflow.example.com/pipeline' },
  );
}
