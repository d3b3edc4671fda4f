import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { ActionError, messageOf } from '@slashtrain/core/action/errors';
import type { GitHub } from '@slashtrain/core/github/client';
import { readFileAt } from '@slashtrain/core/github/contents';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { checkPolicy, checkSubmitted } from '@slashtrain/core/policy/check';
import { entries } from '@slashtrain/core/policy/walk';
import { servingKinds, type Policy } from '@slashtrain/core/policy/policy';
import { refuseViolations } from '@slashtrain/core/policy/violation';
import { isPinned } from '@slashtrain/core/registry/image-name';
import type { CommonInputs, NewInputs } from '../inputs.ts';
import { Before, titleOf } from './before.ts';
import { deploymentTarget } from './deployment.ts';
import { knativeTarget } from './knative.ts';
import { kserveTarget } from './kserve.ts';
import { manifestTarget, readDocuments, type ManifestSource } from './manifest.ts';
import type { Target } from './target.ts';
import type { Candidate } from '../types.ts';

/** The target that the inputs name, for a candidate. */
export async function targetFor(inputs: NewInputs & CommonInputs, candidate: Candidate, github: GitHub): Promise<Target> {
  const { container, target } = inputs;
  const all = { ...container, ...inputs };
  if (target === 'deployment') return deploymentTarget(candidate, all);
  if (target === 'knative') return knativeTarget(candidate, all);
  if (target === 'command') return { name: 'command', objects: () => [], canary: 'a command deploys all at once' };
  if (target === 'kserve') {
    if (inputs.modelFormat !== undefined && candidate.modelUri === undefined) {
      throw new ActionError('input', 'input "model-format" was given, and neither the run nor input "model-uri" says where the model is', {
        remedy: 'let the run put it out as "model-uri", or set the input',
      });
    }
    return kserveTarget(candidate, all);
  }
  const documents = readDocuments(await manifestText(inputs.manifest ?? '', candidate.sha, github));
  refuseViolations(checkSubmitted(documents));
  const made = manifestTarget(candidate, documents);
  checkPinned(made.objects(new Before()));
  return made;
}

/** A tag can be moved: then what comes back is not what was there. @throws ActionError `input` */
function checkPinned(objects: readonly KubernetesObject[]): void {
  for (const object of objects) {
    if (object.kind === 'ConfigMap') continue;
    for (const { key, value, path } of entries(object)) {
      if (key !== 'image' || typeof value !== 'string' || isPinned(value)) continue;
      throw new ActionError('input', `${titleOf(object)}: ${path} is ${JSON.stringify(value.slice(0, 300))}, which is not pinned`, {
        remedy: 'write $(image) for what was trained, and name@sha256:… for another; a tag can be moved',
      });
    }
  }
}

/** @throws ActionError `policy` that names every violation */
export function checkServingPolicy(objects: readonly KubernetesObject[], policy: Policy, namespace: string): void {
  // Who names no kinds has not thought of serving either.
  const kinds = policy.given?.has('kinds') ? policy.kinds : [...policy.kinds, ...servingKinds];
  refuseViolations(checkPolicy(objects, { ...policy, kinds }, { namespace }));
}

/** A relative path is a file of the trained commit, read from GitHub. */
async function manifestText(manifest: string, sha: string, github: GitHub): Promise<ManifestSource> {
  if (manifest.includes('\n')) return { text: manifest, file: 'input "manifest"' };
  if (isAbsolute(manifest)) {
    try {
      return { text: readFileSync(manifest, 'utf8'), file: manifest };
    } catch (error) {
      throw new ActionError('input', `input "manifest" names the file "${manifest}", which cannot be read: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
  const path = manifest.replace(/^\.\//u, '');
  const file = await readFileAt(github, path, sha);
  if (file) return { text: file.text, file: path };
  throw new ActionError('input', `input "manifest" is "${manifest}", and the commit ${sha} has no such file`, {
    remedy: 'give a path from the root of the repository, an absolute path of a file on the runner, or the manifest itself',
  });
}
