import type { Inputs } from '@slashtrain/core/action/inputs';

/*
 * Inputs that are lists and maps, with the YAML parser loaded for the first that is given: it is a third of this action's code.
 */

/** As core's. */
export async function listOf(inputs: Inputs, name: string, folder: string): Promise<string[]> {
  if (inputs.text(name) === undefined) return [];
  const core = await import('@slashtrain/core/action/yaml-inputs');
  return core.listOf(inputs, name, folder);
}

/** As core's. */
export async function mapOf(inputs: Inputs, name: string, folder: string): Promise<Map<string, string>> {
  if (inputs.text(name) === undefined) return new Map();
  const core = await import('@slashtrain/core/action/yaml-inputs');
  return core.mapOf(inputs, name, folder);
}

/** As core's. */
export async function mapsOf(inputs: Inputs, name: string, folder: string): Promise<Map<string, Map<string, unknown>>> {
  if (inputs.text(name) === undefined) return new Map();
  const core = await import('@slashtrain/core/action/yaml-inputs');
  return core.mapsOf(inputs, name, folder);
}
