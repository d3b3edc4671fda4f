import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { TargetName } from '../types.ts';
import type { Before } from './before.ts';

/** A step of a canary, as objects to apply beside what stands. */
export interface CanaryObjects {
  objects: KubernetesObject[];
  /** What the new revision gets really, in percent. */
  share: number;
}

/** How a target lets a new revision have a part. */
export interface CanaryRules {
  readonly how: 'traffic' | 'replicas';
  /** @param before what is deployed now; a canary needs something to be compared with */
  at(share: number, before: Before): CanaryObjects;
  /** What the steps make beside the target's own objects, and promotion takes away. */
  extras(): KubernetesObject[];
}

/** What is sent to the cluster for a candidate: pure. */
export interface Target {
  readonly name: TargetName;
  /** What is needed of the cluster, for the error where it is not there. */
  readonly operator?: string;
  /** Complete objects, as they are applied. */
  objects(before: Before): KubernetesObject[];
  /** Absent: it cannot. The string says why. */
  readonly canary: CanaryRules | string;
}
