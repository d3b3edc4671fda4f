import type { Host } from '@slashtrain/core/action/host';
import type { CredentialSource } from '@slashtrain/core/registry/credentials';
import type { Registries } from '@slashtrain/core/registry/registries';
import type { Platform } from '@slashtrain/core/registry/media-types';
import type { CommitFiles } from './commit.ts';
import type { Layer } from './layer.ts';
import type { RunProgram } from './program.ts';
import type { Placement } from './publish.ts';

/** What one image is built with. */
export interface Workshop {
  registries: Registries;
  /** Who we are: by inputs and token, and by everything that is known. */
  credentials: { own: CredentialSource; all: CredentialSource };
  commit: CommitFiles;
  sha: string;
  /** e.g. `https://github.com/owner/repository` */
  source: string;
  run: RunProgram;
  /** A folder of its own, removed afterwards. */
  folder: string;
  environment: NodeJS.ProcessEnv;
  isDryRun: boolean;
  log: Pick<Host['log'], 'info' | 'mask'>;
}

/** What became of one image. */
export interface Built {
  /** Undefined where it is in no registry. */
  digest: string | undefined;
  /** Which builder made it, and why that one. */
  how: string;
  isReused: boolean;
  /** What it is built on, as far as is known. */
  bases: string[];
  platforms: Platform[];
  /** Of the first platform: layers, and their bytes as the registry has them. */
  layers: number;
  size: number;
  /** The layer of the commit's files, where one was made. */
  files?: Pick<Layer, 'files' | 'size' | 'unpacked'>;
  /** The file that the packages are from, and their layer's bytes. */
  packages?: { file: string; size: number; isKept: boolean };
  /** What a notebook with steps is run by: an Argo Workflow, of the image's name by digest. */
  workflow?: (image: string) => object;
  placements: readonly Placement[];
  notices: string[];
}
