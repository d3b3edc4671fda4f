import type { Cause } from './errors.ts';
import { asText, type Stored } from './objects.ts';
import type { ResourceType } from './resources.ts';
import { same } from './store.ts';

type Json = Record<string, unknown>;

/**
 * Fields that may not change once the object exists.
 * @param otherUid the UID that a request wants it to have
 */
export function immutableProblems(type: ResourceType, before: Stored, after: Stored, otherUid?: string): Cause[] {
  const old = (before['spec'] ?? {}) as Json;
  const now = (after['spec'] ?? {}) as Json;
  const causes: Cause[] = [];
  if (otherUid !== undefined) {
    causes.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(otherUid)}: field is immutable`,
      field: 'metadata.uid',
    });
  }
  const fixed = (field: string): void => {
    if (!same(old[field], now[field])) {
      causes.push({
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${asText(now[field])}: field is immutable`,
        field: `spec.${field}`,
      });
    }
  };
  if (type.kind === 'Job') {
    for (const field of ['completions', 'selector', 'completionMode']) fixed(field);
    const status = before['status'] as { startTime?: string } | undefined;
    // A suspended Job that has not started may still change where its pods go; queue controllers use that.
    if (!(old['suspend'] === true && status?.startTime === undefined && onlyScheduling(old['template'], now['template'])))
      fixed('template');
  }
  if (type.kind === 'Deployment' || type.kind === 'ReplicaSet') fixed('selector');
  if (type.kind === 'Service' && old['clusterIP'] !== now['clusterIP']) {
    causes.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(now['clusterIPs'] ?? null)}: may not change once set`,
      field: 'spec.clusterIPs[0]',
    });
  }
  if (type.kind === 'Pod') {
    if (!same(movable(old), movable(now))) {
      causes.push({
        reason: 'FieldValueForbidden',
        message:
          'Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
        field: 'spec',
      });
    }
  }
  if ((type.kind === 'ConfigMap' || type.kind === 'Secret') && before['immutable'] === true) {
    for (const field of ['data', 'binaryData', 'immutable']) {
      if (same(before[field], after[field])) continue;
      causes.push({ reason: 'FieldValueForbidden', message: 'Forbidden: field is immutable when `immutable` is set', field });
    }
  }
  return causes;
}

function onlyScheduling(before: unknown, after: unknown): boolean {
  const strip = (template: unknown): unknown => {
    const { metadata, spec } = template as { metadata?: Json; spec: Json };
    const { nodeSelector: _selector, affinity: _affinity, tolerations: _tolerations, schedulingGates: _gates, ...rest } = spec;
    const { labels: _labels, annotations: _annotations, ...others } = metadata ?? {};
    return { metadata: others, spec: rest };
  };
  return same(strip(before), strip(after));
}

function movable(spec: Json): Json {
  const strip = (list: unknown): unknown => (list as Json[] | undefined)?.map(({ image: _image, ...rest }) => rest);
  const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, schedulingGates: _gates, nodeSelector: _selector, ...rest } = spec;
  return { ...rest, containers: strip(spec['containers']), initContainers: strip(spec['initContainers']) };
}
