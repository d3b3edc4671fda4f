import type { EventsConfig } from '@actions/workflow-parser/model/workflow-template';
import { partsOf, usesFunction } from './expressions.ts';

const jobKeys = ['container', 'services', 'snapshot', 'continue-on-error', 'cancel-timeout-minutes'];
const stepKeys = ['background', 'wait', 'wait-all', 'cancel', 'parallel'];
const filters = ['paths', 'paths-ignore', 'tags', 'tags-ignore', 'workflows', 'cron'];

/**
 * What a valid workflow has and this runner does not do, each by name and place. It grows only when an example or a
 * test needs it; until then nothing is silently left out.
 * @param workflow plain YAML that GitHub's parser has accepted
 */
export function unsupported(workflow: Record<string, unknown>, on: EventsConfig): string[] {
  const found: string[] = [];
  for (const [event, config] of Object.entries(on)) {
    for (const filter of filters) if (config && Object.hasOwn(config, filter)) found.push(`on.${event}.${filter}`);
  }
  for (const [id, job] of Object.entries(workflow['jobs'] as Record<string, Record<string, unknown>>)) {
    for (const key of jobKeys) if (key in job) found.push(`jobs.${id}.${key}`);
    // GitHub makes a deployment for the job then, on the event's SHA, which none of ours is about.
    if ('environment' in job && (job['environment'] as { deployment?: unknown } | null)?.deployment !== false) {
      found.push(`jobs.${id}.environment without deployment: false`);
    }
    found.push(...strategyOf(job).map((key) => `jobs.${id}.strategy${key}`));
    for (const [index, step] of ((job['steps'] ?? []) as Record<string, unknown>[]).entries()) {
      for (const key of stepKeys) if (key in step) found.push(`jobs.${id}.steps[${index}].${key}`);
    }
  }
  for (const [place, text, condition] of stringsOf(workflow, '')) {
    const parts = partsOf(text);
    const bare = condition && parts.every((part) => !part.expression);
    if (parts.some((part) => (part.expression || bare) && usesFunction(part.text, ['hashFiles']))) found.push(`hashFiles() in ${place}`);
  }
  return found;
}

/** What of a `strategy:` is not done: combinations that others change, and a matrix of calls. */
function strategyOf({ strategy, uses }: Record<string, unknown>): string[] {
  if (strategy === undefined) return [];
  const { matrix } = strategy as { matrix?: unknown };
  const keys = typeof matrix === 'object' && matrix !== null ? Object.keys(matrix) : [];
  return [
    ...(matrix === undefined || typeof matrix === 'string' || uses !== undefined ? [''] : []),
    ...(keys.includes('exclude') ? ['.matrix.exclude'] : []),
    ...(keys.includes('include') && keys.length > 1 ? ['.matrix.include beside lists'] : []),
  ];
}

/** Every text of the file, where it stands, and whether it is an `if:`, which is an expression without `${{ }}` too. */
function* stringsOf(value: unknown, place: string): Generator<[place: string, text: string, condition: boolean]> {
  if (typeof value === 'string') yield [place, value, place.endsWith('.if')];
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* stringsOf(item, `${place}[${index}]`);
  else if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) yield* stringsOf(item, place === '' ? key : `${place}.${key}`);
  }
}
