import { ActionError } from '../action/errors.ts';
import { parseDuration } from '../action/duration.ts';
import { gateProblem } from '../metrics/gate.ts';
import type { Gate } from '../metrics/metrics.ts';
import { readCommands } from './commands.ts';
import { defaultConfig } from './defaults.ts';
import { pointerPart, readDocument, type PositionedData } from './document.ts';
import { readKinds, type KindData } from './kinds.ts';
import { readPolicy } from './policy.ts';
import type { Accelerator, Pipeline, SlashtrainConfig, Toleration, Triggers } from './types.ts';
import { validate, type Problem } from './validate.ts';

/**
 * Reads `.github/slashtrain.yml`. What the text does not say is as in {@link defaultConfig}; a text with `commands:`
 * has these and `/cancel`.
 * @throws ActionError `config`: every problem with file, line, column and what is allowed, a line each
 */
export function readConfig(text: string, file: string): SlashtrainConfig {
  const document = readDocument(text, file);
  const refuse = (problems: readonly Problem[]): void => {
    if (problems.length === 0) return;
    const lines = problems.slice(0, 10).map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
    if (problems.length > lines.length) lines.push(`and ${problems.length - lines.length} more`);
    throw new ActionError('config', lines.join('\n'));
  };
  refuse(validate(document));

  const data = (document.data ?? {}) as FileData;
  const problems: Problem[] = [];
  const problem = (pointer: string, message: string): void => {
    problems.push({ ...document.valueAt(pointer), message });
  };
  const commands = data.commands === undefined ? defaultConfig.commands : readCommands(data.commands, problem);
  const accelerators = mapOf(data.accelerators, readAccelerator);
  const kinds = readKinds(data.kinds ?? [], problem);
  const config: SlashtrainConfig = {
    file,
    commands,
    triggers: readTriggers(data.triggers, commands, problem),
    forks: data.forks ?? defaultConfig.forks,
    accelerators,
    policy: readPolicy(data.policy, file, [...accelerators.values()], kinds),
    pipelines: mapOf(data.pipelines, (value, name) => readPipeline(value, name, { file, document, problem })),
    kinds,
    retentionSeconds: data.retention === undefined ? defaultConfig.retentionSeconds : parseDuration(data.retention, 'retention'),
  };
  refuse(problems.sort((a, b) => a.line - b.line || a.column - b.column));
  return config;
}

/** Notes a problem at a JSON pointer. */
export type Complain = (pointer: string, message: string) => void;

/** The file as the schema lets it through. */
interface FileData {
  commands?: Record<string, Record<string, unknown>>;
  triggers?: { labels?: Record<string, string>; push?: string; review?: string; merge?: string };
  forks?: 'never' | 'by-sha';
  accelerators?: Record<string, AcceleratorData>;
  policy?: Record<string, unknown>;
  pipelines?: Record<string, PipelineData>;
  kinds?: KindData[];
  retention?: string;
}

interface AcceleratorData {
  resource: string;
  'node-selector'?: Record<string, string>;
  tolerations?: Toleration[];
  'price-per-hour'?: number;
}

interface PipelineData {
  manifest?: string;
  gates?: Gate[];
  baseline?: string;
  paths?: string[];
  'no-baseline'?: 'pass' | 'fail';
}

function mapOf<From, To>(data: Record<string, From> | undefined, read: (value: From, name: string) => To): ReadonlyMap<string, To> {
  return new Map(Object.entries(data ?? {}).map(([name, value]) => [name, read(value, name)]));
}

function readTriggers(data: FileData['triggers'], commands: SlashtrainConfig['commands'], problem: Complain): Triggers {
  const check = (pointer: string, text: string): void => {
    const name = /^\/([a-z0-9-]+)/u.exec(text)?.[1] ?? '';
    if (!commands.has(name)) {
      problem(
        `/triggers/${pointer}`,
        `there is no command /${name}; allowed: ${[...commands.keys()].map((known) => `/${known}`).join(', ')}`,
      );
    }
  };
  const labels = new Map(Object.entries(data?.labels ?? {}));
  for (const [label, text] of labels) check(`labels/${label.replaceAll('~', '~0').replaceAll('/', '~1')}`, text);
  const { push, review, merge } = data ?? {};
  for (const [name, text] of Object.entries({ push, review, merge })) if (text !== undefined) check(name, text);
  return {
    labels,
    ...(push === undefined ? {} : { push }),
    ...(review === undefined ? {} : { review }),
    ...(merge === undefined ? {} : { merge }),
  };
}

function readAccelerator(data: AcceleratorData): Accelerator {
  return {
    resource: data.resource,
    nodeSelector: data['node-selector'] ?? {},
    tolerations: data.tolerations ?? [],
    ...(data['price-per-hour'] === undefined ? {} : { pricePerHour: data['price-per-hour'] }),
  };
}

function readPipeline(
  data: PipelineData,
  name: string,
  { file, document, problem }: { file: string; document: PositionedData; problem: Complain },
): Pipeline {
  const gates = (data.gates ?? []).map((gate, index) => {
    const pointer = `/pipelines/${pointerPart(name)}/gates/${index}`;
    const wrong = gateProblem(gate);
    if (wrong) problem(`${pointer}${wrong.key === '' ? '' : `/${wrong.key}`}`, wrong.words);
    return { ...gate, place: { file, line: document.valueAt(pointer).line } };
  });
  return {
    name,
    ...(data.manifest === undefined ? {} : { manifest: data.manifest }),
    gates,
    ...(data.baseline === undefined ? {} : { baseline: data.baseline }),
    paths: data.paths ?? [],
    noBaseline: data['no-baseline'] ?? 'pass',
  };
}
