import { posix } from 'node:path';
import { allSteps } from './steps.ts';

/** What a notebook with steps is run by. */
export interface NotebookSteps {
  /** From the context's root. */
  notebook: string;
  /** Their scripts are paths from the context's root. */
  steps: { name: string; after: string[]; script: string }[];
  parameters: ReadonlyMap<string, string>;
}

/** Where the volume is in every step: a folder beside the notebook, so that the same code runs in Jupyter. */
const shared = 'shared';

/**
 * The steps as an Argo Workflow (https://argo-workflows.readthedocs.io/en/latest/walk-through/dag/): a pod for each, the
 * notebook's parameters as the Workflow's, one volume for what steps leave each other.
 * @param image by digest
 * @param destination where the context is in the image
 */
export function workflowOf({ notebook, steps, parameters }: NotebookSteps, image: string, destination: string): object {
  const folder = posix.dirname(posix.join(destination, notebook));
  const slug = posix
    .basename(notebook, '.ipynb')
    .toLowerCase()
    .replace(/[^a-z0-9]+/gu, '-')
    .replace(/^-|-$/gu, '')
    .slice(0, 40);
  const env = [...parameters.keys()].map((name) => ({ name: `PARAMETER_${name}`, value: `{{workflow.parameters.${name}}}` }));
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    metadata: { name: slug === '' ? 'notebook' : slug.replace(/-$/u, '') },
    spec: {
      entrypoint: allSteps,
      ...(parameters.size === 0 ? {} : { arguments: { parameters: [...parameters].map(([name, value]) => ({ name, value })) } }),
      volumeClaimTemplates: [
        { metadata: { name: shared }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
      ],
      volumeClaimGC: { strategy: 'OnWorkflowCompletion' },
      templates: [
        {
          name: allSteps,
          dag: {
            tasks: steps.map(({ name, after }) => ({ name, template: name, ...(after.length === 0 ? {} : { dependencies: after }) })),
          },
        },
        ...steps.map(({ name, script }) => ({
          name,
          container: {
            image,
            command: ['python3', posix.join(destination, script)],
            workingDir: folder,
            ...(env.length === 0 ? {} : { env }),
            volumeMounts: [{ name: shared, mountPath: posix.join(folder, shared) }],
          },
        })),
      ],
    },
  };
}
