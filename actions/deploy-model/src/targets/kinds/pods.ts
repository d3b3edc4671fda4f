import { statusesOf, type Pod } from '@slashtrain/core/kubernetes/pod';
import type { Readiness } from '../../types.ts';
import { failed } from './serving-kind.ts';

/** Waiting reasons that no time mends (https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/kubelet/images/types.go and kubelet/container/sync_result.go). */
const remedies: ReadonlyMap<string, string> = new Map([
  ['InvalidImageName', 'mend the name of the image'],
  ['ErrImageNeverPull', 'the image is not on the node, and its pull policy is Never'],
  ['ImagePullBackOff', 'check the name of the image, and that the cluster may pull it (imagePullSecrets of the service account)'],
  ['CreateContainerConfigError', 'it names a ConfigMap, Secret or key that does not exist'],
  ['CreateContainerError', 'mend its command, volumes or security context'],
  ['RunContainerError', 'mend its command, volumes or security context'],
  ['CrashLoopBackOff', 'mend the program; the last lines of its log say where it ended'],
]);

// A registry that is away for a while comes back; one that says this does not.
const finalWords = /not found|manifest unknown|name unknown|unauthorized|denied|forbidden|invalid reference|no such host|does not exist/iu;

/** One container that keeps its pod from ever being ready. */
export interface PodFailure extends Readiness {
  pod: string;
  container: string;
  /** It ended before: its log says why. */
  crashed: boolean;
}

/** Why waiting for these pods is of no use; undefined while it may be. */
export function podFailure(pods: readonly Pod[]): PodFailure | undefined {
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined) continue;
    for (const { name, state, lastState, restartCount } of statusesOf(pod)) {
      const { reason = '', message = '' } = state?.waiting ?? {};
      const remedy = remedies.get(reason);
      if (remedy === undefined || (reason === 'ImagePullBackOff' && !finalWords.test(message))) continue;
      const ended = lastState?.terminated;
      const crashed = reason === 'CrashLoopBackOff';
      const words =
        crashed && ended ? `exited with code ${ended.exitCode} (${ended.reason ?? 'Error'}), ${restartCount} restarts` : message || reason;
      const podName = pod.metadata.name ?? '';
      return { ...failed(reason, `container ${name} of pod ${podName}: ${words}`, remedy), pod: podName, container: name, crashed };
    }
  }
  return undefined;
}

/** What pods that are not ready say of it, newest first: for whoever ran out of time. */
export function podWords(pods: readonly Pod[]): string | undefined {
  for (const pod of pods) {
    const scheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
    if (scheduled) return `pod ${pod.metadata.name ?? ''}: ${scheduled.reason ?? ''}: ${scheduled.message ?? ''}`;
    const waiting = statusesOf(pod).find(({ state }) => state?.waiting?.message);
    if (waiting) return `container ${waiting.name}: ${waiting.state?.waiting?.reason ?? ''}: ${waiting.state?.waiting?.message ?? ''}`;
    const unready = pod.status?.conditions?.find(({ type, status }) => type === 'Ready' && status === 'False');
    if (unready) return `pod ${pod.metadata.name ?? ''}: ${unready.message ?? unready.reason ?? 'not ready'}`;
  }
  return undefined;
}
