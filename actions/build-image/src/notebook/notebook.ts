import type { FileHandle } from 'node:fs/promises';
import { ActionError } from '@slashtrain/core/action/errors';
import type { CommitFile } from '../archive.ts';
import { readRequirements, type ReadText, type Requirements } from '../requirements.ts';
import { textReader } from '../text.ts';
import { scriptOf } from './names.ts';
import { readNotebook } from './read.ts';
import { toScript } from './script.ts';
import { plainParameters, stepsOf } from './steps.ts';
import type { NotebookSteps } from './workflow.ts';

/** A commit's files with a notebook's script in the notebook's place. */
export interface WithScript {
  files: CommitFile[];
  /** What the notebook installs, and its path; undefined where it installs nothing. */
  packages: { file: string; requirements: Requirements } | undefined;
  /** Its steps; absent where no cell is tagged as one. */
  workflow?: NotebookSteps;
  /** One line for the log. */
  told: string;
}

/** Above this a notebook is made of its outputs; it is held in memory. */
const limit = 32_000_000;

function scriptFile(path: string, text: string): CommitFile {
  const bytes = Buffer.from(text);
  return { path, kind: 'file', isExecutable: false, size: bytes.length, offset: 0, link: '', isPointer: false, bytes };
}

/**
 * Puts the script of a notebook in the notebook's place. The notebook itself is left out, so that running it again (its
 * outputs, its counts) makes no other image.
 * @param path the notebook's, from the context
 * @throws ActionError `not-found`, `input`, `unsupported`
 */
export async function withScript(path: string, files: readonly CommitFile[], content: FileHandle): Promise<WithScript> {
  const text = await textReader(files, content, limit, 'more than a notebook may have: clear its outputs')(path);
  if (text === undefined) throw absent(path, files);
  const notebook = readNotebook(text, path);
  const { text: code, cells, installs } = toScript(notebook);
  const steps = stepsOf(notebook).map((step) => ({ ...step, script: scriptOf(path, step.name) }));
  const scripts = [
    scriptFile(scriptOf(path), code),
    ...steps.map((step) => scriptFile(step.script, toScript({ path, cells: step.cells }).text)),
  ];
  const twin = scripts.find((script) => files.some((file) => file.path === script.path));
  if (twin)
    throw new ActionError('input', `the context has ${twin.path} already, which would be a script of ${path}`, {
      remedy: 'rename one of them, or leave it out by .dockerignore',
    });
  const requirements = await requirementsOf(installs, textReader(files, content, 8_000_000, 'no list of packages'));
  const count = requirements.lines.length;
  return {
    files: [...files.filter((one) => one.path !== path), ...scripts],
    packages: count === 0 ? undefined : { file: path, requirements },
    ...(steps.length === 0 ? {} : { workflow: { notebook: path, steps, parameters: plainParameters(notebook) } }),
    told: `notebook ${path}: ${scriptOf(path)} of ${cells} cells${steps.length === 0 ? '' : ` in ${steps.length} steps`}${count === 0 ? '' : `, which install ${count} packages`}`,
  };
}

async function requirementsOf(installs: readonly { place: string; lines: string[] }[], read: ReadText): Promise<Requirements> {
  const all: Requirements = { lines: [], constraints: [], hasIndex: false };
  for (const { place, lines } of installs) {
    const {
      lines: own,
      constraints,
      hasIndex,
    } = await readRequirements(place, async (name) => (name === place ? lines.join('\n') : read(name)));
    all.lines.push(...own.filter((line) => !all.lines.includes(line)));
    all.constraints.push(...constraints);
    all.hasIndex ||= hasIndex;
  }
  return all;
}

function absent(path: string, files: readonly CommitFile[]): ActionError {
  const others = files.filter((file) => file.kind === 'file' && file.path.endsWith('.ipynb')).map((file) => file.path);
  return new ActionError('not-found', `input "notebook" is "${path}", which is not there in the context`, {
    remedy: others.length === 0 ? 'it has no notebooks' : `its notebooks are: ${others.slice(0, 20).join(', ')}`,
  });
}
