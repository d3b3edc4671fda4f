import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ActionError, messageOf } from '../action/errors.ts';

/** Who we are at a registry. */
export type Credentials = { username: string; password: string } | { identityToken: string };

/** Looks up who we are at `registry` (`docker.io` for Docker Hub); undefined is nobody. */
export type CredentialSource = (registry: string) => Promise<Credentials | undefined>;

/** Asks each source in turn; the first that knows the registry counts. */
export function firstOf(...sources: CredentialSource[]): CredentialSource {
  return async (registry) => {
    for (const source of sources) {
      const found = await source(registry);
      if (found) return found;
    }
    return undefined;
  };
}

/** A fixed answer for one registry and no other, so that a password reaches no host that it was not given for. */
export function credentialsFor(registry: string, credentials: Credentials): CredentialSource {
  return async (asked) => (asked === registry ? credentials : undefined);
}

/** Runs a credential helper with the registry's key on its standard input; the output and the exit code. */
export type RunHelper = (program: string, input: string) => Promise<{ code: number | null; output: string }>;

/**
 * What `docker login` and the login actions leave: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`, with
 * `auths`, `credHelpers` and `credsStore`
 * (https://docs.docker.com/reference/cli/docker/login/#credential-stores).
 * @throws ActionError `input` for a file that is no such configuration, `permission` for a helper that fails
 */
export function dockerConfig(environment: NodeJS.ProcessEnv, run: RunHelper = runHelper(environment)): CredentialSource {
  const folder = environment['DOCKER_CONFIG'] || join(environment['HOME'] || homedir(), '.docker');
  const file = join(folder, 'config.json');
  let reading: Promise<DockerConfig> | undefined;
  return async (registry) => {
    const config = await (reading ??= readConfig(file));
    // Docker Hub is filed under the address of its first API.
    const keys =
      registry === 'docker.io' ? ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io'] : [registry, `https://${registry}`];
    const helper = keys.map((key) => config.credHelpers.get(key)).find((name) => name !== undefined) ?? config.credsStore;
    if (helper !== undefined) {
      const found = await askHelper(helper, keys[0] ?? registry, run);
      if (found) return found;
    }
    for (const [key, entry] of config.auths) {
      // Older tools wrote whole addresses: the host is what counts.
      if (!keys.includes(key) && hostOf(key) !== registry) continue;
      const found = readEntry(entry, `${file}, auths of ${registry}`);
      if (found) return found;
    }
    return undefined;
  };
}

interface DockerConfig {
  auths: Map<string, Record<string, unknown>>;
  credHelpers: Map<string, string>;
  credsStore: string | undefined;
}

async function readConfig(file: string): Promise<DockerConfig> {
  const config: DockerConfig = { auths: new Map(), credHelpers: new Map(), credsStore: undefined };
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return config;
    throw new ActionError('input', `the docker configuration ${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // JSON.parse quotes the text around the fault, which may be a password: its message is left out.
    throw new ActionError('input', `the docker configuration ${file} is no JSON`, {
      remedy: 'log in again to write it anew',
      cause: new Error((error as Error).name),
    });
  }
  const { auths, credHelpers, credsStore } = Object(value) as Record<string, unknown>;
  for (const [key, entry] of Object.entries(Object(auths) as object)) config.auths.set(key, Object(entry) as Record<string, unknown>);
  for (const [key, name] of Object.entries(Object(credHelpers) as object))
    config.credHelpers.set(key, typeof name === 'string' ? name : JSON.stringify(name));
  if (typeof credsStore === 'string' && credsStore !== '') config.credsStore = credsStore;
  return config;
}

function readEntry(entry: Record<string, unknown>, where: string): Credentials | undefined {
  const { auth, identitytoken, username, password } = entry;
  if (typeof identitytoken === 'string' && identitytoken !== '') return { identityToken: identitytoken };
  if (typeof auth === 'string' && auth !== '') {
    const text = Buffer.from(auth, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon < 1) throw new ActionError('input', `${where}: "auth" is no base64 of user:password`, { remedy: 'log in again' });
    // Docker pads old entries with NUL.
    return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/u, '') };
  }
  if (typeof username === 'string' && typeof password === 'string' && username !== '') return { username, password };
  return undefined;
}

/** https://github.com/docker/docker-credential-helpers#development */
async function askHelper(helper: string, key: string, run: RunHelper): Promise<Credentials | undefined> {
  // The name becomes part of a program's name: it must not become a path.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/u.test(helper))
    throw new ActionError(
      'input',
      `the docker configuration names the credential helper ${JSON.stringify(helper)}, which is no program's name`,
    );
  const program = `docker-credential-${helper}`;
  let result: { code: number | null; output: string };
  try {
    result = await run(program, key);
  } catch (error) {
    throw new ActionError('permission', `the credential helper ${program} for ${key} cannot be run: ${messageOf(error)}`, {
      remedy: `install ${program}, or take it out of the docker configuration`,
      cause: error,
    });
  }
  if (result.code !== 0) {
    if (/credentials not found|no credentials/iu.test(result.output)) return undefined;
    throw new ActionError(
      'permission',
      `the credential helper ${program} ended with ${result.code} for ${key}: ${result.output.trim().slice(0, 300)}`,
      {
        remedy: 'log in to the registry before this step',
      },
    );
  }
  let answer: { Username?: string; Secret?: unknown };
  try {
    answer = Object(JSON.parse(result.output)) as typeof answer;
  } catch {
    throw new ActionError('permission', `the credential helper ${program} answered no JSON for ${key}`);
  }
  if (typeof answer.Secret !== 'string' || answer.Secret === '') return undefined;
  return answer.Username === '<token>' ? { identityToken: answer.Secret } : { username: answer.Username ?? '', password: answer.Secret };
}

function runHelper(environment: NodeJS.ProcessEnv): RunHelper {
  return async (program, input) => {
    // Loaded where there is a helper: most configurations name none.
    const { spawn } = await import('node:child_process');
    return new Promise((resolve, reject) => {
      const child = spawn(program, ['get'], { env: environment, stdio: ['pipe', 'pipe', 'ignore'] });
      const output: Buffer[] = [];
      child.stdout.on('data', (data: Buffer) => output.push(data));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, output: Buffer.concat(output).toString('utf8') }));
      // A helper that ends without reading is judged by its exit code, not by our broken pipe.
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
    });
  };
}

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//u, '').replace(/\/.*$/u, '');
}
