import { ActionError } from '@slashtrain/core/action/errors';
import type { Accelerator, SlashtrainConfig } from '@slashtrain/core/config/types';
import type { Kinds } from '@slashtrain/core/kinds/registry';
import type { Commit } from './commit.ts';
import { generate, type ClusterKinds } from './generate/generate.ts';
import type { Program } from './generate/program.ts';
import type { SubmitInputs } from './inputs.ts';
import { readManifest, type Manifest } from './manifest.ts';

/** Where a run's object comes from: a manifest, or what was made in its place. */
export interface Source extends Manifest {
  /** What makes two requests the same: the manifest as it was given, or the program. */
  text: string;
  /** For errors. */
  file: string;
  /** Why a generated object is of its kind. */
  why?: string;
}

/**
 * The manifest's run, or one made for the program that the inputs name.
 * @param kinds what a manifest's run may be
 * @param cluster absent where none can be asked
 */
export async function sourceOf(
  inputs: SubmitInputs,
  { manifest, config }: Commit,
  kinds: Kinds,
  cluster: ClusterKinds | undefined,
): Promise<Source> {
  if ('manifest' in inputs.what || manifest) {
    if (!manifest) throw new ActionError('internal', 'the manifest was not read');
    const { isPipeline, readPipeline } = await import('./kfp/pipeline.ts');
    return { ...(isPipeline(manifest.text) ? readPipeline(manifest) : readManifest(manifest, kinds)), ...manifest };
  }
  const program = programOf(inputs, inputs.what.program, config);
  // The image has a place of its own in the request.
  const { image: _, ...identity } = program;
  return { ...(await generate(program, cluster)), text: `program ${JSON.stringify(identity)}`, file: 'the inputs' };
}

/** What the configuration says of the accelerator that the inputs name. @throws ActionError `input` with those there are */
export function acceleratorOf({ pods }: SubmitInputs, { accelerators, file }: SlashtrainConfig): Accelerator | undefined {
  if (pods.accelerator === undefined) return undefined;
  const found = accelerators.get(pods.accelerator);
  if (found) return found;
  const names = [...accelerators.keys()];
  throw new ActionError(
    'input',
    `input "accelerator" is ${JSON.stringify(pods.accelerator.slice(0, 100))}, which ${file ?? '.github/slashtrain.yml'} does not have`,
    {
      remedy:
        names.length > 0 ? `it has ${names.join(', ')}` : 'say under accelerators: of the default branch what it means on this cluster',
    },
  );
}

function programOf(
  inputs: SubmitInputs,
  { runtime, ...program }: Omit<Program, 'runtime'> & { runtime: string | undefined },
  config: SlashtrainConfig,
): Program {
  const { cpu, memory, gpus } = inputs.pods;
  const accelerator = acceleratorOf(inputs, config);
  return {
    ...program,
    ...(runtime === undefined ? {} : { runtime }),
    ...(gpus === undefined ? (accelerator ? { gpus: 1 } : {}) : { gpus }),
    ...(accelerator ? { gpuResource: accelerator.resource } : {}),
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
  };
}
