import type { GitHub } from './client.ts';
import { addDeploymentStatus } from './deployments.ts';

/**
 * What the payload of each of our deployments says, for whoever finds it unfinished: which attempt of which workflow run made it, and
 * until when it can be at its start. Who is still waiting for its turn then is gone, and nothing was changed.
 */
export interface SignOfLife {
  workflow: { run: number; attempt: number };
  /** ISO 8601 */
  queuedUntil: string;
}

/** Where to look, and from when. */
export interface Search {
  /** Absent: all of them. */
  environment?: string;
  /** Absent: all of them. */
  task?: string;
  /** The workflow run that looks: its earlier attempts have all ended. */
  workflow: { run: number; attempt: number };
  /** Deployments whose end is kept elsewhere, by id. */
  isKnown(id: number): boolean;
  /** Milliseconds since 1970. */
  now: number;
}

const longestAgo = 7 * 86_400_000;

/**
 * Ends the deployments whose deploy was killed before it wrote down that it had begun: GitHub would show them as queued for ever.
 * Only those that say nothing yet, or `queued`, and whose sign of life has run out. Two that end one at once say the same.
 *
 * Requests: 1, and 1 or 2 for each that is not known.
 * @returns the ids of those that were ended
 */
export async function endLostDeployments(github: GitHub, search: Search): Promise<number[]> {
  const { environment, task, workflow, isKnown, now } = search;
  const where = { ...(environment === undefined ? {} : { environment }), ...(task === undefined ? {} : { task }) };
  const { data } = await github.rest.repos.listDeployments({ ...github.at, ...where, per_page: 50 });
  const ended: number[] = [];
  for (const { id, payload, created_at: createdAt } of data) {
    const sign = readSign(payload);
    if (!sign || isKnown(id) || now - Date.parse(createdAt) > longestAgo || !isOver(sign, workflow, now)) continue;
    const { data: statuses } = await github.rest.repos.listDeploymentStatuses({ ...github.at, deployment_id: id, per_page: 1 });
    if ((statuses[0]?.state ?? 'queued') !== 'queued') continue;
    await addDeploymentStatus(github, id, {
      state: 'error',
      description: 'its runner was lost before anything was changed',
      logUrl: `${github.serverUrl}/${github.at.owner}/${github.at.repo}/actions/runs/${sign.workflow.run}`,
    });
    ended.push(id);
  }
  return ended;
}

function isOver({ workflow, queuedUntil }: SignOfLife, own: SignOfLife['workflow'], now: number): boolean {
  const wasBefore = workflow.run === own.run && workflow.attempt < own.attempt;
  return wasBefore || now > Date.parse(queuedUntil);
}

/** @param payload an object, or JSON of one, as GitHub gives back what it was sent; anybody's may stand there */
function readSign(payload: unknown): SignOfLife | undefined {
  let value = payload;
  try {
    if (typeof payload === 'string') value = JSON.parse(payload);
  } catch {
    // Somebody else's words.
    return undefined;
  }
  const { workflow, queuedUntil } = (value ?? {}) as Partial<SignOfLife>;
  const isWhole = [workflow?.run, workflow?.attempt].every(Number.isSafeInteger) && !Number.isNaN(Date.parse(String(queuedUntil)));
  return isWhole ? (value as SignOfLife) : undefined;
}
