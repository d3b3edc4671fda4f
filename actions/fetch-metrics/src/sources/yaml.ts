import { parseDocument } from 'yaml';
import { addValue } from './json.ts';
import { flattenParameters, noReadings, type Readings } from './readings.ts';

/**
 * Reads YAML 1.2 as numbers by path, or as parameters (`params.yaml` of DVC, `hparams.yaml` of Lightning). `.nan` and `.inf` are
 * values. Tags that it does not know (Lightning writes Python's) are left out, their values stay.
 * @throws Error where it is no YAML
 */
export function readYaml(text: string, as: 'metrics' | 'parameters'): Readings {
  const readings = noReadings();
  const document = parseDocument(text, { uniqueKeys: true, logLevel: 'silent' });
  const [problem] = document.errors;
  if (problem) throw problem;
  // Aliases could make a few lines a million values.
  const value = document.toJS({ maxAliasCount: 100 }) as unknown;
  if (as === 'metrics') addValue(readings, value);
  else readings.parameters.push(...flattenParameters(value));
  return readings;
}
