import { ActionError } from '../action/errors.ts';

/** A part of a report: whole markdown blocks. */
export interface Section {
  /** What it is, in plain words without markdown, for the line that says what was left out: `learning curves`. */
  name: string;
  text: string;
  /** Says the same with less. */
  short?: string;
  /** The larger, the longer it stays; `required` stays always. */
  priority: number | 'required';
}

/** A text that fits. */
export interface Fitted {
  text: string;
  /** Names of what was left out, in the order of the text. */
  omitted: string[];
  /** Names of what stands in its short form. */
  shortened: string[];
}

type Form = 'full' | 'short' | 'none';

/**
 * Puts sections together within GitHub's limit, an empty line between them. Whole sections become short or go, the least
 * important first (of equals the last), so that nothing is cut within a fence or a table; a last line says which.
 * @param unit GitHub counts comments in characters, texts of check runs in bytes of UTF-8
 * @throws ActionError `internal` where what is required does not fit
 */
export function fit(all: readonly Section[], limit: number, unit: 'characters' | 'bytes'): Fitted {
  const sections = all.filter(({ text }) => text !== '');
  const forms = new Map<Section, Form>(sections.map((section) => [section, 'full']));
  const size = (text: string): number => (unit === 'bytes' ? Buffer.byteLength(text) : text.length);
  for (;;) {
    const fitted = compose(sections, forms, limit, unit);
    if (size(fitted.text) <= limit) return fitted;
    const next = leastImportant(sections, forms);
    if (next === undefined) {
      throw new ActionError('internal', `the required parts of a report take ${size(fitted.text)} ${unit}, and GitHub takes ${limit}`);
    }
    forms.set(next, reduced(next, forms.get(next)));
  }
}

function compose(sections: readonly Section[], forms: ReadonlyMap<Section, Form>, limit: number, unit: string): Fitted {
  const named = (form: Form): string[] => sections.filter((section) => forms.get(section) === form).map(({ name }) => name);
  const [omitted, shortened] = [named('none'), named('short')];
  const texts = sections.flatMap((section) => {
    const form = forms.get(section);
    return form === 'none' ? [] : [form === 'short' ? (section.short ?? section.text) : section.text];
  });
  const words = [
    ...(omitted.length > 0 ? [`left out: ${omitted.join(', ')}`] : []),
    ...(shortened.length > 0 ? [`shortened: ${shortened.join(', ')}`] : []),
  ];
  if (words.length > 0) texts.push(`<sub>GitHub takes ${limit.toLocaleString('en')} ${unit}; ${words.join('; ')}.</sub>`);
  return { text: texts.join('\n\n'), omitted, shortened };
}

function reduced({ short, priority }: Section, form: Form | undefined): Form {
  return form === 'full' && (short !== undefined || priority === 'required') ? 'short' : 'none';
}

function leastImportant(sections: readonly Section[], forms: ReadonlyMap<Section, Form>): Section | undefined {
  let found: Section | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const section of sections) {
    const form = forms.get(section);
    const isRequired = section.priority === 'required';
    // What is required may become short when nothing else is left, and never goes.
    if (form === 'none' || (isRequired && (form === 'short' || section.short === undefined))) continue;
    const priority = isRequired ? Number.MAX_VALUE : Number(section.priority);
    if (priority <= least) [found, least] = [section, priority];
  }
  return found;
}
