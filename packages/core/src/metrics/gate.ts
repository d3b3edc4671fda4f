import type { Gate } from './metrics.ts';

/**
 * What is wrong with a gate whose fields are each allowed by themselves.
 * @returns the field (empty for the whole) and what is allowed
 */
export function gateProblem(gate: Gate): { key: string; words: string } | undefined {
  const { metric, min, max } = gate;
  const of = `the gate of ${JSON.stringify(metric.slice(0, 100))}`;
  const asks = [min, max, gate['max-regression'], gate['min-improvement']];
  if (asks.every((one) => one === undefined)) {
    return { key: '', words: `${of} asks for nothing; allowed: min, max, max-regression or min-improvement` };
  }
  if (min !== undefined && max !== undefined && min > max) {
    return { key: 'min', words: `${of} has a min of ${min} above its max of ${max}, which nothing can pass` };
  }
  if (gate['max-regression'] !== undefined && gate['min-improvement'] !== undefined) {
    return { key: 'min-improvement', words: `${of} allows to be worse and asks to be better; allowed: max-regression or min-improvement` };
  }
  return undefined;
}

/**
 * Whether a metric's name is what a gate's `metric` means: the very name, or one that its `*`, each for any text, can stand for.
 * Goes over the name once for each part between stars, whatever they are.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === name;
  const last = rest.pop() ?? '';
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last)) return false;
  let from = first.length;
  const end = name.length - last.length;
  for (const part of rest) {
    const at = name.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}
