import { formatDuration } from '@slashtrain/core/action/duration';
import { clip, code } from '@slashtrain/core/markdown/markdown';
import { formatChange, formatPair, formatValue } from '@slashtrain/core/metrics/format';
import type { Direction } from '@slashtrain/core/metrics/metrics';
import { valuesOf, type ShownGate } from '@slashtrain/core/metrics/rows';
import { betterOrWorse, isClear } from '@slashtrain/core/metrics/table';
import { isEnded } from '@slashtrain/core/run/state';
import type { Story } from '../story.ts';

/** What is said first. */
export interface Headline {
  sign: '✅' | '❌' | '⚠️' | '⏳' | '⚪';
  /** The verdict in plain words, which anybody understands without knowing gates. */
  words: string;
  /** The numbers that it rests on, or a sentence, as markdown; empty where there is none. */
  why: string;
  /** The same numbers as plain text, for a title: hostile text. */
  plain?: string;
}

/** The verdict in one glance. */
export function headline(story: Story): Headline {
  if (!isEnded(story.state)) return ongoing(story);
  if (story.state !== 'succeeded') return broken(story);
  switch (story.verdict) {
    case 'pass':
      return passed(story);
    case 'fail':
      return failed(story);
    case 'no-baseline':
      return { sign: '⚪', words: 'Nothing to compare with', ...numbersOf(story, story.gates[0]) };
    case 'inconclusive':
      return { sign: '⚠️', words: 'No clear difference', ...numbersOf(story, gateThatIs(story, 'inconclusive')) };
    case 'missing':
      return { sign: '⚠️', words: story.candidate.length === 0 ? 'Nothing was measured' : 'A gated metric was not measured', why: '' };
    case 'error':
      return { sign: '⚠️', words: 'Could not be judged', why: '' };
    default:
      return { sign: '⚠️', words: 'Trained, and not judged', why: 'fetch-metrics has written no verdict for this run.' };
  }
}

function ongoing({ state, result, standing }: Story): Headline {
  if (state === 'running') {
    const done = standing?.progress === undefined ? '' : `, ${Math.floor(standing.progress * 100)} % done`;
    return { sign: '⏳', words: `Training${done}`, why: '' };
  }
  if (state === 'unknown') return { sign: '⚠️', words: 'Nothing can be said about the training', why: '' };
  const name = standing?.reason ?? result?.reason;
  const reason = name === undefined ? '' : `: ${name}`;
  return { sign: '⏳', words: (state === 'suspended' ? 'Suspended' : 'Waiting to start') + reason, why: '' };
}

function broken({ state, result }: Story): Headline {
  const after = result?.runSeconds === undefined ? '' : ` after ${formatDuration(result.runSeconds)}`;
  if (state === 'cancelled') return { sign: '⚪', words: `The training was cancelled${after}`, why: '' };
  if (state === 'deleted') return { sign: '❌', words: 'The run was deleted before it ended', why: '' };
  const reason = result?.reason === undefined ? '' : `: ${result.reason}`;
  return { sign: '❌', words: `The training failed${after}${reason}`, why: '' };
}

function passed(story: Story): Headline {
  const { gates } = story;
  if (story.trials && gates.length === 0) {
    const { length } = story.trials.filter(({ state }) => state === 'succeeded');
    return { sign: '✅', words: `Swept: the best of ${length} trials`, why: 'No gates are set, so nothing was judged.' };
  }
  if (gates.length === 0) return { sign: '✅', words: 'Trained', why: 'No gates are set, so nothing was judged.' };
  const ways = gates.map(({ gate }) => wayOf(story, gate));
  const shown = gates.find((_, index) => ways[index] === 'better') ?? gates[0];
  return { sign: '✅', words: passedWords(new Set(ways)), ...numbersOf(story, shown) };
}

function passedWords(ways: ReadonlySet<ReturnType<typeof wayOf>>): string {
  if (ways.has('worse')) return ways.has('better') ? 'Better and worse, within the limits' : 'A little worse, within the limits';
  if (ways.has('better')) return 'Better than the baseline';
  return ways.has('equal') ? 'As good as the baseline' : 'Passes';
}

function failed(story: Story): Headline {
  const shown = gateThatIs(story, 'fail');
  const isWorse = shown && wayOf(story, shown.gate) === 'worse';
  return { sign: '❌', words: isWorse ? 'Worse than the baseline' : 'Does not pass', ...numbersOf(story, shown) };
}

function gateThatIs({ gates }: Story, wanted: ShownGate['outcome']): ShownGate | undefined {
  return gates.find(({ outcome }) => outcome === wanted);
}

/** Which way a metric went; a difference that chance may explain is none. */
function wayOf(story: Story, { metric, direction }: { metric: string; direction: Direction }): ReturnType<typeof betterOrWorse> {
  const [now, before] = sidesOf(story, metric);
  if (now === undefined || before === undefined) return undefined;
  const change = story.comparisons?.find(({ name }) => name === metric)?.change;
  return change && !isClear(change) ? 'equal' : betterOrWorse(before, now, direction);
}

function sidesOf({ candidate, baseline, comparisons }: Story, metric: string): [now: number | undefined, before: number | undefined] {
  const named = ({ name }: { name: string }): boolean => name === metric;
  const [one, other, comparison] = [candidate.find(named), baseline?.metrics.find(named), comparisons?.find(named)];
  return valuesOf({
    name: metric,
    gates: [],
    ...(one && { candidate: one }),
    ...(other && { baseline: other }),
    ...(comparison && { comparison }),
  });
}

/** The numbers of a gate's metric: `accuracy` is **0.961**, was 0.953: +0.008 (+0.84 %). */
function numbersOf(story: Story, shown: ShownGate | undefined): Pick<Headline, 'why' | 'plain'> {
  const [now, before] = shown ? sidesOf(story, shown.gate.metric) : [];
  if (!shown || now === undefined) return { why: '' };
  const name = clip(shown.gate.metric, 60);
  if (before === undefined) {
    const value = formatValue(now);
    return { why: `${code(name)} is **${value}**.`, plain: `${name} ${value}` };
  }
  const [value, was] = formatPair(now, before);
  const change = formatChange(before, now);
  return {
    why: `${code(name)} is **${value}**, was ${was}: ${change}. ${chanceWords(story, shown.gate.metric)}`,
    plain: `${name} ${value}, was ${was}`,
  };
}

/** Whether chance may have made the difference, in a sentence. */
function chanceWords({ comparisons }: Story, metric: string): string {
  const comparison = comparisons?.find(({ name }) => name === metric);
  const [now, before] = [comparison?.candidate?.n ?? 1, comparison?.baseline?.n ?? 1];
  const counts = now === before ? `${now} runs a side` : `${now} ${now === 1 ? 'run' : 'runs'} against ${before}`;
  const { change } = comparison ?? {};
  if (change?.p === undefined) {
    return now === 1 && before === 1
      ? 'One run a side: part of it may be chance.'
      : `A test takes 4 runs a side, and there are ${now} and ${before}: part of it may be chance.`;
  }
  const test = `(${counts}, p = ${formatValue(change.p, 2)})`;
  return isClear(change) ? `Hardly chance ${test}.` : `That may well be chance ${test}.`;
}
