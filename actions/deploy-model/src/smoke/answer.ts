import { clip, oneLine } from '@slashtrain/core/markdown/text';
import { parsePythonJson } from '@slashtrain/core/metrics/lines';
import type { EndpointAnswer } from '../types.ts';
import { valueProblem } from './compare.ts';
import type { Expectation, Path } from './test.ts';
import { valuesAt } from './compare.ts';

type Answer = Pick<EndpointAnswer, 'status' | 'body'>;

/** What an answer does not keep of what is expected, latency aside. The words hold hostile text. */
export function answerProblems(expect: Expectation, answer: Answer): string[] {
  const wrong = statusProblem(expect.status, answer);
  // The rest would only say the same in other words.
  if (wrong !== undefined) return [wrong];
  const text = answer.body.toString('utf8');
  const problems = expect.contains.flatMap((part) =>
    text.includes(part) ? [] : [`the answer does not contain ${JSON.stringify(clip(part, 80))}: ${words(answer)}`],
  );
  if (!expect.schema && expect.values.length === 0) return problems;
  const json = jsonOf(answer);
  if ('problem' in json) return [...problems, json.problem];
  const misfit = expect.schema?.(json.data);
  if (misfit !== undefined) problems.push(`the answer does not fit the schema: ${misfit}`);
  for (const value of expect.values) {
    const problem = valueProblem(value, json.data);
    if (problem !== undefined) problems.push(problem);
  }
  return problems;
}

/** The value at a path of an answer that succeeded, or what is wrong with it. */
export function outputOf(path: Path, answer: Answer): { value: unknown } | { problem: string } {
  const wrong = statusProblem(undefined, answer);
  if (wrong !== undefined) return { problem: wrong };
  const json = jsonOf(answer);
  if ('problem' in json) return json;
  const [value, ...more] = valuesAt(path, json.data);
  if (value === undefined) return { problem: `nothing stands at ${path.text}: ${words(answer)}` };
  return more.length > 0 ? { problem: `${path.text} finds ${more.length + 1} values; allowed: one` } : { value };
}

function statusProblem(expected: readonly number[] | undefined, answer: Answer): string | undefined {
  const { status } = answer;
  if (expected ? expected.includes(status) : status >= 200 && status <= 299) return undefined;
  return `status is ${status}, expected ${expected ? expected.join(' or ') : 'a success'}: ${words(answer)}`;
}

// Python's servers write NaN, which is no JSON, and which no expectation holds for.
function jsonOf(answer: Answer): { data: unknown } | { problem: string } {
  try {
    return { data: parsePythonJson(answer.body.toString('utf8')) };
  } catch {
    return { problem: `the answer is no JSON: ${words(answer)}` };
  }
}

/** The beginning of an answer, on one line. */
export function words({ body }: Pick<Answer, 'body'>): string {
  const text = oneLine(body.subarray(0, 1000).toString('utf8')).trim();
  return text === '' ? 'an empty answer' : clip(text, 200);
}
