import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ActionError, describe } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { nodeExchange } from '@slashtrain/core/registry/http';
import type { CredentialSource } from '@slashtrain/core/registry/credentials';
import type { Registries } from '@slashtrain/core/registry/registries';
import { buildImage } from './choose.ts';
import { CommitFiles } from './commit.ts';
import type { BuildInputs, ImageRequest } from './inputs.ts';
import { inParallel } from './parallel.ts';
import { programs } from './program.ts';
import { failureSummary, resultLine, setOutputs, summary, type Told } from './show.ts';

/** What build-image works with. */
export interface Parts {
  host: Host;
  context: GitHubContext;
  registries: Registries;
  credentials: { own: CredentialSource; all: CredentialSource };
}

/** Makes the commit an image, or several, and puts them into the registry, or finds them there. */
export async function main(inputs: BuildInputs, { host, context, registries, credentials }: Parts): Promise<void> {
  const { requests, sha } = inputs;
  setOutputs(host, inputs, []);
  for (const notice of inputs.notices) host.log.notice(notice);
  const folder = await mkdtemp(join(host.temp, 'slashtrain-image-'));
  const commit = new CommitFiles(
    {
      context,
      sha,
      token: inputs.token,
      exchange: nodeExchange(host.environment),
      patience: { signal: host.signal, onRetry: (why) => host.log.debug(`${why}; again`) },
    },
    folder,
  );
  const told: Told[] = [];
  const failures: { request: ImageRequest; error: unknown }[] = [];
  const buildOne = async (request: ImageRequest, index: number): Promise<void> => {
    const started = host.now();
    const own = join(folder, String(index));
    const prefix = request.name === undefined ? '' : `${request.name}: `;
    try {
      await mkdir(own);
      const built = await buildImage(request, {
        registries,
        credentials,
        commit,
        sha,
        source: `${context.serverUrl}/${context.owner}/${context.repo}`,
        run: programs(host.environment, host.signal),
        folder: own,
        environment: host.environment,
        isDryRun: inputs.isDryRun,
        log: { info: (text) => host.log.info(prefix + text), mask: (secret) => host.log.mask(secret) },
      });
      const one = { request, sha, built, isDryRun: inputs.isDryRun, seconds: (host.now() - started) / 1000 };
      for (const notice of built.notices) host.log.notice(prefix + notice);
      host.log.info(prefix + resultLine(one));
      told.push(one);
      await host.summarise(summary(one));
    } catch (thrown) {
      // What lies there is large, and of no more use; where the disk is full, the summary needs the room.
      await rm(own, { recursive: true, force: true });
      const error = (thrown as NodeJS.ErrnoException).code === 'ENOSPC' ? fullDisk(host.temp, thrown) : thrown;
      failures.push({ request, error });
      await host.summarise(failureSummary(request, sha, error));
    } finally {
      await rm(own, { recursive: true, force: true });
    }
  };
  try {
    await inParallel(
      requests.map((request, index) => () => buildOne(request, index)),
      inputs.atOnce,
    );
  } finally {
    await commit.close();
    await rm(folder, { recursive: true, force: true });
    setOutputs(host, inputs, told);
  }
  const [first] = failures;
  if (first && requests.length === 1) throw first.error;
  if (first)
    throw new ActionError(
      'build-failed',
      `${failures.length} of ${requests.length} images failed: ${failures.map(({ request, error }) => `${request.name ?? ''}: ${describe(error)}`).join(' | ')}`,
      {
        remedy: 'the outputs hold those that were made',
      },
    );
}

function fullDisk(folder: string, cause: unknown): ActionError {
  return new ActionError('input', `the disk is full: what the build needs does not fit at ${folder}`, {
    remedy: 'leave files out by .dockerignore, or use a runner with more disk; the layer builder needs no room for the base',
    cause,
  });
}
