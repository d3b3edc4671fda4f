import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Reason, Status } from '../run/state.ts';
import { isFields } from './fields.ts';
import type { KubernetesObject } from './kind.ts';

/** The fields of a Workflow's status that matter here (https://argo-workflows.readthedocs.io/en/latest/fields/#workflowstatus). */
export interface WorkflowStatus {
  phase?: string;
  message?: string;
  startedAt?: string | null;
  finishedAt?: string | null;
  /** `2/5`: of the nodes that have been made so far. */
  progress?: string;
  nodes?: Record<string, Node>;
  compressedNodes?: string;
  /** Where it is set, the nodes are in Argo's database and not here. */
  offloadNodeStatusVersion?: string;
  outputs?: Outputs;
}

/** One step, task or pod of a workflow (https://argo-workflows.readthedocs.io/en/latest/fields/#nodestatus). */
interface Node {
  id?: string;
  displayName?: string;
  type?: string;
  phase?: string;
  message?: string;
  startedAt?: string | null;
  finishedAt?: string | null;
  nodeFlag?: { retried?: boolean };
  outputs?: Outputs;
}

interface Outputs {
  parameters?: { name?: string; value?: unknown }[];
}

interface Workflow extends KubernetesObject {
  spec?: { suspend?: boolean; shutdown?: string };
  status?: WorkflowStatus;
}

// Nodes that hold others and run nothing themselves.
const holders: ReadonlySet<string | undefined> = new Set(['DAG', 'Steps', 'StepGroup', 'TaskGroup', 'Retry']);
const largestNodes = 64 * 1024 * 1024;

/**
 * A Workflow's state by its phase. A phase that is Running says that the controller has begun: as long as all that it
 * made waits for a node or an image, the run is queued. `argo retry` makes an ended phase Running again.
 */
export function workflowStatus(object: KubernetesObject): Status {
  const { spec = {}, status: now = {} } = object as Workflow;
  const startedAt = now.startedAt ? { startedAt: now.startedAt } : {};
  const endedAt = now.finishedAt ? { endedAt: now.finishedAt } : {};
  const said = now.message ? { message: now.message } : {};
  switch (now.phase) {
    case undefined:
    case '':
    case 'Pending':
      return { state: 'queued', ...said };
    case 'Running':
      return whileItRuns(object, { ...said, ...startedAt });
    case 'Succeeded':
      return { state: 'succeeded', progress: 1, ...startedAt, ...endedAt };
    case 'Failed':
    case 'Error':
      // A graceful end succeeds: a program that exits with 0 when it is stopped has done what it was to do.
      if (spec.shutdown || /^Stopped with strategy/u.test(now.message ?? ''))
        return { state: 'cancelled', ...said, ...startedAt, ...endedAt };
      return { state: 'failed', ...whyFailed(now), ...startedAt, ...endedAt };
    default:
      return { state: 'unknown', message: `the phase is ${now.phase}` };
  }
}

function whileItRuns(object: KubernetesObject, common: { message?: string; startedAt?: string }): Status {
  const { spec = {}, status: now = {} } = object as Workflow;
  const nodes = nodesOf(now) ?? [];
  const work = nodes.filter(({ type }) => !holders.has(type));
  // As upstream's IsWorkflowSuspended: https://github.com/argoproj/argo-workflows/blob/v4.0.7/workflow/util/util.go
  if (spec.suspend) return { state: 'suspended', ...(work.length > 0 ? common : {}) };
  const gate = nodes.find(({ type, phase }) => type === 'Suspend' && phase === 'Running');
  if (gate) return { state: 'suspended', ...common, message: `${gate.displayName ?? 'a step'} waits to be resumed` };
  if (work.length > 0 && work.every(({ phase }) => phase === 'Pending')) {
    const waits = work.find(({ message }) => message && message !== 'PodInitializing');
    return { state: 'queued', ...(waits ? { message: told(waits) } : common.message ? { message: common.message } : {}) };
  }
  return { state: 'running', ...common, ...progressOf(now.progress) };
}

/**
 * How many trials of a sweep have failed by themselves so far: its steps that are named `trial(3:…)`, of one that is tried again the
 * whole (https://github.com/argoproj/argo-workflows/blob/v4.0.7/workflow/controller/steps.go, expandStep).
 */
export function failedTrials(object: KubernetesObject): number {
  const { status: now = {} } = object as Workflow;
  const isOwn = ({ displayName, nodeFlag, message }: Node): boolean =>
    /^trial\(\d+:/u.test(displayName ?? '') && !nodeFlag?.retried && !late.test(message ?? '') && !/shutdown/u.test(message ?? '');
  return (nodesOf(now) ?? []).filter((node) => (node.phase === 'Failed' || node.phase === 'Error') && isOwn(node)).length;
}

function progressOf(text: string | undefined): { progress?: number } {
  const [, done, all] = /^(\d+)\/(\d+)$/u.exec(text ?? '') ?? [];
  return Number(all) > 0 ? { progress: Math.min(1, Number(done) / Number(all)) } : {};
}

/** A workflow says that its child failed: why, the node that failed first says. */
function whyFailed(now: WorkflowStatus): { message?: string; reason?: Reason } {
  const failed = (nodesOf(now) ?? [])
    .filter(({ type, phase, message }) => !holders.has(type) && (phase === 'Failed' || phase === 'Error') && message)
    .toSorted((a, b) => Date.parse(a.finishedAt ?? '') - Date.parse(b.finishedAt ?? ''));
  const first = failed[0];
  const own = now.message && !/^child '.*' failed$/u.test(now.message) && now.message !== first?.message ? now.message : undefined;
  const message = [own, first && told(first)].filter(Boolean).join('; ') || now.message;
  const reason = reasonOf([now.message, ...failed.map((node) => node.message)]);
  return { ...(message ? { message } : {}), ...(reason ? { reason } : {}) };
}

// https://github.com/argoproj/argo-workflows/blob/v4.0.7/workflow/controller/operator.go has these texts.
const late = /exceeded its deadline|exceeded workflow deadline|longer than the specified deadline|[Mm]ax duration limit/u;

function reasonOf(messages: readonly (string | undefined)[]): Reason | undefined {
  if (messages.some((message) => late.test(message ?? ''))) return 'deadline';
  return messages[0] === 'No more retries left' ? 'retries' : undefined;
}

function told({ displayName, message }: Node): string {
  return [displayName, message].filter(Boolean).join(': ');
}

/**
 * A Workflow's own outputs and those of its nodes: the global ones and the whole workflow's by name, the others as
 * `<step>.<name>`. Of a step that was tried again, the last try counts. Hostile text.
 */
export function workflowOutputs(object: KubernetesObject): { name: string; value: string }[] {
  const { status: now = {}, metadata } = object as Workflow;
  const found = new Map<string, string>();
  const add = (prefix: string, outputs: Outputs | undefined): void => {
    for (const { name, value } of outputs?.parameters ?? []) {
      if (name !== undefined && value !== undefined && value !== null && !found.has(prefix + name)) found.set(prefix + name, textOf(value));
    }
  };
  const nodes = nodesOf(now) ?? [];
  add('', now.outputs);
  add('', nodes.find(({ id }) => id !== undefined && id === metadata.name)?.outputs);
  for (const { id, displayName, nodeFlag, outputs } of nodes) {
    if (id !== metadata.name && !nodeFlag?.retried) add(displayName ? `${displayName}.` : '', outputs);
  }
  return [...found].map(([name, value]) => ({ name, value }));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** @returns undefined where they are elsewhere, or packed in a way that cannot be read: then the phase alone counts */
function nodesOf({ nodes, compressedNodes, offloadNodeStatusVersion }: WorkflowStatus): Node[] | undefined {
  if (compressedNodes) return unpack(compressedNodes);
  if (offloadNodeStatusVersion && !nodes) return undefined;
  return Object.values(nodes ?? {}).filter(isFields);
}

/** Argo packs the nodes of a large workflow (https://argo-workflows.readthedocs.io/en/latest/offloading-large-workflows/). */
function unpack(text: string): Node[] | undefined {
  const bytes = Buffer.from(text, 'base64');
  const start = bytes.toString('hex', 0, 4);
  const decompress = start.startsWith('1f8b') ? gunzipSync : start === '28b52ffd' ? zstdDecompressSync : brotliDecompressSync;
  try {
    const nodes: unknown = JSON.parse(decompress(bytes, { maxOutputLength: largestNodes }).toString('utf8'));
    return isFields(nodes) ? Object.values(nodes).filter(isFields) : undefined;
  } catch {
    // Broken, or of a kind that this version does not know: less is told, and the phase still holds.
    return undefined;
  }
}
