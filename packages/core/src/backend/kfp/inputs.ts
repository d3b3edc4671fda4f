import { parseCommand } from '../../action/command.ts';
import { ActionError } from '../../action/errors.ts';
import type { Inputs } from '../../action/inputs.ts';

/** Where Kubeflow Pipelines is, and who we are there. */
export interface KfpInputs {
  /** Without a slash at its end. */
  url: string;
  token: string | undefined;
  /** A program that prints a token; empty for none. */
  tokenCommand: readonly string[];
}

/**
 * The inputs `kfp-url`, `kfp-token` and `kfp-token-command`.
 * @returns undefined where no address is given
 */
export function readKfpInputs(inputs: Inputs): KfpInputs | undefined {
  const url = inputs.text('kfp-url');
  const token = inputs.text('kfp-token');
  const command = inputs.text('kfp-token-command');
  if (url === undefined) {
    const other = token === undefined ? (command === undefined ? undefined : 'kfp-token-command') : 'kfp-token';
    if (other === undefined) return undefined;
    throw new ActionError('input', `input "${other}" was given without "kfp-url"`, { remedy: 'add kfp-url: https://…' });
  }
  if (token !== undefined && command !== undefined) {
    throw new ActionError('input', 'both input "kfp-token" and input "kfp-token-command" were given', { remedy: 'take one of them out' });
  }
  return { url: checked(url), token, tokenCommand: command === undefined ? [] : parseCommand(command, 'kfp-token-command') };
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
