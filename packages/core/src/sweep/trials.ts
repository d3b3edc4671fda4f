import type { Evidence, PodsObservation } from '../backend/backend.ts';
import { explain } from '../diagnosis/explain.ts';
import { numberOf } from '../metrics/lines.ts';
import type { MetricSeries, RunMetrics } from '../metrics/metrics.ts';
import { summariseAll } from '../metrics/summary.ts';
import type { PodResult } from '../run/result.ts';
import { podsByTrial, trialState } from './outcome.ts';
import { rankSettings } from './rank.ts';
import type { RunSweep, Trial } from './sweep.ts';

/** What is known of a sweep's pods when it has ended. */
export interface TrialSources {
  pods: PodsObservation;
  /** The curves that a pod printed. */
  series(pod: string): MetricSeries[];
  /** The last lines of a pod's log. */
  tail(pod: string): string[];
  /** What its containers wrote as termination message, where that is known. */
  outputs(pod: string): { name: string; value: string }[];
}

/** Beside the sweep's own metric. A thousand trials are remembered together, in one ConfigMap. */
const mostMetrics = 10;
const mostOutputs = 5;
const longestText = 300;
const mostFailedLogs = 20;

/**
 * What a sweep measured: the curves of its best trial, and every trial's settings and numbers. A trial's metrics are the
 * lines that its pod printed; small numbers of its termination message are metrics where it printed none of that name.
 */
export function sweepMetrics(sweep: RunSweep, sources: TrialSources): RunMetrics {
  const byTrial = podsByTrial(sources.pods.pods);
  const evidence = Map.groupBy(sources.pods.evidence, ({ object }) => object);
  const seriesOf = (pod: PodResult | undefined): MetricSeries[] =>
    pod ? withOutputs(sources.series(pod.name), sources.outputs(pod.name)) : [];
  let cut = 0;
  const trials = sweep.trials.map((values, index): Trial => {
    const pod = byTrial.get(index);
    const all = summariseAll(seriesOf(pod));
    const metrics = [...all.filter(({ name }) => name === sweep.metric), ...all.filter(({ name }) => name !== sweep.metric)];
    if (metrics.length > mostMetrics) cut++;
    const state = trialState(pod);
    const outputs = pod ? smallOutputs(sources.outputs(pod.name)) : [];
    return {
      index,
      values,
      state,
      ...(pod && state === 'failed' ? whyFailed(pod, evidence.get(pod.name) ?? [], sources.tail(pod.name)) : {}),
      ...(pod ? secondsOf(pod) : {}),
      metrics: metrics
        .slice(0, mostMetrics)
        .map(({ name, last, min, max, mean, step }) => ({ name, last, min, max, mean: mean ?? last, step })),
      ...(outputs.length > 0 ? { outputs } : {}),
    };
  });
  const best = rankSettings(trials, sweep)[0]?.trials[0];
  return {
    version: 1,
    series: best ? seriesOf(byTrial.get(best.index)) : [],
    trials,
    dropped: cut === 0 ? [] : [`of ${cut} trials only the first ${mostMetrics} metrics are kept`],
  };
}

/**
 * The pods of a sweep whose logs say more than their termination messages. Of a trial that left its metric there the log is not needed,
 * but for the best one's, whose curves are shown; of those that failed so many are read as a report tells apart.
 * @param outputs what each pod wrote as termination message
 */
export function podsToRead(sweep: RunSweep, pods: PodsObservation, outputs: TrialSources['outputs']): Set<string> {
  // Any other value than the last is one of the curve, which is in the log alone.
  if (sweep.on !== 'last') return new Set(pods.pods.map(({ name }) => name));
  const told = [...podsByTrial(pods.pods).values()].filter(
    (pod) =>
      trialState(pod) === 'succeeded' &&
      outputs(pod.name).some(({ name, value }) => name === sweep.metric && outputNumber(value) !== undefined),
  );
  const known = new Set(told.map(({ name }) => name));
  const { trials = [] } = sweepMetrics(sweep, { pods, series: () => [], tail: () => [], outputs });
  const best = podsByTrial(pods.pods).get(rankSettings(trials, sweep)[0]?.trials[0]?.index ?? -1);
  const failed = pods.pods.filter((pod) => trialState(pod) === 'failed').map(({ name }) => name);
  const unread = new Set([...known, ...failed.slice(mostFailedLogs)]);
  return new Set(pods.pods.flatMap(({ name }) => (unread.has(name) && name !== best?.name ? [] : [name])));
}

function withOutputs(series: MetricSeries[], outputs: readonly { name: string; value: string }[]): MetricSeries[] {
  const known = new Set(series.map(({ name }) => name));
  const more = outputs.flatMap(({ name, value }): MetricSeries[] => {
    const number = outputNumber(value);
    return number === undefined || known.has(name) ? [] : [{ name, points: [{ step: 0, value: number }] }];
  });
  return [...series, ...more];
}

/** A small output that is a number. */
export function outputNumber(value: string): number | undefined {
  const text = value.trim();
  return numberOf(text) ?? (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/u.test(text) ? Number(text) : undefined);
}

function smallOutputs(outputs: readonly { name: string; value: string }[]): NonNullable<Trial['outputs']> {
  return outputs.filter(({ value }) => outputNumber(value) === undefined && value.length <= longestText).slice(0, mostOutputs);
}

function whyFailed(pod: PodResult, evidence: readonly Evidence[], tail: readonly string[]): Pick<Trial, 'reason' | 'message'> {
  const { reason, message } = explain({ state: 'failed' }, evidence, tail);
  return { ...(reason ? { reason } : {}), ...(message ? { message: withoutPod(message, pod).slice(0, longestText) } : {}) };
}

// So that equal failures read alike.
function withoutPod(message: string, { name }: PodResult): string {
  return message.replaceAll(`of pod ${name}`, '').replaceAll(name, 'the pod').replace(/ {2,}/gu, ' ');
}

function secondsOf({ startedAt, endedAt }: PodResult): { seconds?: number } {
  if (startedAt === undefined || endedAt === undefined) return {};
  return { seconds: Math.max(0, (Date.parse(endedAt) - Date.parse(startedAt)) / 1000) };
}
