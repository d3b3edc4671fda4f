import type { Section } from '@slashtrain/core/markdown/fit';
import { clip, code, details, escapeText, fence, table } from '@slashtrain/core/markdown/markdown';
import { formatValue } from '@slashtrain/core/metrics/format';
import { budgetWords } from '@slashtrain/core/sweep/outcome';
import { rankSettings, valueOfTrial, type RankedSetting } from '@slashtrain/core/sweep/rank';
import type { RunSweep, Trial } from '@slashtrain/core/sweep/sweep';
import { isEnded } from '@slashtrain/core/run/state';
import type { Story } from '../story.ts';
import { hundredths } from './facts.ts';
import { importanceOf, type Importance } from './importance.ts';
import { scatter } from './scatter.ts';

const shownSettings = 5;
const mostSettings = 25;
const mostPlots = 4;
const mostReasons = 5;
const mostParameters = 6;

/** What a sweep found: its best setting and how sure that is, the others, what each parameter does, what failed, what it took. */
export function sweepSections(story: Story): Section[] {
  const sweep = story.stored?.record.sweep;
  const { trials, state } = story;
  if (!sweep || !trials || !isEnded(state)) return [];
  const ranked = rankSettings(trials, sweep);
  const importance = importanceOf(trials, sweep);
  return [
    { name: 'best setting', text: [bestWords(ranked, sweep), countWords(story, trials, sweep)].filter(Boolean).join('\n\n'), priority: 88 },
    { name: 'settings file', text: story.settings ?? '', priority: 87 },
    { name: 'settings', text: settingsTable(ranked.slice(0, shownSettings), sweep), priority: 58 },
    { name: 'failed trials', text: failures(trials), priority: 57 },
    { name: 'what matters', text: whatMatters(trials, sweep, importance), priority: 52 },
    { name: 'more settings', text: moreSettings(ranked, sweep), priority: 28 },
  ];
}

/** The best setting, and how sure it is that it is the best. */
export function bestWords(ranked: readonly RankedSetting[], sweep: RunSweep): string {
  const [best, next] = ranked;
  if (!best) return `No trial ended well with a number for ${code(clip(sweep.metric, 80))}.`;
  const setting = best.parameters.map(({ name, value }) => code(`${clip(name, 40)}=${clip(value, 60)}`)).join(' ');
  const value = `${code(clip(sweep.metric, 80))} **${shown(best)}**`;
  return `**Best setting:** ${setting || 'the only one'} with ${value}. ${next ? surely(best, next) : 'There is no other to compare it with.'}`;
}

/** The gap to the next setting, against what seeds alone change. */
function surely(best: RankedSetting, next: RankedSetting): string {
  const gap = Math.abs(best.mean - next.mean);
  const ahead = `${formatValue(gap)} ahead of the next (${shown(next)})`;
  if (best.deviation === undefined || next.deviation === undefined) {
    return `It is ${ahead}: one run each, so that their order may be chance. ${code('seeds: [1, 2, 3]')} in the sweep would tell.`;
  }
  const error = Math.sqrt(best.deviation ** 2 / best.values.length + next.deviation ** 2 / next.values.length);
  const n =
    best.values.length === next.values.length
      ? `${best.values.length} seeds each`
      : `${best.values.length} and ${next.values.length} seeds`;
  if (error === 0) return `It is ${ahead}, and the seeds of both change nothing (${n}).`;
  const errors = gap / error;
  const words = errors >= 2 ? 'hardly chance' : 'that may well be chance';
  return `It is ${ahead}: ${Number(errors.toPrecision(2))} standard errors of their difference (${n}), ${words}.`;
}

function shown({ mean, deviation }: RankedSetting): string {
  return escapeText(formatValue(mean)) + (deviation === undefined ? '' : ` ± ${escapeText(formatValue(deviation, 2))}`);
}

/** How many trials ended how, how they were chosen, and what it took. */
function countWords({ result }: Story, trials: readonly Trial[], sweep: RunSweep): string {
  const count = (state: Trial['state']): number => trials.filter((one) => one.state === state).length;
  const parts = [
    `${count('succeeded')} of ${trials.length} trials ended well`,
    ...(count('failed') > 0 ? [`${count('failed')} failed (at most ${sweep.maxFailed} may)`] : []),
    ...(count('stopped') + count('not-run') > 0 ? [`${count('stopped') + count('not-run')} were not finished`] : []),
    `chosen by ${sweep.method}${sweep.seed === undefined ? '' : ` (seed ${sweep.seed})`}`,
    ...budgetPart(result, trials, sweep),
  ];
  const stopped = result?.state === 'succeeded' && result.message !== undefined && sweep.budget && count('not-run') + count('stopped') > 0;
  return parts.join(' · ') + (stopped ? `\n\n**Not all was tried:** ${escapeText(clip(result.message ?? '', 300))}.` : '');
}

function budgetPart(result: Story['result'], trials: readonly Trial[], { budget }: RunSweep): string[] {
  if (!budget) return [];
  const hours = trials.reduce((sum, { seconds = 0 }) => sum + seconds, 0) / 3600;
  const used = { 'gpu-hours': result?.gpuHours, cost: result?.cost, 'trial-hours': hours }[budget.unit];
  return used === undefined
    ? [`budget ${budgetWords(budget)}`]
    : [`${used < 0.1 ? Number(used.toPrecision(2)) : hundredths(used)} of ${budgetWords(budget)} used`];
}

function settingsTable(settings: readonly RankedSetting[], sweep: RunSweep, from = 1): string {
  if (settings.length === 0) return '';
  const names = [...new Set(settings.flatMap(({ parameters }) => parameters.map(({ name }) => name)))].slice(0, mostParameters);
  const metrics = otherMetrics(settings, sweep);
  const withSeeds = settings.some(({ values }) => values.length > 1);
  const rows = settings.map((setting, index) => [
    String(from + index),
    ...names.map((name) => code(clip(setting.parameters.find((one) => one.name === name)?.value ?? '–', 40))),
    shown(setting),
    ...(withSeeds ? [String(setting.values.length)] : []),
    ...metrics.map((name) => valueIn(setting, name)),
    setting.trials.map(({ index: trial }) => trial).join(', '),
  ]);
  const head = ['', ...names, clip(sweep.metric, 40), ...(withSeeds ? ['Runs'] : []), ...metrics, withSeeds ? 'Trials' : 'Trial'];
  return table(
    head.map((name, index) => (index === 0 ? '' : escapeText(clip(name, 40)))),
    rows,
    head.map((_, index) => (index === 0 || index > names.length ? 'right' : 'left')),
  );
}

function otherMetrics(settings: readonly RankedSetting[], { metric }: RunSweep): string[] {
  const names = settings.flatMap(({ trials }) => trials[0]?.metrics.map(({ name }) => name) ?? []);
  return [...new Set(names)].filter((name) => name !== metric).slice(0, 2);
}

function valueIn({ trials }: RankedSetting, metric: string): string {
  const found = trials[0]?.metrics.find(({ name }) => name === metric);
  return found ? escapeText(formatValue(found.last)) : '–';
}

function moreSettings(ranked: readonly RankedSetting[], sweep: RunSweep): string {
  const rest = ranked.slice(shownSettings, mostSettings);
  if (rest.length === 0) return '';
  const left = ranked.length - mostSettings;
  const title = left > 0 ? `The next ${rest.length} settings; ${left} more are not shown` : `${rest.length} more settings`;
  return details(title, settingsTable(rest, sweep, shownSettings + 1));
}

/** Failed trials by reason, those that are most first. */
function failures(trials: readonly Trial[]): string {
  const failed = trials.filter(({ state }) => state === 'failed');
  if (failed.length === 0) return '';
  const groups = [...Map.groupBy(failed, ({ reason = 'unknown', message = '' }) => `${reason}\n${message}`).values()].toSorted(
    (a, b) => b.length - a.length,
  );
  const lines = groups.slice(0, mostReasons).map((group) => {
    const [{ reason, message = '' } = { reason: undefined }] = group;
    const which =
      group
        .slice(0, 8)
        .map(({ index }) => index)
        .join(', ') + (group.length > 8 ? ', …' : '');
    const why = [reason === undefined ? '' : code(reason), escapeText(clip(message, 200))].filter(Boolean).join(': ');
    return `- ${group.length} × ${why || 'no reason is known'} (trial ${which})`;
  });
  const more = groups.length - mostReasons;
  return [`**Failed trials:**\n`, ...lines, ...(more > 0 ? [`- and ${more} more reasons`] : [])].join('\n');
}

/** A plot for each parameter, the most important first, with how much it explains. */
function whatMatters(trials: readonly Trial[], sweep: RunSweep, importance: readonly Importance[]): string {
  const measured = trials.filter((trial) => trial.state === 'succeeded' && Number.isFinite(valueOfTrial(trial, sweep)));
  const order = [...importance.map(({ name }) => name), ...sweep.parameters.filter((name) => !importance.some((one) => one.name === name))];
  const plots = order.slice(0, mostPlots).flatMap((name) => {
    const at = sweep.parameters.indexOf(name);
    const dots = measured.map((trial) => ({ x: trial.values[at] ?? '', y: valueOfTrial(trial, sweep) }));
    const plot = scatter(dots, { isLog: sweep.log?.includes(name) ?? false });
    const share = importance.find((one) => one.name === name)?.share;
    const explains = share === undefined ? '' : ` explains ${Math.round(share * 100)} %`;
    return plot === undefined ? [] : [`${code(clip(name, 60))}${explains}\n\n${fence(plot)}`];
  });
  if (plots.length === 0) return '';
  const [first] = importance;
  const most = first && first.share >= 0.05 ? `: most of it ${clip(first.name, 40)} (${Math.round(first.share * 100)} %)` : '';
  const how =
    importance.length > 0
      ? '<sub>"Explains" is the share of the spread between groups of like values of this parameter alone (ε², at most four groups).</sub>'
      : '<sub>Fewer than eight trials: how much each parameter explains is not said.</sub>';
  return details(`What changes ${clip(sweep.metric, 60)}${most}`, [...plots, how].join('\n\n'));
}
