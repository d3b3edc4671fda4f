import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { ActionError, messageOf } from '../../action/errors.ts';
import type { Log } from '../../action/log.ts';
import type { KfpInputs } from './inputs.ts';

/** What identifies us, as headers; made anew once it was refused. */
export interface Credentials {
  headers(): Promise<Record<string, string>>;
  /** Forgets what was made. @returns whether asking again can give anything else */
  renew(): boolean;
}

/**
 * Where `kfp`'s own client looks within a cluster: a token of the pod's service account for the audience
 * `pipelines.kubeflow.org`
 * (https://github.com/kubeflow/pipelines/blob/2.17.0/sdk/python/kfp/client/set_volume_credentials.py).
 */
const tokenPath = '/var/run/secrets/kubeflow/pipelines/token';
const longestToken = 64 * 1024;
const commandSeconds = 60;

/** The token of the inputs, of the program that they name, or of the pod; nothing where there is none: not all servers ask. */
export function credentialsOf(
  { token, tokenCommand }: Pick<KfpInputs, 'token' | 'tokenCommand'>,
  { environment, log }: { environment: NodeJS.ProcessEnv; log: Pick<Log, 'mask'> },
): Credentials {
  const [program, ...words] = tokenCommand;
  let made: Promise<Record<string, string>> | undefined;
  const make = async (): Promise<Record<string, string>> => {
    if (token !== undefined) return headersOf(token, log);
    if (program !== undefined) return headersOf(await printed(program, words, environment, log), log);
    const file = await readFile(environment['KF_PIPELINES_SA_TOKEN_PATH'] ?? tokenPath, 'utf8').catch(() => '');
    return file.trim() === '' ? {} : headersOf(file, log);
  };
  return {
    headers: () => {
      made ??= make();
      made.catch(() => (made = undefined));
      return made;
    },
    renew() {
      made = undefined;
      return token === undefined;
    },
  };
}

async function printed(program: string, words: string[], environment: NodeJS.ProcessEnv, log: Pick<Log, 'mask'>): Promise<string> {
  try {
    const options = { env: environment, timeout: commandSeconds * 1000, maxBuffer: longestToken };
    const { stdout } = await promisify(execFile)(program, words, options);
    log.mask(stdout.trim());
    if (stdout.trim() !== '') return stdout;
  } catch (error) {
    const { code, stderr = '' } = error as { code?: unknown; stderr?: string };
    const why = code === 'ENOENT' ? 'it is not on this runner' : stderr.trim().slice(0, 500) || messageOf(error).split('\n')[0] || '';
    throw new ActionError('permission', `the program "${program}" of input "kfp-token-command" gave no token: ${why}`, {
      remedy: 'try the command in an earlier step; no shell reads it',
      cause: error,
    });
  }
  throw new ActionError('permission', `the program "${program}" of input "kfp-token-command" printed nothing`, {
    remedy: 'it must print a token, or a header such as "Cookie: authservice_session=…"',
  });
}

/** A token, or a whole header, as Dex's session is one: `Cookie: authservice_session=…`. */
function headersOf(text: string, log: Pick<Log, 'mask'>): Record<string, string> {
  const line = text.trim();
  const match = /^(cookie|authorization|proxy-authorization)\s*:\s*(.+)$/iu.exec(line);
  const value = match?.[2] ?? line;
  log.mask(value);
  log.mask(value.replace(/^\w+\s+/u, ''));
  if (/[^\t\x20-\x7e]/u.test(value)) {
    throw new ActionError('permission', 'the token for Kubeflow Pipelines has several lines, or characters that no header may hold', {
      remedy: 'give the token alone',
    });
  }
  return match ? { [(match[1] ?? '').toLowerCase()]: value } : { authorization: `Bearer ${value}` };
}
