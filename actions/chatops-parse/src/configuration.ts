import { ActionError } from '@slashtrain/core/action/errors';
import { defaultConfig } from '@slashtrain/core/config/defaults';
import { fetchFromDefaultBranch, loadConfig, type LoadedConfig } from '@slashtrain/core/config/load';
import type { GitHub } from '@slashtrain/core/github/client';
import type { Ask } from './ask.ts';
import { commandsOf } from './choose.ts';
import type { CommandLine } from './find.ts';

/**
 * The default branch's configuration.
 * @returns undefined where it is broken and nobody asked for anything that is certainly ours
 */
export async function readConfiguration(github: GitHub, path: string, lines: readonly CommandLine[]): Promise<LoadedConfig | undefined> {
  try {
    return await loadConfig(fetchFromDefaultBranch(github), path);
  } catch (error) {
    const usual = commandsOf(defaultConfig);
    if (!(error instanceof ActionError) || lines.length === 0 || lines.some(({ word }) => usual.has(word))) throw error;
    github.log.warning(error.message);
    return undefined;
  }
}

/** The command that the configuration has for what happened. */
export function triggered(ask: Ask, { config }: LoadedConfig): CommandLine[] {
  const text = ask.trigger?.(config.triggers);
  return text === undefined ? [] : [{ word: /^\/(\S*)/u.exec(text)?.[1] ?? '', text, hides: false }];
}
