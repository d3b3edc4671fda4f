import examplesOf from '@octokit/webhooks-examples' with { type: 'json' };
import type { WorkflowEvent } from '@slashtrain/testing/github/events';

type Json = Record<string, unknown>;

const published = examplesOf as unknown as { name: string; examples: Json[] }[];

/** The payloads that GitHub has published for an event (https://github.com/octokit/webhooks). */
export function publishedExamples(name: string): Json[] {
  // `pull_request_target` has the payload of `pull_request`.
  return published.find((one) => one.name === name.replace('_target', ''))?.examples ?? [];
}

/** An event with everything that GitHub's payload has: the published one, with this event's values over it. */
export function inPublishedShape(event: WorkflowEvent): WorkflowEvent {
  const examples = publishedExamples(event.name);
  const example = examples.find(({ action }) => action === event.payload['action']) ?? examples[0] ?? {};
  return { ...event, payload: over(example, event.payload) };
}

function over(below: Json, above: Json): Json {
  const merged: Json = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const there = below[key];
    merged[key] = isObject(there) && isObject(value) ? over(there, value) : value;
  }
  return merged;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
