import { posix } from 'node:path';
import type { Inputs } from '@slashtrain/core/action/inputs';
import { isTag, lowerImageName, parseImageName, type ImageName } from '@slashtrain/core/registry/image-name';
import { ActionError } from '@slashtrain/core/action/errors';
import { mapOf } from './lists.ts';
import { refused } from './refused.ts';
import type { ImageRequest } from './inputs.ts';

/** What the builders of Dockerfiles take, under the names that docker/build-push-action has. */
export interface DockerfileRequest {
  /** From the commit's root; undefined: `Dockerfile` in the context. */
  file: string | undefined;
  /** The stage that becomes the image. */
  target: string | undefined;
  buildArgs: Map<string, string>;
  /** By id. Never in a layer, a log or a label. */
  secrets: Map<string, string>;
  /** Where in a registry the builder keeps its cache. */
  cache: ImageName | undefined;
  push: boolean;
  /** Whether the image is wanted in the builder's own store as well. */
  load: boolean;
  /** buildkitd's address. */
  address: string | undefined;
  /** What buildx takes after `--provenance=` and `--sbom=`. */
  provenance: string | undefined;
  sbom: string | undefined;
}

/** @throws ActionError `input` */
export async function readDockerfileRequest(inputs: Inputs, folder: string): Promise<DockerfileRequest> {
  const buildArgs = await mapOf(inputs, 'build-args', folder);
  for (const name of buildArgs.keys())
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/u.test(name)) throw refused('build-args', name, 'names of letters, digits and "_"');
  const secrets = await mapOf(inputs, 'secrets', folder);
  for (const [id, value] of secrets) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/u.test(id)) throw refused('secrets', id, 'ids of letters, digits, "_", "." and "-"');
    if (value === '')
      throw new ActionError('input', `input "secrets" has no value for "${id}"`, {
        remedy: 'check the name after secrets. in the workflow: a secret that does not exist is empty, and so are all for a fork',
      });
  }
  const target = inputs.text('target');
  if (target !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_.-]*$/u.test(target)) throw refused('target', target, "a stage's name");
  const address = inputs.text('buildkit');
  if (address !== undefined && !/^(?:tcp|unix|docker-container|kube-pod|podman-container|ssh):\/\/[^\s-]\S*$/u.test(address))
    throw refused('buildkit', address, 'an address such as tcp://buildkitd:1234 or unix:///run/buildkit/buildkitd.sock');
  const attest = (name: string): string | undefined => {
    const value = inputs.text(name);
    if (value !== undefined && !/^(?:true|false|mode=(?:min|max)|generator=[A-Za-z0-9./:@_-]+)$/u.test(value))
      throw refused(name, value, 'true, false, mode=min, mode=max or generator=IMAGE');
    return value;
  };
  const push = inputs.boolean('push', true);
  return {
    file: readFile(inputs.text('file')),
    target,
    buildArgs,
    secrets,
    cache: readCache(inputs.text('cache')),
    push,
    load: inputs.boolean('load', false) || !push,
    address,
    provenance: attest('provenance'),
    sbom: attest('sbom'),
  };
}

function readFile(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const path = posix.normalize(text);
  if (path.startsWith('/') || path.startsWith('..')) throw refused('file', text, 'a file within the commit, such as docker/Dockerfile');
  return path;
}

function readCache(text: string | undefined): ImageName | undefined {
  if (text === undefined) return undefined;
  const cache = parseImageName(lowerImageName(text), 'input "cache"');
  if (cache.digest !== undefined || (cache.tag !== undefined && !isTag(cache.tag)))
    throw refused('cache', text, 'an image name with or without a tag, such as ghcr.io/acme/digits:cache');
  return cache;
}

/** Where a request's Dockerfile is, from the commit's root. */
export function dockerfileOf(request: ImageRequest): string {
  return request.dockerfile.file ?? posix.join(request.context, 'Dockerfile');
}
