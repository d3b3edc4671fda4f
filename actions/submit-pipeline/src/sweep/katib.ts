import { ActionError } from '@slashtrain/core/action/errors';
import { katibExperiment } from '@slashtrain/core/kinds/katib-experiment';
import type { Container, KubernetesObject } from '@slashtrain/core/kinds/kind';
import { defaultsAnnotation } from '@slashtrain/core/kinds/parameters';
import { isMap, parseDocument } from 'yaml';
import type { Source } from '../source.ts';
import { noPlace } from './indexed-job.ts';
import { placesOf } from './launcher.ts';
import type { SweepRequest } from './read.ts';
import type { Space } from './space.ts';

/**
 * A Katib Experiment around the manifest's run, which becomes its trial: Katib chooses settings, runs trials, reads their metrics
 * and ends. The parameters stand where `$(params.NAME)` stood.
 * https://www.kubeflow.org/docs/components/katib/user-guides/hp-tuning/configure-experiment/
 * @throws ActionError `unsupported` for what Katib has no word for, `input` for a parameter that the manifest has no place for
 */
export function experiment(source: Source, request: SweepRequest, maxFailed: number): Source {
  if (request.seeds.length > 0) {
    throw new ActionError('unsupported', `"seeds" with method: ${request.method}: Katib runs a setting once`, {
      remedy: 'take "seeds" out, and train the best setting with several seeds afterwards',
    });
  }
  const trial = structuredClone(source.object);
  const names = [...request.parameters.keys()];
  const used = new Set<string>();
  const containers = source.kind.podTemplates(trial).flatMap(({ template }) => template.spec?.containers ?? []);
  for (const container of containers) fill(container, names, used);
  const missing = names.find((name) => !used.has(name));
  if (missing !== undefined) throw noPlace(missing);
  const { metadata, ...rest } = trial;
  const annotations = withoutDefaults(metadata.annotations, names);
  const object: KubernetesObject = {
    apiVersion: 'kubeflow.org/v1beta1',
    kind: 'Experiment',
    metadata: { ...(annotations ? { annotations } : {}), ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) },
    spec: {
      objective: {
        type: request.direction === 'higher' ? 'maximize' : 'minimize',
        objectiveMetricName: request.metric,
        metricStrategies: [{ name: request.metric, value: strategyOf(request) }],
      },
      algorithm: algorithmOf(request),
      maxTrialCount: request.maxTrials,
      parallelTrialCount: Math.min(request.parallel, request.maxTrials),
      maxFailedTrialCount: maxFailed,
      // https://github.com/kubeflow/katib/blob/v0.19.0/pkg/metricscollector/v1beta1/file-metricscollector/file-metricscollector.go
      metricsCollectorSpec: {
        collector: { kind: 'StdOut' },
        source: { filter: { metricsFormat: [metricLine] } },
      },
      parameters: [...request.parameters].map(([name, space]) => ({ name, ...spaceOf(name, space) })),
      trialTemplate: {
        ...(containers[0] ? { primaryContainerName: containers[0].name } : {}),
        trialParameters: names.map((name, index) => ({ name: `p${index}`, description: name, reference: name })),
        trialSpec: { ...rest, metadata: {} },
      },
    },
  };
  return { ...source, object, kind: katibExperiment };
}

// Of `slashtrain-metric {"name":"accuracy","value":0.93,"step":5}`, with the name before the value: two groups, as Katib wants them.
const metricLine = String.raw`"name":\s*"([^"]+)",\s*"value":\s*([+-]?[0-9]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)`;

function fill(container: Container, names: readonly string[], used: Set<string>): void {
  const put = (text: string): string =>
    text.replace(/\$\$|\$\(params\.([A-Za-z0-9_][A-Za-z0-9_.-]*)\)/gu, (whole, name: string | undefined) => {
      const index = name === undefined ? -1 : names.indexOf(name);
      return index < 0 ? whole : `\${trialParameters.p${index}}`;
    });
  for (const name of placesOf(container, new Set(names))) used.add(name);
  if (container.command) container.command = container.command.map(put);
  if (container.args) container.args = container.args.map(put);
  for (const variable of container.env ?? []) if (typeof variable.value === 'string') variable.value = put(variable.value);
}

/** The defaults of parameters that are swept have no place any more. */
function withoutDefaults(annotations: KubernetesObject['metadata']['annotations'], names: readonly string[]): typeof annotations {
  const { [defaultsAnnotation]: text, ...others } = annotations ?? {};
  const document = typeof text === 'string' ? parseDocument(text, { schema: 'failsafe', uniqueKeys: true }) : undefined;
  // What is no map is told by who reads it.
  if (!document || document.errors.length > 0 || !isMap(document.contents)) return annotations;
  for (const name of names) document.delete(name);
  return document.contents.items.length === 0 ? others : { ...others, [defaultsAnnotation]: document.toString() };
}

function strategyOf({ on, direction }: SweepRequest): string {
  if (on === 'last') return 'latest';
  if (on === 'mean') throw new ActionError('unsupported', '"on: mean" with Katib, which knows last, min, max and best');
  if (on === 'best') return direction === 'higher' ? 'max' : 'min';
  return on;
}

function spaceOf(name: string, space: Space): object {
  if ('values' in space) return { parameterType: 'categorical', feasibleSpace: { list: space.values } };
  const { min, max, int, log, step } = space;
  if (space.count !== undefined)
    throw new ActionError('unsupported', `parameters.${name} has "count", which Katib has no word for`, {
      remedy: 'give "step", or values',
    });
  return {
    parameterType: int ? 'int' : 'double',
    feasibleSpace: {
      min: String(min),
      max: String(max),
      ...(step === undefined ? {} : { step: String(step) }),
      ...(log ? { distribution: 'logUniform' } : {}),
    },
  };
}

/** https://www.kubeflow.org/docs/components/katib/user-guides/hp-tuning/configure-algorithm/ */
function algorithmOf({ method, resource = '', eta, parameters, parallel, seed }: SweepRequest): object {
  if (method === 'bayes')
    return { algorithmName: 'bayesianoptimization', algorithmSettings: [{ name: 'random_state', value: String(seed) }] };
  const space = parameters.get(resource);
  const most = space && 'max' in space ? space.max : 1;
  // Its first bracket has as many trials, all at once:
  // https://github.com/kubeflow/katib/blob/v0.19.0/pkg/suggestion/v1beta1/hyperband/service.py
  const width = Math.ceil(eta ** Math.floor(Math.log(most) / Math.log(eta)));
  if (parallel < width) {
    throw new ActionError(
      'input',
      `hyperband with ${resource} up to ${most} and eta ${eta} needs parallel: ${width}, and it is ${parallel}`,
      {
        remedy: `set parallel: ${width}, lower the max of ${resource}, or raise eta`,
      },
    );
  }
  return {
    algorithmName: 'hyperband',
    algorithmSettings: [
      { name: 'resource_name', value: resource },
      { name: 'eta', value: String(eta) },
      { name: 'r_l', value: String(most) },
    ],
  };
}
