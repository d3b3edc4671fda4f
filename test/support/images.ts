import { gunzipSync } from 'node:zlib';
import { parseImageName } from '@slashtrain/core/registry/image-name';
import { isIndex, type Descriptor } from '@slashtrain/core/registry/media-types';
import { Registries } from '@slashtrain/core/registry/registries';

const registries = new Registries();

/** All that a registry has of an image, attestations included: manifests, configurations and unpacked layers. */
export async function contentOf(image: string): Promise<Buffer> {
  const { registry: host, repository, digest = '' } = parseImageName(image, 'the image');
  const registry = registries.of({ registry: host });
  const top = await registry.manifest(repository, digest);
  const manifests = isIndex(top.content)
    ? await Promise.all(top.content.manifests.map((one) => registry.manifest(repository, one.digest)))
    : [top];
  const parts = isIndex(top.content) ? [top.bytes] : [];
  for (const { content, bytes } of manifests) {
    parts.push(bytes);
    if (isIndex(content)) continue;
    for (const blob of [content.config, ...content.layers]) {
      const chunks: Buffer[] = [];
      for await (const chunk of registry.blob(repository, blob)) chunks.push(chunk);
      const whole = Buffer.concat(chunks);
      parts.push(whole, ...(whole[0] === 0x1f && whole[1] === 0x8b ? [gunzipSync(whole)] : []));
    }
  }
  return Buffer.concat(parts);
}

/** The digests of an image's layers; of an index none. */
export async function layersOf(image: string): Promise<string[]> {
  return (await layers(image)).map(({ digest }) => digest);
}

/** Their media types. */
export async function layerTypesOf(image: string): Promise<string[]> {
  return (await layers(image)).map(({ mediaType }) => mediaType);
}

async function layers(image: string): Promise<Descriptor[]> {
  const { registry, repository, digest = '' } = parseImageName(image, 'the image');
  const { content } = await registries.of({ registry }).manifest(repository, digest);
  return isIndex(content) ? [] : content.layers;
}

/** What an index lists: images and attestations; of a manifest nothing. */
export async function listedIn(image: string): Promise<Descriptor[]> {
  const { registry, repository, digest = '' } = parseImageName(image, 'the image');
  const { content } = await registries.of({ registry }).manifest(repository, digest);
  return isIndex(content) ? content.manifests : [];
}
