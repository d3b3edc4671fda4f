import { jsonNumber, numberOf } from '../metrics/lines.ts';
import type { Trial, TrialMetric, TrialState } from '../sweep/sweep.ts';

const numbers = ['last', 'min', 'max', 'mean'] as const;
const states: readonly TrialState[] = ['succeeded', 'failed', 'stopped', 'not-run'];

/** A trial's metric for JSON, which has no NaN. */
export function packMetric(metric: TrialMetric): object {
  return { ...metric, ...Object.fromEntries(numbers.map((key) => [key, jsonNumber(metric[key])])) };
}

/** A trial from JSON; undefined for what is none. By hand, as series are: there may be a thousand. */
export function readTrial(value: unknown): Trial | undefined {
  if (!isObject(value) || !isWhole(value['index']) || !areTexts(value['values']) || !isState(value['state'])) return undefined;
  const metrics = listOf(value['metrics'], readMetric);
  const outputs = value['outputs'] === undefined ? [] : listOf(value['outputs'], readOutput);
  if (!metrics || !outputs) return undefined;
  const { reason, message, seconds } = value;
  return {
    index: value['index'],
    values: value['values'],
    state: value['state'],
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof message === 'string' ? { message } : {}),
    ...(typeof seconds === 'number' ? { seconds } : {}),
    metrics,
    ...(outputs.length > 0 ? { outputs } : {}),
  };
}

function readMetric(value: unknown): TrialMetric | undefined {
  if (!isObject(value) || typeof value['name'] !== 'string' || !isWhole(value['step'])) return undefined;
  const [last, min, max, mean] = numbers.map((key) => numberOf(value[key]));
  if (last === undefined || min === undefined || max === undefined || mean === undefined) return undefined;
  return { name: value['name'], last, min, max, mean, step: value['step'] };
}

function readOutput(value: unknown): { name: string; value: string } | undefined {
  if (!isObject(value) || typeof value['name'] !== 'string' || typeof value['value'] !== 'string') return undefined;
  return { name: value['name'], value: value['value'] };
}

function listOf<T>(value: unknown, read: (item: unknown) => T | undefined): T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items = value.map(read).filter((item) => item !== undefined);
  return items.length === value.length ? items : undefined;
}

function isState(value: unknown): value is TrialState {
  return (states as readonly unknown[]).includes(value);
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
