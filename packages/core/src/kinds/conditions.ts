/** A condition as Kubernetes' kinds write them (https://github.com/kubernetes/apimachinery/blob/v0.36.3/pkg/apis/meta/v1/types.go, "Condition"). */
export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** The condition of this type, where its status is True: one that merely stands in the list says nothing. */
export function holds(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((one) => one.type === type && one.status === 'True');
}

/** A condition in the cluster's own words. Hostile text. */
export function words({ reason, message }: Pick<Condition, 'reason' | 'message'>): { message?: string } {
  const text = [reason, message].filter(Boolean).join(': ');
  return text ? { message: text } : {};
}
