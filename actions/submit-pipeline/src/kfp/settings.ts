import { ActionError } from '@slashtrain/core/action/errors';
import type { Inputs } from '@slashtrain/core/action/inputs';
import { fieldsIn, isFields } from '@slashtrain/core/kinds/fields';
import { isKfp } from '@slashtrain/core/kinds/kfp-run';
import type { GitHubContext } from '@slashtrain/core/github/context';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { SubmitInputs } from '../inputs.ts';
import type { Source } from '../source.ts';
import { refuseOldPipeline } from './pipeline.ts';

/** What only a pipeline of Kubeflow Pipelines takes. */
export interface PipelineSettings {
  experiment: string | undefined;
  /** Absent: as it was compiled. */
  cache: boolean | undefined;
  pipelineRoot: string | undefined;
  /** The pipeline that gets a version for the commit. Absent: the run brings its specification along. */
  pipeline: string | undefined;
}

export function readPipelineSettings(inputs: Inputs): PipelineSettings {
  const cache = inputs.text('kfp-cache');
  return {
    experiment: inputs.text('kfp-experiment'),
    cache: cache === undefined ? undefined : inputs.boolean('kfp-cache', true),
    pipelineRoot: inputs.text('kfp-pipeline-root'),
    pipeline: readPipelineName(inputs),
  };
}

// As long as the API takes them (https://github.com/kubeflow/pipelines/blob/2.17.0/backend/src/apiserver/validation/length.go).
function readPipelineName(inputs: Inputs): string | undefined {
  const name = inputs.text('kfp-pipeline');
  if (name !== undefined && inputs.text('artifacts') !== undefined) {
    throw new ActionError('input', 'input "artifacts" was given beside "kfp-pipeline", whose version knows of no single run', {
      remedy: 'set kfp-pipeline-root, or give the place as a parameter of the pipeline',
    });
  }
  if (name === undefined || /^[\p{L}\p{N}][\p{L}\p{N} ._/#-]{0,127}$/u.test(name)) return name;
  throw new ActionError(
    'input',
    `input "kfp-pipeline" is ${JSON.stringify(name.slice(0, 200))}; allowed: up to 128 letters, digits, spaces and . _ / # -, a letter or digit first`,
  );
}

/**
 * Puts into a pipeline what the inputs say of it; an experiment for each pull request, unless one is named.
 * @throws ActionError `input` where the pipeline has no server, or such settings no pipeline; `manifest` for a pipeline of `kfp` 1
 */
export function setPipeline(source: Source, inputs: SubmitInputs, { owner, repo, serverUrl }: GitHubContext): void {
  const { kfp, kfpSettings: settings, pullRequest, sha } = inputs;
  if (!isKfp(source.kind.resource)) {
    if (kfp) refuseOldPipeline(source.object, source.file);
    const [given] = Object.entries(settings).find(([, value]) => value !== undefined) ?? [];
    if (given === undefined) return;
    const name = given === 'pipelineRoot' ? 'kfp-pipeline-root' : `kfp-${given}`;
    throw new ActionError(
      'input',
      `input "${name}" was given, and ${source.file} is a ${source.object.kind}, no pipeline that kfp compiled`,
      {
        remedy: 'take it out',
      },
    );
  }
  if (!kfp) {
    throw new ActionError('input', `${source.file} is a pipeline that kfp compiled, and input "kfp-url" was not given`, {
      remedy: 'add the address of Kubeflow Pipelines: kfp-url: https://kubeflow.example.com/pipeline',
    });
  }
  const spec = fieldsIn(source.object, 'spec') ?? {};
  const repository = `${owner}/${repo}`;
  spec['experiment'] = settings.experiment ?? (pullRequest === undefined ? repository : `${repository} #${pullRequest}`);
  spec['description'] = `${serverUrl}/${repository}/${pullRequest === undefined ? `commit/${sha}` : `pull/${pullRequest}`} at ${sha}`;
  if (settings.pipeline !== undefined) spec['version'] = { pipeline: settings.pipeline, name: sha };
  if (settings.pipelineRoot !== undefined) spec['pipelineRoot'] = settings.pipelineRoot;
  if (settings.cache !== undefined) setCache(source.object, settings.cache);
}

/** As the input `enable_caching` of kfp's own client does it: for every task. */
function setCache(object: KubernetesObject, isOn: boolean): void {
  const pipeline = fieldsIn(object['spec'], 'pipelineSpec');
  const groups = [fieldsIn(pipeline, 'root'), ...Object.values(fieldsIn(pipeline, 'components') ?? {})];
  for (const task of groups.flatMap((group) => Object.values(fieldsIn(fieldsIn(group, 'dag'), 'tasks') ?? {}))) {
    if (isFields(task)) task['cachingOptions'] = isOn ? { enableCache: true } : {};
  }
}
