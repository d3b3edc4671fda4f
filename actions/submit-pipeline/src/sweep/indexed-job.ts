import { ActionError } from '@slashtrain/core/action/errors';
import { needFields } from '@slashtrain/core/kinds/fields';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { containersOf } from '@slashtrain/core/kinds/pods';
import type { Source } from '../source.ts';
import { launch, placesOf, tableVariable } from './launcher.ts';
import type { SweepRequest } from './read.ts';
import { tableOf, type Settings } from './settings.ts';

const tableName = 'slashtrain-trials';
const tableKey = 'trials';
const configMap = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };

/**
 * A Job as one indexed Job with an index a trial: the cluster runs it by itself, `parallel` at a time, and a failed trial ends
 * no other. The settings of all trials lie in a ConfigMap that goes with it, where each trial finds its own.
 * @throws ActionError `manifest` where the Job cannot be one, `input` for a parameter that it has no place for
 */
export function indexedJob(source: Source, request: SweepRequest, settings: Settings, maxFailed: number): Source {
  const object = structuredClone(source.object);
  const spec = needFields('Job', object, 'spec');
  refuseIndexed(object);
  const count = settings.trials.length;
  delete spec['backoffLimit'];
  Object.assign(spec, {
    completions: count,
    parallelism: Math.min(request.parallel, count),
    completionMode: 'Indexed',
    // https://kubernetes.io/docs/concepts/workloads/controllers/job/#backoff-limit-per-index
    backoffLimitPerIndex: spec['backoffLimitPerIndex'] ?? 0,
    ...(maxFailed < count ? { maxFailedIndexes: maxFailed } : {}),
  });
  const [first, ...others] = source.kind.podTemplates(object).flatMap(({ template }) => containersOf(template));
  const names = new Set(settings.names);
  const used = new Set<string>();
  for (const container of first ? [first, ...others] : []) {
    const places = placesOf(container, names);
    places.forEach((name) => used.add(name));
    if (request.launcher === 'none' || places.size === 0) continue;
    launch(container, request.launcher, names);
    putTable(container);
  }
  if (request.launcher === 'none') {
    const [place] = used;
    if (place !== undefined) {
      throw new ActionError('input', `the manifest has $(params.${place}), and with launcher: none nobody puts a trial's value there`, {
        remedy: 'take it out and read SLASHTRAIN_TRIALS and JOB_COMPLETION_INDEX in the program, or take "launcher: none" out',
      });
    }
    for (const { template } of source.kind.podTemplates(object)) (template.spec?.containers ?? []).forEach(putTable);
  } else {
    const missing = settings.names.find((name) => !used.has(name));
    if (missing !== undefined) throw noPlace(missing);
  }
  const table: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: tableName },
    data: { [tableKey]: tableOf(settings) },
  };
  const helper = { object: table, resource: configMap, goesWithRun: true, at: 'the trials of the sweep' };
  return { ...source, object, helpers: [...(source.helpers ?? []), helper] };
}

/** For a parameter of which every trial would run the same. */
export function noPlace(name: string): ActionError {
  return new ActionError(
    'input',
    `the sweep has the parameter "${name}", which the manifest has no place for: every trial would run the same`,
    {
      remedy: `write $(params.${name}) in a container's command, args or env`,
    },
  );
}

function putTable(container: { env?: unknown[] }): void {
  // Not into the pod's own text: of a thousand trials each would carry the settings of all.
  container.env = [...(container.env ?? []), { name: tableVariable, valueFrom: { configMapKeyRef: { name: tableName, key: tableKey } } }];
}

function refuseIndexed(object: KubernetesObject): void {
  const spec = needFields('Job', object, 'spec');
  for (const field of ['completions', 'parallelism']) {
    if (typeof spec[field] === 'number' && spec[field] > 1) {
      throw new ActionError('manifest', `the Job has ${field}: ${spec[field]}, and in a sweep each of its pods is a trial`, {
        remedy: `take "${field}" out; a trial of several pods can be swept with Katib (method: bayes)`,
      });
    }
  }
  const policy = needFields('Job', object, 'spec', 'template', 'spec')['restartPolicy'];
  if (policy === 'Never') return;
  throw new ActionError('manifest', `the Job's pods have restartPolicy: ${JSON.stringify(policy ?? null)}; allowed in a sweep: Never`, {
    remedy: 'a trial that is to be tried again says so by spec.backoffLimitPerIndex',
  });
}
