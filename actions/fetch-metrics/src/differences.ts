import type { Difference, MetricRun } from '@slashtrain/core/metrics/metrics';
import { isSeed } from '@slashtrain/core/metrics/seed';

/**
 * What changed besides the code: parameters but for seeds, data version, packages, GPU. What one side does not know at all
 * (no run of it has parameters) is no difference.
 */
export function differencesOf(candidates: readonly MetricRun[], baseline: readonly MetricRun[]): Difference[] {
  if (candidates.length === 0 || baseline.length === 0) return [];
  const sides = [candidates, baseline] as const;
  const named = (what: Difference['what'], pairsOf: (run: MetricRun) => [string, string][]): Difference[] => {
    const [now, before] = sides.map((runs) => valuesByName(runs.flatMap(pairsOf))) as [Values, Values];
    if (now.size === 0 || before.size === 0) return [];
    return [...new Set([...now.keys(), ...before.keys()])]
      .filter((name) => joined(now.get(name)) !== joined(before.get(name)))
      .map((name) => difference(what, name, joined(now.get(name)), joined(before.get(name))));
  };
  return [
    ...named('parameter', ({ parameters }) => parameters.filter(({ name }) => !isSeed(name)).map(({ name, value }) => [name, value])),
    ...named('data', ({ dataVersion }) => (dataVersion === undefined ? [] : [['', dataVersion]])),
    ...named('package', ({ packages = [] }) => packages.map(({ name, version }) => [name, version])),
    ...named('gpu', ({ gpu }) => (gpu === undefined ? [] : [['', gpu]])),
  ];
}

type Values = Map<string, Set<string>>;

function valuesByName(pairs: readonly [string, string][]): Values {
  const values: Values = new Map();
  for (const [name, value] of pairs) values.set(name, (values.get(name) ?? new Set()).add(value));
  return values;
}

function joined(values: Set<string> | undefined): string | undefined {
  return values && [...values].sort().join(', ');
}

function difference(what: Difference['what'], name: string, candidate: string | undefined, baseline: string | undefined): Difference {
  return { what, name, ...(candidate === undefined ? {} : { candidate }), ...(baseline === undefined ? {} : { baseline }) };
}
