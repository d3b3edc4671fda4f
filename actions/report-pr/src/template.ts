import { ActionError } from '@slashtrain/core/action/errors';
import { fetchFromDefaultBranch } from '@slashtrain/core/config/load';
import type { GitHub } from '@slashtrain/core/github/client';
import type { Section } from '@slashtrain/core/markdown/fit';
import { details, escapeText, fence } from '@slashtrain/core/markdown/markdown';
import { formatValue } from '@slashtrain/core/metrics/format';
import { valuesOf } from '@slashtrain/core/metrics/rows';
import { headline } from './report/headline.ts';
import { rowsOf } from './report/curves.ts';
import type { Story } from './story.ts';

/** A template that was read, for a report's story and its sections. */
export type Template = (story: Story, sections: readonly Section[]) => string;

/** Markdown of ours: all else that a template puts out is hostile text, and is escaped. */
class Markdown {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  // What a filter makes of it is text again, and escaped.
  toString(): string {
    return this.text;
  }
}

// Others write without escaping (`echo`, `cycle`), or read files.
const tags = ['assign', 'break', 'capture', 'case', 'comment', 'continue', 'for', 'if', 'raw', 'unless', '#'];

/**
 * Reads a template in Liquid (https://liquidjs.com): no code, no files, no network. Every value is put out as text; only
 * `sections` and `headline.why` are markdown.
 * @param where how errors name it
 * @throws ActionError `config` with the line; the made {@link Template} throws the same for a name that there is not
 */
export async function readTemplate(text: string, where: string): Promise<Template> {
  const { Liquid } = await import('liquidjs');
  const engine = new Liquid({
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    templates: {},
    outputEscape: (value: unknown) => (value instanceof Markdown ? value.text : escapeText(String(value ?? ''))),
    parseLimit: 100_000,
    memoryLimit: 10_000_000,
    renderLimit: 5000,
  });
  for (const name of Object.keys(engine.tags)) if (!tags.includes(name)) Reflect.deleteProperty(engine.tags, name);
  engine.registerFilter('raw', (value: unknown) => value);
  const orRefuse = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      const [message = ''] = (error as Error).message.split('\n');
      throw new ActionError('config', `${where}: ${message}`, {
        remedy: 'the values that a template has are in the README of report-pr',
        cause: error,
      });
    }
  };
  const parsed = orRefuse(() => engine.parse(text));
  return (story, sections) => orRefuse(() => engine.renderSync(parsed, scopeOf(story, sections)) as string).trim();
}

/** What a template knows. */
function scopeOf(story: Story, sections: readonly Section[]): Record<string, unknown> {
  const { sign, words, why } = headline(story);
  const { title, pipeline, sha, pullRequest, state, verdict, baseline, result, stored } = story;
  return {
    title,
    pipeline,
    sha,
    pull_request: pullRequest ?? '',
    state,
    verdict: verdict ?? '',
    headline: { sign, words, why: new Markdown(why) },
    baseline: { description: baseline?.description ?? '', sha: baseline?.sha ?? '' },
    run: { name: stored?.name ?? '', seconds: result?.runSeconds ?? '', gpu_hours: result?.gpuHours ?? '', cost: result?.cost ?? '' },
    parameters: stored?.record.parameters ?? [],
    metrics: rowsOf(story).map((row) => {
      const [now, before] = valuesOf(row).map((value) => (value === undefined ? '' : formatValue(value)));
      return { name: row.name, value: now, baseline: before, gate: row.gates[0]?.outcome ?? '' };
    }),
    sections: Object.fromEntries(sections.map(({ name, text }) => [name.replaceAll(' ', '_'), new Markdown(text)])),
  };
}

/**
 * The template at the default branch: a pull request's own could say whatever it likes.
 * @throws ActionError `not-found`, and as {@link readTemplate}
 */
export async function fetchTemplate(github: GitHub, path: string): Promise<Template> {
  const text = await fetchFromDefaultBranch(github)(path);
  if (text === undefined) {
    throw new ActionError('not-found', `input "template" is ${JSON.stringify(path)}, and the default branch has no such file`, {
      remedy: 'merge it to the default branch first',
    });
  }
  return readTemplate(text, path);
}

/** A file of the job as a section of the report, folded away. */
export function sectionOf({ title, text }: { title: string; text: string }): Section {
  return { name: escapeText(title), text: details(title, fence(text)), priority: 15 };
}
